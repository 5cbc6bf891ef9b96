"""What is there to stay: the same objects while they are equal, and no work for the collector."""

import gc
from collections.abc import Collection

from movieql.domain.movies import Row

NEW_A_FREEZE = 2_000


class Growth:
    """Counts what is new, and has the collector leave alone all that is there now and then.

    A full collection takes 2 µs for each movie, in one step; of so few new ones none is due.
    What merely changes does not count, so that this ends when a catalogue is known.
    """

    def __init__(self) -> None:
        self._new = 0

    def note(self, new: int) -> None:
        """Note that there are so many more."""
        self._new += new
        if self._new >= NEW_A_FREEZE:
            self._new = 0
            gc.collect(1)  # what is young and of no use is not kept for good
            gc.freeze()


class KnownRows:
    """The rows of a list that was read before, to be used in place of equal ones.

    So what is computed from rows may be kept for as long as they are the same objects.
    """

    def __init__(self, before: tuple[Row, ...]) -> None:
        self._before = before
        self._by_id = {row.provider_movie_id: row for row in before}
        self._growth = Growth()
        self._count = self._same_count = 0

    def same(self, row: Row) -> Row:
        """Return the row of before if it equals this one, else this one."""
        known = self._by_id.get(row.provider_movie_id)
        self._growth.note(known is None)
        is_same = known is not None and known == row
        self._count += 1
        self._same_count += is_same
        return known if known is not None and is_same else row

    def whole(self, rows: Collection[Row]) -> tuple[Row, ...]:
        """Return rows that came out of `same`, and those of before where none differs."""
        is_same = self._count == self._same_count == len(rows) == len(self._before)
        return self._before if is_same else tuple(rows)
