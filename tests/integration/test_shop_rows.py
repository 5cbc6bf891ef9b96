"""What two shops list, and what a customer reads: over real sockets, from JSON to JSON."""

import json
import tomllib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from html import unescape
from operator import itemgetter
from typing import Any

import pytest
from aiohttp import web

from movieql.settings.providers import parse_providers
from tests.servers import Stack, listening_shop, serving

SHOP = """
[[providers]]
id = "{id}"
name = "{id}"
currency = "AUD"
base_url = "{url}/{id}"

[providers.list]
path = "/movies"
fields = ["title", "year", "price", "runtime_minutes", "votes", "rating", "metascore", "poster"]
may_be_empty = true

[providers.keys]
id = "ID"
title = "Title"
year = "Year"
price = "Price"
runtime_minutes = "Runtime"
votes = "Votes"
rating = "Rating"
metascore = "Metascore"
poster = "Poster"
"""

QUERY = """
query Rows($title: String) {
  movies(filter: { title: $title }) {
    nodes {
      id title year poster runtimeMinutes votes rating metascore
      offers { provider { id } price { amount } error { message } }
      cheapest { final saving { amount } offer { provider { id } price { amount } } }
    }
  }
}
"""

Rows = list[dict[str, Any]]


@asynccontextmanager
async def selling(one: Rows | str, two: Rows = []) -> AsyncIterator[Stack]:  # noqa: B006  # read only
    """Run movieql over two shops with these lists."""
    shops = web.Application()
    for name, rows in (("one", one), ("two", two)):
        body = rows if isinstance(rows, str) else json.dumps(rows)

        async def listed(_: web.Request, body: str = body) -> web.Response:
            return web.Response(text=body, content_type="application/json")

        shops.router.add_get(f"/{name}/movies", listed)
    async with listening_shop(shops) as url:
        settings = "".join(SHOP.format(id=each, url=url) for each in ("one", "two"))
        async with serving(parse_providers(tomllib.loads(settings)), {}) as server:
            yield server


async def shown(server: Stack, title: str | None = None) -> Rows:
    """Return the movies of a server, of those with a text in their title, by title."""
    nodes: Rows = (await server.ask(QUERY, {"title": title})).data["movies"]["nodes"]
    return nodes


async def movies(one: Rows | str, two: Rows = []) -> Rows:  # noqa: B006  # read only
    """Return what movieql shows of what two shops list."""
    async with selling(one, two) as server:
        return await shown(server)


def row(title: object, price: object, own_id: object = "1", year: int = 2001) -> dict[str, Any]:
    return {"ID": own_id, "Title": title, "Year": str(year), "Price": price}


def row_each(titles: Iterable[object], price: str) -> Rows:
    """Return a row for each title, each of a year of its own."""
    return [row(title, price, f"id {year}", year) for year, title in enumerate(titles, 1950)]


def cheapest(movie: dict[str, Any]) -> tuple[str, str]:
    offer = movie["cheapest"]["offer"]
    return offer["provider"]["id"], offer["price"]["amount"]


async def test_a_field_is_understood_as_a_whole_or_missing() -> None:
    cases: list[tuple[str, object, object]] = [
        ("runtimeMinutes", "1 h 30 min", 90),
        ("runtimeMinutes", "1h 30m", 90),
        ("runtimeMinutes", "2h", 120),
        ("runtimeMinutes", "1:42:00", 102),
        ("runtimeMinutes", "2 hrs 5 mins", 125),
        ("runtimeMinutes", "3600 sec", 60),
        ("runtimeMinutes", "one hour", None),
        ("votes", "915K", 915_000),
        ("votes", "12K", 12_000),
        ("votes", "1 234 567", 1_234_567),
        ("votes", "1'234'567", 1_234_567),
        ("votes", "1.2M", 1_200_000),
        ("votes", "80 37", None),
        ("rating", "7.4", "7.4"),
        ("rating", "74", None),
        ("rating", 740, None),
        ("metascore", "76", 76),
        ("metascore", "7600", None),
        ("metascore", "101", None),
        ("poster", "https://a.test/?b=1&amp;c=2", "https://a.test/?b=1&c=2"),
        ("poster", "javascript:alert(1)", None),
    ]
    keys = {"runtimeMinutes": "Runtime"}
    sent = row_each([f"{field}: {said}" for field, said, _ in cases], "1")
    for each, (field, said, _) in zip(sent, cases, strict=True):
        each[keys.get(field, field.title())] = said
    found = {movie["year"]: movie for movie in await movies(sent)}
    read = [(field, said, found[at][field]) for at, (field, said, _) in enumerate(cases, 1950)]
    assert read == cases


async def test_one_movie_written_in_two_ways_is_one_with_the_lower_price() -> None:
    cases: list[tuple[object, object, str]] = [
        ("Unknown", "Unknown", "Unknown"),
        ("None", "None", "None"),
        ("Null", "NULL", "Null"),
        (1917, "1917", "1917"),
        (1917.0, 1917, "1917"),
        ("ŉ Man", "’n Man", "ŉ Man"),  # noqa: RUF001
        ("Fast &amp; Furious", "Fast & Furious", "Fast & Furious"),
        ("Schindler&#39;s List", "Schindler's List", "Schindler's List"),
        ("Star\u00adgate", "Stargate", "Stargate"),
        ("The\u200bMatrix", "TheMatrix", "TheMatrix"),
        ("\ufeffHeat \u2060", "Heat", "Heat"),
        ("9½ Weeks", "9 1/2 Weeks", "9½ Weeks"),
        ("Amélie", "AMELIE", "Amélie"),
        ("Ame\u0301lie", "Amélie", "Amélie"),
        ("در\u200cباره", "در\u200cباره", "در\u200cباره"),  # noqa: RUF001
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
    ]
    ones, twos, titles = zip(*cases, strict=True)
    found = await movies(row_each(ones, "20"), row_each(twos, "5"))
    found.sort(key=itemgetter("year"))
    assert [movie["title"] for movie in found] == list(titles)
    assert {cheapest(movie) for movie in found} == {("two", "5")}
    assert all(movie["cheapest"]["final"] for movie in found)


async def test_two_titles_that_may_be_one_are_two_without_a_certain_price() -> None:
    pairs = [
        ("мой", "мои"),
        ("C+", "C#"),
        ("Fast & Furious", "Fast and Furious"),
        ("The Dig", "Dig"),
        ("S.W.A.T.", "SWAT"),
        ("Ørn", "Orn"),
        ("Avventura, L'", "L'Avventura"),
        ("Pêche", "Peche"),
    ]
    ones, twos = zip(*pairs, strict=True)
    found = await movies(row_each(ones, "10"), row_each(twos, "1"))
    assert {movie["title"]: cheapest(movie) for movie in found} == (
        dict.fromkeys(ones, ("one", "10")) | dict.fromkeys(twos, ("two", "1"))
    )
    assert not any(movie["cheapest"]["final"] for movie in found)


async def test_other_movies_of_a_year_are_certain() -> None:
    found = await movies([row("Alien", "10")], [row("Aliens", "1")])
    assert [movie["cheapest"]["final"] for movie in found] == [True, True]


@pytest.mark.parametrize("prices", [("8", "10"), ("10", "8")])
async def test_a_shop_that_lists_an_id_twice_contradicts_itself(prices: tuple[str, str]) -> None:
    (movie,) = await movies([row("Dup", each) for each in prices], [row("Dup", "9")])
    assert cheapest(movie) == ("one", "8")
    assert not movie["cheapest"]["final"]
    assert "more than once" in movie["offers"][0]["error"]["message"]


async def test_an_id_that_may_mean_two_movies_leaves_neither_certain() -> None:
    one = [row("Foo", "8", "d"), row("Bar", "3", "d")]
    for rows in (one, one[::-1]):
        found = await movies(rows, [row("Foo", "7", "x"), row("Baz", "1", "y")])
        assert {movie["title"]: movie["cheapest"]["final"] for movie in found} == {
            "Bar": False,
            "Baz": True,
            "Foo": False,
        }


@pytest.mark.parametrize(
    "entry",
    [
        '{"ID": "d", "Title": "Dup", "Year": "2001", "Price": "8", "price": "3"}',
        '{"ID": "d", "Title": "Dup", "Year": "2001", "price": "3", "Price": "8"}',
        '{"ID": "d", "Title": "Dup", "Year": "2001", "Price": "3", "Price": "8"}',
    ],
)
async def test_an_entry_with_a_key_twice_contradicts_itself(entry: str) -> None:
    (movie,) = await movies(f"[{entry}]", [row("Dup", "5")])
    assert cheapest(movie) == ("one", "3")
    assert not movie["cheapest"]["final"]


async def test_a_number_is_an_id_however_it_is_written() -> None:
    (movie,) = await movies([row("A", "1", 6.0)], [row("A", "9")])
    assert cheapest(movie) == ("one", "1")


async def test_a_small_difference_is_written_out() -> None:
    (movie,) = await movies([row("A", "1")], [row("A", "1.000000000000000001")])
    assert movie["cheapest"]["saving"]["amount"] == "0.000000000000000001"


async def test_blanks_around_an_id_are_not_part_of_it() -> None:
    found = await movies([row("Dup", "8", own_id=" d "), row("Dup", "10", own_id="d")])
    assert [cheapest(movie) for movie in found] == [("one", "8")]


async def test_titles_are_found_and_sorted_as_people_type_them() -> None:
    asked = {
        "8½": "8 1/2",
        "Æon Flux": "aeon",
        "Alien³": "alien 3",
        "Đor": "dor",
        "Fast &amp; Furious": "&",
        "Łódź": "lodz",
        "Ørkenen": "orkenen",
        "Spider-Man": "spiderman",
        "Þor": "thor",
        "Unknown": "unknown",
    }
    async with selling(row_each(reversed(asked), "1")) as server:
        titles = [unescape(each) for each in asked]
        assert [movie["title"] for movie in await shown(server)] == titles
        found = [
            [movie["title"] for movie in await shown(server, each)] for each in asked.values()
        ]
        assert found == [[title] for title in titles]
        assert await shown(server, "amp") == []
        assert await shown(server, "91") == []
