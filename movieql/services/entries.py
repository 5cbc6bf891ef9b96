"""The house catalogue beside the merged movies: which entry is which movie, and writing both ways.

What the catalogue says goes into the merge like any shop's rows (`providers/house.py`); this is
for those who look at or change the entry itself.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from movieql.domain.catalogue import CatalogueEntry, CatalogueFile
from movieql.domain.errors import InvalidInputError, StoreError, UnavailableError
from movieql.domain.movies import Movie
from movieql.domain.reports import SourceStatus
from movieql.ports import DetailLoad
from movieql.services.browse import Browse
from movieql.services.catalogue_writes import Written

_SHOWN = frozenset({SourceStatus.OK, SourceStatus.STALE})


class EntryWrites(Protocol):
    """What is needed of `services.catalogue.Catalogue`, with what it raises."""

    async def read(self) -> CatalogueFile:
        """Return the file as it is now."""
        ...

    async def upsert(
        self,
        name: str,
        year: int,
        fields: Mapping[str, Any],
        *,
        if_version: str | None = None,
    ) -> Written:
        """Create or change an entry."""
        ...

    async def delete(self, name: str, year: int, *, if_version: str | None = None) -> Written:
        """Delete an entry."""
        ...


class HouseEntries:
    """Entries of the catalogue, which is the provider `provider` of the merge.

    `kept`: returns the entry of a provider's own id as it is kept in this process, without I/O.
    It must be what the provider's kept list answer was made of.
    """

    def __init__(
        self,
        catalogue: EntryWrites,
        browse: Browse,
        *,
        provider: str,
        kept: Callable[[str], CatalogueEntry | None],
    ) -> None:
        self._catalogue = catalogue
        self._browse = browse
        self._provider = provider
        self._kept = kept

    def of(self, movie: Movie) -> CatalogueEntry | None:
        """Return the entry that took part in a movie, without I/O.

        None where the house has none such, or took no part because it was left out: a movie stays
        the same value as long as nothing that took part in it changes, so nothing else may show.
        """
        shown = any(
            report.provider == self._provider and report.status in _SHOWN
            for report in movie.sources
        )
        own_ids = self._browse.own_ids(movie.id, self._provider) if shown else ()
        return next((entry for each in own_ids if (entry := self._kept(each))), None)

    async def upsert(
        self, name: str, year: int, fields: Mapping[str, Any], if_version: str | None
    ) -> Written:
        """Create or change an entry; see `services.catalogue.Catalogue.upsert`."""
        return await self._catalogue.upsert(name, year, fields, if_version=if_version)

    async def delete(
        self, movie_id: str, if_version: str | None, until_s: float, load: DetailLoad
    ) -> CatalogueEntry | None:
        """Delete the entry of an id, its own or its merged movie's; None: there is none.

        Only the entry goes: what shops sell stays. Raises InvalidInputError when the id is of
        several entries, and what `services.catalogue.Catalogue.delete` raises.
        """
        entries = await self._entries(movie_id, until_s, load)
        if not entries:
            return None
        if len(entries) > 1:
            names = ", ".join(sorted(repr(each.name) for each in entries))
            raise InvalidInputError.at(("id",), f"Several entries have this id: {names}.")
        (entry,) = entries
        written = await self._catalogue.delete(entry.name, entry.year, if_version=if_version)
        return written.entry

    async def _entries(
        self, movie_id: str, until_s: float, load: DetailLoad
    ) -> list[CatalogueEntry]:
        file = await self._file()
        own = [entry for entry in file.entries if entry.id == movie_id]
        if own:
            return own
        await self._browse.movie(movie_id, frozenset(), until_s, load)  # so that shelves are known
        own_ids = self._browse.own_ids(movie_id, self._provider)
        return [entry for each in own_ids if (entry := self._kept(each))]

    async def _file(self) -> CatalogueFile:
        try:
            return await self._catalogue.read()
        except StoreError as error:  # which would say that something may have happened
            said = "The object store does not answer: nothing was deleted."
            raise UnavailableError(said) from error
