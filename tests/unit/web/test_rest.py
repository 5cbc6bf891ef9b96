import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movieql.domain.catalogue import CatalogueEntry
from movieql.domain.errors import (
    CatalogueBusyError,
    CatalogueConflictError,
    CatalogueCorruptError,
    LimitExceededError,
    PreconditionFailedError,
    StoreError,
)
from movieql.services.catalogue_writes import SUPERSEDED, Written
from movieql.web.resources import REST_CODES
from tests.unit.web.rest_doors import (
    ADDRESS,
    BODY_BYTES_MAX,
    FORGED,
    READER,
    WRITER,
    Reply,
    RestDoor,
)

HEAT = "/api/movies/Heat/1995"
MANN = {"director": "Michael Mann", "genre": "Crime"}


@pytest.fixture
def door() -> RestDoor:
    return RestDoor()


@pytest.fixture
async def stocked(door: RestDoor) -> RestDoor:
    """Return the routes over one movie."""
    assert (await door.send("PUT", HEAT, MANN)).status == 201
    return door


def assert_refused(reply: Reply, status: int, code: str, words: str = "") -> None:
    assert (reply.status, reply.json["code"]) == (status, code)
    assert code in REST_CODES
    assert words in reply.json["error"]
    assert set(reply.json) <= {"error", "code", "path"}
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"] == "no-store"


async def test_no_file_is_an_empty_catalogue_without_a_version(door: RestDoor) -> None:
    reply = await door.call("GET", "/api/movies")
    assert (reply.status, reply.json) == (200, [])
    assert "etag" not in reply.headers
    assert (await door.call("GET", "/api/movies", if_none_match="*")).status == 200


async def test_movies_are_listed_with_the_version_of_the_file(stocked: RestDoor) -> None:
    reply = await stocked.call("GET", "/api/movies")
    assert reply.json == [{"name": "Heat", "year": 1995, **MANN}]
    assert list(reply.json[0])[:2] == ["name", "year"]
    assert reply.headers["etag"] == '"file-1"'
    assert reply.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/api/movies", "/api/movies/query?year=1995"])
async def test_who_has_the_version_gets_no_body(stocked: RestDoor, path: str) -> None:
    known = await stocked.call("GET", path, if_none_match='"other", W/"file-1"')
    assert (known.status, known.body) == (304, b"")
    assert known.headers["etag"] == '"file-1"'
    await stocked.send("PUT", HEAT, {"genre": "Drama"})
    assert (await stocked.call("GET", path, if_none_match='"file-1"')).status == 200


async def test_head_has_the_headers_of_get(stocked: RestDoor) -> None:
    head = await stocked.call("HEAD", "/api/movies")
    got = await stocked.call("GET", "/api/movies")
    assert (head.status, head.body) == (200, b"")
    assert head.headers == got.headers


async def test_a_movie_is_created_once_and_then_updated(door: RestDoor) -> None:
    created = await door.send("PUT", HEAT, MANN)
    assert created.status == 201
    assert created.headers["etag"] == '"file-1"'
    assert created.json == {
        "message": "Movie created successfully",
        "movie": {"name": "Heat", "year": 1995, **MANN},
    }
    updated = await door.send("PUT", "/api/movies/HEAT/1995", {"genre": "Drama"})
    assert updated.status == 200
    assert updated.headers["etag"] == '"file-2"'
    assert updated.json == {
        "message": "Movie updated successfully",
        "movie": {"name": "Heat", "year": 1995, **MANN, "genre": "Drama"},
    }


@pytest.mark.parametrize("encoded", ["Face%2FOff", "Face/Off"])
async def test_a_name_may_have_slashes(door: RestDoor, encoded: str) -> None:
    assert (await door.send("PUT", f"/api/movies/{encoded}/1997", {})).status == 201
    assert list(door.catalogue.movies) == [("face/off", 1997)]
    assert (await door.call("DELETE", f"/api/movies/{encoded}/1997", token=WRITER)).status == 204


def is_name(text: str) -> bool:
    """Say whether a movie may be called so; U+FFFD stands for bytes that were no text."""
    return text.isprintable() and bool(text.strip()) and "\ufffd" not in text


@given(name=st.text(min_size=1, max_size=40).filter(is_name), year=st.integers(1870, 2199))
async def test_whatever_a_movie_is_called_it_is_found_again(name: str, year: int) -> None:
    door = RestDoor()
    encoded = quote(name, safe="")
    assert (await door.send("PUT", f"/api/movies/{encoded}/{year}", MANN)).status == 201
    found = await door.call("GET", f"/api/movies/query?name={encoded}&year={year}")
    assert found.json == [{"name": name, "year": year, **MANN}]


@given(
    body=st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    ).map(lambda value: json.dumps(value).encode())
)
async def test_no_body_is_a_fault_of_ours(body: bytes) -> None:
    door = RestDoor()
    for method, path in (("PUT", HEAT), ("POST", "/login")):
        reply = await door.send(method, path, body)
        assert reply.status in {200, 201, 400, 401, 413}
    assert door.faults == []


@given(path=st.text(max_size=40).map(lambda text: quote(text, safe="/?&=")))
async def test_no_path_is_a_fault_of_ours(path: str) -> None:
    door = RestDoor()
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        reply = await door.send(method, f"/api/movies/{path}", {})
        assert reply.status in {200, 201, 204, 307, 400, 404, 405}
    assert door.faults == []


BODIES = {
    "an array": (b"[]", 400, "one JSON object"),
    "a text": (b'"x"', 400, "one JSON object"),
    "nothing": (b"", 400, "not JSON"),
    "no JSON": (b"{", 400, "not JSON"),
    "no number": (b'{"a": NaN}', 400, "not JSON"),
    "not UTF-8": (b'{"a": "\xff"}', 400, "not JSON"),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), 400, "not JSON"),
    "half a character": (rb'{"a": "\ud800"}', 400, "not JSON"),
    "deep": (b'{"a":' * 100 + b"[" * 300 + b"]" * 300 + b"}" * 100, 413, "bytes"),
    "a long number": (b'{"a":' + b"9" * 900 + b"}", 400, "a number that is too large"),
    "a key twice": (b'{"a": 1, "a": 2}', 400, "twice"),
    "too large": (b'{"a": "%s"}' % (b"x" * BODY_BYTES_MAX), 413, f"{BODY_BYTES_MAX} bytes"),
}


@pytest.mark.parametrize("name", BODIES)
async def test_a_body_is_one_json_object_of_bounded_size(door: RestDoor, name: str) -> None:
    body, status, words = BODIES[name]
    reply = await door.send("PUT", HEAT, body)
    assert_refused(reply, status, "BAD_REQUEST", words)
    assert door.catalogue.movies == {}


async def test_numbers_are_kept_as_they_are(door: RestDoor) -> None:
    exact = {"gross": 2**53 + 1, "huge": 10**30}
    await door.send("PUT", HEAT, exact)
    (movie,) = (await door.call("GET", "/api/movies")).json
    assert {name: movie[name] for name in exact} == exact


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"]
)
async def test_a_body_has_to_say_that_it_is_json(door: RestDoor, content_type: str) -> None:
    reply = await door.send("PUT", HEAT, {}, content_type=content_type)
    assert_refused(reply, 415, "BAD_REQUEST", "content-type: application/json")


async def test_a_body_that_does_not_end_is_not_waited_for(door: RestDoor) -> None:
    headers = {"content_type": "application/json"}
    reply = await door.call("PUT", HEAT, None, WRITER, **headers)
    assert_refused(reply, 408, "BAD_REQUEST", "within 0.05 s")
    assert reply.headers["connection"] == "close"


async def test_a_refused_field_is_named(door: RestDoor) -> None:
    reply = await door.send("PUT", HEAT, {"year": 1996})
    assert_refused(reply, 400, "BAD_USER_INPUT")
    assert reply.json["path"] == ["year"]


@pytest.mark.parametrize("year", ["x", "19.5", "1e3", "9" * 5000, "%D9%A1%D9%A9%D9%A9%D9%A5"])
async def test_a_year_that_is_no_number_is_refused(door: RestDoor, year: str) -> None:
    for reply in (
        await door.send("PUT", f"/api/movies/Heat/{year}", {}),
        await door.call("GET", f"/api/movies/query?year={year}"),
    ):
        assert_refused(reply, 400, "BAD_REQUEST", "whole number, such as 1977")
        assert reply.json["path"] == ["year"]


async def test_a_name_that_is_not_utf_8_is_refused(door: RestDoor) -> None:
    reply = await door.send("PUT", "/api/movies/%FF/1995", {})
    assert_refused(reply, 400, "BAD_REQUEST", "UTF-8")


WRITES: list[tuple[str, Any]] = [("PUT", {}), ("DELETE", b"")]


@pytest.mark.parametrize("method, content", WRITES)
async def test_a_write_needs_a_token_that_may(
    stocked: RestDoor, method: str, content: Any
) -> None:
    nobody = await stocked.send(method, HEAT, content, token=None)
    assert_refused(nobody, 401, "UNAUTHENTICATED", "bearer token")
    assert nobody.headers["www-authenticate"] == "Bearer"
    rejected = await stocked.send(method, HEAT, content, token=FORGED)
    assert_refused(rejected, 401, "UNAUTHENTICATED", "not valid")
    assert rejected.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    reader = await stocked.send(method, HEAT, content, token=READER)
    assert_refused(reader, 403, "FORBIDDEN", "movies:write")
    assert stocked.catalogue.writes == 1


async def test_a_token_that_is_not_valid_is_refused_where_none_is_needed(
    door: RestDoor,
) -> None:
    assert_refused(await door.call("GET", "/api/movies", token=FORGED), 401, "UNAUTHENTICATED")


@pytest.mark.parametrize("method, content", WRITES)
async def test_a_stale_version_is_refused_with_the_one_there_is(
    stocked: RestDoor, method: str, content: Any
) -> None:
    reply = await stocked.send(method, HEAT, content, if_match='"file-0"')
    assert_refused(reply, 409, "VERSION_CONFLICT")
    assert reply.json["error"] == "Version conflict"
    assert reply.headers["etag"] == '"file-1"'
    again = await stocked.send(method, HEAT, content, if_match=reply.headers["etag"])
    assert again.status in {200, 204}
    assert again.headers["etag"] == '"file-2"'


@pytest.mark.parametrize("method, content", WRITES)
async def test_a_star_means_that_the_movie_is_there(
    stocked: RestDoor, method: str, content: Any
) -> None:
    reply = await stocked.send(method, "/api/movies/Ronin/1998", content, if_match="*")
    assert_refused(reply, 409, "VERSION_CONFLICT")
    assert reply.headers["etag"] == '"file-1"'
    assert (await stocked.send(method, HEAT, content, if_match="*")).status in {200, 204}


async def test_a_movie_that_changes_meanwhile_tells_of_the_files_version(
    stocked: RestDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: Any, if_version: str, **__: Any) -> Written:
        assert if_version == "movie-1"
        raise CatalogueConflictError.at("movie-2")

    monkeypatch.setattr(stocked.catalogue, "upsert", lost)
    reply = await stocked.send("PUT", HEAT, {}, if_match="*")
    assert_refused(reply, 409, "VERSION_CONFLICT")
    assert reply.headers["etag"] == '"file-1"'


@pytest.mark.parametrize(
    "if_match",
    ['W/"file-1"', "file-1", '"file-1", "file-2"', '"file-1', '""', "*, *", '"a b"', ""],
)
async def test_only_one_strong_etag_is_a_condition(stocked: RestDoor, if_match: str) -> None:
    reply = await stocked.send("PUT", HEAT, {}, if_match=if_match)
    assert_refused(reply, 400, "BAD_REQUEST", "double quotes")
    assert stocked.catalogue.writes == 1


async def test_a_condition_that_writes_do_not_know_is_not_without_effect(door: RestDoor) -> None:
    reply = await door.send("PUT", HEAT, {}, if_none_match="*")
    assert_refused(reply, 400, "BAD_REQUEST", "If-Match")


async def test_a_conflict_without_a_file_has_no_version(door: RestDoor) -> None:
    reply = await door.send("PUT", HEAT, {}, if_match='"file-1"')
    assert_refused(reply, 409, "VERSION_CONFLICT")
    assert "etag" not in reply.headers


async def test_a_version_that_is_no_more_is_not_told(
    door: RestDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def superseded(*_: Any, **__: Any) -> Written:
        return Written(CatalogueEntry("1", "Heat", 1995, "1", {}), created=True, etag=SUPERSEDED)

    monkeypatch.setattr(door.catalogue, "upsert", superseded)
    reply = await door.send("PUT", HEAT, {})
    assert reply.status == 201
    assert "etag" not in reply.headers


async def test_a_movie_is_deleted_once(stocked: RestDoor) -> None:
    reply = await stocked.call("DELETE", HEAT, token=WRITER)
    assert (reply.status, reply.body, reply.headers["etag"]) == (204, b"", '"file-2"')
    assert stocked.catalogue.movies == {}
    again = await stocked.call("DELETE", HEAT, token=WRITER)
    assert_refused(again, 404, "NOT_FOUND", "No movie Heat of 1995")


async def test_movies_are_found_by_name_by_year_and_by_both(stocked: RestDoor) -> None:
    for path in ("/api/movies/Heat/1986", "/api/movies/Ronin/1995"):
        await stocked.send("PUT", path, {})

    async def years(query: str) -> list[tuple[str, int]]:
        reply = await stocked.call("GET", f"/api/movies/query{query}")
        assert reply.status == 200
        assert reply.headers["etag"] == '"file-3"'
        return [(movie["name"], movie["year"]) for movie in reply.json]

    assert await years("?name=heat") == [("Heat", 1995), ("Heat", 1986)]
    assert await years("?year=1995") == [("Heat", 1995), ("Ronin", 1995)]
    assert await years("?name=HEAT&year=1986") == [("Heat", 1986)]
    assert len(await years("")) == 3


@pytest.mark.parametrize(
    "query", ["name=Ronin", "year=1", "year=-3", "name=", "name=%20&year=1995"]
)
async def test_nothing_found_is_said_in_the_words_of_old(stocked: RestDoor, query: str) -> None:
    reply = await stocked.call("GET", f"/api/movies/query?{query}")
    assert_refused(reply, 404, "NOT_FOUND")
    assert reply.json["error"] == "No movies found matching the query"


async def test_an_empty_catalogue_has_everything_that_was_asked_for(door: RestDoor) -> None:
    reply = await door.call("GET", "/api/movies/query")
    assert (reply.status, reply.json) == (200, [])


@pytest.mark.parametrize(
    "query, words",
    [
        ("filename=secrets.json", "leave `filename` out"),
        ("nmae=Heat", "takes `name` and `year`"),
        ("name=a&name=b", "once"),
        ("name=%FF", "cannot be read"),
        ("&".join(f"a{n}=" for n in range(50)), "cannot be read"),
    ],
)
async def test_parameters_that_have_no_effect_are_refused(
    stocked: RestDoor, query: str, words: str
) -> None:
    reply = await stocked.call("GET", f"/api/movies/query?{query}")
    assert_refused(reply, 400, "BAD_REQUEST", words)


@pytest.mark.parametrize("method, path", [("GET", "/api/movies"), ("PUT", HEAT), ("DELETE", HEAT)])
async def test_another_file_cannot_be_named(door: RestDoor, method: str, path: str) -> None:
    reply = await door.send(method, f"{path}?filename=users.json", {})
    assert_refused(reply, 400, "BAD_REQUEST", "leave `filename` out")


@pytest.mark.parametrize(
    "path, allow",
    [
        ("/api/movies", "GET, HEAD, OPTIONS"),
        ("/api/movies/query", "GET, HEAD, OPTIONS"),
        (HEAT, "DELETE, OPTIONS, PUT"),
        ("/api/movies/%0A/1", "DELETE, OPTIONS, PUT"),
        ("/login", "OPTIONS, POST"),
        ("/files", "GET, HEAD, OPTIONS"),
    ],
)
async def test_other_methods_are_refused_with_those_there_are(
    door: RestDoor, path: str, allow: str
) -> None:
    reply = await door.call("PATCH", path)
    assert_refused(reply, 405, "BAD_REQUEST", allow)
    assert reply.headers["allow"] == allow
    options = await door.call("OPTIONS", path)
    assert (options.status, options.headers["allow"], options.body) == (204, allow, b"")


@pytest.mark.parametrize("path", ["/api", "/api/nothing", "/login/x", "/files/x"])
async def test_where_there_is_nothing_rest_says_so_in_its_own_shape(
    door: RestDoor, path: str
) -> None:
    assert_refused(await door.call("GET", path), 404, "NOT_FOUND", "/api/openapi.json")


async def test_the_description_takes_no_other_method_either(door: RestDoor) -> None:
    reply = await door.call("POST", "/api/openapi.json")
    assert_refused(reply, 405, "BAD_REQUEST", "This takes")
    assert set(reply.headers["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


async def test_elsewhere_the_shape_is_graphqls(door: RestDoor) -> None:
    reply = await door.call("GET", "/elsewhere")
    assert reply.status == 404
    assert reply.json["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


@pytest.mark.parametrize("path", ["/api/movies", "/api/movies/query", HEAT])
async def test_a_server_without_a_catalogue_says_so(door: RestDoor, path: str) -> None:
    door.app.state.movies = None
    method = "PUT" if path == HEAT else "GET"
    assert_refused(await door.call(method, path), 404, "NOT_FOUND", "no catalogue")


async def test_too_many_requests_are_told_when_to_come_back(door: RestDoor) -> None:
    door.refuse_s = 36.2
    reply = await door.call("GET", "/api/movies", token=READER)
    assert_refused(reply, 429, "RATE_LIMITED")
    assert reply.headers["retry-after"] == "37"
    assert door.spent == ["subject:bob"]
    await door.call("GET", "/api/movies")
    assert door.spent[1:] == [f"address:{ADDRESS}"]


@pytest.mark.parametrize("failure", [StoreError(), CatalogueCorruptError(), CatalogueBusyError()])
async def test_a_store_that_fails_is_no_fault_of_ours(door: RestDoor, failure: Exception) -> None:
    door.catalogue.failure = failure
    reply = await door.send("PUT", HEAT, {})
    assert_refused(reply, 503, "UNAVAILABLE", str(failure))
    assert reply.headers["retry-after"] == "1"
    assert door.faults == []


async def test_a_full_catalogue_says_so(door: RestDoor) -> None:
    door.catalogue.failure = LimitExceededError("The catalogue has the entries it may have.")
    assert_refused(await door.send("PUT", HEAT, {}), 507, "LIMIT_EXCEEDED", "may have")


@pytest.mark.parametrize("failure", [RuntimeError("secret"), PreconditionFailedError("secret")])
async def test_a_fault_of_ours_is_masked_and_noted(door: RestDoor, failure: Exception) -> None:
    door.catalogue.failure = failure
    reply = await door.call("GET", "/api/movies")
    assert_refused(reply, 500, "INTERNAL", "id-1")
    assert b"secret" not in reply.body
    assert door.faults == [failure]


async def test_what_a_file_has_and_json_is_strict_about_is_still_listed(door: RestDoor) -> None:
    door.catalogue.movies["x", 1] = CatalogueEntry(
        "x-1", "x", 1, "v", {"half": "\ud800", "long": 10**400}
    )
    (movie,) = (await door.call("GET", "/api/movies")).json
    assert (movie["half"], movie["long"]) == ("\ud800", 10**400)
