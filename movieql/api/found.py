"""Single movies and entries for whatever field shows one."""

from movieql.api.context import Context, ContextInfo
from movieql.api.wanted import wanted_of_movie
from movieql.domain.catalogue import CatalogueEntry, is_entry_id
from movieql.domain.errors import BadInputError
from movieql.domain.exports import is_export_id
from movieql.domain.movies import Movie
from movieql.domain.reports import is_complete
from movieql.movies.browse import Found

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
