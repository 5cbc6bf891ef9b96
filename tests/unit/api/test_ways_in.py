"""One reader for every way in: a shop, the house's file, GraphQL and REST read the same."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from movieql.domain.additions import checked_addition
from movieql.domain.catalogue_fields import STORED_KEYS
from movieql.domain.errors import InvalidInputError
from movieql.domain.fields import EXPECTED, TITLE_CHARACTERS_MAX
from movieql.domain.movies import Row
from movieql.providers.contract import Contract, Operation
from movieql.providers.reading import read_list
from movieql.waiting import exhausted
from tests.unit.api.writing import ADD, FILE, UPSERT, WritingApi, writing
from tests.unit.web.rest_doors import RestDoor

CONTRACT = Contract("", Operation("/movies"), {"id": "id", "title": "title"} | STORED_KEYS)
CAMEL = {"runtime_minutes": "runtimeMinutes"}
PERSIAN = "\u062f\u0631\u0628\u0627\u0631\u0647\u200c\u06cc"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


@dataclass
class Ways:
    """A house catalogue with GraphQL and REST before it."""

    api: WritingApi
    rest: RestDoor

    async def put(self, name: str, fields: dict[str, Any]) -> Any:
        """Write by REST."""
        return await self.rest.send("PUT", f"/api/movies/{quote(name, safe='')}/1979", fields)

    async def shown(self, name: str = "") -> tuple[Any, Any]:
        """Return a field of the one movie, and of its entry; the name without a field."""
        field = CAMEL.get(name, name)
        asked = f"{{ movies {{ nodes {{ title {field} catalogueEntry {{ name {field} }} }} }} }}"
        (movie,) = (
            each for each in (await self.api.data(asked))["nodes"] if each["catalogueEntry"]
        )
        entry = movie["catalogueEntry"]
        return movie[field or "title"], entry[field or "name"]


@pytest.fixture
async def ways(tmp_path: Path) -> AsyncIterator[Ways]:
    async with writing(tmp_path / "store") as api:
        yield Ways(api, RestDoor(catalogue=api.catalogue))  # type: ignore[arg-type]  # the real one


def of_shop(**said: Any) -> Row:
    (row,) = exhausted(read_list(json.dumps([{"id": "1", **said}]).encode(), CONTRACT))
    return row


def as_json(value: Any) -> Any:
    return None if value is None else json.loads(json.dumps(value, default=str))


FIELDS = [
    ("plot", "Fast &amp; loud\u200b\u00a0now", "Fast & loud now"),
    ("plot", "&amp;amp;", "&amp;"),
    ("plot", "e\u0301 x\u202ey \ufeff", "é xy"),
    ("plot", PERSIAN, PERSIAN),
    ("director", "Unknown", "Unknown"),
    ("director", "N/A", None),
    ("rated", 18, "18"),
    ("genres", "Sci-Fi &amp; Fantasy,Drama ,Drama", ["Sci-Fi & Fantasy", "Drama"]),
    ("actors", "First Last, Jr., Other Name", ["First Last, Jr.", "Other Name"]),
    ("actors", ["Robert Downey, Jr.", " Ada "], ["Robert Downey, Jr.", "Ada"]),
    ("runtime_minutes", "117 minutes", 117),
    ("runtime_minutes", "2h 15m", 135),
    ("runtime_minutes", 117.0, 117),
    ("released", "25 May 1977", "1977-05-25"),
    ("released", "1977-05-25", "1977-05-25"),
    ("poster", " https://a.test/?b=1&amp;c=2", "https://a.test/?b=1&c=2"),
]
UNREADABLE = [
    ("runtime_minutes", "1.5 hours"),
    ("runtime_minutes", 0),
    ("runtime_minutes", True),
    ("released", "soon"),
    ("released", "0001-01-01"),
    ("genres", 7),
    ("director", ["x"]),
    ("poster", "javascript:alert(1)"),
    ("poster", "java&#115;cript:alert(1)"),
    ("poster", "//a.test/1.jpg"),
    ("poster", ["https://a.test/1.jpg"]),
    ("poster", {"Poster": "https://a.test/1.jpg"}),
]


@pytest.mark.parametrize("name, sent, read", FIELDS)
async def test_a_field_is_read_the_same_on_every_way_in(
    ways: Ways, name: str, sent: Any, read: Any
) -> None:
    key = STORED_KEYS[name]
    of_a_shop = as_json(getattr(of_shop(**{key: sent}).description, name))
    assert of_a_shop == ([] if read is None and name == "genres" else read)

    await ways.api.store.put(FILE, json.dumps([{"name": "A", "year": 1979, key: sent}]).encode())
    assert await ways.shown(name) == (read, read)
    assert (await ways.put("A", {key.upper(): sent})).status == 200
    assert await ways.shown(name) == (read, read)


@pytest.mark.parametrize("name, sent", UNREADABLE)
async def test_what_a_field_cannot_say_is_refused_by_writes_and_missing_elsewhere(
    ways: Ways, name: str, sent: Any
) -> None:
    key = STORED_KEYS[name]
    assert not getattr(of_shop(**{key: sent}).description, name)
    for written in (key, key.upper(), name):
        refused = await ways.put("A", {written: sent})
        assert (refused.status, refused.json["error"]) == (400, EXPECTED[name])
        assert refused.json["path"] == [written]

    await ways.api.store.put(FILE, json.dumps([{"name": "A", "year": 1979, key: sent}]).encode())
    movie, entry = await ways.shown(name)
    assert not movie
    assert not entry
    (listed,) = (await ways.rest.call("GET", "/api/movies")).json
    assert (key in listed) is (name != "poster")


async def test_a_poster_is_an_address_however_deep_it_stands(ways: Ways) -> None:
    refused = await ways.put("A", {"extras": [{"POSTER": "javascript:alert(1)"}]})
    assert (refused.status, refused.json["path"]) == (400, ["extras", "0", "POSTER"])
    assert (await ways.put("A", {"extras": {"poster": "https://a.test"}})).status == 201


async def test_a_poster_of_an_old_file_is_not_shown_however_deep_it_stands(ways: Ways) -> None:
    bad = {"poster": "javascript:alert(1)", "kept": 1}
    body = [{"name": "A", "year": 1979, "extras": [bad, {"deep": bad}], "shelf": "B"}]
    await ways.api.store.put(FILE, json.dumps(body).encode())
    (listed,) = (await ways.rest.call("GET", "/api/movies")).json
    good = {"kept": 1}
    assert listed == body[0] | {"extras": [good, {"deep": good}]}


@pytest.mark.parametrize("sent", [{"rating": "74"}, {"metascore": 101}, {"Votes": "many"}])
async def test_a_field_that_only_movies_show_is_refused_where_it_cannot_be_read(
    ways: Ways, sent: dict[str, Any]
) -> None:
    refused = await ways.put("A", sent)
    assert (refused.status, refused.json["path"]) == (400, list(sent))


async def test_a_field_is_written_under_its_name_in_graphql_too(ways: Ways) -> None:
    assert (await ways.put("A", {"runtimeMinutes": 90})).status == 201
    assert await ways.shown("runtime_minutes") == (90, 90)
    assert (await ways.put("A", {"runtime": "2h"})).status == 200
    assert await ways.shown("runtime_minutes") == (120, 120)


async def test_a_long_name_of_the_file_can_be_edited_and_deleted(ways: Ways) -> None:
    name = "x" * 1_500
    await ways.api.store.put(FILE, json.dumps([{"name": name, "year": 1979.0}]).encode())
    _, shown = await ways.shown()
    assert (len(shown), shown[-1]) == (TITLE_CHARACTERS_MAX, "…")
    assert (await ways.put(shown, {"plot": "p"})).status == 200
    path = f"/api/movies/{quote(shown)}/1979"
    assert (await ways.rest.call("DELETE", path, token="writer")).status == 204  # noqa: S106


@pytest.mark.parametrize("asked", ["Comédie", "Come\u0301die", " comédie\u200b", "COMÉDIE"])
async def test_a_genre_is_found_however_it_is_written(ways: Ways, asked: str) -> None:
    await ways.put("A", {"genre": "Comédie, Drama"})
    query = "query Of($genre: String) { movies(filter: { genre: $genre }) { nodes { title } } }"
    assert (await ways.api.data(query, {"genre": asked}))["nodes"] == [{"title": "A"}]


NAMES = [
    ("Fast &amp; Furious", "Fast & Furious"),
    ("Star\u00adgate", "Stargate"),
    ("\ufeffThe\u200b Matrix\u2060", "The Matrix"),
    ("Ame\u0301lie", "Amélie"),
    (PERSIAN, PERSIAN),
    (FAMILY, FAMILY),
    ("\U0001fae9 Smile", "\U0001fae9 Smile"),
    ("Unknown", "Unknown"),
    ("N/A", "N/A"),
    ("a\u200db", "ab"),
]


@pytest.mark.parametrize("sent, name", NAMES)
async def test_a_name_is_read_the_same_on_every_way_in(ways: Ways, sent: str, name: str) -> None:
    assert of_shop(title=sent).description.title == name

    await ways.api.store.put(FILE, json.dumps([{"name": sent, "year": 1979}]).encode())
    assert await ways.shown() == (name, name)
    for each in (sent, name, f" {sent} "):
        payload = await ways.api.upsert(each)
        assert (payload["created"], payload["entry"]["name"]) == (False, name)
        put = await ways.put(each, {"name": sent})
        assert (put.status, put.json["movie"]["name"]) == (200, name)
    found = await ways.rest.call("GET", f"/api/movies/query?name={quote(name)}")
    assert [each["name"] for each in found.json] == [name]

    payload = await ways.api.data(ADD, {"input": {"provider": "cinemaworld", "title": sent}})
    assert payload["errors"] == []
    assert ways.api.posting.posted[0][0] == {"title": name}
    path = f"/api/movies/{quote(name, safe='')}/1979"
    assert (await ways.rest.call("DELETE", path, token="writer")).status == 204  # noqa: S106


@pytest.mark.parametrize("sent, name", NAMES)
async def test_a_name_that_was_written_is_the_one_that_is_shown(
    ways: Ways, sent: str, name: str
) -> None:
    put = await ways.put(sent, {})
    assert (put.status, put.json["movie"]["name"]) == (201, name)
    assert await ways.shown() == (name, name)


@pytest.mark.parametrize(
    "name",
    ["", " ", "\u200b", "&#32;", "a\nb", "a\x00b", "a\x85b", "a\u2028b", "\uffff", "x" * 1_001],
)
async def test_what_is_no_name_is_refused_on_every_way(ways: Ways, name: str) -> None:
    payload = await ways.api.data(UPSERT, {"input": {"name": name, "year": 1979}})
    assert payload["errors"][0]["path"] == ["input", "name"]
    given = {"input": {"provider": "cinemaworld", "title": name}}
    payload = await ways.api.data(ADD, given)
    assert payload["errors"][0]["path"] == ["input", "title"]
    if name:
        put = await ways.put(name, {})
        assert (put.status, put.json["path"]) == (400, ["name"])


def test_a_title_of_a_megabyte_is_cut() -> None:
    title = of_shop(title="x" * 1_000_000).description.title or ""
    assert len(title) == TITLE_CHARACTERS_MAX
    assert title.endswith("x…")


async def test_a_name_that_still_has_a_reference_is_found_as_it_is_shown(ways: Ways) -> None:
    await ways.put("Tom &amp;amp; Jerry", {})
    assert await ways.shown() == ("Tom &amp; Jerry", "Tom &amp; Jerry")
    assert (await ways.put("Tom &amp; Jerry", {"plot": "x"})).status == 200


@pytest.mark.parametrize(
    "before, change, after",
    [
        ({"genre": "Crime"}, {"Genre": "Drama"}, {"Genre": "Drama"}),
        ({"Genres": "Crime", "GENRE": "War"}, {"genre": "Drama"}, {"genre": "Drama"}),
        ({"cast": "Ada", "actor": "Eve"}, {"actors": None}, {}),
        ({"Shelf": "A"}, {"shelf": "B"}, {"shelf": "B"}),
        ({"genre": "Crime", "x": 1}, {"plot": "p"}, {"genre": "Crime", "x": 1, "plot": "p"}),
    ],
)
async def test_a_write_replaces_a_field_under_whatever_key_it_is(
    ways: Ways, before: dict[str, Any], change: dict[str, Any], after: dict[str, Any]
) -> None:
    body = [{"name": "A", "year": 1979, **before}]
    await ways.api.store.put(FILE, json.dumps(body).encode())
    assert (await ways.put("A", change)).json["movie"] == {"name": "A", "year": 1979, **after}


async def test_a_field_is_sent_under_one_key(ways: Ways) -> None:
    refused = await ways.put("A", {"genre": "Drama", "GENRES": "Crime"})
    assert (refused.status, refused.json["path"]) == (400, ["GENRES"])
    assert refused.json["error"] == "'genre' and 'GENRES' are one field: send one."


# Numbers


LITERAL = (
    'mutation {{ addMovie(input: {{provider: "cinemaworld", title: "T", price: {}}}) {{ {} }} }}'
)
ERRORS = "errors { message ... on ValidationFailed { path } }"


@pytest.mark.parametrize(
    "price", ["12345678.123456789", "0.123456789012345678", "19.950", "5", "1e3"]
)
async def test_a_price_is_posted_to_the_last_digit(ways: Ways, price: str) -> None:
    variable = Decimal(price) if price != "5" else 5
    for written in (price, f'"{price}"'):
        assert (await ways.api.data(LITERAL.format(written, ERRORS)))["errors"] == []
    given = {"input": {"provider": "cinemaworld", "title": "T", "price": variable}}
    assert (await ways.api.data(ADD, given))["errors"] == []
    assert [fields["price"] for fields, _, _ in ways.api.posting.posted] == [Decimal(price)] * 3


@pytest.mark.parametrize(
    "price", ["0", "-1", "1000000001", "0.0000001", "0.1234567890123456789", "1e30", '"NaN"']
)
async def test_what_is_no_price_is_told_what_is_one(ways: Ways, price: str) -> None:
    (error,) = (await ways.api.data(LITERAL.format(price, ERRORS)))["errors"]
    assert error == {
        "message": "A price is a number from 0.000001 to 1000000000, with 18 decimals at most.",
        "path": ["input", "price"],
    }
    assert ways.api.posting.posted == []


@pytest.mark.parametrize("price", ["true", "[]", "{a: 1}", "ENUM", '"cheap"', '"1,5"'])
async def test_what_is_no_number_is_no_decimal(ways: Ways, price: str) -> None:
    refused = await ways.api.refusal(LITERAL.format(price, ERRORS))
    assert "Decimal" in refused["message"]


async def test_a_number_that_the_file_could_not_keep_is_refused(ways: Ways) -> None:
    refused = await ways.rest.send("PUT", "/api/movies/A/1979", b'{"price": 12345678.123456789}')
    assert (refused.status, refused.json["error"]) == (
        400,
        "A number in the body has too many digits to be kept exactly: send it as text.",
    )
    assert (await ways.put("A", {"price": 19.95, "n": 1e22})).json["movie"]["price"] == 19.95


@pytest.mark.parametrize("poster", ["javascript:alert(1)", "x", "https://a b"])
def test_an_address_that_is_none_is_not_posted_either(poster: str) -> None:
    with pytest.raises(InvalidInputError, match="address of http or https"):
        checked_addition({"title": "T", "poster": poster})
