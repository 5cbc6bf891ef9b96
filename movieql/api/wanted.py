"""Which fields of the movies a query will show, so that no call is made for others."""

from collections.abc import Iterator
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLIncludeDirective,
    GraphQLResolveInfo,
    GraphQLSkipDirective,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    get_directive_values,
)
from strawberry.utils.str_converters import to_snake_case

_NO_PRICE = frozenset({"provider", "providerMovieId", "__typename"})
"""Fields of an offer that the list alone answers."""


def wanted_of_page(info: GraphQLResolveInfo[Any]) -> frozenset[str]:
    """Return the `Row` fields that a `MovieConnection` field will show of each movie."""
    fields = _Selections(info)
    top = list(fields.of(*(node.selection_set for node in info.field_nodes)))
    edges = [node.selection_set for node in top if node.name.value == "edges"]
    nodes = [node for node in top if node.name.value == "nodes"]
    nodes += [node for node in fields.of(*edges) if node.name.value == "node"]
    return fields.wanted(*(node.selection_set for node in nodes))


def wanted_of_movie(info: GraphQLResolveInfo[Any]) -> frozenset[str]:
    """Return the `Row` fields that a `Movie` field will show."""
    return _Selections(info).wanted(*(node.selection_set for node in info.field_nodes))


class _Selections:
    """Fields below selection sets; each fragment is entered once per set, so time is linear."""

    def __init__(self, info: GraphQLResolveInfo[Any]) -> None:
        self._info = info

    def of(self, *sets: SelectionSetNode | None) -> Iterator[FieldNode]:
        entered: set[str] = set()
        pending: list[SelectionNode] = [node for each in sets if each for node in each.selections]
        while pending:
            node = pending.pop()
            if not self._is_included(node):
                continue
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, InlineFragmentNode):
                pending.extend(node.selection_set.selections)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in entered:
                entered.add(node.name.value)
                pending.extend(self._info.fragments[node.name.value].selection_set.selections)

    def wanted(self, *sets: SelectionSetNode | None) -> frozenset[str]:
        names = set()
        offers = []
        for node in self.of(*sets):
            names.add(to_snake_case(node.name.value))
            if node.name.value == "offers":
                offers.append(node.selection_set)
        shown = {node.name.value for node in self.of(*offers)}
        if "cheapest" in names or shown - _NO_PRICE:
            names.add("price")
        if "posters" in names:
            names.add("poster")
        return frozenset(names)

    def _is_included(self, node: SelectionNode) -> bool:
        if not node.directives:
            return True
        variables = self._info.variable_values
        skip = get_directive_values(GraphQLSkipDirective, node, variables)
        include = get_directive_values(GraphQLIncludeDirective, node, variables)
        return not (skip and skip["if"]) and (include is None or bool(include["if"]))
