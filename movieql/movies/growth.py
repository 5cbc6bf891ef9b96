"""What is there to stay is no work for the collector."""

import gc

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
