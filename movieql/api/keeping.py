"""Movies already written out as JSON, kept while the same is asked of them.

Queries with ever-changing arguments show the same movies over and over. A movie is a value that
stays the same object while nothing about it changes, so what one selection of fields makes of it
can be kept by identity and is never wrong.
"""

from typing import Any
from weakref import ref

import orjson
from graphql import GraphQLObjectType, GraphQLResolveInfo, OperationDefinitionNode, VariableNode
from graphql.execution.collect_fields import FieldDetailsList
from graphql.execution.executor_throwing_on_incremental import ExecutorThrowingOnIncremental
from graphql.language import DocumentNode, FieldNode, FragmentDefinitionNode, Node, Visitor, visit
from graphql.pyutils import AwaitableOrValue, Path

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
