import json
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from movieql.api.mutations import NO_CATALOGUE
from movieql.domain.additions import Addition
from movieql.domain.callers import Caller
from movieql.domain.catalogue import NEAR_DUPLICATES_MAX, entry_id
from movieql.domain.errors import (
    CatalogueBusyError,
    CatalogueCorruptError,
    LimitExceededError,
    MovieqlError,
    StoreError,
)
from movieql.domain.movies import SourceError, SourceErrorCode, failed
from movieql.ports import LIST
from tests.builders import fresh, row
from tests.servers import ROOT
from tests.unit.api.asking import CORE_SCHEMA
from tests.unit.api.exporting import ARGUMENTS as OF_EXPORTS
from tests.unit.api.writing import ADD, DELETE, FILE, UPSERT, WritingApi, caller, writing

ARGUMENTS = {
    "upsertMovie": 'input: {name: "Jaws", year: 1975}',
    "deleteMovie": 'input: {id: "alien_1979"}',
    "addMovie": 'input: {provider: "cinemaworld", title: "Jaws"}',
}
"""Arguments with which each mutation would do something."""

STAR_WARS = "tt0076759"
"""What both shops sell."""


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[WritingApi]:
    async with writing(tmp_path / "store") as opened:
        yield opened


def fields_of(payload: dict[str, Any]) -> dict[str, Any]:
    """Return what an entry has besides what identifies it."""
    return {
        name: value
        for name, value in payload["entry"].items()
        if value and name not in {"id", "version", "name", "year"}
    }


async def stored(api: WritingApi) -> list[dict[str, Any]]:
    """Return the catalogue's file without its bookkeeping."""
    found = await api.store.get(FILE, bytes_max=100_000)
    entries = [] if found is None else json.loads(found[0])
    shown = [{key: each[key] for key in each if key != "_movieql"} for each in entries]
    return [each for each in shown if each]


def kind(payload: Any) -> str:
    """Return the type of the one failure of a payload that brought nothing else."""
    (error,) = payload["errors"]
    assert payload.get("entry") is None
    assert payload.get("added") is None
    assert error["message"]
    return str(error["__typename"])


# Who may


def test_every_mutation_is_looked_at_here_or_with_exports() -> None:
    assert CORE_SCHEMA.mutation_type is not None
    assert ARGUMENTS.keys() | OF_EXPORTS.keys() == CORE_SCHEMA.mutation_type.fields.keys()


@pytest.mark.parametrize(
    "who, code",
    [
        (None, "UNAUTHENTICATED"),
        (caller(), "FORBIDDEN"),
        (caller("exports"), "FORBIDDEN"),
        (caller("admin"), None),
    ],
    ids=["nobody", "no scope", "another scope", "admin"],
)
@pytest.mark.parametrize("name", ARGUMENTS)
async def test_who_may_not_write_is_refused_before_anything_happens(
    api: WritingApi, name: str, who: Caller | None, code: str | None
) -> None:
    await api.upsert()
    before = await stored(api)
    api.caller = who
    body = await api.ask(f"mutation {{ {name}({ARGUMENTS[name]}) {{ errors {{ message }} }} }}")
    did_nothing = not api.posting.posted and await stored(api) == before
    if code is None:
        assert body["data"][name]["errors"] == []
        assert not did_nothing
        return
    (error,) = body["errors"]
    assert error["extensions"]["code"] == code
    assert body["data"] == {name: None}
    assert did_nothing
    assert api.faults == []


async def test_a_mutation_that_fails_takes_no_other_along(api: WritingApi) -> None:
    b_id = entry_id("B", 1999)
    body = await api.ask(
        'mutation { a: upsertMovie(input: {name: "A", year: 1}) { errors { __typename } } '
        'b: upsertMovie(input: {name: "B", year: 1999}) { entry { id } } '
        f'c: deleteMovie(input: {{id: "{b_id}"}}) {{ entry {{ id }} }} }}'
    )
    assert body == {
        "data": {
            "a": {"errors": [{"__typename": "ValidationFailed"}]},
            "b": {"entry": {"id": b_id}},
            "c": {"entry": {"id": b_id}},
        }
    }


async def test_reading_needs_nobody(api: WritingApi) -> None:
    api.caller = None
    assert (await api.data("{ movies { totalCount } }"))["totalCount"] == 1


# Writing


EVERYTHING: dict[str, Any] = {
    "director": "Ridley Scott",
    "genres": ["Horror", "Science Fiction"],
    "actors": ["Sigourney Weaver"],
    "writers": ["Dan O'Bannon", "Ronald Shusett"],
    "plot": "In space.",
    "poster": "https://posters.test/alien.jpg",
    "rated": "R",
    "released": "1979-06-22",
    "runtimeMinutes": 117,
    "languages": ["English"],
    "countries": ["UK", "USA"],
    "awards": "An Oscar.",
}


async def test_every_field_comes_back_from_the_entry_and_from_the_movie(api: WritingApi) -> None:
    payload = await api.upsert(**EVERYTHING)
    assert (payload["created"], payload["errors"]) == (True, [])
    assert fields_of(payload) == EVERYTHING
    movie = await api.data(
        '{ movie(id: "alien_1979") { director genres actors writers plot poster rated released '
        "runtimeMinutes languages countries awards } }"
    )
    assert movie == EVERYTHING


async def test_the_file_keeps_the_keys_that_it_always_had(api: WritingApi) -> None:
    await api.upsert(director="Ridley Scott", genres=["Horror", "Science Fiction"])
    assert await stored(api) == [
        {
            "name": "Alien",
            "year": 1979,
            "director": "Ridley Scott",
            "genre": "Horror, Science Fiction",
        }
    ]


async def test_what_is_left_out_stays_and_what_is_null_goes(api: WritingApi) -> None:
    await api.upsert(director="Ridley Scott", genres=["Horror"], plot="In space.")
    payload = await api.upsert(genres=None, plot="")
    assert (payload["created"], fields_of(payload)) == (False, {"director": "Ridley Scott"})


async def test_an_element_with_a_comma_stays_one(api: WritingApi) -> None:
    actors = ["Robert Downey, Jr.", "Jude Law"]
    assert fields_of(await api.upsert(actors=actors)) == {"actors": actors}
    assert (await api.data('{ movie(id: "alien_1979") { actors } }'))["actors"] == actors


async def test_what_others_wrote_under_another_key_is_replaced(api: WritingApi) -> None:
    body = [{"name": "Alien", "year": 1979, "genres": ["Old"], "stars": 5, "Runtime": "117 min"}]
    await api.store.put(FILE, json.dumps(body).encode())
    payload = await api.upsert(genres=["New"])
    assert fields_of(payload) == {"genres": ["New"], "runtimeMinutes": 117}
    (entry,) = await stored(api)
    assert (entry["stars"], "genres" in entry) == (5, False)
    assert (await api.data('{ movie(id: "alien_1979") { genres } }'))["genres"] == ["New"]


@pytest.mark.parametrize(
    "written", [{"genre": 7}, {"released": "soon"}, {"runtime": "long"}, {"runtime": True}]
)
async def test_a_field_that_says_nothing_is_null_and_no_error(
    api: WritingApi, written: dict[str, Any]
) -> None:
    await api.store.put(FILE, json.dumps([{"name": "Alien", "year": 1979, **written}]).encode())
    assert fields_of(await api.upsert()) == {}


async def test_a_name_in_another_case_is_the_same_movie(api: WritingApi) -> None:
    await api.upsert("Alien", director="Ridley Scott")
    payload = await api.upsert("ALIEN", plot="In space.")
    assert (payload["created"], payload["entry"]["name"]) == (False, "Alien")


@pytest.mark.parametrize(
    "given, path",
    [
        ({"name": " "}, ["input", "name"]),
        ({"year": 1492}, ["input", "year"]),
        ({"plot": "x" * 5_000}, ["input", "plot"]),
        ({"genres": ["x" * 5_000]}, ["input", "genres"]),
        ({"poster": "javascript:alert(1)"}, ["input", "poster"]),
        ({"runtimeMinutes": -1}, ["input", "runtimeMinutes"]),
    ],
    ids=lambda value: "" if isinstance(value, list) else next(iter(value)),
)
async def test_what_is_not_allowed_is_told_by_its_path(
    api: WritingApi, given: dict[str, Any], path: list[str]
) -> None:
    payload = await api.data(UPSERT, {"input": {"name": "Alien", "year": 1979} | given})
    assert kind(payload) == "ValidationFailed"
    assert payload["errors"][0]["path"] == path
    assert await stored(api) == []


async def test_a_write_for_another_version_is_a_conflict_that_names_the_current_one(
    api: WritingApi,
) -> None:
    first = (await api.upsert())["entry"]["version"]
    second = (await api.upsert(plot="In space."))["entry"]["version"]
    again = {"name": "Alien", "year": 1979, "plot": "Lost.", "ifMatch": first}
    payload = await api.data(UPSERT, {"input": again})
    assert kind(payload) == "VersionConflict"
    assert payload["errors"][0]["currentVersion"] == second
    payload = await api.data(UPSERT, {"input": again | {"ifMatch": second}})
    assert fields_of(payload) == {"plot": "Lost."}


async def test_a_write_for_a_version_of_what_is_not_there_is_a_conflict_with_nothing(
    api: WritingApi,
) -> None:
    given = {"input": {"name": "Alien", "year": 1979, "ifMatch": "0"}}
    payload = await api.data(UPSERT, given)
    assert kind(payload) == "VersionConflict"
    assert payload["errors"][0]["currentVersion"] is None


WITH_MOVIE = """mutation Upsert($input: UpsertMovieInput!) { upsertMovie(input: $input) {
    movie { id director cheapest { final } catalogueEntry { version } offers { providerMovieId } }
    entry { version }
} }"""


async def test_the_movie_beside_an_entry_has_the_write_and_what_shops_sell(
    api: WritingApi,
) -> None:
    for director in ("George Lucas", "Lucas"):
        given = {"name": "Star Wars", "year": 1977, "director": director}
        payload = await api.data(WITH_MOVIE, {"input": given})
        movie = payload["movie"]
        assert (movie["id"], movie["director"]) == (STAR_WARS, director)
        assert len(movie["offers"]) == 2
        assert movie["cheapest"] == {"final": True}
        assert movie["catalogueEntry"] == payload["entry"]


async def test_no_provider_is_asked_for_a_movie_that_is_not_selected(api: WritingApi) -> None:
    await api.upsert()
    assert not any(each.calls for each in api.shops.values())


# Failures of the store


@pytest.mark.parametrize(
    "error, shown",
    [
        (StoreError(), ("CatalogueUnavailable", True, True)),
        (CatalogueBusyError(), ("CatalogueUnavailable", True, False)),
        (CatalogueCorruptError(), ("CatalogueUnavailable", False, False)),
        (LimitExceededError("Full."), ("CatalogueFull", None, None)),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("mutation", [UPSERT, DELETE])
async def test_every_expected_failure_has_a_type(
    api: WritingApi,
    monkeypatch: pytest.MonkeyPatch,
    mutation: str,
    error: MovieqlError,
    shown: tuple[str, bool | None, bool | None],
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise error

    await api.upsert()
    monkeypatch.setattr(api.catalogue, "upsert", fail)
    monkeypatch.setattr(api.catalogue, "delete", fail)
    variables = {"id": "alien_1979", "input": {"name": "Alien", "year": 1979}}
    payload = await api.data(mutation, variables)
    (failure,) = payload["errors"]
    assert (kind(payload), failure.get("retryable"), failure.get("mayHaveHappened")) == shown
    assert api.faults == []


async def test_a_fault_of_ours_is_none_of_them(
    api: WritingApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise MovieqlError("password")

    monkeypatch.setattr(api.catalogue, "upsert", fail)
    body = await api.ask(UPSERT, {"input": {"name": "Alien", "year": 1979}})
    assert body["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert "password" not in str(body)
    assert len(api.faults) == 1


@pytest.mark.parametrize("mutation", [UPSERT, DELETE])
async def test_a_server_without_a_catalogue_says_so(api: WritingApi, mutation: str) -> None:
    api.entries = None
    variables = {"id": "alien_1979", "input": {"name": "Alien", "year": 1979}}
    payload = await api.data(mutation, variables)
    assert kind(payload) == "CatalogueUnavailable"
    assert payload["errors"][0]["message"] == NO_CATALOGUE
    assert payload["errors"][0]["retryable"] is False


# Deleting


@pytest.mark.parametrize("movie_id", [entry_id("STAR WARS", 1977), STAR_WARS, "star-wars_1977"])
async def test_an_entry_is_deleted_by_its_own_id_or_its_movies_and_shops_go_on_selling(
    api: WritingApi, movie_id: str
) -> None:
    await api.upsert("Star Wars", 1977, plot="Wars.")
    payload = await api.data(DELETE, {"id": movie_id})
    own_id = entry_id("Star Wars", 1977)
    left = {"id": STAR_WARS, "offers": [{"stale": False}] * 2, "catalogueEntries": []}
    entry = {"id": own_id, "name": "Star Wars"}
    assert payload == {"entry": entry, "movie": left, "errors": []}
    assert await stored(api) == []
    movie = await api.data(
        f'{{ movie(id: "{STAR_WARS}") {{ catalogueEntry {{ id }} offers {{ stale }} }} }}'
    )
    assert movie == {"catalogueEntry": None, "offers": [{"stale": False}] * 2}


@pytest.mark.parametrize("movie_id", ["nothing_1999", STAR_WARS, "", "x" * 10_000])
async def test_what_the_house_does_not_have_is_not_found(api: WritingApi, movie_id: str) -> None:
    await api.upsert()
    assert kind(await api.data(DELETE, {"id": movie_id})) == "NotFound"
    assert len(await stored(api)) == 1


@pytest.mark.parametrize(
    "error, retryable", [(StoreError(), True), (CatalogueCorruptError(), False)]
)
async def test_a_delete_that_cannot_even_read_did_not_happen(
    api: WritingApi,
    monkeypatch: pytest.MonkeyPatch,
    error: MovieqlError,
    retryable: bool,  # noqa: FBT001  # pytest names it
) -> None:
    async def fail() -> None:
        raise error

    monkeypatch.setattr(api.catalogue, "read", fail)
    payload = await api.data(DELETE, {"id": "alien_1979"})
    assert kind(payload) == "CatalogueUnavailable"
    (failure,) = payload["errors"]
    assert (failure["retryable"], failure["mayHaveHappened"]) == (retryable, False)


async def test_another_version_is_not_deleted(api: WritingApi) -> None:
    version = (await api.upsert())["entry"]["version"]
    payload = await api.data(DELETE, {"id": "alien_1979", "ifMatch": "0"})
    assert kind(payload) == "VersionConflict"
    assert payload["errors"][0]["currentVersion"] == version
    assert (await api.data(DELETE, {"id": "alien_1979", "ifMatch": version}))["errors"] == []


async def test_nothing_is_left_of_a_movie_that_only_the_deleted_entry_had(
    api: WritingApi,
) -> None:
    own_id = (await api.upsert())["entry"]["id"]
    assert (await api.data('{ movie(id: "alien_1979") { id } }')) == {"id": "alien_1979"}
    assert (await api.data(DELETE, {"id": own_id}))["movie"] is None


async def test_a_movie_that_a_silent_shop_may_still_sell_is_not_called_gone(
    api: WritingApi,
) -> None:
    own_id = (await api.upsert())["entry"]["id"]
    api.shops["filmworld"].answers[LIST] = failed(SourceErrorCode.UNAVAILABLE, "Down.")
    assert (await api.data(DELETE, {"id": own_id}))["movie"]["id"] == "alien_1979"


async def test_the_id_of_a_movie_with_several_entries_deletes_none_of_them(
    api: WritingApi,
) -> None:
    ids = await api.beside("Alien", "Alien!")
    payload = await api.data(DELETE, {"id": "alien_1979"})
    assert kind(payload) == "ValidationFailed"
    assert payload["errors"][0]["path"] == ["input", "id"]
    assert all(each in payload["errors"][0]["message"] for each in (*ids, *ids.values()))
    assert len(await stored(api)) == 2


async def test_a_version_chooses_among_the_entries_of_a_movie(api: WritingApi) -> None:
    await api.beside("Alien", "Alien!")
    version = (await api.upsert("Alien!"))["entry"]["version"]
    payload = await api.data(DELETE, {"id": "alien_1979", "ifMatch": version})
    assert payload["entry"]["name"] == "Alien!"
    assert payload["movie"]["catalogueEntries"] == [{"name": "Alien"}]


async def test_an_entry_that_is_not_there_is_not_looked_for_among_movies(api: WritingApi) -> None:
    await api.upsert()
    assert kind(await api.data(DELETE, {"id": entry_id("Aliens", 1979)})) == "NotFound"


# Entries that differ only in signs


SIGNS = ["a/../b", "a b", "A-B", "A, B!"]
"""Names that make one slug and four keys."""

EVERY_ENTRY = "{ movies { nodes { catalogueEntries { id name version movie { id } } } } }"


async def every_entry(api: WritingApi) -> dict[str, dict[str, Any]]:
    """Return all entries as the list of movies shows them, by name."""
    nodes = (await api.data(EVERY_ENTRY))["nodes"]
    return {each["name"]: each for node in nodes for each in node["catalogueEntries"]}


async def test_each_of_them_is_listed_and_read_changed_and_deleted_by_its_own_id(
    api: WritingApi,
) -> None:
    ids = await api.beside(*SIGNS, year=1990)
    assert {name: each["id"] for name, each in (await every_entry(api)).items()} == ids
    assert len(set(ids.values())) == len(SIGNS)
    for name, own_id in ids.items():
        written = await api.data(UPSERT, {"input": {"name": name, "year": 1990, "plot": name}})
        assert (written["created"], written["entry"]["id"]) == (False, own_id)
        assert (await node(api, own_id)) == {
            "__typename": "CatalogueEntry",
            "id": own_id,
            "name": name,
            "version": written["entry"]["version"],
            "plot": name,
        }
        deleted = await api.data(DELETE, {"id": own_id, "ifMatch": written["entry"]["version"]})
        assert (deleted["errors"], deleted["entry"]["name"]) == ([], name)
    assert await every_entry(api) == {}


async def test_an_entry_and_its_movie_show_no_other_entrys_version_as_theirs(
    api: WritingApi,
) -> None:
    await api.beside("Blade Runner", year=1982)
    given = {"name": "Blade-Runner", "year": 1982, "allowNearDuplicate": True}
    payload = await api.data(
        """mutation ($input: UpsertMovieInput!) { upsertMovie(input: $input) {
            entry { id version }
            movie { catalogueEntries { id version } catalogueEntry { id name } }
        } }""",
        {"input": given},
    )
    assert payload["entry"] in payload["movie"]["catalogueEntries"]
    first = {"id": entry_id("Blade Runner", 1982), "name": "Blade Runner"}
    assert payload["movie"]["catalogueEntry"] == first


@pytest.mark.parametrize(
    "known, name, year, is_near",
    [
        ("Blade Runner", "Blade-Runner", 1982, True),
        ("Blade Runner", "The Blade  Runner!", 1982, True),
        ("Tom and Jerry", "Tom & Jerry", 1982, True),
        ("WALL·E", "Walle", 1982, True),
        ("Blade Runner", "Blade Runner", 1982, False),
        ("Blade Runner", "BLADE RUNNER", 1982, False),
        ("Blade Runner", "Blade-Runner", 1983, False),
        ("Blade Runner", "Blade Runners", 1982, False),
        ("The", "A", 1982, False),
        ("!!!", "???", 1982, False),
    ],
)
async def test_an_entry_that_may_be_another_is_created_only_if_that_is_meant(
    api: WritingApi,
    known: str,
    name: str,
    year: int,
    is_near: bool,  # noqa: FBT001  # pytest names it
) -> None:
    entry = (await api.upsert(known, 1982))["entry"]
    before = await stored(api)
    payload = await api.upsert(name, year)
    if not is_near:
        assert payload["errors"] == []
        return
    assert kind(payload) == "NearDuplicate"
    assert "`allowNearDuplicate: true`" in payload["errors"][0]["message"]
    shown = {each: entry[each] for each in ("id", "name", "version")}
    assert payload["errors"][0]["entries"] == [shown]
    assert await stored(api) == before
    payload = await api.upsert(name, year, allowNearDuplicate=True)
    assert (payload["created"], payload["errors"]) == (True, [])
    assert (await api.upsert(name, year, plot="Known."))["errors"] == []


async def test_a_refusal_names_so_many_entries_at_most(api: WritingApi) -> None:
    await api.beside(*("x" + "!" * count for count in range(12)))
    (error,) = (await api.upsert("the x"))["errors"]
    assert len(error["entries"]) == NEAR_DUPLICATES_MAX


# Objects by id


NODE = """query ($id: ID!) { node(id: $id) { __typename id
    ... on CatalogueEntry { name version plot }
    ... on Provider { sells }
    ... on Movie { title }
} }"""


async def node(api: WritingApi, node_id: str) -> Any:
    """Return what an id leads to."""
    return await api.data(NODE, {"id": node_id})


async def test_a_provider_and_a_movie_are_nodes_beside_an_entry(api: WritingApi) -> None:
    await api.upsert()
    house = {"__typename": "Provider", "id": "house", "sells": False}
    assert await node(api, "house") == house
    movie = {"__typename": "Movie", "id": "alien_1979", "title": "Alien"}
    assert await node(api, "alien_1979") == movie


@pytest.mark.parametrize("is_down", [False, True], ids=["all answer", "a shop is down"])
async def test_no_movie_not_even_the_shell_of_one_has_the_id_of_another_object(
    api: WritingApi,
    is_down: bool,  # noqa: FBT001  # pytest names it
) -> None:
    own_id = (await api.upsert())["entry"]["id"]
    if is_down:
        api.shops["filmworld"].answers[LIST] = failed(SourceErrorCode.UNAVAILABLE, "Down.")
    for other in (own_id, "house", "cinemaworld", "0123456789abcdef01234567"):
        assert await api.data("query ($id: ID!) { movie(id: $id) { id } }", {"id": other}) is None


async def test_an_entry_that_is_gone_is_null(api: WritingApi) -> None:
    own_id = (await api.upsert())["entry"]["id"]
    await api.data(DELETE, {"id": own_id})
    assert await node(api, own_id) is None


async def test_an_entry_that_cannot_be_read_now_is_neither_null_nor_shown_as_it_was(
    api: WritingApi,
) -> None:
    own_id = (await api.upsert())["entry"]["id"]
    await api.store.put(FILE, b"not JSON")
    await api.clock.advance(1.0)
    error = await api.refusal(NODE, {"id": own_id})
    assert error["extensions"]["code"] == "UNAVAILABLE"


async def test_without_a_catalogue_there_is_no_entry(api: WritingApi) -> None:
    api.entries = None
    assert await node(api, entry_id("Alien", 1979)) is None


# The entry of a movie


ENTRIES = "{ movies { nodes { id catalogueEntry { id version director } } } }"


async def test_movies_show_the_entry_that_the_house_has_of_them(api: WritingApi) -> None:
    await api.upsert(director="Ridley Scott")
    nodes = {each["id"]: each for each in (await api.data(ENTRIES))["nodes"]}
    assert nodes[STAR_WARS]["catalogueEntry"] is None
    assert nodes["alien_1979"]["catalogueEntry"]["director"] == "Ridley Scott"


@pytest.mark.parametrize("change", [{"director": "Scott"}, {"director": "Ridley Scott"}])
async def test_a_movie_that_is_kept_written_out_shows_the_entry_as_it_is(
    api: WritingApi, change: dict[str, Any]
) -> None:
    await api.upsert(director="Ridley Scott")
    first = (await api.data(ENTRIES))["nodes"]
    assert (await api.data(ENTRIES))["nodes"] == first
    version = (await api.upsert(**change))["entry"]["version"]
    (alien,) = (each for each in (await api.data(ENTRIES))["nodes"] if each["id"] == "alien_1979")
    own_id = entry_id("Alien", 1979)
    assert alien["catalogueEntry"] == {"id": own_id, "version": version, **change}


async def test_a_house_that_was_left_out_shows_no_entry_not_even_an_old_one(
    api: WritingApi,
) -> None:
    await api.upsert("Star Wars", 1977)
    shops_only = (
        '{ movies(filter: {providers: ["cinemaworld"]}) { nodes { catalogueEntry { id } } } }'
    )
    for _ in range(2):
        assert (await api.data(ENTRIES))["nodes"][0]["catalogueEntry"] is not None
        assert (await api.data(shops_only))["nodes"] == [{"catalogueEntry": None}]


async def test_a_write_of_another_replica_is_seen_within_a_second(
    api: WritingApi, tmp_path: Path
) -> None:
    async with writing(tmp_path / "store") as replica:
        await api.upsert(director="Ridley Scott")
        first = await replica.data(ENTRIES)
        version = (await api.upsert(director="Ridley Scott"))["entry"]["version"]
        await replica.clock.advance(1.0)
        (alien, _) = (await replica.data(ENTRIES))["nodes"]
    assert alien["catalogueEntry"]["version"] == version
    assert alien not in first["nodes"]


async def test_a_shops_movie_shows_the_houses_entry_of_the_same_name_and_year(
    api: WritingApi,
) -> None:
    api.shops["cinemaworld"].answers[LIST] = fresh(row("cw0000001", title="Alien", year=1979))
    await api.upsert(director="Ridley Scott")
    nodes = {each["id"]: each for each in (await api.data(ENTRIES))["nodes"]}
    assert nodes["tt0000001"]["catalogueEntry"]["director"] == "Ridley Scott"


async def test_entries_are_read_once_for_a_page(api: WritingApi) -> None:
    await api.upsert()
    await api.data(ENTRIES)
    reads = 0
    read = api.catalogue.read

    async def counted() -> Any:
        nonlocal reads
        reads += 1
        return await read()

    api.house._read = counted  # noqa: SLF001  # whoever reads
    await api.data(ENTRIES)
    assert reads == 0


async def test_without_a_catalogue_no_movie_has_an_entry(api: WritingApi) -> None:
    api.entries = None
    assert (await api.data(ENTRIES))["nodes"][0]["catalogueEntry"] is None


# Posting to a provider


async def test_a_movie_is_posted_to_a_provider_and_shown_as_it_stored_it(api: WritingApi) -> None:
    given = {"title": " Jaws ", "plot": "A shark.", "price": "19.950000000000000001"}
    payload = await api.data(ADD, {"input": {"provider": "cinemaworld"} | given})
    assert payload == {
        "added": {
            "provider": {"id": "cinemaworld"},
            "providerMovieId": "new-1",
            "title": "Jaws",
            "price": {"amount": "19.950000000000000001", "currency": "AUD"},
        },
        "errors": [],
    }
    ((fields, _, _),) = api.posting.posted
    assert fields == {
        "title": "Jaws",
        "plot": "A shark.",
        "price": Decimal("19.950000000000000001"),
    }
    assert api.added_at == ["cinemaworld"]


@pytest.mark.parametrize("provider", ["filmworld", "house", "nobody", ""])
async def test_a_provider_that_takes_no_movies_is_told_with_those_that_do(
    api: WritingApi, provider: str
) -> None:
    payload = await api.data(ADD, {"input": {"provider": provider, "title": "Jaws"}})
    assert kind(payload) == "ValidationFailed"
    assert payload["errors"][0]["path"] == ["input", "provider"]
    assert "cinemaworld" in payload["errors"][0]["message"]


async def test_a_server_that_posts_nothing_says_so(api: WritingApi) -> None:
    api.additions = None
    payload = await api.data(ADD, {"input": {"provider": "cinemaworld", "title": "Jaws"}})
    assert kind(payload) == "ValidationFailed"


@pytest.mark.parametrize(
    "given, path",
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 1_001}, "title"),
        ({"plot": "\x00"}, "plot"),
        ({"price": "0"}, "price"),
        ({"price": "-1"}, "price"),
        ({"price": "NaN"}, "price"),
        ({"price": "1e30"}, "price"),
        ({"genres": ["Horror"]}, "genres"),
    ],
)
async def test_a_movie_that_could_not_be_taken_is_not_posted(
    api: WritingApi, given: dict[str, Any], path: str
) -> None:
    variables = {"input": {"provider": "cinemaworld", "title": "Jaws"} | given}
    payload = await api.data(ADD, variables)
    assert kind(payload) == "ValidationFailed"
    assert payload["errors"][0]["path"] == ["input", path]
    assert api.posting.posted == []


REFUSAL = SourceError(SourceErrorCode.RATE_LIMITED, "cinemaworld answered 429.", retry_at_s=3.0)


async def test_what_a_provider_refuses_says_all_that_is_known(api: WritingApi) -> None:
    api.posting.outcomes = [Addition(error=REFUSAL, status=429)]
    payload = await api.data(ADD, {"input": {"provider": "cinemaworld", "title": "Jaws"}})
    assert kind(payload) == "ProviderRefused"
    assert payload["errors"] == [
        {
            "__typename": "ProviderRefused",
            "message": "cinemaworld answered 429.",
            "provider": {"id": "cinemaworld"},
            "code": "RATE_LIMITED",
            "status": 429,
            "retryable": True,
            "retryAfterMs": 3_000,
            "mayHaveHappened": False,
        }
    ]
    assert api.added_at == []


async def test_an_outcome_that_is_not_known_says_so_and_is_not_tried_again(
    api: WritingApi,
) -> None:
    timeout = SourceError(SourceErrorCode.TIMEOUT, "Late.", retryable=False)
    api.posting.outcomes = [Addition(error=timeout, may_have_happened=True)]
    payload = await api.data(ADD, {"input": {"provider": "cinemaworld", "title": "Jaws"}})
    (error,) = payload["errors"]
    assert (error["mayHaveHappened"], error["retryable"]) == (True, False)
    assert len(api.posting.posted) == 1


async def test_the_key_of_a_caller_is_never_that_of_another(api: WritingApi) -> None:
    given = {"input": {"provider": "cinemaworld", "title": "Jaws", "idempotencyKey": "one"}}
    await api.data(ADD, given)
    await api.data(ADD, given)
    api.caller = replace(caller("movies:write"), subject="bob")
    await api.data(ADD, given)
    alice, again, bob = (key for _, _, key in api.posting.posted)
    assert alice == again != bob


# Limits


async def test_a_request_writes_only_so_often(api: WritingApi) -> None:
    fields = " ".join(f"a{n}: {FIELD.format(n)}" for n in range(6))
    refused = await api.refusal(f"mutation {{ {fields} }}")
    assert refused["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert "mutations: 6; at most 5" in refused["message"]
    assert await stored(api) == []


FIELD = 'upsertMovie(input: {{name: "A{}", year: 1999}}) {{ created }}'


async def test_writes_are_counted_through_fragments(api: WritingApi) -> None:
    fields = " ".join(f"a{n}: {FIELD.format(n)}" for n in range(6))
    refused = await api.refusal(f"mutation {{ ...F }} fragment F on Mutation {{ {fields} }}")
    assert "mutations: 6" in refused["message"]


# What Relay reads


async def test_the_answer_that_relay_reads_in_the_clients_tests_is_the_servers(
    api: WritingApi,
) -> None:
    path = ROOT / "client" / "src" / "testing" / "movieWithEntry.json"
    written = json.loads(path.read_text(encoding="utf-8"))
    await api.upsert()
    assert await api.ask(written["query"]) == {"data": written["data"]}
