"""How the clients of a Redis sign in where its URL does not say it."""

from typing import Any

import boto3
from redis.credentials import CredentialProvider

from movieql.iam import IamCredentials
from movieql.ports import Clock
from movieql.settings import Settings


def queue_credentials(settings: Settings, clock: Clock) -> CredentialProvider | None:
    """Return what signs in to the queue, None where its URL does."""
    return _credentials(settings.queue_iam_user, settings.queue_iam_name, settings, clock)


def cache_credentials(settings: Settings, clock: Clock) -> CredentialProvider | None:
    """Return what signs in to the shared cache, None where its URL does."""
    return _credentials(settings.cache_iam_user, settings.cache_iam_name, settings, clock)


def _credentials(
    user: str | None, name: str | None, settings: Settings, clock: Clock
) -> CredentialProvider | None:
    if user is None or name is None:
        return None
    return IamCredentials(user, name, settings.store_region, clock, _aws_credentials)


def _aws_credentials() -> Any:
    return boto3.Session().get_credentials()
