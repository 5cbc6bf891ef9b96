from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from movieql.api.export_types import NO_EXPORTS
from movieql.domain.callers import Caller
from movieql.domain.errors import (
    ExportCorruptError,
    MovieqlError,
    StoreError,
    StoreUnwritableError,
)
from movieql.domain.exports import SYSTEM_SUBJECT, ExportStatus
from movieql.ports import ExportProgress
from tests.unit.api.asking import CORE_SCHEMA
from tests.unit.api.exporting import (
    ARGUMENTS,
    CANCEL,
    FILE,
    REQUEST,
    RETRY,
    RULES,
    ExportingApi,
    exporting,
    observed,
)
from tests.unit.api.writing import caller
from tests.unit.web.test_graphql import Door

MISSING = "0" * 24
BOB = Caller("bob", frozenset({"exports"}))
ADMIN = Caller("carol", frozenset({"admin"}))

EXPORT = """query Export($id: ID!) { export(id: $id) {
    id status progress { done total percent } attempts rows bytes sha256 gzip error retryOf
    finishedAt expiresAt downloadUrl
    sources { providerId provider { name } state lastObservedAt rows }
} }"""

QUERIES = {"export": f'(id: "{MISSING}") {{ id }}', "exports": "{ nodes { id } }"}
"""Every query about exports, with arguments and selection."""


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[ExportingApi]:
    async with exporting(tmp_path / "store") as opened:
        yield opened


def failing(api: ExportingApi, monkeypatch: pytest.MonkeyPatch, error: MovieqlError) -> None:
    """Let the store fail at every read and write."""

    async def fail(*_: object, **__: object) -> None:
        raise error

    for name in ("get", "put", "list"):
        monkeypatch.setattr(api.store, name, fail)


def only_error(payload: Any) -> Any:
    (error,) = payload["errors"]
    assert error["message"]
    return error


async def count_of(api: ExportingApi) -> int:
    return len((await api.data("{ exports { nodes { id } } }"))["nodes"])


# Who may


def test_every_root_field_about_exports_is_looked_at_here() -> None:
    of_exports = {
        name
        for kind in (CORE_SCHEMA.query_type, CORE_SCHEMA.mutation_type)
        for name in (kind.fields if kind else ())
        if "export" in name.lower()
    }
    assert of_exports == ARGUMENTS.keys() | QUERIES.keys()


@pytest.mark.parametrize(
    "who, code",
    [
        (None, "UNAUTHENTICATED"),
        (caller(), "FORBIDDEN"),
        (caller("movies:write"), "FORBIDDEN"),
        (caller("exports"), None),
        (caller("admin"), None),
    ],
    ids=["nobody", "no scope", "another scope", "exports", "admin"],
)
@pytest.mark.parametrize("name", [*ARGUMENTS, *QUERIES])
async def test_who_may_not_is_refused_before_anything_happens(
    api: ExportingApi, name: str, who: Caller | None, code: str | None
) -> None:
    export_id = await api.requested()
    api.caller = who
    text = f"{{ {name}{QUERIES.get(name)} }}"
    if name in ARGUMENTS:
        arguments = ARGUMENTS[name].replace("ID", export_id)
        text = f"mutation {{ {name}({arguments}) {{ errors {{ message }} }} }}"
    body = await api.ask(text)
    if code is None:
        assert "errors" not in body
        return
    (error,) = body["errors"]
    assert (error["extensions"]["code"], body["data"]) == (code, {name: None})
    assert api.faults == []
    api.caller = caller("exports")
    assert await count_of(api) == 1
    assert (await api.data(EXPORT, {"id": export_id}))["status"] == "QUEUED"


async def test_the_subject_of_the_system_is_nobodys(api: ExportingApi) -> None:
    api.caller = Caller(SYSTEM_SUBJECT, frozenset({"exports"}))
    body = await api.ask(REQUEST, {"input": {}})
    assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_anothers_export_is_the_same_as_none(api: ExportingApi) -> None:
    export_id = await api.requested()
    await api.end(export_id)
    api.caller = BOB
    for query in (EXPORT, CANCEL, RETRY, "query N($id: ID!) { node(id: $id) { id } }"):
        others = await api.ask(query, {"id": export_id})
        assert others == await api.ask(query, {"id": MISSING})
    assert await count_of(api) == 0
    api.caller = ADMIN
    assert (await api.data(EXPORT, {"id": export_id}))["downloadUrl"]


# Asking for one


async def test_an_export_is_asked_for_with_what_it_is_to_have(api: ExportingApi) -> None:
    given = {
        "since": "2025-12-24T00:00:00Z",
        "until": "2025-12-25T01:00:00+01:00",
        "providers": ["filmworld"],
        "idempotencyKey": "christmas",
        "gzip": True,
    }
    payload = await api.data(REQUEST, {"input": given})
    export = payload["export"]
    assert payload["errors"] == []
    assert list(api.queue.waiting) == [(export.pop("id"), 1)]
    assert export == {
        "status": "QUEUED",
        "since": "2025-12-24T00:00:00+00:00",
        "until": "2025-12-25T00:00:00+00:00",
        "gzip": True,
        "retryOf": None,
        "sources": [{"providerId": "filmworld", "state": "UNKNOWN", "rows": 0}],
    }
    assert await api.data(REQUEST, {"input": given}) == payload | {
        "export": payload["export"] | {"id": await api.requested(**given)}
    }
    assert len(api.queue.waiting) == 1


async def test_without_a_window_it_is_the_last_day_and_all_that_sell(api: ExportingApi) -> None:
    export = (await api.data(REQUEST, {"input": {}}))["export"]
    assert export["since"] == "2025-12-31T00:00:00+00:00"
    assert export["until"] == "2026-01-01T00:00:00+00:00"
    assert [each["providerId"] for each in export["sources"]] == ["cinemaworld", "filmworld"]


async def test_the_same_key_with_other_input_is_a_conflict(api: ExportingApi) -> None:
    await api.requested(idempotencyKey="a")
    payload = await api.data(REQUEST, {"input": {"idempotencyKey": "a", "gzip": True}})
    assert payload["export"] is None
    assert only_error(payload)["__typename"] == "IdempotencyConflict"


@pytest.mark.parametrize(
    "given, path",
    [
        ({"since": "2026-01-01T00:00:00"}, ["input", "since"]),
        ({"until": "2027-01-01T00:00:00Z"}, ["input", "until"]),
        ({"since": "0001-01-01T00:00:00Z"}, ["input", "since"]),
        ({"providers": []}, ["input", "providers"]),
        ({"providers": ["filmworld", "nope"]}, ["input", "providers", "1"]),
        ({"providers": ["house"]}, ["input", "providers", "0"]),
        ({"idempotencyKey": ""}, ["input", "idempotencyKey"]),
    ],
    ids=str,
)
async def test_what_is_not_allowed_is_told_by_its_path(
    api: ExportingApi, given: dict[str, Any], path: list[str]
) -> None:
    payload = await api.data(REQUEST, {"input": given})
    error = only_error(payload)
    assert (error["__typename"], error["path"]) == ("ValidationFailed", path)
    assert await count_of(api) == 0


async def test_a_caller_has_so_many_open_exports_and_is_told_how_many(api: ExportingApi) -> None:
    own_ids = [await api.requested() for _ in range(RULES.open_max)]
    error = only_error(await api.data(REQUEST, {"input": {}}))
    assert (error["__typename"], error["limit"]) == ("QuotaExceeded", RULES.open_max)
    await api.end(own_ids[0])
    assert await api.requested()


async def test_a_queue_that_is_down_is_no_error(api: ExportingApi) -> None:
    api.queue.broken = api.board.broken = True
    export_id = await api.requested()
    assert (await api.data(EXPORT, {"id": export_id}))["status"] == "QUEUED"


MUTATIONS = {REQUEST: "requestExport", CANCEL: "cancelExport", RETRY: "retryExport"}


@pytest.mark.parametrize(
    "error, retryable, may_have_happened",
    [
        (StoreError(), True, True),
        (StoreUnwritableError(), True, False),
        (ExportCorruptError("Corrupt."), False, False),
    ],
)
@pytest.mark.parametrize("mutation", MUTATIONS, ids=MUTATIONS.get)
async def test_a_store_that_does_not_answer_is_told_by_a_type(
    api: ExportingApi,
    monkeypatch: pytest.MonkeyPatch,
    mutation: str,
    error: MovieqlError,
    retryable: bool,  # noqa: FBT001  # pytest names it
    may_have_happened: bool,  # noqa: FBT001  # pytest names it
) -> None:
    failing(api, monkeypatch, error)
    failure = only_error(await api.data(mutation, {"id": MISSING, "input": {}}))
    assert failure["__typename"] == "ExportsUnavailable"
    assert (failure["retryable"], failure["mayHaveHappened"]) == (retryable, may_have_happened)
    assert api.faults == []


@pytest.mark.parametrize("mutation", MUTATIONS, ids=MUTATIONS.get)
async def test_a_server_without_a_store_says_so(api: ExportingApi, mutation: str) -> None:
    api.service = None
    failure = only_error(await api.data(mutation, {"id": MISSING, "input": {}}))
    assert (failure["__typename"], failure["message"]) == ("ExportsUnavailable", NO_EXPORTS)
    assert (failure["retryable"], failure["mayHaveHappened"]) == (False, False)


@pytest.mark.parametrize("name", QUERIES)
async def test_a_query_that_cannot_read_takes_no_movies_along(
    api: ExportingApi, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    failing(api, monkeypatch, StoreError())
    query = f"{{ {name}{QUERIES[name]} providers {{ id }} }}"
    for _ in range(2):
        body = await api.ask(query)
        (error,) = body["errors"]
        assert (error["path"], error["extensions"]["code"]) == ([name], "UNAVAILABLE")
        assert len(body["data"]["providers"]) == 3
        api.service = None


# Seeing one


async def test_an_export_that_is_ready_has_its_file(api: ExportingApi) -> None:
    export_id = await api.requested()
    await api.end(export_id, sources=observed(cinemaworld=0, filmworld=1))
    export = await api.data(EXPORT, {"id": export_id})
    link = export.pop("downloadUrl")
    assert link.startswith("http://localhost:8000/")
    assert "signature" in link.lower() or "?" in link
    sources = export.pop("sources")
    assert sources[1] == {
        "providerId": "filmworld",
        "provider": {"name": "Filmworld"},
        "state": "OBSERVED",
        "lastObservedAt": "2026-01-02T00:00:00+00:00",
        "rows": 1,
    }
    assert export == {
        "id": export_id,
        "status": "READY",
        "progress": {"done": 1, "total": 1, "percent": 100},
        "attempts": 2,
        "rows": 1,
        "bytes": len(FILE),
        "sha256": "ab" * 32,
        "gzip": False,
        "error": None,
        "retryOf": None,
        "finishedAt": "2026-01-01T00:00:00+00:00",
        "expiresAt": "2026-01-08T00:00:00+00:00",
    }


async def test_a_file_may_be_larger_than_an_int(api: ExportingApi) -> None:
    export_id = await api.requested()
    await api.end(export_id, size_bytes=2**40)
    assert (await api.data(EXPORT, {"id": export_id}))["bytes"] == 2**40


@pytest.mark.parametrize(
    "progress, shown",
    [
        (ExportProgress(0, 0, 1), ("RUNNING", {"done": 0, "total": None, "percent": 0})),
        (ExportProgress(1, 3, 1), ("RUNNING", {"done": 1, "total": 3, "percent": 33})),
        (ExportProgress(3, 3, 2), ("RETRYING", {"done": 3, "total": 3, "percent": 99})),
    ],
)
async def test_progress_is_whole_only_with_the_file(
    api: ExportingApi, progress: ExportProgress, shown: Any
) -> None:
    export_id = await api.requested()
    await api.board.report(export_id, progress)
    export = await api.data(EXPORT, {"id": export_id})
    assert (export["status"], export["progress"]) == shown
    assert export["attempts"] == progress.attempt
    assert (export["downloadUrl"], export["rows"], export["bytes"]) == (None, None, None)


async def test_a_failed_export_says_why_and_has_no_file(api: ExportingApi) -> None:
    export_id = await api.requested()
    await api.end(export_id, ExportStatus.FAILED, error="The disk is full.")
    export = await api.data(EXPORT, {"id": export_id})
    assert (export["status"], export["error"]) == ("FAILED", "The disk is full.")
    assert (export["downloadUrl"], export["rows"], export["expiresAt"]) == (None, None, None)
    assert {each["state"] for each in export["sources"]} == {"UNKNOWN"}


async def test_a_file_that_is_no_longer_kept_has_no_link(api: ExportingApi) -> None:
    export_id = await api.requested()
    await api.end(export_id, ExportStatus.PARTIAL)
    assert (await api.data(EXPORT, {"id": export_id}))["downloadUrl"]
    await api.clock.advance(RULES.kept_s)
    export = await api.data(EXPORT, {"id": export_id})
    assert (export["status"], export["downloadUrl"], export["rows"]) == ("EXPIRED", None, 1)


async def test_a_link_is_made_anew_for_each_request_and_only_when_it_is_selected(
    api: ExportingApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_id = await api.requested()
    await api.end(export_id)
    lifetimes_s = []

    async def link(key: str, *, lifetime_s: int, **_: object) -> str:
        lifetimes_s.append(lifetime_s)
        return f"{key}#{len(lifetimes_s)}"

    monkeypatch.setattr(api.store, "link", link)
    await api.data("{ exports { nodes { id status } } }")
    assert lifetimes_s == []
    links = [(await api.data(EXPORT, {"id": export_id}))["downloadUrl"] for _ in range(2)]
    assert links[0] != links[1]
    assert max(lifetimes_s) <= 900


async def test_a_provider_that_is_no_longer_there_is_named_by_its_id(
    api: ExportingApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_id = await api.requested()
    gone = {each.id: each for each in api.browse.profiles if each.id != "filmworld"}.values()
    monkeypatch.setattr(type(api.browse), "profiles", list(gone))
    export = await api.data(EXPORT, {"id": export_id})
    assert [each["provider"] for each in export["sources"]] == [{"name": "Cinemaworld"}, None]
    assert export["sources"][1]["providerId"] == "filmworld"


# In a list, and as a node


async def test_a_list_goes_on_after_its_last_cursor(api: ExportingApi) -> None:
    own_ids = []
    for _ in range(3):
        own_ids.append(await api.requested())
        await api.clock.advance(1.0)
    query = """query P($after: String) { exports(first: 2, after: $after) {
        nodes { id } edges { cursor node { id } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    } }"""
    page = await api.data(query)
    assert [each["id"] for each in page["nodes"]] == [own_ids[2], own_ids[1]]
    assert [each["node"] for each in page["edges"]] == page["nodes"]
    info = page["pageInfo"]
    assert (info["hasNextPage"], info["hasPreviousPage"]) == (True, False)
    assert info["endCursor"] == page["edges"][-1]["cursor"]
    page = await api.data(query, {"after": info["endCursor"]})
    assert [each["id"] for each in page["nodes"]] == own_ids[:1]
    info = page["pageInfo"]
    assert (info["hasNextPage"], info["hasPreviousPage"]) == (False, True)


@pytest.mark.parametrize("arguments", ["first: 0", "first: 51", 'after: "../"'])
async def test_a_page_that_there_cannot_be_is_refused(api: ExportingApi, arguments: str) -> None:
    body = await api.ask(f"{{ exports({arguments}) {{ nodes {{ id }} }} }}")
    assert body["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


NODE = """query Node($id: ID!) { node(id: $id) {
    __typename id ... on Export { status } ... on Movie { title }
} }"""


async def test_an_export_is_a_node(api: ExportingApi) -> None:
    export_id = await api.requested()
    node = {"__typename": "Export", "id": export_id, "status": "QUEUED"}
    assert await api.data(NODE, {"id": export_id}) == node
    assert (await api.data(NODE, {"id": "tt0076759"}))["title"] == "Star Wars"


@pytest.mark.parametrize(
    "who, code", [(None, "UNAUTHENTICATED"), (caller(), "FORBIDDEN")], ids=["nobody", "no scope"]
)
async def test_a_node_that_may_be_an_export_needs_the_scope_whether_it_is_there_or_not(
    api: ExportingApi, who: Caller | None, code: str
) -> None:
    export_id = await api.requested()
    api.caller = who
    for wanted in (export_id, MISSING):
        body = await api.ask(NODE, {"id": wanted})
        assert body["data"] == {"node": None}
        assert body["errors"][0]["extensions"]["code"] == code


async def test_a_movie_whose_id_looks_like_an_exports_is_still_found(api: ExportingApi) -> None:
    name = "deadbeef" * 3
    await api.upsert(name, 1999)
    (movie_id,) = [
        each["id"]
        for each in (await api.data("{ movies { nodes { id title } } }"))["nodes"]
        if each["title"] == name
    ]
    for who in (api.caller, None):
        api.caller = who
        assert (await api.data(NODE, {"id": movie_id}))["title"] == name


# Ending one, and once more


async def test_what_has_not_ended_is_cancelled_once_and_for_all(api: ExportingApi) -> None:
    export_id = await api.requested()
    cancelled = {"export": {"id": export_id, "status": "CANCELLED"}, "errors": []}
    for _ in range(2):
        assert await api.data(CANCEL, {"id": export_id}) == cancelled


async def test_what_has_ended_is_not_cancelled_but_shown(api: ExportingApi) -> None:
    export_id = await api.requested()
    await api.end(export_id)
    payload = await api.data(CANCEL, {"id": export_id})
    assert payload["export"]["status"] == "READY"
    assert only_error(payload)["__typename"] == "NotCancellable"


async def test_an_export_that_failed_is_asked_for_once_more(api: ExportingApi) -> None:
    export_id = await api.requested()
    await api.end(export_id, ExportStatus.FAILED)
    payload = await api.data(RETRY, {"id": export_id})
    assert payload["errors"] == []
    assert payload["export"]["retryOf"] == export_id
    assert payload == await api.data(RETRY, {"id": export_id})


@pytest.mark.parametrize("ended", [True, False])
async def test_what_runs_or_is_well_is_not_made_again_but_shown(
    api: ExportingApi,
    ended: bool,  # noqa: FBT001  # pytest names it
) -> None:
    export_id = await api.requested()
    if ended:
        await api.end(export_id)
    payload = await api.data(RETRY, {"id": export_id})
    assert payload["export"]["id"] == export_id
    assert only_error(payload)["__typename"] == "NotRetryable"


@pytest.mark.parametrize("mutation", [CANCEL, RETRY])
@pytest.mark.parametrize("wanted", [MISSING, "", "tt0076759", "x" * 10_000])
async def test_what_is_not_there_is_not_found(
    api: ExportingApi, mutation: str, wanted: str
) -> None:
    payload = await api.data(mutation, {"id": wanted})
    assert payload["export"] is None
    assert only_error(payload)["__typename"] == "NotFound"


# What is kept


@pytest.mark.parametrize(
    "query",
    [
        EXPORT,
        "{ exports { nodes { status } } }",
        NODE,
        "{ movies { totalCount } ...E } fragment E on Query { exports { nodes { id } } }",
    ],
)
async def test_an_answer_with_exports_is_never_kept(api: ExportingApi, query: str) -> None:
    export_id = await api.requested()
    for wanted in (export_id, MISSING):
        answered = await api.run(query, {"id": wanted})
        assert "errors" not in answered.body
        assert not answered.facts.complete
        assert answered.facts.fresh_until_s <= 0


async def test_over_http_an_export_is_shown_as_it_is_now_and_nobody_keeps_it(
    api: ExportingApi,
) -> None:
    export_id = await api.requested()
    door = Door(engine=api.engine, clock=api.clock)  # type: ignore[arg-type]  # the real one
    door.endpoint._make_context = lambda request_id, _: api.context(request_id)  # noqa: SLF001  # as above
    query = f"query={{export(id:%22{export_id}%22){{status,downloadUrl}}}}".encode()
    shown = []
    for _ in range(2):
        reply = await door.ask(query_string=query, authorization="Bearer alice")
        assert reply.headers["cache-control"] == "no-store"
        assert "etag" not in reply.headers
        shown.append(orjson.loads(reply.body)["data"]["export"])
        await api.end(export_id)
    assert shown[0] == {"status": "QUEUED", "downloadUrl": None}
    assert shown[1]["status"] == "READY"


async def test_other_answers_are_kept_as_ever(api: ExportingApi) -> None:
    answered = await api.run("{ movies { totalCount } }")
    assert answered.facts.complete
    assert answered.facts.fresh_until_s > 0
