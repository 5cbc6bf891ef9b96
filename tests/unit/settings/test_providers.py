"""Providers as settings: a new shop needs no code, and a wrong one is named."""

import tomllib
import traceback
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from movieql.domain.errors import SettingsError
from movieql.domain.movies import Profile
from movieql.providers import contract
from movieql.settings.providers import (
    ProviderSettings,
    load_providers,
    parse_providers,
)

SECRETS = {
    "CINEMAWORLD_TOKEN": "token-of-cinemaworld",
    "FILMWORLD_TOKEN": "token-of-filmworld",
    "SHOPS_ACCESS_KEY": "AKIA",
    "SHOPS_SECRET_KEY": "secret-of-shops",
    "SHOPS_SESSION": "session-of-shops",
}


def example(name: str) -> dict[str, Any]:
    text = resources.files("movieql.providers").joinpath("examples", name).read_text("utf-8")
    return tomllib.loads(text)


def shop(**changed: Any) -> dict[str, Any]:
    """Return the smallest shop, with some settings changed; None takes one away."""
    settings: dict[str, Any] = {
        "id": "thirdshop",
        "name": "Third Shop",
        "base_url": "https://third.test/v3",
        "currency": "AUD",
        "list": {"path": "/catalogue", "wrapper": "data", "fields": ["title", "price"]},
        "keys": {"id": "sku", "title": "name", "price": "cost"},
    }
    settings |= changed
    return {name: value for name, value in settings.items() if value is not None}


def parsed(*shops: dict[str, Any]) -> tuple[ProviderSettings, ...]:
    return parse_providers({"providers": shops})


def refused(*shops: dict[str, Any]) -> str:
    """Return everything that an operator would see of the refusal."""
    with pytest.raises(SettingsError) as raised:
        parsed(*shops)
    return "".join(traceback.format_exception(raised.value))


# The examples


@pytest.mark.parametrize("name", ["contract_a.toml", "contract_b.toml"])
def test_the_examples_load_and_need_only_the_secrets_that_they_name(name: str) -> None:
    providers = parse_providers(example(name))
    assert [each.id for each in providers] == ["cinemaworld", "filmworld"]
    for each in providers:
        made = each.contract(SECRETS)
        assert made.url(made.list) == f"{each.base_url}/movies"
        assert made.detail is not None
        assert made.url(made.detail, "a/b") == f"{each.base_url}/movie/a%2Fb"


def test_contract_a_has_its_token_and_asks_details_for_prices() -> None:
    cinemaworld, filmworld = parse_providers(example("contract_a.toml"))
    made = cinemaworld.contract(SECRETS)
    token = contract.HeaderAuth("x-access-token", "token-of-cinemaworld")
    assert made.list.auth == token
    assert made.detail == contract.Operation("/movie/{id}", auth=token)
    assert made.create is None
    assert cinemaworld.profile.imdb_ids
    assert "price" in cinemaworld.profile.detail_fields
    assert not cinemaworld.profile.detail_fields & {"id", "title", "year", "poster"}
    assert cinemaworld.profile.priority < filmworld.profile.priority


def test_contract_b_asks_no_detail_for_anything_and_signs_only_the_post() -> None:
    cinemaworld, _ = parse_providers(example("contract_b.toml"))
    made = cinemaworld.contract(SECRETS)
    assert cinemaworld.profile == Profile(
        "cinemaworld", "Cinemaworld", currency="AUD", priority=1, detail_fields=frozenset()
    )
    assert (made.list.auth, made.list.wrapper) == (None, None)
    assert made.create == contract.Operation(
        "/movie",
        auth=contract.SigV4Auth("AKIA", "secret-of-shops", region="ap-southeast-2"),
        method="POST",
    )


# A third shop of another shape


def test_a_shop_of_another_shape_needs_settings_only() -> None:
    (third,) = parsed(
        shop(
            auth={"kind": "header", "name": "Authorization", "token_env": "CINEMAWORLD_TOKEN"},
            create={"path": "/new", "auth": {"kind": "none"}},
            body_bytes_max=1000,
            rows_max=10,
        )
    )
    made = third.contract(SECRETS)
    auth = contract.HeaderAuth("Authorization", "token-of-cinemaworld")
    assert made == contract.Contract(
        base_url="https://third.test/v3",
        list=contract.Operation("/catalogue", "data", auth),
        keys={"id": "sku", "title": "name", "price": "cost"},
        create=contract.Operation("/new", method="POST"),
        body_bytes_max=1000,
        rows_max=10,
    )
    assert third.profile == Profile("thirdshop", "Third Shop", currency="AUD")


def test_a_catalogue_that_does_not_sell_needs_no_currency_and_no_price() -> None:
    (house,) = parsed(
        shop(
            sells=False,
            currency=None,
            keys={"id": "sku", "title": "name"},
            list={"path": "/", "fields": ["title"], "may_be_empty": True},
        )
    )
    assert (house.profile.sells, house.contract({}).may_be_empty) == (False, True)


def test_a_session_token_may_sign_too() -> None:
    signing = {
        "kind": "sigv4",
        "access_key_env": "SHOPS_ACCESS_KEY",
        "secret_key_env": "SHOPS_SECRET_KEY",
        "session_token_env": "SHOPS_SESSION",
        "region": "us-east-1",
        "service": "lambda",
    }
    (third,) = parsed(shop(auth=signing))
    assert third.contract(SECRETS).list.auth == contract.SigV4Auth(
        "AKIA", "secret-of-shops", "us-east-1", "lambda", "session-of-shops"
    )


# Wrong settings


@pytest.mark.parametrize(
    "changed, place, why",
    [
        ({"id": "Third"}, "providers.0.id", "should match pattern"),
        ({"id": None}, "providers.0.id", "Field required"),
        ({"id": "house"}, "providers.0.id", "the house catalogue's own"),
        ({"id": "tt0076759"}, "providers.0.id", "`tt` and digits is the `id` of a movie"),
        ({"id": "b49c9030bf5855492642b292"}, "providers.0.id", "24 hex digits that of an export"),
        ({"id": "a_b"}, "providers.0.id", "should match pattern"),
        ({"id": "entry:a"}, "providers.0.id", "should match pattern"),
        ({"name": None}, "providers.0.name", "Field required"),
        ({"base_url": "third.test"}, "providers.0.base_url", "https?"),
        ({"base_url": "ftp://third.test"}, "providers.0.base_url", "https?"),
        ({"base_url": "https://third.test?a=b"}, "providers.0.base_url", "should match"),
        ({"base_url": "https://third.test:99999"}, "providers.0.base_url", "Port out of range"),
        ({"base_url": "https://[third.test"}, "providers.0.base_url", "Invalid IPv6"),
        ({"currency": "aud"}, "providers.0.currency", "should match"),
        ({"currency": None}, "providers.0", "needs `currency`"),
        ({"keys": {"title": "name", "price": "cost"}}, "providers.0", "`keys` needs `id`"),
        ({"keys": {"id": "sku", "title": "name"}}, "providers.0", "needs a key"),
        ({"keys": {"id": "sku", "titel": "name"}}, "providers.0", "unknown fields ['titel']"),
        (
            {"list": {"path": "/", "fields": ["cost"]}},
            "providers.0",
            "unknown fields ['cost']",
        ),
        ({"list": {"path": "/", "fields": ["title"]}}, "providers.0", "`price` must be among"),
        ({"list": {"path": "/"}}, "providers.0.list.fields", "Field required"),
        ({"list": {"path": "x", "fields": []}}, "providers.0.list.path", "should match"),
        ({"list": None}, "providers.0.list", "Field required"),
        ({"detail": {"path": "/movie"}}, "providers.0", "`detail.path` needs `{id}`"),
        ({"id_scheme": "isbn"}, "providers.0.id_scheme", "'imdb' or 'opaque'"),
        ({"body_bytes_max": 0}, "providers.0.body_bytes_max", "greater than or equal to 1"),
        ({"connections_max": 1001}, "providers.0.connections_max", "less than or equal"),
        ({"auth": {"kind": "basic"}}, "providers.0.auth", "'none', 'header', 'sigv4'"),
        ({"auth": {"kind": "header", "name": "x"}}, "token_env", "Field required"),
        (
            {"auth": {"kind": "header", "name": "x: y\r\nz", "token_env": "T"}},
            "providers.0.auth.header.name",
            "should match",
        ),
        ({"tokn": 1}, "providers.0.tokn", "Extra inputs are not permitted"),
    ],
    ids=lambda value: repr(value)[:50],
)
def test_a_wrong_setting_is_named_with_what_is_wrong(
    changed: dict[str, Any], place: str, why: str
) -> None:
    shown = refused(shop(**changed))
    assert place in shown
    assert why in shown
    assert "docs/settings.md" in shown


def test_the_wrong_one_of_several_is_named() -> None:
    assert "providers.1.currency" in refused(shop(), shop(id="other", currency="dollars"))


def test_prices_that_cannot_be_compared_are_refused() -> None:
    shown = refused(shop(), shop(id="other", currency="USD"))
    assert "prices in AUD and USD cannot be compared" in shown


def test_the_currency_of_a_catalogue_that_does_not_sell_does_not_matter() -> None:
    assert len(parsed(shop(), shop(id="museum", sells=False, currency="USD"))) == 2


def test_two_providers_with_one_id_are_refused() -> None:
    assert "every `id` must be different; got thirdshop, thirdshop" in refused(shop(), shop())


def test_no_provider_at_all_is_refused() -> None:
    assert "providers" in refused()
    with pytest.raises(SettingsError, match="Field required"):
        parse_providers({})


def test_too_many_providers_are_refused() -> None:
    assert "at most 50" in refused(*(shop(id=f"shop{number}") for number in range(51)))


# Secrets


def test_a_missing_secret_is_named_with_who_needs_it() -> None:
    (third,) = parsed(shop(auth={"kind": "header", "name": "x", "token_env": "THIRD_TOKEN"}))
    for environ in ({}, {"THIRD_TOKEN": ""}):
        with pytest.raises(SettingsError, match="THIRD_TOKEN is not set: provider 'thirdshop'"):
            third.contract(environ)


@pytest.mark.parametrize("token", ["hunter2\n", "hunt\ner2", "\x00hunter2", "hunter2\r"])
def test_a_secret_that_no_header_can_carry_is_refused_at_the_start(token: str) -> None:
    (third,) = parsed(shop(auth={"kind": "header", "name": "x", "token_env": "THIRD_TOKEN"}))
    with pytest.raises(SettingsError, match="THIRD_TOKEN has a line break") as raised:
        third.contract({"THIRD_TOKEN": token})
    assert "hunt" not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize(
    "auth",
    [
        {"kind": "header", "name": "x-access-token", "token": "hunter2"},
        {"kind": "header", "name": "x-access-token", "token_env": ["hunter2"]},
        {"kind": "sigv4", "secret_key": "hunter2", "region": "r"},
        {"kind": "bearer", "token_env": "hunter2"},
        "hunter2",
    ],
    ids=["token", "list", "secret_key", "kind", "text"],
)
def test_a_token_in_the_wrong_place_is_not_shown(auth: Any) -> None:
    assert "hunter2" not in refused(shop(auth=auth))


@pytest.mark.parametrize("name", ["contract_a.toml", "contract_b.toml"])
def test_no_secret_is_in_the_repr_of_settings_or_contracts(name: str) -> None:
    for each in parse_providers(example(name)):
        shown = (
            f"{each!r} {each} {each.contract(SECRETS)!r} {each.contract(SECRETS)} {each.profile}"
        )
        for secret in ("token-of", "secret-of", "session-of"):
            assert secret not in shown


# The file


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "providers.toml"
    text = resources.files("movieql.providers").joinpath("examples", "contract_a.toml")
    file.write_text(text.read_text("utf-8"), encoding="utf-8")
    assert load_providers(file) == parse_providers(example("contract_a.toml"))


@pytest.mark.parametrize(
    "content, why",
    [
        (None, "No such file"),
        (b"[[providers]\n", "line 1"),
        (b"\xff\xfe", "decode"),
        (b"", "Field required"),
    ],
    ids=["missing", "not TOML", "not text", "empty"],
)
def test_a_file_that_cannot_be_read_says_why(
    tmp_path: Path, content: bytes | None, why: str
) -> None:
    file = tmp_path / "providers.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match=why):
        load_providers(file)
