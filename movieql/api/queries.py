"""The root fields that read."""

from dataclasses import replace
from typing import Annotated

import strawberry

from movieql.api import types
from movieql.api.context import Context, ContextInfo
from movieql.api.export_queries import found_export
from movieql.api.found import (
    TEXT_CHARACTERS_MAX,
    checked_id,
    found_entry,
    found_movie,
    wanted_of_page,
)
from movieql.api.node import Node
from movieql.domain.catalogue import is_entry_id
from movieql.domain.errors import BadInputError
from movieql.domain.exports import is_export_id
from movieql.domain.fields import plain
from movieql.domain.movies import MovieOrder
from movieql.domain.selection import MovieFilter
from movieql.movies.browse import Question

MaxWait = Annotated[
    int | None,
    strawberry.argument(
        description="How many milliseconds to wait for providers, and no longer than the server "
        "waits anyway. What has not come by then is PENDING, and is there when one asks again."
    ),
]


@strawberry.type
class MovieQuery:
    """What can be asked about movies and providers."""

    @strawberry.field(description="Movies of all providers, merged.")
    @staticmethod
    async def movies(  # the arguments of the field
        info: ContextInfo,
        ids: Annotated[
            list[strawberry.ID] | None,
            strawberry.argument(
                description="Only these, by any id they ever had; at most as many as a page may "
                "have. Unknown ones are left out."
            ),
        ] = None,
        narrowed: Annotated[types.MovieFilter | None, strawberry.argument(name="filter")] = None,
        order_by: types.MovieOrder | None = None,
        first: int | None = None,
        after: str | None = None,
        require_complete: bool | None = False,  # noqa: FBT001, FBT002  # named by GraphQL
        max_wait_ms: MaxWait = None,
    ) -> types.MovieConnection:
        """Answer with what came within the budget; see `Browse.movies`."""
        context = info.context.waiting(max_wait_ms)
        question = Question(
            until_s=context.until_s,
            first=_page_size(context, first),
            fields=wanted_of_page(info._raw_info),  # noqa: SLF001  # the only way to the AST
            narrowed=replace(_narrowed(narrowed), ids=_ids(context, ids)),
            order=_order(order_by),
            after=after,
            require_complete=bool(require_complete),
        )
        page = await context.browse.movies(question, context.load)
        context.facts.note(page.sources, page.fresh_until_s, page.renew_s, complete=page.complete)
        return types.MovieConnection.of(page, after)

    @strawberry.field(
        description="A movie by any id it ever had; null only if every provider has none such."
    )
    @staticmethod
    async def movie(
        info: ContextInfo,
        id: strawberry.ID,  # noqa: A002  # named by GraphQL
        max_wait_ms: MaxWait = None,
    ) -> types.Movie | None:
        """Answer with what came within the budget; see `Browse.movie`."""
        return await found_movie(info, id, max_wait_ms)  # type: ignore[return-value]  # as below

    @strawberry.field(
        description="An object by its id, as Relay wants it: a movie, an entry of the house "
        "catalogue, a provider, or an export of the caller's, which needs `exports`. An entry is "
        "as it is now: while the house catalogue does not answer this fails with UNAVAILABLE."
    )
    @staticmethod
    async def node(info: ContextInfo, id: strawberry.ID) -> Node | None:  # noqa: A002
        """Answer with what has the id; its form says of which type that is."""
        context = info.context
        if id in context.profiles:
            return context.profiles[id]  # type: ignore[return-value]  # read by name
        if is_entry_id(id):
            return await found_entry(info, checked_id(id))  # type: ignore[return-value]  # as above
        if is_export_id(id):
            return None if context.exports is None else await found_export(info, id)
        return await found_movie(info, id)  # type: ignore[return-value]  # as above

    @strawberry.field(description="The configured providers.")
    @staticmethod
    def providers(info: ContextInfo) -> list[types.Provider]:
        """Return the providers, in order of configuration."""
        return list(info.context.profiles.values())  # type: ignore[arg-type]  # read by name


def _page_size(context: Context, first: int | None) -> int:
    if first is None:
        return context.page_limits.default
    highest = context.page_limits.highest
    if not 0 <= first <= highest:
        raise BadInputError(f"`first` takes 0 to {highest}; got {first}.")
    return first


def _ids(context: Context, ids: list[strawberry.ID] | None) -> frozenset[str] | None:
    if ids is None:
        return None
    if len(ids) > context.page_limits.highest:
        raise BadInputError(f"`ids` takes at most {context.page_limits.highest} ids.")
    return frozenset(map(checked_id, ids))


def _order(order_by: types.MovieOrder | None) -> MovieOrder:
    if order_by is None:
        return MovieOrder()
    return MovieOrder(
        field=order_by.field.value,
        descending=order_by.direction is types.OrderDirection.DESC,
    )


def _narrowed(narrowed: types.MovieFilter | None) -> MovieFilter:
    if narrowed is None:
        return MovieFilter()
    for name, text in (("title", narrowed.title), ("genre", narrowed.genre)):
        if len(text or "") > TEXT_CHARACTERS_MAX:
            raise BadInputError(f"`{name}` takes at most {TEXT_CHARACTERS_MAX} characters.")
    for name, limit in (("priceFrom", narrowed.price_from), ("priceTo", narrowed.price_to)):
        if limit is not None and not limit.is_finite():
            raise BadInputError(f"`{name}` takes a finite number.")
    return MovieFilter(
        title=narrowed.title,
        year_from=narrowed.year_from,
        year_to=narrowed.year_to,
        genre=None if narrowed.genre is None else plain(narrowed.genre),
        price_from=narrowed.price_from,
        price_to=narrowed.price_to,
        providers=None if narrowed.providers is None else frozenset(narrowed.providers),
    )
