"""How many extra attempts a provider may be asked for: a share of the calls, and a trickle."""

from collections import deque

from movieql.ports import Clock


class RetryBudget:
    """Pays for every attempt of a call beyond the first (docs/semantics.md, Guards).

    Over the last `window_s` seconds at most `share` of the calls plus `per_second` for each of
    them in attempts is paid, so an outage cannot be amplified: with the defaults 1,000 calls that
    all fail within one window cause at most 1,270 attempts.
    """

    def __init__(
        self,
        clock: Clock,
        share: float = 0.25,
        per_second: float = 2.0,
        window_s: float = 10.0,
    ) -> None:
        self._clock = clock
        self._share = share
        self._floor = per_second * window_s
        self._window_s = window_s
        self._calls = _Window(window_s)
        self._extras = _Window(window_s)

    def note_call(self) -> None:
        """Count a call, which is what extra attempts are a share of."""
        self._calls.add(self._clock.monotonic_s())

    def pay(self) -> bool:
        """Pay for one extra attempt; False when there is nothing left to pay with."""
        now_s = self._clock.monotonic_s()
        affordable = self._share * self._calls.count(now_s) + self._floor
        if self._extras.count(now_s) + 1 > affordable:
            return False
        self._extras.add(now_s)
        return True


class _Window:
    """Counts events of the last seconds, in slots, so that memory does not grow with them."""

    _SLOTS = 20

    def __init__(self, window_s: float) -> None:
        self._slot_s = window_s / self._SLOTS
        self._slots: deque[tuple[int, int]] = deque()
        self._total = 0

    def add(self, now_s: float) -> None:
        slot = int(now_s / self._slot_s)
        if self._slots and self._slots[-1][0] == slot:
            self._slots[-1] = (slot, self._slots[-1][1] + 1)
        else:
            self._slots.append((slot, 1))
        self._total += 1

    def count(self, now_s: float) -> int:
        oldest = int(now_s / self._slot_s) - self._SLOTS
        while self._slots and self._slots[0][0] <= oldest:
            self._total -= self._slots.popleft()[1]
        return self._total
