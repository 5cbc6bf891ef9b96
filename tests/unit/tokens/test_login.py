"""The built-in login: who gets a token, at what cost, and how often."""

import asyncio
import re
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import jwt
import pytest

from movieql.domain.callers import Caller
from movieql.domain.errors import BadInputError, RateLimitedError, UnauthenticatedError
from movieql.memory import VirtualClock
from movieql.tokens.login import Login, LoginLimits, User
from movieql.tokens.passwords import decoy, hash_password, matches, unusable, weakness
from movieql.tokens.signing import Signer
from tests.servers import until
from tests.unit.tokens.issuing import AUDIENCE, NOW_S, OURS, SECRET, verifier

HASH = "$argon2id$v=19$m=65536,t=3,p=4$Nz2wwqqPIbS7NFw4LhlHDA$" + "A" * 43
CHEAPER = HASH.replace("m=65536,t=3", "m=19456,t=2")
ADA = User("ada", HASH, frozenset({"exports", "movies:write"}))
BOB = User("bob", CHEAPER)
PASSWORD = "correct horse battery"  # noqa: S105  # of a test


class World:
    """A login whose passwords are compared at no cost, and counted."""

    def __init__(self, *users: User, **limits: int) -> None:
        self.clock = VirtualClock()
        self.checked: list[str] = []
        self.counted: list[tuple[str, str]] = []
        self.too_often = False
        self.always = False
        self.gate = threading.Event()
        self.gate.set()
        signer = Signer(SECRET, OURS, AUDIENCE, self.clock, lambda: "id")
        self.login = Login(users, signer, self.allow, LoginLimits(**limits), self.check)

    def check(self, password_hash: str, password: str) -> bool:
        self.checked.append(password_hash)
        assert self.gate.wait(10)
        return self.always or (password_hash in {HASH, CHEAPER} and password == PASSWORD)

    async def allow(self, name: str, address: str) -> str:
        self.counted.append((name, address))
        if self.too_often:
            raise RateLimitedError.after(60)
        return address

    async def try_(
        self, username: str = "ada", password: str = PASSWORD, address: str = "203.0.113.7"
    ) -> Any:
        return await self.login.token(username, password, address)


@asynccontextmanager
async def opened(*users: User, **limits: int) -> AsyncIterator[World]:
    world = World(*users, **limits)
    try:
        yield world
    finally:
        world.gate.set()
        world.login.close()


async def test_the_right_password_gets_a_token_that_is_accepted() -> None:
    async with opened(ADA, lifetime_s=900) as world:
        granted = await world.try_()
        assert granted.expires_in_s == 900
        caller = await verifier(world.clock).verify(granted.token)
        assert caller == Caller("ada", ADA.scopes, NOW_S + 900)
        claims = jwt.decode(granted.token, options={"verify_signature": False})
        assert claims["jti"] == "id"
        assert granted.token not in repr(granted)


async def test_a_wrong_name_and_a_wrong_password_are_refused_alike() -> None:
    async with opened(ADA) as world:
        said = set()
        for name, password in [
            ("ada", "wrong"),
            ("eve", PASSWORD),
            ("Ada", PASSWORD),
            ("", PASSWORD),
            ("ada", ""),
            ("a" * 65, PASSWORD),
            ("ada\n", PASSWORD),
            ("ådå", PASSWORD),
            ("ada", "é" * 513),
            ("ada", "\ud800"),
        ]:
            with pytest.raises(UnauthenticatedError) as raised:
                await world.try_(name, password)
            said.add(str(raised.value))
        assert len(said) == 1


async def test_an_unknown_name_takes_the_work_of_a_known_one() -> None:
    async with opened(ADA) as world:
        for name in ("ada", "eve"):
            with pytest.raises(UnauthenticatedError):
                await world.try_(name, "wrong")
        known, unknown = world.checked
        assert known == HASH
        assert unknown != HASH
        cost = re.compile(r"^\$argon2id\$v=19\$m=65536,t=3,p=4\$.{22}\$.{43}$")
        assert cost.match(known)
        assert cost.match(unknown)


async def test_names_of_nobody_cost_what_some_user_costs_and_always_the_same() -> None:
    async with opened(ADA, BOB) as world:
        for name in [f"nobody{number}" for number in range(40)] * 2:
            with pytest.raises(UnauthenticatedError):
                await world.try_(name)
        assert world.checked[:40] == world.checked[40:]
        assert len(set(world.checked)) == 2
        assert not {HASH, CHEAPER} & set(world.checked)


async def test_without_users_nobody_gets_in() -> None:
    async with opened() as world:
        with pytest.raises(UnauthenticatedError):
            await world.try_()
        assert len(world.checked) == 1


async def test_nobody_is_somebody_even_if_a_password_were_right() -> None:
    async with opened(ADA) as world:
        world.always = True
        with pytest.raises(UnauthenticatedError):
            await world.try_("eve")


async def test_attempts_are_counted_before_they_cost_anything() -> None:
    async with opened(ADA) as world:
        await world.try_()
        world.too_often = True
        for name in ("ada", "eve", "", "\ud800"):
            with pytest.raises(RateLimitedError):
                await world.try_(name)
        assert len(world.checked) == 1
        assert world.counted[:2] == [("ada", "203.0.113.7")] * 2
        assert len(world.counted) == 5


async def test_passwords_are_checked_a_few_at_a_time_and_few_may_wait() -> None:
    async with opened(ADA, checks_max=2, waiting_max=3) as world:
        world.gate.clear()
        asking = [asyncio.ensure_future(world.try_(address=str(each))) for each in range(9)]
        await until(lambda: sum(each.done() for each in asking) == 4)
        assert len(world.checked) == 2
        world.gate.set()
        answers = await asyncio.gather(*asking, return_exceptions=True)
        assert sum(isinstance(each, RateLimitedError) for each in answers) == 4
        assert await world.try_()


async def test_those_who_leave_give_their_places_back() -> None:
    async with opened(ADA, checks_max=1, waiting_max=1) as world:
        world.gate.clear()
        leaving = [asyncio.ensure_future(world.try_()) for _ in range(2)]
        await until(lambda: len(world.checked) == 1)
        for each in leaving:
            each.cancel()
        await asyncio.gather(*leaving, return_exceptions=True)
        staying = asyncio.ensure_future(world.try_())  # in the place of the one that waited
        await asyncio.sleep(0)
        with pytest.raises(RateLimitedError):
            await world.try_()
        world.gate.set()
        assert await staying
        assert len(world.checked) == 2


async def test_one_address_has_few_checks_waiting_and_others_come_in_between() -> None:
    async with opened(ADA, checks_max=1) as world:
        world.gate.clear()
        guesses = [
            asyncio.ensure_future(world.try_(f"name{number}", address="192.0.2.1"))
            for number in range(60)
        ]
        await until(lambda: sum(each.done() for each in guesses) == 60 - 1 - 3)
        right = asyncio.ensure_future(world.try_())
        await asyncio.sleep(0)
        assert not right.done()
        world.gate.set()
        assert await right
        # One check was under way, one of the guesser's was first, and then the right one's turn.
        assert world.checked.index(HASH) == 2
        await asyncio.gather(*guesses, return_exceptions=True)


async def test_who_leaves_while_waiting_is_not_waited_for() -> None:
    async with opened(ADA, checks_max=1) as world:
        world.gate.clear()
        asking = [asyncio.ensure_future(world.try_(address=str(each))) for each in range(3)]
        await until(lambda: len(world.checked) == 1)
        asking[1].cancel()
        await asyncio.gather(asking[1], return_exceptions=True)
        world.gate.set()
        assert await asking[2]
        assert await asking[0]
        assert len(world.checked) == 2


async def test_who_leaves_at_the_moment_of_its_turn_gives_the_place_back() -> None:
    async with opened(ADA, checks_max=1) as world:
        world.gate.clear()
        asking = [asyncio.ensure_future(world.try_(address=str(each))) for each in range(2)]
        await until(lambda: len(world.checked) == 1)
        world.gate.set()
        time.sleep(0.1)  # noqa: ASYNC251  # the check ends, and the loop is told of it
        await asyncio.sleep(0)  # the place is given on in the loop's next step
        asking[1].cancel()
        await asyncio.wait(asking)
        assert asking[1].cancelled()
        async with asyncio.timeout(5):
            assert await world.try_()


def test_a_hash_is_its_passwords_only() -> None:
    made = hash_password(PASSWORD)
    assert weakness(made) is None
    assert matches(made, PASSWORD)
    assert not matches(made, PASSWORD + " ")
    assert not matches(decoy(made), PASSWORD)
    assert not matches("nonsense", PASSWORD)


CHECKS = """
import resource
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from movieql.tokens.passwords import TEMPLATE, give_memory_back, matches

def resident_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

give_memory_back()
before = resident_bytes()
with ThreadPoolExecutor(1) as pool:
    for _ in range(3):
        pool.submit(matches, TEMPLATE, "a password").result()
    print(resident_bytes() - before)
"""


def test_the_memory_of_a_check_is_given_back() -> None:
    done = subprocess.run(  # noqa: S603  # our own
        [sys.executable, "-c", CHECKS], stdout=subprocess.PIPE, check=True
    )
    assert int(done.stdout) < 5_000_000


@pytest.mark.parametrize(
    "given, why",
    [
        ("testpassword", "not an argon2id hash"),
        ("", "not an argon2id hash"),
        ("$2b$12$" + "a" * 53, "not an argon2id hash"),
        (HASH.replace("argon2id", "argon2i"), "not an argon2id hash"),
        (HASH.replace("v=19", "v=16"), "not an argon2id hash"),
        (HASH[:-30], "not an argon2id hash"),
        (HASH.replace("m=65536", "m=8"), "too cheap"),
        (HASH.replace("m=65536,t=3", "m=19456,t=1"), "too cheap"),
        (HASH.replace("m=65536", "m=999999999"), "too costly"),
        (HASH.replace("t=3", "t=21"), "too costly"),
        (HASH.replace("p=4", "p=0"), "too costly"),
    ],
)
def test_a_hash_that_is_not_safe_is_told(given: str, why: str) -> None:
    assert why in str(weakness(given))


@pytest.mark.parametrize("given", ["", "a" * 11, "é" * 513, "\ud800" * 12])
def test_a_password_that_is_too_short_or_unreadable_is_told(given: str) -> None:
    assert unusable(given)
    assert unusable(PASSWORD) is None


@pytest.mark.parametrize(
    "subject, scopes, lifetime_s",
    [
        ("ada", ["exports"], 0),
        ("ada", ["exports"], 3601),
        ("ada", ["root"], 60),
        ("", ["exports"], 60),
        ("a\nb", ["exports"], 60),
        ("a" * 256, ["exports"], 60),
        (" ada", ["exports"], 60),
    ],
)
def test_a_token_that_would_be_rejected_is_not_made(
    subject: str, scopes: list[str], lifetime_s: int
) -> None:
    signer = Signer(SECRET, OURS, AUDIENCE, VirtualClock(), lambda: "id")
    with pytest.raises(BadInputError):
        signer.token(subject, scopes, lifetime_s)


async def test_with_real_hashes_only_the_right_password_gets_in() -> None:
    clock = VirtualClock()

    async def allow(_name: str, address: str) -> str:
        return address

    signer = Signer(SECRET, OURS, AUDIENCE, clock, lambda: "id")
    login = Login([User("ada", hash_password(PASSWORD))], signer, allow, LoginLimits())
    try:
        granted = await login.token("ada", PASSWORD, "203.0.113.7")
        assert (await verifier(clock).verify(granted.token)).subject == "ada"
        for name, password in [("ada", PASSWORD + " "), ("eve", PASSWORD)]:
            with pytest.raises(UnauthenticatedError):
                await login.token(name, password, "203.0.113.7")
    finally:
        login.close()
