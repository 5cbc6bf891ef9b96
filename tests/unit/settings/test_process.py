"""Settings of a process, read from an environment that is passed in."""

import traceback
from pathlib import Path

import pytest

from movieql.domain.errors import SettingsError
from movieql.settings import Settings, from_environ


def refused(environ: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as raised:
        from_environ(environ)
    shown = "".join(traceback.format_exception(raised.value))
    assert str(raised.value) in shown
    return shown


def test_an_empty_environment_is_enough() -> None:
    assert from_environ({}) == Settings()


def test_the_numbers_of_the_design_are_the_defaults() -> None:
    settings = Settings()
    assert (settings.budget_s, settings.attempt_timeout_s, settings.late_budget_s) == (
        2.5,
        1.5,
        10,
    )
    assert (settings.fresh_s, settings.fresh_jitter, settings.stale_while_refresh_s) == (
        60,
        0.1,
        300,
    )
    assert (settings.stale_on_error_s, settings.negative_s, settings.cache_timeout_s) == (
        86_400,
        15,
        0.05,
    )


def test_names_without_our_prefix_are_somebody_elses() -> None:
    assert from_environ({"PORT": "1", "PATH": "/bin", "XMOVIEQL_PORT": "1"}) == Settings()


def test_values_are_read_with_their_types() -> None:
    settings = from_environ(
        {
            "MOVIEQL_PORT": "0",
            "MOVIEQL_BUDGET_S": "1.25",
            "MOVIEQL_GRAPHIQL": "false",
            "MOVIEQL_PROVIDERS_FILE": "providers.toml",
            "MOVIEQL_CACHE_URL": "unix:///run/valkey.sock",
        }
    )
    assert (settings.port, settings.budget_s, settings.graphiql) == (0, 1.25, False)
    assert settings.providers_file == Path("providers.toml")
    assert settings.cache_url == "unix:///run/valkey.sock"


def test_an_empty_value_is_the_default() -> None:
    assert from_environ({"MOVIEQL_PORT": "", "MOVIEQL_CACHE_URL": ""}) == Settings()


@pytest.mark.parametrize(
    "name", ["MOVIEQL_BUDGT_S", "MOVIEQL_", "MOVIEQL_BUDGET", "MOVIEQL_TOKEN"]
)
def test_an_unknown_name_is_refused(name: str) -> None:
    shown = refused({name: "1"})
    assert f"{name}: Extra inputs are not permitted" in shown
    assert "docs/settings.md" in shown


@pytest.mark.parametrize(
    "name, value, why",
    [
        ("PORT", "65536", "less than or equal to 65535"),
        ("PORT", "-1", "greater than or equal to 0"),
        ("PORT", "http", "valid integer"),
        ("ENV", "staging", "'production' or 'dev'"),
        ("LOG_LEVEL", "loud", "'debug'"),
        ("BUDGET_S", "0", "greater than 0"),
        ("BUDGET_S", "-1", "greater than 0"),
        ("BUDGET_S", "nan", "less than or equal to 604800"),
        ("BUDGET_S", "inf", "less than or equal to 604800"),
        ("BUDGET_S", "2.5s", "valid number"),
        ("FRESH_JITTER", "0.6", "less than or equal to 0.5"),
        ("PAGE_MAX", "0", "greater than or equal to 1"),
        ("RATE_KEYS_MAX", "1e9", "valid integer"),
        ("GRAPHIQL", "perhaps", "valid boolean"),
        ("CACHE_URL", "localhost:6379", "rediss"),
        ("CACHE_URL", "http://cache", "rediss"),
        ("CACHE_URL", "redis://cache:99999", "Port out of range"),
        ("CACHE_URL", "redis://cache:port", "Port could not be cast"),
    ],
)
def test_a_wrong_value_is_named_with_what_would_be_right(name: str, value: str, why: str) -> None:
    shown = refused({f"MOVIEQL_{name}": value})
    assert f"MOVIEQL_{name}: " in shown
    assert why in shown


def test_every_wrong_setting_is_told_at_once() -> None:
    shown = refused({"MOVIEQL_PORT": "x", "MOVIEQL_BUDGET_S": "x", "MOVIEQL_NONSENSE": "x"})
    for name in ("PORT", "BUDGET_S", "NONSENSE"):
        assert f"MOVIEQL_{name}: " in shown


def test_the_password_of_a_cache_is_never_shown() -> None:
    settings = from_environ({"MOVIEQL_CACHE_URL": "rediss://:hunter2@cache:6379/0"})
    assert settings.cache_url == "rediss://:hunter2@cache:6379/0"
    assert "hunter2" not in f"{settings} {settings!r}"


@pytest.mark.parametrize("url", ["redis//:hunter2@cache", "redis://:hunter2@cache:99999"])
def test_a_wrong_address_of_a_cache_is_not_shown_either(url: str) -> None:
    assert "hunter2" not in refused({"MOVIEQL_CACHE_URL": url})


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().port = 1  # type: ignore[misc]  # what the test is about
