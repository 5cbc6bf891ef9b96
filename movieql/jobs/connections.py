"""Clients of the queue's Redis that wait a bounded time, and their failures as ours.

Numbers without another source are those measured with RQ 3.0 and redis-py 8.1.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ExponentialWithJitterBackoff
from redis.credentials import CredentialProvider
from redis.exceptions import RedisError
from redis.retry import Retry

from movieql.domain.errors import QueueError


@dataclass(frozen=True, slots=True)
class ConnectionRules:
    """How long a client waits and how often it tries; seconds and counts.

    `retries_max` tries again follow a lost connection, after 0.1 s doubling to `pause_s_max`.
    """

    connect_s: float = 2.0
    answer_s: float = 5.0
    health_check_s: int = 15
    retries_max: int = 8
    pause_s_max: float = 2.0
    connections_max: int = 50


WORKER_CONNECTION = ConnectionRules()
"""Rides out a restart of Redis of about 7 s, then the worker ends and is started again."""

SERVER_CONNECTION = ConnectionRules(retries_max=1, pause_s_max=0.2)
"""Gives up soon: behind it a person waits, and what counts is in the object store already."""

_PAUSE_S = 0.1


def blocking_client(
    url: str, rules: ConnectionRules, credentials: CredentialProvider | None = None
) -> "Redis":
    """Return a client for RQ; it connects when it is first used.

    `credentials` are asked at each connect; None: the URL says who we are.
    """
    return Redis.from_url(
        url,
        socket_connect_timeout=rules.connect_s,
        socket_timeout=rules.answer_s,
        health_check_interval=rules.health_check_s,
        retry=Retry(_backoff(rules), rules.retries_max),
        credential_provider=credentials,
    )


def async_client(
    url: str, rules: ConnectionRules, credentials: CredentialProvider | None = None
) -> "AsyncRedis":
    """Return a client for an event loop, as `blocking_client`."""
    return AsyncRedis.from_url(
        url,
        socket_connect_timeout=rules.connect_s,
        socket_timeout=rules.answer_s,
        health_check_interval=rules.health_check_s,
        retry=AsyncRetry(_backoff(rules), rules.retries_max),
        max_connections=rules.connections_max,
        credential_provider=credentials,
    )


def _backoff(rules: ConnectionRules) -> ExponentialWithJitterBackoff:
    return ExponentialWithJitterBackoff(base=_PAUSE_S, cap=rules.pause_s_max)


@asynccontextmanager
async def answered(timeout_s: float) -> AsyncIterator[None]:
    """Let calls take so many seconds in all; every failure is a QueueError without addresses.

    Who is cancelled meanwhile stays cancelled. redis-py now and then makes an error of it, or
    goes on, when it is connecting; a keeper that was told to end then kept house until killed.
    """
    before = _cancellations()
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except (TimeoutError, OSError, RedisError) as error:
        if _cancellations() > before:
            raise asyncio.CancelledError from error
        raise QueueError(f"The queue failed: {type(error).__name__}.") from error
    if _cancellations() > before:
        raise asyncio.CancelledError


def _cancellations() -> int:
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()
