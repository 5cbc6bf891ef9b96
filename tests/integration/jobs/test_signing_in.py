"""Clients name the user and bring a token, a fresh one when they connect anew.

No Valkey checks IAM; one that has the very token for a password takes nothing else.
"""

from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import pytest
from botocore.credentials import Credentials
from redis import Redis

from movieql.cache.storage import SharedRedisCache
from movieql.dev.valkey import PrivateValkey
from movieql.domain.errors import CacheError
from movieql.iam import TOKEN_LIFETIME_S, IamCredentials
from movieql.jobs.connections import SERVER_CONNECTION, async_client, blocking_client
from movieql.memory import VirtualClock

USER = "movieql-user"
KEYS = Credentials("AKIDEXAMPLE", "secret-of-the-test", "session")


@pytest.fixture
def clock() -> Iterator[VirtualClock]:
    clock = VirtualClock()
    with patch("botocore.auth.get_current_datetime", lambda: clock.now().replace(tzinfo=None)):
        yield clock


@pytest.fixture
def iam(clock: VirtualClock) -> IamCredentials:
    return IamCredentials(USER, "movieql-queue", "eu-west-1", clock, lambda: KEYS)


def told(blocking: Any, *command: str) -> None:
    blocking.execute_command(*command)


@pytest.fixture
def let_in(blocking: Redis) -> Callable[[IamCredentials], None]:
    """Return what lets in only who brings the token of just now, and sends all others away."""

    def only(iam: IamCredentials) -> None:
        _, token = iam.get_credentials()
        told(blocking, "ACL", "SETUSER", USER, "reset", "on", f">{token}", "~*", "&*", "+@all")
        told(blocking, "CLIENT", "KILL", "USER", USER)

    return only


async def whoami(client: Any) -> str:
    found = client.execute_command("ACL", "WHOAMI")
    name: bytes = await found if hasattr(found, "__await__") else found
    return name.decode()


@pytest.mark.parametrize("make_client", [blocking_client, async_client])
async def test_each_connection_of_the_queue_brings_a_token_of_its_time(
    valkey: PrivateValkey,
    clock: VirtualClock,
    iam: IamCredentials,
    let_in: Callable[[IamCredentials], None],
    make_client: Callable[..., Any],
) -> None:
    let_in(iam)
    client = make_client(valkey.url, SERVER_CONNECTION, iam)
    try:
        assert await whoami(client) == USER
        await clock.advance(TOKEN_LIFETIME_S)
        let_in(iam)  # with another token, and the old connection is gone
        assert await whoami(client) == USER
    finally:
        closed = client.aclose() if hasattr(client, "aclose") else client.close()
        if closed is not None:
            await closed


# aiocache calls what redis-py would name otherwise.
@pytest.mark.filterwarnings("ignore:Call to deprecated:DeprecationWarning")
async def test_the_shared_cache_signs_in(
    valkey: PrivateValkey,
    clock: VirtualClock,
    iam: IamCredentials,
    blocking: Redis,
    let_in: Callable[[IamCredentials], None],
) -> None:
    let_in(iam)
    cache = SharedRedisCache(valkey.url, clock, timeout_s=2.0, credentials=iam)
    try:
        await cache.put("a", b"1", 60)
        assert await cache.get("a") == b"1"
        told(blocking, "ACL", "SETUSER", USER, "resetpass", ">another")
        told(blocking, "CLIENT", "KILL", "USER", USER)
        with pytest.raises(CacheError):
            await cache.get("a")
    finally:
        await cache.close()
