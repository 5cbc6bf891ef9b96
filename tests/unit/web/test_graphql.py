import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

from movieql.api.context import AnswerFacts
from movieql.api.engine import Answered
from movieql.domain.callers import Caller
from movieql.domain.errors import UnauthenticatedError
from movieql.domain.movies import (
    ContentRevision,
    SourceError,
    SourceErrorCode,
    SourceReport,
    SourceStatus,
)
from movieql.memory import VirtualClock
from movieql.web.admission import Admission, Budgets, Callers, MemoryCounts, RateLimits
from movieql.web.caching import AnswerMemo
from movieql.web.graphql import AnswerCount, EndpointLimits, GraphQLEndpoint

OK = SourceReport("cinemaworld", SourceStatus.OK)
LATE = SourceReport(
    "filmworld",
    SourceStatus.FAILED,
    error=SourceError(SourceErrorCode.TIMEOUT, "Not in time."),
)


def facts(*sources: SourceReport, until_s: float = 60.0, complete: bool = True) -> AnswerFacts:
    made = AnswerFacts()
    made.note(sources, until_s, until_s, complete=complete)
    return made


class FixedEngine:
    """Every document is of the kind that its first word says; `asked` is what was run."""

    def __init__(self) -> None:
        self.cost = 1
        self.callers: list[Caller | None] = []
        self.asked: list[tuple[str | None, Mapping[str, Any], str | None]] = []
        self.facts = facts(OK)
        self.body: dict[str, Any] = {"data": {}}
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def run(
        self,
        query: str | None,
        sha256: str | None,
        variables: Mapping[str, Any],
        operation_name: str | None,
        make_context: Callable[[], Any],
        kinds: frozenset[str],
        charge: Callable[[int, str], Awaitable[None]],
    ) -> Answered:
        kind = query.split(maxsplit=1)[0] if query else "query"
        await charge(self.cost, kind)
        self.callers.append(make_context())
        if kind not in kinds:
            return Answered({}, kind=kind, is_allowed=False)
        self.asked.append((query or sha256, variables, operation_name))
        await self.may_end.wait()
        return Answered(self.body, self.facts, kind)


@dataclass
class Reply:
    status: int
    headers: Headers
    body: bytes


@dataclass
class Door:
    """An endpoint, and what it needs, on a clock that stands still."""

    engine: FixedEngine = field(default_factory=FixedEngine)
    clock: VirtualClock = field(default_factory=VirtualClock)
    revision: ContentRevision = field(default_factory=ContentRevision)
    budgets: Budgets = field(default_factory=Budgets)
    is_current: bool = True
    queries_max: int = 10
    counted: list[str] = field(default_factory=list)

    async def verify(self, token: str) -> Caller:
        """Accept every token that names somebody: the part before a dot, and scopes behind."""
        subject, *scopes = token.split(".")
        if subject == "nobody":
            raise UnauthenticatedError("The token is of nobody.")
        return Caller(subject, frozenset(scopes))

    def __post_init__(self) -> None:
        limits = RateLimits(self.budgets, MemoryCounts(self.clock, keys_max=100))
        self.endpoint = GraphQLEndpoint(
            self.engine,
            make_context=lambda _, caller: caller,
            admission=Admission(Callers(self), limits, trusted_hops=0),
            memo=AnswerMemo(100_000),
            is_current=lambda: self.is_current,
            revision=self.revision,
            clock=self.clock,
            limits=EndpointLimits(1_000, 0.05, self.queries_max),
            boot_id=b"boot",
            ide=PlainTextResponse("the page"),
            count=AnswerCount(
                kept=lambda: self.counted.append("kept"),
                made=lambda: self.counted.append("made"),
                shared=lambda: self.counted.append("shared"),
            ),
        )

    async def ask(
        self,
        method: str = "GET",
        query_string: bytes = b"query=query",
        body: bytes | None = b"",
        **headers: str,
    ) -> Reply:
        async def receive() -> dict[str, Any]:
            if body is None:
                await asyncio.Event().wait()
            return {"type": "http.request", "body": body}

        headers = {"content_type": "application/json", "accept": "*/*"} | headers
        scope = {
            "type": "http",
            "method": method,
            "path": "/graphql",
            "query_string": query_string,
            "headers": [
                (name.replace("_", "-").encode(), value.encode())
                for name, value in headers.items()
            ],
            "state": {"request_id": "request-1"},
        }
        sent: list[Any] = []

        async def send(message: object) -> None:
            sent.append(message)

        await self.endpoint(scope, receive, send)
        return Reply(sent[0]["status"], Headers(raw=sent[0]["headers"]), sent[1]["body"])

    async def post(self, **payload: Any) -> Reply:
        return await self.ask("POST", b"", json.dumps(payload).encode())


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_mutation_needs_post_and_is_not_run_without(method: str) -> None:
    door = Door()
    reply = await door.ask(method, b"query=mutation%20%7Ba%7D")
    assert (reply.status, reply.headers["allow"]) == (405, "POST")
    assert door.engine.asked == []


async def test_a_mutation_by_post_is_run_and_never_kept() -> None:
    door = Door()
    for _ in range(2):
        reply = await door.post(query="mutation {a}")
        assert (reply.status, reply.headers["cache-control"]) == (200, "no-store")
    assert door.engine.asked == [("mutation {a}", {}, None)] * 2


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_subscription_is_told_where_it_belongs(method: str) -> None:
    door = Door()
    reply = await door.ask(method, b"query=subscription", b'{"query": "subscription"}')
    assert reply.status == 400
    assert b"WebSocket" in reply.body
    assert door.engine.asked == []


async def test_other_methods_are_told_which_there_are() -> None:
    reply = await Door().ask("PUT")
    assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD, POST")


async def test_variables_and_the_name_come_from_the_address_of_a_get() -> None:
    door = Door()
    await door.ask("GET", b"query=query&variables=%7B%22a%22:1%7D&operationName=A")
    assert door.engine.asked == [("query", {"a": 1}, "A")]


@pytest.mark.parametrize("name", [None, ""])
async def test_no_name_is_no_name_however_it_is_written(name: str | None) -> None:
    door = Door()
    await door.post(query="query", operationName=name, variables=None)
    assert door.engine.asked == [("query", {}, None)]


@pytest.mark.parametrize(
    "query_string, accept, shown",
    [
        (b"", "text/html,*/*;q=0.8", True),
        (b"", "TEXT/HTML", True),
        (b"", "*/*", False),
        (b"", "application/json", False),
        (b"query=query", "text/html,*/*;q=0.8", False),
        (b"extensions=%7B%7D", "text/html,*/*;q=0.8", False),
    ],
)
async def test_only_a_browser_that_opens_the_address_gets_the_page(
    query_string: bytes, accept: str, *, shown: bool
) -> None:
    reply = await Door().ask("GET", query_string, accept=accept)
    assert (reply.body == b"the page") is shown


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    reply = await Door().ask("POST", b"", None)
    assert (reply.status, reply.headers["connection"]) == (408, "close")


async def test_the_same_question_is_answered_from_what_was_written_before() -> None:
    door = Door()
    replies = [await door.ask() for _ in range(3)]
    assert len(door.engine.asked) == 1
    assert {reply.body for reply in replies} == {b'{"data":{}}'}


async def test_what_was_written_is_good_until_something_stops_being_fresh() -> None:
    door = Door()
    reply = await door.ask()
    assert reply.headers["cache-control"] == "public, max-age=60"
    await door.clock.advance(59.5)
    assert (await door.ask()).headers["cache-control"] == "public, max-age=0"
    assert len(door.engine.asked) == 1
    await door.clock.advance(0.5)
    await door.ask()
    assert len(door.engine.asked) == 2


async def test_what_was_written_is_good_until_the_content_changes() -> None:
    door = Door()
    first = await door.ask()
    door.revision.advance()
    second = await door.ask()
    assert len(door.engine.asked) == 2
    assert first.headers["etag"] != second.headers["etag"]


async def test_an_answer_that_waited_is_not_given_to_others_as_it_is() -> None:
    door = Door()
    door.engine.facts = facts(SourceReport("cinemaworld", SourceStatus.OK, latency_ms=700))
    await door.ask()
    await door.ask()
    assert len(door.engine.asked) == 2


async def test_a_degraded_answer_is_never_kept_and_has_no_version() -> None:
    door = Door()
    door.engine.facts = facts(OK, LATE, until_s=0.0, complete=False)
    for _ in range(2):
        reply = await door.ask()
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["x-movieql-sources"] == "cinemaworld=ok, filmworld=timeout"
        assert "etag" not in reply.headers
    assert len(door.engine.asked) == 2


async def test_an_answer_with_errors_is_never_kept() -> None:
    door = Door()
    door.engine.body = {"errors": [{"message": "no"}], "data": None}
    reply = await door.ask()
    assert reply.headers["cache-control"] == "no-store"
    await door.ask()
    assert len(door.engine.asked) == 2


async def test_who_has_this_version_is_told_so_without_a_body() -> None:
    door = Door()
    version = (await door.ask()).headers["etag"]
    again = await door.ask(if_none_match=f'"other", {version}')
    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == version
    assert again.headers["cache-control"] == "public, max-age=60"
    assert (await door.ask(if_none_match='"other"')).status == 200


async def test_an_answer_in_its_last_second_is_sent_whole() -> None:
    door = Door()
    version = (await door.ask()).headers["etag"]
    await door.clock.advance(59.0)
    assert (await door.ask(if_none_match=version)).status == 304
    await door.clock.advance(0.5)
    again = await door.ask(if_none_match=version)
    assert (again.status, again.headers["cache-control"]) == (200, "public, max-age=0")
    assert again.headers["etag"] == version


async def test_other_questions_and_other_processes_have_other_versions() -> None:
    door, other = Door(), Door()
    other.endpoint._boot_id = b"else"  # noqa: SLF001
    first = (await door.ask()).headers["etag"]
    assert (await door.ask(query_string=b"query=query%20A")).headers["etag"] != first
    assert (await door.ask(accept="application/graphql-response+json")).headers["etag"] != first
    assert (await other.ask()).headers["etag"] != first


async def test_what_somebody_in_particular_asked_is_for_no_cache_that_others_use() -> None:
    credentials = "Bearer x"
    door = Door()
    public = await door.ask()
    version = public.headers["etag"]
    for _ in range(2):  # made, then kept
        private = await door.ask(authorization=credentials, if_none_match=version)
        assert (private.status, private.headers["cache-control"]) == (200, "private, max-age=60")
        assert private.headers["etag"] != version
    assert (await door.ask()).headers["cache-control"] == "public, max-age=60"
    assert len(door.engine.asked) == 2
    known = await door.ask(authorization=credentials, if_none_match=private.headers["etag"])
    assert (known.status, known.headers["cache-control"]) == (304, "private, max-age=60")


async def test_a_degraded_answer_is_not_even_for_a_cache_of_ones_own() -> None:
    door = Door()
    door.engine.facts = facts(OK, LATE, until_s=0.0, complete=False)
    reply = await door.ask(authorization="Bearer x")
    assert reply.headers["cache-control"] == "no-store"


async def test_media_types_are_answers_of_their_own() -> None:
    door = Door()
    door.engine.body = {"errors": [{"message": "no"}]}
    assert (await door.ask(accept="application/json")).status == 200
    assert (await door.ask(accept="application/graphql-response+json")).status == 400


async def test_a_question_that_needs_no_provider_names_none() -> None:
    door = Door()
    door.engine.facts = AnswerFacts()
    reply = await door.ask()
    assert "x-movieql-sources" not in reply.headers
    assert reply.headers["cache-control"] == "public, max-age=3600"


async def test_a_document_may_be_named_by_its_hash() -> None:
    door = Door()
    sha256 = "0" * 64
    extensions = json.dumps({"persistedQuery": {"version": 1, "sha256Hash": sha256}})
    await door.ask("GET", b"extensions=" + extensions.encode())
    assert door.engine.asked == [(sha256, {}, None)]


@pytest.mark.parametrize("persisted", [5, {}, {"sha256Hash": "0"}, {"sha256Hash": "G" * 64}])
async def test_a_hash_that_is_none_is_refused(persisted: object) -> None:
    reply = await Door().post(query="query", extensions={"persistedQuery": persisted})
    assert reply.status == 400
    assert b"sha256Hash" in reply.body


# Who asks


async def test_a_token_that_is_not_valid_is_refused_before_anything_is_run() -> None:
    door = Door()
    for method in ("GET", "POST"):
        reply = await door.ask(method, authorization="Bearer nobody")
        assert reply.status == 401
        assert reply.headers["www-authenticate"] == 'Bearer error="invalid_token"'
        assert json.loads(reply.body)["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
    assert door.engine.asked == []


async def test_an_authenticated_caller_reaches_the_resolvers() -> None:
    door = Door()
    await door.ask(authorization="Bearer ada.exports")
    await door.ask()
    assert door.engine.callers == [Caller("ada", frozenset({"exports"})), None]


async def test_what_is_kept_for_one_caller_is_not_given_to_another() -> None:
    door = Door()
    told = []
    for token in ("ada", "bob", "ada.exports"):
        door.engine.body = {"data": {"for": token}}
        for _ in range(2):
            reply = await door.ask(authorization=f"Bearer {token}")
            told.append(json.loads(reply.body)["data"]["for"])
    door.engine.body = {"data": {"for": "all"}}
    told.append(json.loads((await door.ask()).body)["data"]["for"])
    assert told == ["ada", "ada", "bob", "bob", "ada.exports", "ada.exports", "all"]
    assert len(door.engine.asked) == 4


async def test_versions_of_different_callers_differ() -> None:
    door = Door()
    tags = {
        reply.headers["etag"]
        for reply in (
            await door.ask(),
            await door.ask(authorization="Bearer ada"),
            await door.ask(authorization="Bearer bob"),
        )
    }
    assert len(tags) == 3


async def test_caches_are_told_that_the_answer_depends_on_the_token() -> None:
    assert (await Door().ask()).headers["vary"] == "Accept, Authorization"


async def test_who_asks_too_often_is_told_when_to_ask_again() -> None:
    door = Door(budgets=Budgets(requests=2))
    replies = [await door.ask() for _ in range(3)]
    assert [reply.status for reply in replies] == [200, 200, 429]
    assert int(replies[2].headers["retry-after"]) > 0
    assert json.loads(replies[2].body)["errors"][0]["extensions"] == {"code": "RATE_LIMITED"}
    # Another caller has a budget of its own.
    assert (await door.ask(authorization="Bearer ada")).status == 200


async def test_what_costs_too_much_is_not_run() -> None:
    door = Door(budgets=Budgets(cost=10))
    door.engine.cost = 20
    reply = await door.ask("POST", b"", json.dumps({"query": "query"}).encode())
    assert reply.status == 429
    assert door.engine.asked == []


async def test_an_answer_that_is_kept_costs_a_request_and_no_more() -> None:
    door = Door(budgets=Budgets(cost=10))
    door.engine.cost = 5
    replies = [await door.ask() for _ in range(5)]
    assert {reply.status for reply in replies} == {200}


async def test_guessing_tokens_is_bounded_by_the_address() -> None:
    door = Door(budgets=Budgets(requests=2))
    replies = [await door.ask(authorization="Bearer nobody") for _ in range(3)]
    assert [reply.status for reply in replies] == [401, 401, 429]


async def test_nothing_kept_is_given_out_before_somebody_has_looked_for_changes() -> None:
    door = Door()
    await door.ask()
    door.is_current = False
    await door.ask()
    door.is_current = True
    await door.ask()
    assert len(door.engine.asked) == 2


# Equal requests at once, and too many others


async def begun(door: Door, *asked: dict[str, Any]) -> list["asyncio.Task[Reply]"]:
    """Return requests under way, none of which can end yet."""
    door.engine.may_end.clear()
    tasks = [asyncio.ensure_future(door.ask(**each)) for each in asked]
    await door.clock.settle()
    return tasks


async def ended(door: Door, tasks: list["asyncio.Task[Reply]"]) -> list[Reply]:
    door.engine.may_end.set()
    return await asyncio.gather(*tasks)


async def test_equal_queries_at_once_are_one_execution() -> None:
    door = Door()
    replies = await ended(door, await begun(door, *[{}] * 200))
    assert {(reply.status, reply.body) for reply in replies} == {(200, b'{"data":{}}')}
    assert len(door.engine.asked) == 1
    assert sorted(door.counted) == ["made", *["shared"] * 199]


async def test_who_waits_for_an_equal_query_is_charged_for_its_cost() -> None:
    door = Door(budgets=Budgets(cost=10))
    door.engine.cost = 4
    replies = await ended(door, await begun(door, *[{}] * 4))
    assert [reply.status for reply in replies] == [200, 200, 429, 429]


@pytest.mark.parametrize(
    "one, other",
    [
        ({}, {"query_string": b"query=query&operationName=B"}),
        ({}, {"authorization": "Bearer ada"}),
        ({"authorization": "Bearer ada"}, {"authorization": "Bearer bob"}),
        ({"authorization": "Bearer ada"}, {"authorization": "Bearer ada.exports"}),
        ({"accept": "application/json"}, {"accept": "application/graphql-response+json"}),
    ],
)
async def test_other_queries_and_callers_are_executed_for_themselves(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    door = Door()
    await ended(door, await begun(door, one, other))
    assert len(door.engine.asked) == 2


async def test_equal_mutations_at_once_are_executed_each() -> None:
    door = Door()
    change = {"method": "POST", "body": json.dumps({"query": "mutation"}).encode()}
    await ended(door, await begun(door, change, change))
    assert len(door.engine.asked) == 2


async def test_a_query_joins_no_equal_one_that_began_before_the_content_changed() -> None:
    door = Door()
    tasks = await begun(door, {})
    door.revision.advance()
    tasks += await begun(door, {}, {})
    assert {reply.status for reply in await ended(door, tasks)} == {200}
    assert sorted(door.counted) == ["made", "made", "shared"]


async def test_a_query_joins_no_equal_one_before_somebody_has_looked_for_changes() -> None:
    door = Door(is_current=False)
    await ended(door, await begun(door, {}, {}))
    assert door.counted == ["made", "made"]


async def test_a_query_joins_no_equal_one_that_began_before_a_mutation_ended() -> None:
    door = Door()
    before = await begun(door, {})
    may_end, door.engine.may_end = door.engine.may_end, asyncio.Event()
    door.engine.may_end.set()
    await door.post(query="mutation")  # of what has no revision, such as exports
    after = await begun(door, {})
    assert door.counted == ["made"] * 3
    may_end.set()
    await ended(door, before + after)


async def test_where_the_one_who_executes_leaves_another_one_does() -> None:
    door = Door()
    leading, following = await begun(door, {}, {})
    leading.cancel()
    await door.clock.settle()
    assert (await ended(door, [following]))[0].status == 200
    assert len(door.engine.asked) == 2


async def test_past_the_bound_other_queries_are_refused_at_once_and_all_else_goes_on() -> None:
    door = Door(queries_max=3)
    kept = await door.ask()
    others = [{"query_string": f"query=query&operationName={number}".encode()} for number in "123"]
    tasks = await begun(door, *others)
    refused = await door.ask(query_string=b"query=query&operationName=4")
    assert refused.status == 503
    assert refused.headers["retry-after"] == "1"
    assert json.loads(refused.body)["errors"][0]["extensions"] == {"code": "OVERLOADED"}
    assert (await door.ask()).body == kept.body
    change = {"method": "POST", "body": json.dumps({"query": "mutation"}).encode()}
    tasks += await begun(door, others[0], change)
    assert {reply.status for reply in await ended(door, tasks)} == {200}
    assert (await door.ask(query_string=b"query=query&operationName=4")).status == 200
