"""Runs requests: the one door from HTTP into GraphQL."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from graphql import ExecutionResult, GraphQLError

from movieql.api.context import AnswerFacts, Context
from movieql.api.errors import LogFault, formatted_error, request_error
from movieql.api.execution import Executor, KeepingExecutor, Prepared
from movieql.api.persisted import PersistedDocuments
from movieql.domain.errors import BadInputError, MovieqlError, RateLimitedError
from movieql.ports import NO_TRACES, Tracer

MakeContext = Callable[[], Context]
"""Makes the context of an answer; the budget of its question starts then."""

Charge = Callable[[int, str], Awaitable[None]]
"""Takes the cost of an operation of a kind from its caller's budget. Raises RateLimitedError."""


NAME_CHARACTERS_MAX = 100
"""Characters of an operation's name that a span tells; it is the caller's to choose."""

_ALL_KINDS = frozenset({"query", "mutation", "subscription"})


async def free(_: int, __: str) -> None:
    """Charge nothing."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The body of an answer, and what it was made from.

    Without `data` in the body nothing was executed. `kind` is "query", "mutation" or
    "subscription", None when nothing would run; `is_allowed` False: nothing was run, because the
    kind is not among those asked for.
    """

    body: dict[str, Any]
    facts: AnswerFacts = field(default_factory=AnswerFacts)
    kind: str | None = None
    is_allowed: bool = True


class Engine:
    """Finds the document, prepares, executes and formats."""

    def __init__(
        self,
        executor: Executor,
        persisted: PersistedDocuments,
        log_fault: LogFault,
        tracer: Tracer = NO_TRACES,
    ) -> None:
        self._executor = executor
        self._persisted = persisted
        self._log_fault = log_fault
        self._tracer = tracer

    async def run(  # the parts of a GraphQL request
        self,
        query: str | None,
        sha256: str | None,
        variables: Mapping[str, Any],
        operation_name: str | None,
        make_context: MakeContext,
        kinds: frozenset[str],
        charge: Charge = free,
    ) -> Answered:
        """Answer a request whose operation is one of `kinds`; other kinds are not run.

        Raises RateLimitedError when `charge` does; nothing has been run then.
        """
        context = make_context()
        try:
            begun, kind = await self._begun(
                query, sha256, context, variables, operation_name, charge
            )
        except RateLimitedError:
            raise
        except MovieqlError as error:
            return Answered(request_error(error), context.facts)
        if kind is not None and kind not in kinds:
            return Answered({}, context.facts, kind, is_allowed=False)
        return await self._executed(begun, context, kind)

    async def stream(
        self,
        query: str | None,
        sha256: str | None,
        variables: Mapping[str, Any],
        operation_name: str | None,
        make_context: MakeContext,
        charge: Charge = free,
    ) -> AsyncGenerator[Answered, None]:
        """Answer a request of any kind: once, or a subscription as often as it has an event.

        `make_context` is called per answer. Close the generator to end a subscription early.
        """
        context = make_context()
        try:
            begun, kind = await self._begun(
                query, sha256, context, variables, operation_name, charge
            )
        except RateLimitedError:
            raise
        except MovieqlError as error:
            yield Answered(request_error(error), context.facts)
            return
        if isinstance(begun, list) or kind != "subscription":
            yield await self._executed(begun, context, kind)
            return

        def unkept() -> Context:
            return make_context().unkept()

        begun.context_value = context.unkept()
        async with aclosing(self._executor.events(begun, unkept)) as results:
            async for result in results:
                body = self._formatted(result, context.request_id)
                yield Answered(body, kind="subscription")

    async def _prepared(self, query: str | None, sha256: str | None) -> Prepared:
        if query is None:
            known = self._executor.known(sha256 or "")
            if known is not None:
                return known
            query = await self._persisted.find(sha256 or "")
        prepared = self._executor.prepare(query)
        if sha256 is not None and sha256 != prepared.sha256:
            raise BadInputError("`sha256Hash` is not the SHA-256 of `query`, in small hex digits.")
        return prepared

    async def _begun(  # the parts of a GraphQL request
        self,
        query: str | None,
        sha256: str | None,
        context: Context,
        variables: Mapping[str, Any],
        operation_name: str | None,
        charge: Charge,
    ) -> tuple[KeepingExecutor | list[GraphQLError], str | None]:
        """Return an operation that is charged for, or why there is none, and its kind.

        The kind is None where the document is not valid or names no such operation.
        """
        prepared = await self._prepared(query, sha256)
        if prepared.errors:
            return list(prepared.errors), None
        operation = prepared.operation(operation_name)
        kind = None if operation is None else operation.operation.value
        begun = self._executor.begin(prepared, context, variables, operation_name)
        if isinstance(begun, KeepingExecutor):
            await charge(self._executor.cost(prepared, begun), begun.operation.operation.value)
            if not prepared.keeps(begun.operation):
                begun.context_value = context.unkept()
            if sha256 is not None:
                await self._persisted.put(prepared)
        return begun, kind

    async def _executed(
        self, begun: KeepingExecutor | list[GraphQLError], context: Context, kind: str | None
    ) -> Answered:
        result = (
            ExecutionResult(None, begun)
            if isinstance(begun, list)
            else await self._traced(begun, context)
        )
        return Answered(self._formatted(result, context.request_id), context.facts, kind)

    async def _traced(self, begun: KeepingExecutor, context: Context) -> ExecutionResult:
        operation = begun.operation
        kind = operation.operation.value
        name = "" if operation.name is None else operation.name.value[:NAME_CHARACTERS_MAX]
        facts = {
            "operation_type": kind,
            "operation_name": name,
            "request_id": context.request_id,
        }
        with self._tracer.span(f"{kind} {name}".strip(), "answer", **facts) as span:
            result = await self._executor.execute(begun)
            span.note(errors=len(result.errors or ()), complete=context.facts.complete)
            if result.errors:
                span.fail("errors")
            return result

    def _formatted(self, result: ExecutionResult, request_id: str) -> dict[str, Any]:
        body: dict[str, Any] = {}
        if result.errors:
            body["errors"] = [
                formatted_error(error, request_id, self._log_fault) for error in result.errors
            ]
        # Without a path an error is of the request, not of a field: nothing was executed.
        if result.data is not None or any(error.path for error in result.errors or ()):
            body["data"] = result.data
        return body
