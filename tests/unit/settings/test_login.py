"""Settings of tokens and users: what is not safe is refused at start, and named."""

import secrets
from pathlib import Path
from typing import Any

import pytest

from movieql.domain.errors import SettingsError
from movieql.settings import Settings, from_environ
from movieql.settings.login import USERS_MAX, load_users, parse_users
from movieql.tokens.passwords import hash_password
from tests.unit.settings.test_process import refused

SECRET = "0123456789-abcdefghijklmnopqrstuvwxyz"  # noqa: S105  # of a test
HASH = "$argon2id$v=19$m=65536,t=3,p=4$Nz2wwqqPIbS7NFw4LhlHDA$" + "A" * 43
BCRYPT = "$2b$12$" + "a" * 53


def test_the_numbers_of_the_design_are_the_defaults() -> None:
    settings = Settings()
    assert (settings.login_lifetime_s, settings.token_bytes_max) == (3_600, 8_192)
    assert settings.token_leeway_s <= 30
    assert (settings.jwt_secret, settings.login_users_file) == (None, None)


@pytest.mark.parametrize("made", [secrets.token_urlsafe, secrets.token_hex])
def test_a_random_secret_is_taken_and_not_shown(made: Any) -> None:
    secret = made(32)
    settings = from_environ({"MOVIEQL_JWT_SECRET": secret})
    assert settings.jwt_secret is not None
    assert settings.jwt_secret.get_secret_value() == secret
    assert secret not in f"{settings} {settings!r} {settings.model_dump_json()}"


@pytest.mark.parametrize(
    "secret, why",
    [
        ("short-but-quite-random-1234567", "32 to 1024 bytes"),
        ("0123456789abcdefghijklmnopqrstu", "32 to 1024 bytes"),
        (SECRET * 30, "32 to 1024 bytes"),
        ("a" * 40, "too regular"),
        ("abcabcabd" * 5, "too regular"),
        ("0123456789abcdef" * 2, "too regular"),
        ("changethis-changethat-0123456789-xyz", "everybody knows"),
        ("CHANGE_ME_0123456789_abcdefghijklmnop", "everybody knows"),
        ("testpassword-0123456789-abcdefghij", "everybody knows"),
        ("your-256-bit-secret-0123456789-abcd", "everybody knows"),
        ("dev-secret-0123456789-abcdefghijklmn", "everybody knows"),
    ],
)
@pytest.mark.parametrize("env", ["dev", "production"])
def test_a_weak_secret_is_refused_and_not_shown(secret: str, why: str, env: str) -> None:
    shown = refused({"MOVIEQL_JWT_SECRET": secret, "MOVIEQL_ENV": env})
    assert "MOVIEQL_JWT_SECRET: " in shown
    assert why in shown
    assert "token_urlsafe" in shown
    assert secret not in shown


OPENID = {
    "MOVIEQL_OPENID_ISSUER": "https://login.example.org/realms/shop",
    "MOVIEQL_OPENID_AUDIENCE": "movieql",
}


def test_an_openid_provider_is_an_issuer_and_an_audience() -> None:
    settings = from_environ(OPENID | {"MOVIEQL_OPENID_JWKS_URL": "https://login.example.org/k"})
    assert settings.openid_issuer == OPENID["MOVIEQL_OPENID_ISSUER"]
    assert settings.openid_jwks_url == "https://login.example.org/k"


def test_an_address_without_encryption_is_for_dev_only() -> None:
    plain = OPENID | {"MOVIEQL_OPENID_ISSUER": "http://127.0.0.1:9000"}
    assert "MOVIEQL_OPENID_ISSUER: " in refused(plain)
    settings = from_environ(plain | {"MOVIEQL_ENV": "dev"})
    assert settings.openid_issuer == "http://127.0.0.1:9000"


@pytest.mark.parametrize(
    "environ, name, why",
    [
        ({"LOGIN_USERS_FILE": "users.toml"}, "LOGIN_USERS_FILE", "MOVIEQL_JWT_SECRET"),
        ({"OPENID_ISSUER": "https://a.example"}, "OPENID_ISSUER", "MOVIEQL_OPENID_AUDIENCE"),
        ({"OPENID_JWKS_URL": "https://a.example"}, "OPENID_JWKS_URL", "MOVIEQL_OPENID_ISSUER"),
        (
            {
                "OPENID_ISSUER": "https://a.example",
                "OPENID_AUDIENCE": "x",
                "JWT_ISSUER": "https://a.example",
            },
            "OPENID_ISSUER",
            "MOVIEQL_JWT_ISSUER",
        ),
        ({"OPENID_ISSUER": "login.example"}, "OPENID_ISSUER", "https?"),
        ({"OPENID_ISSUER": "https://a.example?x=1"}, "OPENID_ISSUER", "pattern"),
        ({"JWT_ISSUER": "two words"}, "JWT_ISSUER", "pattern"),
        ({"LOGIN_LIFETIME_S": "3601"}, "LOGIN_LIFETIME_S", "3600"),
        ({"TOKEN_LEEWAY_S": "31"}, "TOKEN_LEEWAY_S", "30"),
        ({"TOKEN_LEEWAY_S": "nan"}, "TOKEN_LEEWAY_S", "30"),
        ({"TOKEN_BYTES_MAX": "8193"}, "TOKEN_BYTES_MAX", "8192"),
        ({"TRUSTED_HOPS": "-1"}, "TRUSTED_HOPS", "0"),
        ({"JWKS_LIFETIME_S": "0"}, "JWKS_LIFETIME_S", "0"),
    ],
)
def test_what_does_not_fit_together_is_named_with_the_way_out(
    environ: dict[str, str], name: str, why: str
) -> None:
    shown = refused({f"MOVIEQL_{key}": value for key, value in environ.items()})
    assert f"MOVIEQL_{name}: " in shown
    assert why in shown.split(f"MOVIEQL_{name}: ")[-1]


def user(**changed: Any) -> dict[str, Any]:
    return {"name": "ada", "password_hash": HASH, "scopes": ["exports"]} | changed


def users_refused(*users: dict[str, Any]) -> str:
    with pytest.raises(SettingsError) as raised:
        parse_users({"users": list(users)})
    return str(raised.value)


def test_users_are_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "users.toml"
    file.write_text(
        f'[[users]]\nname = "ada"\npassword_hash = "{HASH}"\nscopes = ["admin", "exports"]\n'
        f'[[users]]\nname = "bob"\npassword_hash = "{HASH}"\n'
    )
    ada, bob = load_users(file)
    assert (ada.name, ada.password_hash, ada.scopes) == (
        "ada",
        HASH,
        frozenset({"admin", "exports"}),
    )
    assert (bob.name, bob.scopes) == ("bob", frozenset())
    assert HASH not in f"{ada!r} {bob!r}"


@pytest.mark.parametrize(
    "users, why",
    [
        ([user(password_hash=HASH[1:])], "not an argon2id hash"),
        ([user(password_hash=HASH.replace("m=65536", "m=8"))], "too cheap"),
        ([user(password_hash=BCRYPT)], "movieql hash-password"),
        ([user(), user()], "must be different"),
        ([user(), user(name="ADA")], "must be different"),
        ([user(name="a:b")], "users.0.name"),
        ([user(name="")], "users.0.name"),
        ([user(name="a|b")], "users.0.name"),
        ([user(name="ada\n")], "users.0.name"),
        ([user(scopes=["root"])], "users.0.scopes"),
        ([user(plain="x")], "users.0.plain"),
        ([], "users: "),
        ([user(name=f"u{number}") for number in range(USERS_MAX + 1)], "users: "),
    ],
    ids=range(13),
)
def test_users_that_are_not_safe_are_refused(users: list[dict[str, Any]], why: str) -> None:
    shown = users_refused(*users)
    assert why in shown
    assert HASH not in shown


@pytest.mark.parametrize("name", ["testuser", "TestUser"])
def test_a_pair_of_name_and_password_that_everybody_knows_is_refused(name: str) -> None:
    known = hash_password("testpassword")
    assert "everybody knows" in users_refused(user(name=name, password_hash=known))
    other = hash_password("another password")
    assert parse_users({"users": [user(name=name, password_hash=other)]})


@pytest.mark.parametrize("text", [f"users = {HASH}", f'x = "{HASH}', "\xff", ""])
def test_a_file_that_is_none_is_told_without_showing_it(tmp_path: Path, text: str) -> None:
    file = tmp_path / "users.toml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(SettingsError) as raised:
        load_users(file)
    assert "users" in str(raised.value)
    assert "argon2" not in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"MOVIEQL_LOGIN_USERS_FILE: .*users\.toml"):
        load_users(tmp_path / "users.toml")
