"""From the text of a document to a result: parse, limit, validate, execute, each within bounds.

Strawberry describes the schema; graphql-core executes it. Strawberry's own `execute` runs the
first of several operations when none is named, and its extensions cost an await per operation.
"""

import re
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    Source,
    create_source_event_stream,
    execute,
    execute_subscription_event,
    get_operation_ast,
    located_error,
    map_source_to_response_event,
    parse,
    specified_rules,
    validate,
)
from graphql.execution import Executor as CoreExecutor
from graphql.pyutils import AwaitableOrValue

from movieql.api.context import Context
from movieql.api.keeping import KeepingExecutor, is_independent
from movieql.api.limits import LimitCheck

DIGITS_MAX = 1_000
"""Digits in a row, in a text too; Python's int() raises ValueError beyond 4,300."""

_TOO_MANY_DIGITS = re.compile(f"[0-9]{{{DIGITS_MAX + 1}}}")


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """Bounds of a document: characters, tokens, validation errors told, documents kept parsed.

    `suggestions`: whether errors say "Did you mean", which tells strangers what there is;
    `introspection`: whether the schema may be asked for.
    """

    characters_max: int = 15_000
    tokens_max: int = 1_000
    errors_max: int = 10
    documents_kept_max: int = 500
    suggestions: bool = False
    introspection: bool = True


@dataclass(slots=True)
class Prepared:
    """A parsed document, or why it is none, with what has been found out about it so far."""

    document: DocumentNode | None
    errors: tuple[GraphQLError, ...] = ()
    is_validated: bool = False
    costs: dict[frozenset[tuple[str, int]], int] = field(default_factory=dict)
    independent: dict[str | None, bool] = field(default_factory=dict)

    def operation(self, name: str | None) -> OperationDefinitionNode | None:
        """Return the operation that would run, None when the name does not single one out."""
        return None if self.document is None else get_operation_ast(self.document, name)

    def keeps(self, name: str | None) -> bool:
        """Tell whether movies look the same whatever the variables are."""
        if name not in self.independent:
            operation = self.operation(name)
            self.independent[name] = (
                self.document is not None
                and operation is not None
                and is_independent(self.document, operation)
            )
        return self.independent[name]


class Executor:
    """Runs documents against the schema; parsed documents are kept by their text."""

    def __init__(self, schema: GraphQLSchema, limits: DocumentLimits, check: LimitCheck) -> None:
        self._schema = schema
        self._limits = limits
        self._check = check
        self._prepared: OrderedDict[str, Prepared] = OrderedDict()
        self._rules = (
            specified_rules
            if limits.introspection
            else (*specified_rules, NoSchemaIntrospectionCustomRule)
        )

    def prepare(self, query: str, variables: Mapping[str, Any]) -> Prepared:
        """Return a document parsed, measured and validated.

        Raises LimitExceededError before anything is done that takes more than linear time.
        """
        prepared = self._prepared.get(query)
        if prepared is None:
            prepared = self._prepared[query] = self._parsed(query)
        self._prepared.move_to_end(query)
        while len(self._prepared) > self._limits.documents_kept_max:
            self._prepared.popitem(last=False)
        if prepared.document is not None and not prepared.errors:
            self.cost(prepared, variables)
            self._validate(prepared, prepared.document)
        return prepared

    async def execute(
        self,
        prepared: Prepared,
        context: Context,
        variables: Mapping[str, Any],
        operation_name: str | None,
    ) -> ExecutionResult:
        """Run one operation. Errors are in the result; nothing is raised."""
        if prepared.document is None or prepared.errors:
            return ExecutionResult(None, list(prepared.errors))
        result = execute(
            self._schema,
            prepared.document,
            context_value=context,
            variable_values=dict(variables),
            operation_name=operation_name,
            max_coercion_errors=self._limits.errors_max,
            hide_suggestions=not self._limits.suggestions,
            executor_class=KeepingExecutor,
        )
        return result if isinstance(result, ExecutionResult) else await result

    async def events(
        self,
        prepared: Prepared,
        make_context: Callable[[], Context],
        variables: Mapping[str, Any],
        operation_name: str | None,
    ) -> AsyncGenerator[ExecutionResult, None]:
        """Run a subscription: a result per event; errors are in the results, nothing is raised.

        Each event gets a context of its own, for a budget and a loader are for one answer.
        Closing the generator closes the source of the events, and waits for that.
        """
        built = self._subscription(prepared, make_context(), variables, operation_name)
        if isinstance(built, list):
            yield ExecutionResult(None, built)
            return
        begun = create_source_event_stream(built)
        source = begun if isinstance(begun, ExecutionResult | AsyncIterable) else await begun
        if isinstance(source, ExecutionResult):
            yield source
            return

        def answer(event: CoreExecutor[Any]) -> AwaitableOrValue[ExecutionResult]:
            event.context_value = make_context()
            return execute_subscription_event(event)

        async with aclosing(map_source_to_response_event(built, source, answer)) as results:
            try:
                async for result in results:
                    yield result
            except Exception as error:  # noqa: BLE001  # whatever a source raises ends as an error
                yield ExecutionResult(None, [located_error(error)])

    def _subscription(
        self,
        prepared: Prepared,
        context: Context,
        variables: Mapping[str, Any],
        operation_name: str | None,
    ) -> CoreExecutor[Any] | list[GraphQLError]:
        if prepared.document is None or prepared.errors:
            return list(prepared.errors)
        return KeepingExecutor.build(
            self._schema,
            prepared.document,
            context_value=context,
            raw_variable_values=dict(variables),
            operation_name=operation_name,
            max_coercion_errors=self._limits.errors_max,
            hide_suggestions=not self._limits.suggestions,
        )

    def _parsed(self, query: str) -> Prepared:
        digits = _TOO_MANY_DIGITS.search(query, 0, self._limits.characters_max)
        if digits is not None:
            said = f"No number has more than {DIGITS_MAX} digits."
            return Prepared(None, (GraphQLSyntaxError(Source(query), digits.start(), said),))
        try:
            return Prepared(
                parse(
                    query,
                    max_tokens=self._limits.tokens_max,
                    max_source_length=self._limits.characters_max,
                )
            )
        except GraphQLError as error:
            return Prepared(None, (error,))

    def cost(self, prepared: Prepared, variables: Mapping[str, Any]) -> int:
        """Return what the dearest operation costs. Raises LimitExceededError as `prepare`."""
        if prepared.document is None:
            return 0
        # Only numbers can be sizes, so only they can make an operation larger.
        sizes = frozenset(pair for pair in variables.items() if type(pair[1]) is int)
        cost = prepared.costs.get(sizes)
        if cost is None:
            cost = self._check.check(prepared.document, variables)
            if len(prepared.costs) < self._limits.documents_kept_max:
                prepared.costs[sizes] = cost
        return cost

    def _validate(self, prepared: Prepared, document: DocumentNode) -> None:
        if not prepared.is_validated:
            prepared.errors = tuple(
                validate(
                    self._schema,
                    document,
                    self._rules,
                    max_errors=self._limits.errors_max,
                    hide_suggestions=not self._limits.suggestions,
                )
            )
            prepared.is_validated = True
