"""Who sent a request: tokens in its head, and addresses."""

from ipaddress import ip_address
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from movieql.domain.callers import Caller
from movieql.domain.errors import (
    BadInputError,
    ForbiddenError,
    RateLimitedError,
    UnauthenticatedError,
)
from movieql.web.admission import (
    UNKNOWN_ADDRESS,
    Callers,
    bearer_token,
    client_address,
    refusal,
)

TOKEN = "aaa.bbb-_.ccc"  # noqa: S105  # of a test
BYTES_MAX = 8192


def request(*headers: tuple[str, str], client: Any = ("192.0.2.1", 5), query: str = "") -> Any:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    return {"type": "http", "headers": raw, "client": client, "query_string": query.encode()}


def authorized(value: str) -> Any:
    return request(("authorization", value))


class Accepting:
    """Accepts every token."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def verify(self, token: str) -> Caller:
        """See `ports.TokenVerifier`."""
        self.seen.append(token)
        return Caller("ada")


@pytest.mark.parametrize(
    "value",
    [
        f"Bearer {TOKEN}",
        f"bearer {TOKEN}",
        f"BEARER {TOKEN}",
        f"Bearer   {TOKEN}  ",
        f"  Bearer {TOKEN}",
    ],
    ids=range(5),
)
def test_a_bearer_token_is_found(value: str) -> None:
    assert bearer_token(authorized(value), BYTES_MAX) == TOKEN


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer",
        "Bearer ",
        f"Bearer\t{TOKEN}",
        f"Bearer{TOKEN}",
        f"Basic {TOKEN}",
        f"Token {TOKEN}",
        TOKEN,
        f"Bearer {TOKEN} {TOKEN}",
        f"Bearer {TOKEN}, Bearer {TOKEN}",
        f'Bearer "{TOKEN}"',
        f"Bearer {TOKEN}\x00",
        "Bearer é",
        f"Bearer Bearer {TOKEN}",
    ],
    ids=range(14),
)
def test_another_head_is_refused_without_showing_it(value: str) -> None:
    with pytest.raises(UnauthenticatedError) as raised:
        bearer_token(authorized(value), BYTES_MAX)
    assert TOKEN not in str(raised.value)


def test_two_heads_are_refused_even_when_they_say_the_same() -> None:
    head = ("authorization", f"Bearer {TOKEN}")
    with pytest.raises(UnauthenticatedError, match="one `Authorization`"):
        bearer_token(request(head, head), BYTES_MAX)


def test_a_long_head_is_refused_before_it_is_read() -> None:
    with pytest.raises(UnauthenticatedError, match="8192 bytes"):
        bearer_token(authorized(f"Bearer {'a' * 1_000_000}"), BYTES_MAX)


async def test_a_request_without_a_token_is_nobodys() -> None:
    accepting = Accepting()
    callers = Callers(accepting)
    for each in (
        request(),
        request(query=f"access_token={TOKEN}&token={TOKEN}"),
        request(("cookie", f"authorization=Bearer {TOKEN}; access_token={TOKEN}")),
        request(("x-access-token", TOKEN)),
        request(("proxy-authorization", f"Bearer {TOKEN}")),
    ):
        assert await callers.caller(each) is None
    assert accepting.seen == []


async def test_a_valid_token_says_who_the_caller_is() -> None:
    accepting = Accepting()
    assert await Callers(accepting).caller(authorized(f"Bearer {TOKEN}")) == Caller("ada")
    assert accepting.seen == [TOKEN]


async def test_where_no_issuer_is_set_up_no_token_is_accepted() -> None:
    callers = Callers(None)
    assert await callers.caller(request()) is None
    with pytest.raises(UnauthenticatedError, match="no issuer is configured"):
        await callers.caller(authorized(f"Bearer {TOKEN}"))


@pytest.mark.parametrize(
    "error, with_token, status, headers",
    [
        (
            UnauthenticatedError("x"),
            True,
            401,
            {"www-authenticate": 'Bearer error="invalid_token"'},
        ),
        (UnauthenticatedError("x"), False, 401, {"www-authenticate": "Bearer"}),
        (
            ForbiddenError("x"),
            True,
            403,
            {"www-authenticate": 'Bearer error="insufficient_scope"'},
        ),
        (RateLimitedError.after(1.2), True, 429, {"retry-after": "2"}),
        (RateLimitedError.after(0), True, 429, {"retry-after": "1"}),
    ],
    ids=range(5),
)
def test_a_refusal_is_told_in_http_and_in_the_one_error_shape(
    error: Any,
    with_token: bool,  # noqa: FBT001  # a parameter of the test
    status: int,
    headers: dict[str, str],
) -> None:
    response = refusal(error, with_token=with_token).response()
    assert response.status_code == status
    assert headers.items() <= dict(response.headers).items()
    assert response.headers["cache-control"] == "no-store"
    (told,) = orjson.loads(response.body)["errors"]
    assert told == {"message": str(error), "extensions": {"code": error.code}}


def test_other_errors_are_not_told_as_a_refusal() -> None:
    with pytest.raises(BadInputError):
        refusal(BadInputError("x"))


@pytest.mark.parametrize(
    "forwarded, hops, address",
    [
        ([], 0, "192.0.2.1"),
        (["203.0.113.7"], 0, "192.0.2.1"),
        (["203.0.113.7"], 1, "203.0.113.7"),
        (["6.6.6.6, 203.0.113.7"], 1, "203.0.113.7"),
        (["6.6.6.6", "203.0.113.7"], 1, "203.0.113.7"),
        (["6.6.6.6, 203.0.113.7, 10.0.0.1"], 2, "203.0.113.7"),
        (["6.6.6.6, 203.0.113.7", "10.0.0.1"], 2, "203.0.113.7"),
        (["203.0.113.7"], 2, "192.0.2.1"),
        ([], 1, "192.0.2.1"),
        (["203.0.113.7:4711"], 1, "203.0.113.7"),
        (["2001:db8::7"], 1, "2001:db8::7"),
        (["2001:DB8:0::7"], 1, "2001:db8::7"),
        (["[2001:db8::7]"], 1, "2001:db8::7"),
        (["[2001:db8::7]:4711"], 1, "2001:db8::7"),
        (["fe80::1%eth0"], 1, "fe80::1"),
        (["::ffff:203.0.113.7"], 1, "203.0.113.7"),
        (["unknown"], 1, "192.0.2.1"),
        (["_hidden"], 1, "192.0.2.1"),
        (["999.1.1.1"], 1, "192.0.2.1"),
        (["203.0.113.7, "], 1, "192.0.2.1"),
        (["<script>"], 1, "192.0.2.1"),
        (["\xff" * 1000], 1, "192.0.2.1"),
    ],
    ids=range(22),
)
def test_the_clients_address_is_what_our_outermost_proxy_saw(
    forwarded: list[str], hops: int, address: str
) -> None:
    headers = [("x-forwarded-for", value) for value in forwarded]
    assert client_address(request(*headers), hops) == address


@pytest.mark.parametrize("client", [None, ("", 0), ("/run/movieql.sock", 0)])
def test_a_client_without_an_address_is_unknown(client: Any) -> None:
    assert client_address(request(client=client), 0) == UNKNOWN_ADDRESS


@given(st.lists(st.text(st.characters(max_codepoint=255)), max_size=4), st.integers(0, 4))
def test_whatever_is_forwarded_the_address_is_one(forwarded: list[str], hops: int) -> None:
    headers = [("x-forwarded-for", value) for value in forwarded]
    said = client_address(request(*headers), hops)
    assert said == str(ip_address(said))


@given(st.text(), st.ip_addresses())
def test_a_client_cannot_choose_its_address(invented: str, true: Any) -> None:
    invented = invented.encode("latin-1", "replace").decode("latin-1")
    said = client_address(request(("x-forwarded-for", f"{invented}, {true}")), 1)
    assert said == client_address(request(("x-forwarded-for", str(true))), 1)
