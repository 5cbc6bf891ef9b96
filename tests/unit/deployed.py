"""What files for Kubernetes and Compose may name of movieql, and the environments they make."""

import tomllib
from collections.abc import Mapping
from typing import Any

from movieql.__main__ import main
from movieql.settings import ENVIRONMENT_PREFIX, Settings, from_environ
from movieql.settings.providers import parse_providers

COMMANDS = set(main.commands)

LIKELY = {
    "MOVIEQL_QUEUE_URL": "rediss://:password@queue:6379/0",
    "MOVIEQL_CACHE_URL": "rediss://:password@cache:6379/0",
    "MOVIEQL_JWT_SECRET": "a secret of tests alone, of 32 bytes or more",
}
"""What a secret may hold; of those that are not here anything does."""


def accepted(environ: Mapping[str, str], providers: str) -> Settings:
    """Check an environment as a process of ours does at its start; return its settings."""
    for name in environ:
        if name.startswith(ENVIRONMENT_PREFIX):
            field = name.removeprefix(ENVIRONMENT_PREFIX).lower()
            assert field in Settings.model_fields, name
    settings = from_environ(environ)
    for provider in parse_providers(tomllib.loads(providers)):
        provider.contract(environ)
    return settings


def likely(name: str) -> str:
    """Return what the secret of this name may be."""
    return LIKELY.get(name, "secret")


def at(value: Any, *path: str, default: Any = None) -> Any:
    """Return what lies at a path of keys, or the default where there is nothing."""
    for key in path:
        if not isinstance(value, Mapping) or key not in value:
            return default
        value = value[key]
    return value
