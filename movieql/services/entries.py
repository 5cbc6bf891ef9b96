"""The house catalogue beside the merged movies: which entry is which movie, and writing both ways.

What the catalogue says goes into the merge like any shop's rows (`providers/house.py`); this is
for those who look at or change the entry itself.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from movieql.domain.catalogue import CatalogueEntry, CatalogueFile, is_entry_id
from movieql.domain.errors import InvalidInputError, StoreError, UnavailableError
from movieql.domain.movies import Movie, SourceStatus
from movieql.domain.titles import slug
from movieql.movies.browse import Browse, Found
from movieql.ports import DetailLoad
from movieql.services.catalogue import Catalogue
from movieql.services.catalogue_writes import Written

ENTRIES_NAMED_MAX = 10
"""Entries that an error names at most, so that an answer has a bound."""

_SHOWN = frozenset({SourceStatus.OK, SourceStatus.STALE})


@dataclass(frozen=True, slots=True)
class Deleted:
    """An entry as it was before it was deleted, and the id of the movie that it was part of."""

    entry: CatalogueEntry
    movie_id: str | None


class HouseEntries:
    """Entries of the catalogue, which is the provider `provider` of the merge.

    `kept`: returns the entry of an id as it is kept in this process, without I/O. It must be what
    the provider's kept list answer was made of; a row's own id is its entry's.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        browse: Browse,
        *,
        provider: str,
        kept: Callable[[str], CatalogueEntry | None],
    ) -> None:
        self._catalogue = catalogue
        self._browse = browse
        self._provider = provider
        self._kept = kept

    def of(self, movie: Movie) -> list[CatalogueEntry]:
        """Return the entries that took part in a movie, by name, without I/O.

        None where the house has none such, or took no part because it was left out: a movie stays
        the same value as long as nothing that took part in it changes, so nothing else may show.
        """
        shown = any(
            report.provider == self._provider and report.status in _SHOWN
            for report in movie.sources
        )
        return self._kept_of(movie.id) if shown else []

    async def entry(self, entry_id: str, until_s: float) -> CatalogueEntry | None:
        """Return the entry of an id; None only if the catalogue answered and has none such.

        Raises UnavailableError.
        """
        (answer,) = await self._browse.details([(self._provider, entry_id)], until_s)
        if not answer.fresh:
            raise UnavailableError("The house catalogue does not answer: ask again in a moment.")
        return self._kept(entry_id)

    async def movie(
        self, entry: CatalogueEntry, fields: frozenset[str], until_s: float, load: DetailLoad
    ) -> Found:
        """Return the movie that an entry is part of; see `Browse.movie`."""
        own_slug = slug(entry.name, entry.year)  # while the house's list is not to be had
        listing = (self._provider, entry.id)
        return await self._browse.movie(own_slug, fields, until_s, load, listing)

    async def upsert(
        self,
        name: str,
        year: int,
        fields: Mapping[str, Any],
        if_version: str | None,
        *,
        allow_near_duplicate: bool,
    ) -> Written:
        """Create or change an entry; see `services.catalogue.Catalogue.upsert`."""
        return await self._catalogue.upsert(
            name, year, fields, if_version=if_version, allow_near_duplicate=allow_near_duplicate
        )

    async def delete(
        self, node_id: str, if_version: str | None, until_s: float, load: DetailLoad
    ) -> Deleted | None:
        """Delete the entry of an id, its own or its merged movie's; None: there is none.

        Only the entry goes: what shops sell stays. Raises InvalidInputError when a movie has
        several entries and `if_version` is none's, and what `services.catalogue.Catalogue.delete`
        raises.
        """
        entries = await self._entries(node_id, until_s, load)
        entry = _chosen(entries, if_version)
        if entry is None:
            return None
        found = await self.movie(entry, frozenset(), until_s, load)  # afterwards nobody knows
        written = await self._catalogue.delete(entry.name, entry.year, if_version=if_version)
        if written.entry is None:
            return None
        return Deleted(written.entry, None if found.movie is None else found.movie.id)

    async def _entries(
        self, node_id: str, until_s: float, load: DetailLoad
    ) -> list[CatalogueEntry]:
        file = await self._file()
        own = [entry for entry in file.entries if entry.id == node_id]
        if own or is_entry_id(node_id):
            return own
        await self._browse.movie(node_id, frozenset(), until_s, load)  # so that shelves are known
        return self._kept_of(node_id)

    def _kept_of(self, movie_id: str) -> list[CatalogueEntry]:
        kept = map(self._kept, self._browse.own_ids(movie_id, self._provider))
        return sorted((each for each in kept if each is not None), key=lambda each: each.name)

    async def _file(self) -> CatalogueFile:
        try:
            return await self._catalogue.read()
        except StoreError as error:  # which would say that something may have happened
            said = "The object store does not answer: nothing was deleted."
            raise UnavailableError(said) from error


def _chosen(entries: Sequence[CatalogueEntry], if_version: str | None) -> CatalogueEntry | None:
    if len(entries) > 1:
        entries = [each for each in entries if each.version == if_version] or entries
    if len(entries) > 1:
        names = ", ".join(f"{each.name!r} ({each.id})" for each in entries[:ENTRIES_NAMED_MAX])
        more = "" if len(entries) <= ENTRIES_NAMED_MAX else ", …"
        said = f"This movie has several entries: {names}{more}. Delete one by its own id."
        raise InvalidInputError.at(("id",), said)
    return entries[0] if entries else None
