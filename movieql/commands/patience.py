"""How long a command bears a server that does not answer, and how it waits in between."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from movieql.commands.endings import CommandError, ExitCode, NotNowError
from movieql.ports import Clock


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds without any answer before giving up, and waits that double up to `wait_s_max`.

    `tell` is called with the reason of each wait.
    """

    clock: Clock
    rng: random.Random
    tell: Callable[[str], None]
    timeout_s: float = 120.0
    wait_s: float = 0.5
    wait_s_max: float = 5.0

    def tries(self) -> "Tries":
        """Begin to ask for something: its time runs from now."""
        return Tries(self)


class Tries:
    """One thing that is asked for until it is there."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._until_s = patience.clock.monotonic_s() + patience.timeout_s
        self._failed = 0

    async def wait(self, error: NotNowError) -> None:
        """Wait before the next try. Raises CommandError when there is no time for one."""
        left_s = self._until_s - self._patience.clock.monotonic_s()
        if left_s <= 0 or error.retry_after_s > left_s:
            raise CommandError.ending(
                ExitCode.NOT_IN_TIME,
                f"gave up after {self._patience.timeout_s:g} s (--timeout-s): {error}",
            ) from error
        self._patience.tell(f"{error}; trying again")
        await self._patience.clock.sleep(min(max(self._wait_s(), error.retry_after_s), left_s))

    def _wait_s(self) -> float:
        doubled_s = self._patience.wait_s * 2.0 ** min(self._failed, 16)
        self._failed += 1
        return min(doubled_s, self._patience.wait_s_max) * self._patience.rng.uniform(0.5, 1.0)
