"""Single movies and entries for whatever field shows one, with what it selects of them."""

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

from movieql.api.context import Context, ContextInfo
from movieql.domain.catalogue import CatalogueEntry, is_entry_id
from movieql.domain.errors import BadInputError
from movieql.domain.exports import is_export_id
from movieql.domain.movies import Movie, is_complete
from movieql.movies.browse import Found

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


TEXT_CHARACTERS_MAX = 200
"""The longest text that a filter may be."""

ID_CHARACTERS_MAX = 3 * TEXT_CHARACTERS_MAX
"""The longest text that an id may be: a slug is longer than its title."""


async def found_movie(
    info: ContextInfo, movie_id: str, max_wait_ms: int | None = None
) -> Movie | None:
    """Return a movie with what this field selects of it. Raises BadInputError."""
    checked_id(movie_id)
    context = info.context.waiting(max_wait_ms)
    if _is_no_movie(context, movie_id):  # not even the shell of one
        return None
    wanted = wanted_of_movie(info._raw_info)  # noqa: SLF001  # the only way to the AST
    found = await context.browse.movie(movie_id, wanted, context.until_s, context.load)
    return _noted(context, found).movie


async def movie_of_entry(info: ContextInfo, entry: CatalogueEntry) -> Movie | None:
    """Return the merged movie that an entry is part of, with what this field selects of it."""
    context, wanted = info.context, wanted_of_movie(info._raw_info)  # noqa: SLF001  # as above
    if context.catalogue is None:
        return None
    found = await context.catalogue.movie(entry, wanted, context.until_s, context.load)
    return _noted(context, found).movie


async def movie_left(info: ContextInfo, movie_id: str) -> Movie | None:
    """Return what there is of a movie that lost a listing; null only if that is nothing."""
    context, wanted = info.context, wanted_of_movie(info._raw_info)  # noqa: SLF001  # as above
    found = await context.browse.movie(movie_id, wanted, context.until_s, context.load)
    is_gone = not found.is_listed and is_complete(found.sources, frozenset())
    return None if is_gone else _noted(context, found).movie


async def found_entry(info: ContextInfo, entry_id: str) -> CatalogueEntry | None:
    """Return an entry as it is now, for `node`. Raises UnavailableError."""
    context = info.context
    context.facts.keep_nothing()  # who edits it needs the version of now
    if context.catalogue is None:
        return None
    return await context.catalogue.entry(entry_id, context.until_s)


def checked_id(text: str) -> str:
    """Return an id that is no longer than any can be. Raises BadInputError."""
    if len(text) > ID_CHARACTERS_MAX:
        raise BadInputError(f"`id` takes at most {ID_CHARACTERS_MAX} characters.")
    return text


def _is_no_movie(context: Context, text: str) -> bool:
    return is_entry_id(text) or is_export_id(text) or text in context.profiles


def _noted(context: Context, found: Found) -> Found:
    complete = is_complete(found.sources, frozenset())
    context.facts.note(found.sources, found.fresh_until_s, found.renew_s, complete=complete)
    return found
