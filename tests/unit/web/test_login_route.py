from typing import Any

import pytest

from movieql.domain.errors import RateLimitedError
from movieql.web.login import LoginDoor
from tests.unit.web.rest_doors import ADDRESS, FORGED, Reply, RestDoor

ADA = {"username": "ada", "password": "right"}


@pytest.fixture
def door() -> RestDoor:
    return RestDoor()


async def log_in(door: RestDoor, content: Any, **headers: str) -> Reply:
    """Ask for a token; whatever the answer is, nobody may keep it."""
    reply = await door.send("POST", "/login", content, token=None, **headers)
    assert reply.headers["cache-control"] == "no-store"
    return reply


async def test_a_right_password_gets_a_token(door: RestDoor) -> None:
    reply = await log_in(door, ADA)
    assert reply.status == 200
    assert reply.json == {"access_token": "a.b.c", "token_type": "bearer", "expires_in": 3600}


@pytest.mark.parametrize(
    "wrong",
    [ADA | {"password": "left"}, ADA | {"username": "bob"}, {"username": "", "password": ""}],
)
async def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(
    door: RestDoor, wrong: dict[str, str]
) -> None:
    reply = await log_in(door, wrong)
    assert reply.status == 401
    assert reply.json == {"error": "Bad username or password", "code": "UNAUTHENTICATED"}
    assert reply.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "content, field",
    [
        ({"username": "ada"}, "password"),
        ({"password": "right"}, "username"),
        (ADA | {"password": 1}, "password"),
        (ADA | {"username": None}, "username"),
    ],
)
async def test_what_is_missing_is_named(
    door: RestDoor, content: dict[str, Any], field: str
) -> None:
    reply = await log_in(door, content)
    assert (reply.status, reply.json["path"]) == (400, [field])
    assert door.login.attempts == []


@pytest.mark.parametrize(
    "body, status",
    [(b"{", 400), (b"[]", 400), (b'{"username": "%s"}' % (b"a" * 4096), 413)],
)
async def test_what_is_no_login_is_refused(door: RestDoor, body: bytes, status: int) -> None:
    assert (await log_in(door, body)).status == status
    assert door.login.attempts == []


async def test_a_form_of_another_site_cannot_log_in(door: RestDoor) -> None:
    reply = await log_in(door, ADA, content_type="application/x-www-form-urlencoded")
    assert reply.status == 415


async def test_a_password_in_the_address_is_refused(door: RestDoor) -> None:
    reply = await door.send("POST", "/login?password=right", ADA, token=None)
    assert reply.status == 400


async def test_attempts_are_counted_by_name_and_address(door: RestDoor) -> None:
    await log_in(door, ADA)
    assert door.login.attempts == [("ada", ADDRESS)]
    assert door.spent == [f"address:{ADDRESS}"]


async def test_behind_a_proxy_the_address_is_the_clients(door: RestDoor) -> None:
    await log_in(door, ADA, x_forwarded_for="198.51.100.9")
    door.app.state.login = LoginDoor(door.login, door.limits, trusted_hops=1)
    await log_in(door, ADA, x_forwarded_for="203.0.113.1, 198.51.100.9")
    assert [address for _, address in door.login.attempts] == [ADDRESS, "198.51.100.9"]


@pytest.mark.parametrize("who", ["login", "door"])
async def test_too_many_attempts_are_told_when_to_come_back(door: RestDoor, who: str) -> None:
    if who == "login":
        door.login.failure = RateLimitedError.after(30)
    else:
        door.refuse_s = 30
    reply = await log_in(door, ADA)
    assert (reply.status, reply.json["code"]) == (429, "RATE_LIMITED")
    assert reply.headers["retry-after"] == "30"


async def test_an_old_token_does_not_keep_anybody_from_logging_in(door: RestDoor) -> None:
    assert (await door.send("POST", "/login", ADA, token=FORGED)).status == 200


async def test_without_a_login_the_way_out_is_named(door: RestDoor) -> None:
    door.app.state.login = None
    reply = await log_in(door, ADA)
    assert (reply.status, reply.json["code"]) == (404, "NOT_FOUND")
    assert "MOVIEQL_LOGIN_USERS_FILE" in reply.json["error"]


async def test_a_fault_shows_no_password(door: RestDoor) -> None:
    door.login.failure = RuntimeError("right")
    reply = await log_in(door, ADA)
    assert reply.status == 500
    assert b"right" not in reply.body
