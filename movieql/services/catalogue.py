"""The house catalogue: reading it, and writes of which none is lost and none happens twice.

The file is changed by compare-and-set on its ETag (`services/catalogue_writes.py`); what its
content means is in `domain/catalogue.py`.
"""

import random
from collections.abc import Callable, Mapping
from typing import Any

from movieql.domain.catalogue import (
    CatalogueEntry,
    CatalogueFile,
    EntryLimits,
    FileLimits,
    entry_key,
)
from movieql.domain.catalogue_input import (
    InputLimits,
    checked_fields,
    checked_name,
    checked_year,
)
from movieql.ports import Clock, ObjectStore
from movieql.services.catalogue_file import StoredFile
from movieql.services.catalogue_writes import Change, Delete, Upsert, Writes, Written

TRIES_MAX = 24
"""Tries of a write: of three busy processes one loses about 4 of 10 races, so 8 are too few."""

__all__ = ["Catalogue", "CatalogueEntry", "CatalogueFile", "Written"]


class Catalogue:
    """The catalogue in one object of a store, for any number of processes.

    `key`: of the object. `new_write_id`: makes an id that no other writer has, called once.
    `tries_max`: how often a write is tried; `wait_s_max`: how long its caller waits at most;
    `waiting_max`: writes that may wait. `file_bytes_max` and `entries_max`: how large the file
    may be. `note_written`: called after each change of the file from here.
    """

    def __init__(  # noqa: PLR0913  # a composition, called in one place with names
        self,
        store: ObjectStore,
        *,
        key: str,
        clock: Clock,
        rng: random.Random,
        new_write_id: Callable[[], str],
        tries_max: int = TRIES_MAX,
        file_bytes_max: int = 4 * 1024 * 1024,
        entries_max: int = 10_000,
        wait_s_max: float = 30.0,
        waiting_max: int = 1_000,
        input_limits: InputLimits = InputLimits(),  # noqa: B008  # frozen
        entry_limits: EntryLimits = EntryLimits(),  # noqa: B008  # frozen
        note_written: Callable[[], None] = lambda: None,
    ) -> None:
        limits = FileLimits(file_bytes_max, entries_max)
        self._file = StoredFile(store, key, limits, entry_limits)
        self._input_limits = input_limits
        self._writes = Writes(
            self._file,
            clock=clock,
            rng=rng,
            writer=new_write_id(),
            tries_max=tries_max,
            wait_s_max=wait_s_max,
            waiting_max=waiting_max,
            note_written=note_written,
        )

    async def read(self) -> CatalogueFile:
        """Return the file as it is now; the same object for the same version.

        Raises StoreError, CatalogueCorruptError.
        """
        return (await self._file.current()).file

    async def query(
        self, name: str | None, year: int | None
    ) -> tuple[CatalogueFile, tuple[CatalogueEntry, ...]]:
        """Return the file and its entries of a name and of a year; see `entry_key`.

        None asks for any. Raises as `read`.
        """
        file = await self.read()
        key = None if name is None else entry_key(name, 0)
        return file, tuple(
            entry
            for entry in file.entries
            if year in {None, entry.year} and (key is None or entry_key(entry.name, 0) == key)
        )

    async def upsert(
        self,
        name: str,
        year: int,
        fields: Mapping[str, Any],
        *,
        if_version: str | None = None,
        if_file: str | None = None,
        allow_near_duplicate: bool = False,
    ) -> Written:
        """Create the entry of a name, whatever its case, and year, or change its fields.

        Of an entry that is there, the fields given are replaced as wholes, those that are null
        removed, others kept, and so is the spelling of its name. `if_version`: only if the entry
        is this version; `if_file`: only if the file has this ETag. `allow_near_duplicate`: create
        it also where another entry may be the same movie, see `Document.near_duplicates`.

        Raises InvalidInputError; CatalogueConflictError for another version and
        NearDuplicateError (nothing was
        written); LimitExceededError when the catalogue is full; CatalogueBusyError (nothing was
        written); StoreError, which says whether something may have been written;
        CatalogueCorruptError.
        """
        name = checked_name(name, self._input_limits)
        year = checked_year(year)
        checked = checked_fields(name, year, fields, self._input_limits)
        action = Upsert(name, year, checked, allow_near_duplicate)
        return await self._writes.made(Change(action, if_version, if_file))

    async def delete(
        self, name: str, year: int, *, if_version: str | None = None, if_file: str | None = None
    ) -> Written:
        """Delete the entry of a name, whatever its case, and year; see `Written`.

        Without such an entry nothing happens, unless `if_version` says that there is one.
        Raises as `upsert`.
        """
        name = checked_name(name, self._input_limits)
        return await self._writes.made(Change(Delete(name, year), if_version, if_file))

    async def aclose(self) -> None:
        """End the writes under way; their callers get a StoreError that says what is known."""
        await self._writes.aclose()
