"""Settings of who is signed in by IAM, and of providers as a text."""

import pytest

from movieql.clock import SystemClock
from movieql.composition.signing_in import cache_credentials, queue_credentials
from movieql.domain.errors import SettingsError
from movieql.iam import IamCredentials
from movieql.settings import from_environ
from movieql.settings.providers import read_providers
from tests.unit.settings.test_process import refused

QUEUE = {
    "MOVIEQL_STORE_BUCKET": "movies",
    "MOVIEQL_QUEUE_URL": "rediss://queue.example.org:6379/0",
    "MOVIEQL_QUEUE_IAM_USER": "movieql-user",
    "MOVIEQL_QUEUE_IAM_NAME": "movieql-queue",
}
CACHE = {name.replace("QUEUE", "CACHE"): value for name, value in QUEUE.items()}


def test_both_names_and_tls_sign_in() -> None:
    settings = from_environ(QUEUE | CACHE)
    assert isinstance(queue_credentials(settings, SystemClock()), IamCredentials)
    assert isinstance(cache_credentials(settings, SystemClock()), IamCredentials)


def test_without_names_the_url_signs_in() -> None:
    settings = from_environ({"MOVIEQL_CACHE_URL": "redis://:secret@cache.example.org"})
    assert queue_credentials(settings, SystemClock()) is None
    assert cache_credentials(settings, SystemClock()) is None


@pytest.mark.parametrize("place", ["QUEUE", "CACHE"])
@pytest.mark.parametrize(
    "changed, why",
    [
        ({"IAM_USER": ""}, "or neither"),
        ({"IAM_NAME": ""}, "or neither"),
        ({"URL": "redis://queue.example.org:6379"}, "over TLS only"),
        ({"URL": "unix:///run/valkey.sock"}, "over TLS only"),
        ({"URL": ""}, "over TLS only"),
        ({"URL": "rediss://:pass-word@queue.example.org"}, "no user and no password"),
        ({"URL": "rediss://ada@queue.example.org"}, "no user and no password"),
        ({"IAM_USER": "Movieql User"}, "pattern"),
        ({"IAM_NAME": "queue.example.org"}, "pattern"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    place: str, changed: dict[str, str], why: str
) -> None:
    environ = QUEUE if place == "QUEUE" else CACHE
    changed = {f"MOVIEQL_{place}_{name}": value for name, value in changed.items()}
    shown = refused(environ | changed)
    assert why in shown
    assert f"MOVIEQL_{place}_" in shown
    assert "pass-word" not in shown


PROVIDERS = """
[[providers]]
id = "shop"
name = "Shop"
base_url = "https://shop.example.org"
currency = "AUD"
list = { path = "/movies", fields = ["price"] }
keys = { id = "id", price = "price" }
"""


def test_providers_may_be_given_as_a_text() -> None:
    settings = from_environ({"MOVIEQL_PROVIDERS": PROVIDERS})
    assert settings.providers is not None
    (shop,) = read_providers(settings.providers)
    assert shop.id == "shop"


def test_a_text_and_a_file_are_refused() -> None:
    shown = refused({"MOVIEQL_PROVIDERS": PROVIDERS, "MOVIEQL_PROVIDERS_FILE": "a.toml"})
    assert "MOVIEQL_PROVIDERS_FILE or MOVIEQL_PROVIDERS, not both" in shown


@pytest.mark.parametrize("text, why", [("[[providers]", "MOVIEQL_PROVIDERS: "), ("", "required")])
def test_a_text_that_is_none_says_why(text: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        read_providers(text)
