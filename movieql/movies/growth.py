"""What is there to stay: the same objects while they are equal, and no work for the collector."""

import gc
from collections.abc import Generator

from movieql.domain.movies import Row, one_row

NEW_A_FREEZE = 2_000
"""So many more things that stay are worth a freeze; it takes about 0.2 ms."""


IDS_A_STEP = 20
"""Ids that several entries have, that are made one row in one step; measured at about 1 ms."""

_ROWS_OF_AN_ID_MAX = 16  # held at a time


class Growth:
    """Has the collector leave alone all that is there whenever there is much more than ever.

    A full collection takes 2 µs for each movie, in one step. What changes, or is made again, does
    not count, so that this ends when a catalogue is known.
    """

    def __init__(self) -> None:
        self._most = 0

    def reach(self, count: int) -> None:
        """Note how many things there are now."""
        if count >= self._most + NEW_A_FREEZE:
            self._most = count
            gc.collect(1)  # what is young and of no use is not kept for good
            gc.freeze()


class ReadRows:
    """The rows of a list while it is read: one for each id, those of before where they are equal.

    So what is computed from rows may be kept for as long as they are the same objects. `growth`
    outlives the reading of one list.
    """

    def __init__(self, before: tuple[Row, ...] = (), growth: Growth | None = None) -> None:
        self._before = before
        self._known = {row.provider_movie_id: row for row in before}
        self._growth = growth or Growth()
        self._rows: dict[str, Row] = {}
        self._again: dict[str, list[Row]] = {}
        self._same: set[str] = set()

    def __len__(self) -> int:
        """Return how many ids have a row."""
        return len(self._rows)

    def add(self, row: Row) -> None:
        """Take in a row, in any order; see `domain.movies.unique_rows`."""
        row = self._known_as(row)
        first = self._rows.setdefault(row.provider_movie_id, row)
        if first is row:
            self._growth.reach(len(self._rows))
        elif first != row:
            several = self._again.setdefault(row.provider_movie_id, [first])
            several.append(row)
            if len(several) == _ROWS_OF_AN_ID_MAX:
                several[:] = [one_row(several)]

    def whole(self) -> Generator[None, None, tuple[Row, ...]]:
        """Return all rows, in steps; where each is one of before, and none is gone, those."""
        for at, (own_id, several) in enumerate(self._again.items()):
            self._rows[own_id] = self._known_as(one_row(several))
            if at % IDS_A_STEP == 0:
                yield
        is_same = len(self._same) == len(self._rows) == len(self._before)
        return self._before if is_same else tuple(self._rows.values())

    def _known_as(self, row: Row) -> Row:
        own_id = row.provider_movie_id
        known = self._known.get(own_id)
        if known is None or known != row:
            self._same.discard(own_id)
            return row
        self._same.add(own_id)
        return known
