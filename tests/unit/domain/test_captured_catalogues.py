"""The seven movies that cinemaworld and filmworld really had, as their APIs sent them."""

import json
import tomllib
from importlib.resources import files
from typing import Any

import pytest

from movieql.domain.movies import Answer, ListingKey, Movie, SourceStatus
from movieql.providers.reading import read_detail, read_list
from movieql.settings.providers import parse_providers
from movieql.waiting import exhausted
from tests.builders import fresh
from tests.unit.domain.worlds import World

CHEAPEST = {
    "tt0076759": ("Star Wars: Episode IV - A New Hope", 1977, "123.5", "29.5"),
    "tt0080684": ("Star Wars: Episode V - The Empire Strikes Back", 1980, "13.5", "1295.0"),
    "tt0086190": ("Star Wars: Episode VI - Return of the Jedi", 1983, "253.5", "69.5"),
    "tt2488496": ("Star Wars: The Force Awakens", 2015, "129.5", None),
    "tt0120915": ("Star Wars: Episode I - The Phantom Menace", 1999, "123343.5", "900.5"),
    "tt0121766": ("Star Wars: Episode III - Revenge of the Sith", 2005, "125.5", "129.9"),
    "tt0121765": ("Star Wars: Episode II - Attack of the Clones", 2002, "12.5", "1249.5"),
}
"""Title, year, cinemaworld's price, filmworld's price.

Worked out by hand from the captures of 2016-12-26 (mzbac/webjet) and of February 2025
(WeitaoJiang85/WebjetFullstack), which agree on every price.
"""

CHEAPEST_AT = {
    "tt0076759": ("filmworld", "29.5", "94.0"),
    "tt0080684": ("cinemaworld", "13.5", "1281.5"),
    "tt0086190": ("filmworld", "69.5", "184.0"),
    "tt2488496": ("cinemaworld", "129.5", None),
    "tt0120915": ("filmworld", "900.5", "122443.0"),
    "tt0121766": ("cinemaworld", "125.5", "4.4"),
    "tt0121765": ("cinemaworld", "12.5", "1237.0"),
}
"""The cheapest shop, its price, and what is saved against the other."""


def captured(provider: str) -> dict[str, Any]:
    text = files("movieql.dev").joinpath("data", f"{provider}.json").read_text(encoding="utf-8")
    body: dict[str, Any] = json.loads(text)
    return body


@pytest.fixture(scope="module")
def movies() -> dict[str, Movie]:
    example = files("movieql.providers").joinpath("examples", "contract_a.toml")
    providers = parse_providers(tomllib.loads(example.read_text(encoding="utf-8")))
    tokens = {"CINEMAWORLD_TOKEN": "a token", "FILMWORLD_TOKEN": "another"}
    shelves: dict[str, Answer] = {}
    details: dict[ListingKey, Answer] = {}
    for provider in providers:
        contract, sent = provider.contract(tokens), captured(provider.id)
        rows = exhausted(read_list(json.dumps(sent["list_response"]).encode(), contract))
        shelves[provider.id] = fresh(*rows)
        for own_id, detail in sent["detail_responses"].items():
            body = json.dumps(detail).encode()
            details[provider.id, own_id] = fresh(*read_detail(body, contract, own_id))
    return World([each.profile for each in providers], shelves, details).movies()


def test_the_two_shops_have_exactly_these_seven_movies(movies: dict[str, Movie]) -> None:
    asked: dict[str, tuple[str | None, int | None, str | None, str | None]] = {}
    for movie in movies.values():
        prices = {
            offer.provider: None if offer.price is None else str(offer.price.amount)
            for offer in movie.offers
        }
        asked[movie.id] = (
            movie.title,
            movie.year,
            prices.get("cinemaworld"),
            prices.get("filmworld"),
        )
    assert asked == CHEAPEST


@pytest.mark.parametrize("movie_id", CHEAPEST_AT)
def test_the_cheapest_is_the_one_worked_out_by_hand_and_final(
    movies: dict[str, Movie], movie_id: str
) -> None:
    cheapest = movies[movie_id].cheapest
    assert cheapest.offer is not None
    assert cheapest.offer.price is not None
    saving = None if cheapest.saving is None else str(cheapest.saving.amount)
    assert (cheapest.offer.provider, str(cheapest.offer.price.amount), saving) == (
        CHEAPEST_AT[movie_id]
    )
    assert cheapest.offer.price.currency == "AUD"
    assert cheapest.final


def test_the_force_awakens_is_only_at_cinemaworld(movies: dict[str, Movie]) -> None:
    alone = {movie.id for movie in movies.values() if len(movie.offers) == 1}
    assert alone == {"tt2488496"}


def test_details_are_told_once_and_as_they_were_sent(movies: dict[str, Movie]) -> None:
    movie = movies["tt0076759"]
    assert movie.runtime_minutes == 121
    assert movie.votes == 915_459
    assert movie.genres == ("Action", "Adventure", "Fantasy")
    assert str(movie.released) == "1977-05-25"
    assert {report.status for report in movie.sources} == {SourceStatus.OK}
