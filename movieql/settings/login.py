"""Settings of tokens and of the built-in login, and the file of its users.

The file holds hashes, which are full of `$`: in an environment variable, shells, Compose and
Kubernetes would each replace something else.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr, ValidationError, ValidationInfo

from movieql.domain.callers import Scope
from movieql.domain.errors import SettingsError
from movieql.settings.model import SettingsModel, Url, told
from movieql.tokens.login import USER_NAME, User
from movieql.tokens.passwords import matches, weakness

SECRET_BYTES = range(32, 1025)
"""Bytes of a secret that tokens are signed with (RFC 7518 §3.2: 32 or more)."""

SECRET_CHARACTERS_MIN = 8
"""Different characters of such a secret: random ones in hex have 16, a row of one letter 1."""

USERS_MAX = 100
"""Users of the built-in login; for more there are OpenID providers."""

_WAY_OUT = 'make one with `python -c "import secrets; print(secrets.token_urlsafe(48))"`'
_KNOWN_SECRETS = re.compile(
    r"change.?(this|me|it)|testpassword|your.?(256.?bit.?)?secret|supersecret|secret.?key"
    r"|replace.?(this|me)|password|dev.?secret|example",
    re.IGNORECASE,
)
_KNOWN_USER, _KNOWN_PASSWORD = "testuser", "testpassword"


def _strong(secret: SecretStr) -> SecretStr:
    value = secret.get_secret_value()
    if len(value.encode()) not in SECRET_BYTES:
        raise ValueError(f"it needs {SECRET_BYTES[0]} to {SECRET_BYTES[-1]} bytes; {_WAY_OUT}")
    repeated = (value + value).find(value, 1) < len(value)
    if len(set(value)) < SECRET_CHARACTERS_MIN or repeated:
        raise ValueError(f"it is too regular to be a secret; {_WAY_OUT}")
    if _KNOWN_SECRETS.search(value):
        raise ValueError(f"it is one that everybody knows; {_WAY_OUT}")
    return secret


def _with_secret(path: Path, info: ValidationInfo) -> Path:
    if info.data.get("jwt_secret", path) is None:
        raise ValueError(f"users can log in only with MOVIEQL_JWT_SECRET set; {_WAY_OUT}")
    return path


def _encrypted(url: str, info: ValidationInfo) -> str:
    if not url.startswith("https://") and info.data.get("env") != "dev":
        raise ValueError("it must be an https address; http is for MOVIEQL_ENV=dev only")
    return url


def _for_an_audience(issuer: str, info: ValidationInfo) -> str:
    if info.data.get("openid_audience", issuer) is None:
        raise ValueError(
            "MOVIEQL_OPENID_AUDIENCE must be set, too: without it a token that the issuer made "
            "for another service would be good here"
        )
    if issuer == info.data.get("jwt_issuer"):
        raise ValueError("it must differ from MOVIEQL_JWT_ISSUER")
    return issuer


def _of_an_issuer(url: str, info: ValidationInfo) -> str:
    if info.data.get("openid_issuer", url) is None:
        raise ValueError("MOVIEQL_OPENID_ISSUER must be set, too: it says whose keys these are")
    return url


Name = Annotated[str, Field(pattern=r"^[^\s|]{1,255}$")]
"""A name that tokens carry, of an issuer or an audience."""

StrongSecret = Annotated[SecretStr, AfterValidator(_strong)]
"""A secret that tokens are signed with; nobody may be able to guess it."""

UsersFile = Annotated[Path, AfterValidator(_with_secret)]
"""A file of users; needs `jwt_secret`, which comes before it."""

_Address = Annotated[Url, Field(pattern=r"^https?://[^\s?#|]+$"), AfterValidator(_encrypted)]

OpenidIssuer = Annotated[_Address, AfterValidator(_for_an_audience)]
"""An outside issuer's name, which is an address; needs `openid_audience`, before it."""

JwksUrl = Annotated[_Address, AfterValidator(_of_an_issuer)]
"""Where an issuer's keys lie; needs `openid_issuer`, which comes before it."""


class UserSettings(SettingsModel):
    """One user of the built-in login. `password_hash`: as `movieql hash-password` prints it."""

    name: str = Field(pattern=rf"^{USER_NAME}$")
    password_hash: SecretStr
    scopes: frozenset[Scope] = frozenset()

    @property
    def user(self) -> User:
        """Return what the login has to know."""
        return User(self.name, self.password_hash.get_secret_value(), frozenset(self.scopes))


class _Users(SettingsModel):
    users: tuple[UserSettings, ...] = Field(min_length=1, max_length=USERS_MAX)


def load_users(path: Path) -> tuple[User, ...]:
    """Return the users of a TOML file. Raises SettingsError that names what is wrong."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"MOVIEQL_LOGIN_USERS_FILE: {path}: {error}") from error
    except tomllib.TOMLDecodeError as error:
        # Its message and the cause could show a piece of a hash.
        place = re.search(r"\(at [a-z0-9, ]+\)$", str(error))
        where = place[0] if place else ""
        raise SettingsError(
            f"MOVIEQL_LOGIN_USERS_FILE: {path}: this is not TOML {where}"
        ) from None
    return parse_users(document)


def parse_users(document: Mapping[str, Any]) -> tuple[User, ...]:
    """Return the users of a parsed document. Raises SettingsError for what is not safe."""
    try:
        users = tuple(each.user for each in _Users.model_validate(document).users)
    except ValidationError as error:
        # The cause would show what was given, a hash or a password.
        raise SettingsError(told(error, "")) from None
    names = [user.name.lower() for user in users]
    if len(set(names)) < len(names):
        raise SettingsError("users: every `name` must be different, also without its case.")
    for user in users:
        _check_hash(user)
    return users


def _check_hash(user: User) -> None:
    weak = weakness(user.password_hash)
    if weak:
        raise SettingsError(
            f"users: `password_hash` of {user.name}: {weak}; make one with "
            "`movieql hash-password`."
        )
    if user.name.lower() == _KNOWN_USER and matches(user.password_hash, _KNOWN_PASSWORD):
        raise SettingsError(
            f"users: everybody knows the password of {user.name}; make the hash of another one "
            "with `movieql hash-password`."
        )
