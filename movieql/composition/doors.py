"""Who may ask: tokens, log-in, and what one caller may ask for."""

import secrets
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

import aiohttp

from movieql.ports import Clock
from movieql.settings import Settings
from movieql.tokens.claims import IssuerRules
from movieql.tokens.fetching import Documents, FetchLimits, keys_at, keys_discovered
from movieql.tokens.key_sets import KeyLifetimes, KeySet
from movieql.tokens.keys import SecretKey
from movieql.tokens.login import Login, LoginLimits, User
from movieql.tokens.passwords import give_memory_back
from movieql.tokens.signing import LIFETIME_S_MAX, Signer
from movieql.tokens.verifying import Issuer, Tokens
from movieql.web.admission import (
    Admission,
    Budgets,
    Callers,
    Counts,
    MemoryCounts,
    RateLimits,
    SharedCounts,
)
from movieql.web.telemetry import Logger, Metrics


@dataclass(frozen=True, slots=True)
class Doors:
    """Who may come in: requests in general, and names with passwords."""

    callers: Callers
    limits: RateLimits
    admission: Admission
    login: Login | None


async def open_doors(
    settings: Settings,
    users: Sequence[User],
    clock: Clock,
    metrics: Metrics,
    logger: Logger,
    stack: AsyncExitStack,
) -> Doors:
    """Return the doors; `users` may log in."""
    issuers = [*_own_issuer(settings), *await _openid_issuer(settings, clock, logger, stack)]
    verifier = Tokens(
        issuers,
        clock,
        token_bytes_max=settings.token_bytes_max,
        kept_max=settings.tokens_kept_max,
    )
    callers = Callers(verifier if issuers else None, token_bytes_max=settings.token_bytes_max)
    budgets = Budgets(
        settings.requests_per_minute,
        settings.cost_per_minute,
        settings.login_attempts_per_minute,
        settings.login_attempts_per_address_per_minute,
    )
    limits = RateLimits(budgets, _counts(settings, clock, metrics, stack))
    return Doors(
        callers,
        limits,
        Admission(callers, limits, settings.trusted_hops),
        _login(settings, users, clock, limits, stack),
    )


def _own_issuer(settings: Settings) -> list[Issuer]:
    if settings.jwt_secret is None:
        return []
    rules = IssuerRules(
        settings.jwt_issuer, settings.jwt_audience, LIFETIME_S_MAX, settings.token_leeway_s
    )
    return [Issuer(rules, SecretKey(settings.jwt_secret.get_secret_value().encode()))]


async def _openid_issuer(
    settings: Settings, clock: Clock, logger: Logger, stack: AsyncExitStack
) -> list[Issuer]:
    if settings.openid_issuer is None or settings.openid_audience is None:
        return []
    session = await stack.enter_async_context(plain_session(connections_max=2))
    limits = FetchLimits(
        settings.jwks_timeout_s, settings.jwks_bytes_max, https_only=settings.env != "dev"
    )
    documents = Documents(session, limits)
    fetch = (
        keys_discovered(documents, settings.openid_issuer)
        if settings.openid_jwks_url is None
        else keys_at(documents, settings.openid_jwks_url)
    )
    lifetimes = KeyLifetimes(
        settings.jwks_lifetime_s, settings.jwks_stale_s, settings.jwks_pause_s
    )
    keys = KeySet(fetch, clock, lifetimes, lambda why: logger.warning("no keys", reason=why))
    stack.push_async_callback(keys.close)
    rules = IssuerRules(
        settings.openid_issuer,
        settings.openid_audience,
        settings.openid_lifetime_s_max,
        settings.token_leeway_s,
        subject_prefix=f"{settings.openid_issuer}|",
    )
    return [Issuer(rules, keys)]


def _counts(settings: Settings, clock: Clock, metrics: Metrics, stack: AsyncExitStack) -> Counts:
    memory = MemoryCounts(clock, settings.rate_keys_max)
    if settings.rate_url is None:
        return memory
    shared = SharedCounts(
        settings.rate_url,
        memory,
        clock,
        partial(metrics.cache_failed, "limit"),
        settings.cache_timeout_s,
        settings.cache_rest_s,
    )
    stack.push_async_callback(shared.close)
    return shared


def _login(
    settings: Settings,
    users: Sequence[User],
    clock: Clock,
    limits: RateLimits,
    stack: AsyncExitStack,
) -> Login | None:
    if settings.jwt_secret is None or not users:
        return None
    give_memory_back()
    signer = Signer(
        settings.jwt_secret.get_secret_value().encode(),
        settings.jwt_issuer,
        settings.jwt_audience,
        clock,
        lambda: secrets.token_hex(16),
    )
    login = Login(
        users,
        signer,
        limits.login_attempt,
        LoginLimits(
            settings.login_lifetime_s, settings.login_checks_max, settings.login_waiting_max
        ),
    )
    stack.callback(login.close)
    return login


def plain_session(connections_max: int) -> aiohttp.ClientSession:
    """Return a session that keeps no cookies."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections_max),
        cookie_jar=aiohttp.DummyCookieJar(),
    )
