"""From the text of a document to a result: parse, validate, execute, with bounds on each.

Strawberry describes the schema; graphql-core executes it. Strawberry's own `execute` runs the
first of several operations when none is named, and its extensions cost an await per operation.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    execute,
    get_operation_ast,
    parse,
    validate,
)

from movieql.api.context import Context


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """Bounds of a document: characters, tokens, validation errors told, documents kept parsed."""

    characters_max: int = 15_000
    tokens_max: int = 1_000
    errors_max: int = 10
    documents_kept_max: int = 500


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document ready to run, or what is wrong with it."""

    document: DocumentNode | None
    errors: tuple[GraphQLError, ...] = ()

    def operation(self, name: str | None) -> OperationDefinitionNode | None:
        """Return the operation that would run, None when the name does not single one out."""
        return None if self.document is None else get_operation_ast(self.document, name)


class Executor:
    """Runs documents against the schema; parsed and validated documents are kept by their text."""

    def __init__(self, schema: GraphQLSchema, limits: DocumentLimits) -> None:
        self._schema = schema
        self._limits = limits
        self._prepared: OrderedDict[str, Prepared] = OrderedDict()

    def prepare(self, query: str) -> Prepared:
        """Return a document parsed and validated; only valid ones are kept."""
        prepared = self._prepared.get(query)
        if prepared is not None:
            self._prepared.move_to_end(query)
            return prepared
        prepared = self._checked(query)
        if not prepared.errors:
            self._prepared[query] = prepared
            while len(self._prepared) > self._limits.documents_kept_max:
                self._prepared.popitem(last=False)
        return prepared

    async def execute(
        self,
        prepared: Prepared,
        context: Context,
        variables: Mapping[str, Any] | None = None,
        operation_name: str | None = None,
    ) -> ExecutionResult:
        """Run one operation. Errors are in the result; nothing is raised."""
        if prepared.document is None:
            return ExecutionResult(None, list(prepared.errors))
        result = execute(
            self._schema,
            prepared.document,
            context_value=context,
            variable_values=dict(variables or {}),
            operation_name=operation_name,
            max_coercion_errors=self._limits.errors_max,
            hide_suggestions=True,
        )
        return result if isinstance(result, ExecutionResult) else await result

    def _checked(self, query: str) -> Prepared:
        try:
            document = parse(
                query,
                max_tokens=self._limits.tokens_max,
                max_source_length=self._limits.characters_max,
            )
        except GraphQLError as error:
            return Prepared(None, (error,))
        errors = validate(
            self._schema, document, max_errors=self._limits.errors_max, hide_suggestions=True
        )
        return Prepared(None, tuple(errors)) if errors else Prepared(document)
