"""The root fields that read."""

from typing import Annotated

import strawberry

from movieql.api import types
from movieql.api.context import Context, ContextInfo
from movieql.api.export_queries import export_node, is_for_exports
from movieql.api.export_types import SCOPE
from movieql.api.wanted import wanted_of_movie, wanted_of_page
from movieql.domain.callers import require
from movieql.domain.errors import BadInputError
from movieql.domain.movies import MovieOrder
from movieql.domain.reports import is_complete
from movieql.domain.selection import MovieFilter
from movieql.services.browse import Question

TEXT_CHARACTERS_MAX = 200
"""The longest text that a filter or an id may be."""


@strawberry.type
class MovieQuery:
    """What can be asked about movies and providers."""

    @strawberry.field(description="Movies of all providers, merged.")
    @staticmethod
    async def movies(  # the arguments of the field
        info: ContextInfo,
        narrowed: Annotated[types.MovieFilter | None, strawberry.argument(name="filter")] = None,
        order_by: types.MovieOrder | None = None,
        first: int | None = None,
        after: str | None = None,
        require_complete: bool | None = False,  # noqa: FBT001, FBT002  # named by GraphQL
    ) -> types.MovieConnection:
        """Answer with what came within the budget; see `Browse.movies`."""
        context = info.context
        question = Question(
            until_s=context.until_s,
            first=_page_size(context, first),
            fields=wanted_of_page(info._raw_info),  # noqa: SLF001  # the only way to the AST
            narrowed=_narrowed(narrowed),
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
    async def movie(info: ContextInfo, id: strawberry.ID) -> types.Movie | None:  # noqa: A002
        """Answer with what came within the budget; see `Browse.movie`."""
        return await found_movie(info, id)

    @strawberry.field(
        description="An object by its id, as Relay wants it: a movie, or an export of the "
        "caller's, which needs `exports`."
    )
    @staticmethod
    async def node(info: ContextInfo, id: strawberry.ID) -> types.Node | None:  # noqa: A002
        """Answer like `export`, and else like `movie`."""
        if not is_for_exports(info, id):
            return await found_movie(info, id)
        found = await export_node(info, id) or await found_movie(info, id)
        if found is None:  # so nobody without the scope learns which exports there are
            require(info.context.caller, SCOPE)
        return found

    @strawberry.field(description="The configured providers.")
    @staticmethod
    def providers(info: ContextInfo) -> list[types.Provider]:
        """Return the providers, in order of configuration."""
        return list(info.context.profiles.values())  # type: ignore[arg-type]  # read by name


async def found_movie(info: ContextInfo, movie_id: str) -> types.Movie | None:
    """Return a movie with what this field selects of it. Raises BadInputError."""
    if len(movie_id) > TEXT_CHARACTERS_MAX * 3:
        raise BadInputError(f"`id` takes at most {TEXT_CHARACTERS_MAX * 3} characters.")
    context = info.context
    wanted = wanted_of_movie(info._raw_info)  # noqa: SLF001  # the only way to the AST
    found = await context.browse.movie(movie_id, wanted, context.until_s, context.load)
    complete = is_complete(found.sources, frozenset())
    context.facts.note(found.sources, found.fresh_until_s, found.renew_s, complete=complete)
    return found.movie  # type: ignore[return-value]  # a domain value, read by name


def _page_size(context: Context, first: int | None) -> int:
    if first is None:
        return context.page_limits.default
    highest = context.page_limits.highest
    if not 0 <= first <= highest:
        raise BadInputError(f"`first` takes 0 to {highest}; got {first}.")
    return first


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
        genre=narrowed.genre,
        price_from=narrowed.price_from,
        price_to=narrowed.price_to,
        providers=None if narrowed.providers is None else frozenset(narrowed.providers),
    )
