"""From the text of a document to a result: parse, limit, validate, execute, each within bounds.

Strawberry describes the schema; graphql-core executes it. Strawberry's own `execute` runs the
first of several operations when none is named, and its extensions cost an await per operation.

Queries with ever-changing arguments show the same movies over and over. A movie is a value that
stays the same object while nothing about it changes, so what one selection of fields makes of it
is kept by identity and is never wrong.
"""

import hashlib
import re
import sys
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, cast
from weakref import ref

import orjson
from cachetools import LRUCache
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    Source,
    VariableNode,
    create_source_event_stream,
    execute_subscription_event,
    get_operation_ast,
    located_error,
    map_source_to_response_event,
    parse,
    specified_rules,
    validate,
)
from graphql.execution import Executor as CoreExecutor
from graphql.execution.collect_fields import FieldDetailsList
from graphql.execution.executor_throwing_on_incremental import ExecutorThrowingOnIncremental
from graphql.language import FieldNode, FragmentDefinitionNode, Node, Visitor, visit
from graphql.pyutils import AwaitableOrValue, Path

from movieql.api.context import Context
from movieql.api.limits import LimitCheck
from movieql.domain.movies import Movie

PASSING = frozenset({"priceHistory", "lowestIn30Days"})
"""Fields of a movie that change although the movie is the same object: it is not kept then."""


ENTRY_BYTES = 600
"""Bytes of a kept movie besides what is written: key, entry and fragment; measured."""

NODE_BYTES = 50
"""Bytes of a key for each field that is merged into one; measured."""


class KeptMovies:
    """Written movies of all documents, at most `bytes_max` bytes; beyond that it starts over.

    A movie is known by its identity, a selection by its document's hash and its place there.
    Neither the movie nor the document is kept alive by it.
    """

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._kept: dict[tuple[object, ...], tuple[ref[Movie], orjson.Fragment]] = {}

    def get(self, movie: Movie, document: str, nodes: list[FieldNode]) -> orjson.Fragment | None:
        """Return what these fields of a document made of this movie, if it is known."""
        kept = self._kept.get(_key(movie, document, nodes))
        # Another movie may have got the place in memory of one that is gone.
        return None if kept is None or kept[0]() is not movie else kept[1]

    def put(
        self, movie: Movie, document: str, nodes: list[FieldNode], value: dict[str, Any]
    ) -> orjson.Fragment:
        """Keep a completed value, and return it as it stands in the answer."""
        # orjson leaves its buffer around what it wrote: 4 kB for 20 bytes, more for more.
        written = bytes(memoryview(orjson.dumps(value)))
        added = len(written) + ENTRY_BYTES + NODE_BYTES * len(nodes)
        if self._bytes + added > self._bytes_max:
            self._kept.clear()
            self._bytes = 0
        self._bytes += added
        fragment = orjson.Fragment(written)
        self._kept[_key(movie, document, nodes)] = (ref(movie), fragment)
        return fragment


def _key(movie: Movie, document: str, nodes: list[FieldNode]) -> tuple[object, ...]:
    return (id(movie), document, *(node.loc.start if node.loc else -1 for node in nodes))


class KeepingExecutor(ExecutorThrowingOnIncremental):
    """Executes like graphql-core, but takes written movies from `context.kept` where it may.

    `document_sha256` has to be set before it executes.
    """

    document_sha256: str

    def complete_object_value(  # graphql-core's
        self,
        return_type: GraphQLObjectType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: None,
    ) -> AwaitableOrValue[dict[str, Any]]:
        """Complete an object; a movie only once per selection."""
        kept: KeptMovies | None = self.context_value.kept
        if kept is None or type(result) is not Movie:
            return super().complete_object_value(
                return_type, field_details_list, info, path, result, position_context
            )
        nodes = [details.node for details in field_details_list]
        fragment: Any = kept.get(result, self.document_sha256, nodes)
        if fragment is not None:
            return fragment  # type: ignore[no-any-return]  # stands for the object in JSON
        errors, facts = len(self.collected_errors.errors), self.context_value.facts
        waits = facts.waits_shown
        value = super().complete_object_value(
            return_type, field_details_list, info, path, result, position_context
        )
        is_lasting = len(self.collected_errors.errors) == errors and facts.waits_shown == waits
        if isinstance(value, dict) and is_lasting:
            return kept.put(result, self.document_sha256, nodes, value)  # type: ignore[return-value]  # as above
        return value


def is_independent(document: DocumentNode, operation: OperationDefinitionNode) -> bool:
    """Tell whether a movie has the same fields each time, as long as it is the same object.

    So only the arguments of root fields may depend on variables, and no field may be `PASSING`.
    """
    allowed: set[int] = set()
    for root in operation.selection_set.selections:
        if isinstance(root, FieldNode):
            for argument in root.arguments or ():
                allowed |= _variables(argument)
    used = _variables(operation.selection_set)
    passing = _passes(operation.selection_set)
    for definition in document.definitions:
        if isinstance(definition, FragmentDefinitionNode):
            used |= _variables(definition)
            passing |= _passes(definition)
    return used <= allowed and not passing


def _passes(node: Node) -> bool:
    found: set[str] = set()

    class Collect(Visitor):
        def enter_field(self, field: FieldNode, *_: Any) -> None:
            found.add(field.name.value)

    visit(node, Collect())
    return not found.isdisjoint(PASSING)


def _variables(node: Node) -> set[int]:
    found: set[int] = set()

    class Collect(Visitor):
        def enter_variable(self, variable: VariableNode, *_: Any) -> None:
            found.add(id(variable))

    visit(node, Collect())
    return found


DIGITS_MAX = 1_000
"""Digits in a row, in a text too; Python's int() raises ValueError beyond 4,300."""

_TOO_MANY_DIGITS = re.compile(f"[0-9]{{{DIGITS_MAX + 1}}}")


TOKEN_BYTES = 650
"""Bytes of a parsed document for each token; at most 618 were measured (docs/sizing.md)."""

DOCUMENT_BYTES = 12_000
"""Bytes that a kept document has besides: its entry, and `COSTS_KEPT_MAX` costs."""

COSTS_KEPT_MAX = 16
"""Costs remembered of a document, one for each of the page sizes asked for last."""

SIZES_MAX = 4
"""Variables that give sizes in an operation whose costs are remembered; pages of ours have one."""


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """Bounds of a document: characters, tokens, validation errors; bytes of all that are kept.

    `suggestions`: whether errors say "Did you mean", which tells strangers what there is;
    `introspection`: whether the schema may be asked for.
    """

    characters_max: int = 15_000
    tokens_max: int = 1_000
    errors_max: int = 10
    kept_bytes_max: int = 6_000_000
    suggestions: bool = False
    introspection: bool = True


@dataclass(slots=True)
class Prepared:
    """A parsed document, or why it is none, with what has been found out about it so far.

    `sha256`: of its text, in hex. `size_variables`: as `LimitCheck.check` returns them.
    `memory_bytes`: at least what it has in memory. `is_persisted`: whether it was put among the
    persisted documents.
    """

    sha256: str
    document: DocumentNode | None
    errors: tuple[GraphQLError, ...] = ()
    size_variables: frozenset[str] = frozenset()
    memory_bytes: int = 0
    is_persisted: bool = False
    costs: LRUCache[tuple[Any, ...], int] = field(default_factory=lambda: LRUCache(COSTS_KEPT_MAX))
    _independent: dict[int, bool] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Return the text of a document that is one."""
        location = None if self.document is None else self.document.loc
        return "" if location is None else location.source.body

    def operation(self, name: str | None) -> OperationDefinitionNode | None:
        """Return the operation that would run, None when the name does not single one out."""
        return None if self.document is None else get_operation_ast(self.document, name)

    def keeps(self, operation: OperationDefinitionNode) -> bool:
        """Return whether movies look the same whatever the variables are."""
        known = self._independent.get(id(operation))
        if known is None:
            known = self.document is not None and is_independent(self.document, operation)
            self._independent[id(operation)] = known
        return known


class Executor:
    """Runs documents against the schema; valid ones are kept parsed, by a hash of their text.

    What is kept has at most `kept_bytes_max` bytes, counted for each by its tokens and its text;
    the longest unused go first. A document that is not valid is not kept.
    """

    def __init__(self, schema: GraphQLSchema, limits: DocumentLimits, check: LimitCheck) -> None:
        self._schema = schema
        self._limits = limits
        self._check = check
        self._kept: LRUCache[str, Prepared] = LRUCache(
            limits.kept_bytes_max, attrgetter("memory_bytes")
        )
        self._rules = (
            specified_rules
            if limits.introspection
            else (*specified_rules, NoSchemaIntrospectionCustomRule)
        )

    @property
    def kept_bytes(self) -> int:
        """Return how many bytes count for all that is kept."""
        return int(self._kept.currsize)

    def known(self, sha256: str) -> Prepared | None:
        """Return the document whose text has this SHA-256 (hex), if it is kept."""
        return self._kept.get(sha256)

    def prepare(self, query: str) -> Prepared:
        """Return a document parsed, measured and validated.

        Raises LimitExceededError before anything is done that takes more than linear time.
        """
        sha256 = hashlib.sha256(query.encode(errors="surrogatepass")).hexdigest()
        prepared = self._kept.get(sha256)
        if prepared is None:
            prepared = self._made(sha256, query)
            if not prepared.errors:
                with suppress(ValueError):  # larger than all the room
                    self._kept[sha256] = prepared
        return prepared

    def begin(
        self,
        prepared: Prepared,
        context: Context,
        variables: Mapping[str, Any],
        operation_name: str | None,
    ) -> KeepingExecutor | list[GraphQLError]:
        """Return an operation of a valid document, its variables coerced, or why there is none.

        `cost` measures it and `execute` runs it, with the same values.
        """
        assert prepared.document is not None  # noqa: S101  # it is valid
        built = KeepingExecutor.build(
            self._schema,
            prepared.document,
            context_value=context,
            raw_variable_values=dict(variables),
            operation_name=operation_name,
            max_coercion_errors=self._limits.errors_max,
            hide_suggestions=not self._limits.suggestions,
        )
        if isinstance(built, list):
            return built
        assert isinstance(built, KeepingExecutor)  # noqa: S101  # `build` says less than it does
        built.document_sha256 = prepared.sha256
        return built

    def cost(self, prepared: Prepared, begun: KeepingExecutor) -> int:
        """Return what an operation costs. Raises LimitExceededError; see `LimitCheck.cost`."""
        assert prepared.document is not None  # noqa: S101  # it has an operation
        operation, variables = begun.operation, begun.variable_values.coerced
        if len(prepared.size_variables) > SIZES_MAX:
            return self._check.cost(prepared.document, operation, variables)
        # Another operation may take a variable of the same name as a list or an input object.
        sizes = (variables.get(name) for name in prepared.size_variables)
        key = (id(operation), *(each if isinstance(each, int) else None for each in sizes))
        cost = prepared.costs.get(key)
        if cost is None:
            cost = self._check.cost(prepared.document, operation, variables)
            prepared.costs[key] = cost
        return cost

    async def execute(self, begun: KeepingExecutor) -> ExecutionResult:
        """Run a query or mutation. Errors are in the result; nothing is raised."""
        # Nothing is delivered in increments: the executor raises where it would be.
        result = cast("AwaitableOrValue[ExecutionResult]", begun.execute_operation())
        return result if isinstance(result, ExecutionResult) else await result

    async def events(
        self, begun: KeepingExecutor, make_context: Callable[[], Context]
    ) -> AsyncGenerator[ExecutionResult, None]:
        """Run a subscription: a result per event; errors are in the results, nothing is raised.

        Each event gets a context of its own, for a budget and a loader are for one answer.
        Closing the generator closes the source of the events, and waits for that.
        """
        created = create_source_event_stream(begun)
        source = created if isinstance(created, ExecutionResult | AsyncIterable) else await created
        if isinstance(source, ExecutionResult):
            yield source
            return

        def answer(event: CoreExecutor[Any]) -> AwaitableOrValue[ExecutionResult]:
            event.context_value = make_context()
            return execute_subscription_event(event)

        async with aclosing(map_source_to_response_event(begun, source, answer)) as results:
            try:
                async for result in results:
                    yield result
            except Exception as error:  # noqa: BLE001  # whatever a source raises ends as an error
                yield ExecutionResult(None, [located_error(error)])

    def _made(self, sha256: str, query: str) -> Prepared:
        try:
            document = self._parsed(query)
        except GraphQLError as error:
            return Prepared(sha256, None, (error,))
        tokens = _unlinked(document)
        size_variables = self._check.check(document)
        errors = validate(
            self._schema,
            document,
            self._rules,
            max_errors=self._limits.errors_max,
            hide_suggestions=not self._limits.suggestions,
        )
        memory_bytes = DOCUMENT_BYTES + tokens * TOKEN_BYTES + 2 * sys.getsizeof(query)
        return Prepared(sha256, document, tuple(errors), size_variables, memory_bytes)

    def _parsed(self, query: str) -> DocumentNode:
        digits = _TOO_MANY_DIGITS.search(query, 0, self._limits.characters_max)
        if digits is not None:
            said = f"No number has more than {DIGITS_MAX} digits."
            raise GraphQLSyntaxError(Source(query), digits.start(), said)
        return parse(
            query,
            max_tokens=self._limits.tokens_max,
            max_source_length=self._limits.characters_max,
        )


def _unlinked(document: DocumentNode) -> int:
    """Take the tokens of a document apart, and return how many they were.

    They are linked both ways, so a document that is forgotten would be in memory until the next
    full collection, and those that no part of it begins or ends with as long as it is known.
    """
    token = None if document.loc is None else document.loc.start_token
    tokens = 0
    while token is not None:
        following = token.next
        token.prev = token.next = None
        tokens, token = tokens + 1, following
    return tokens
