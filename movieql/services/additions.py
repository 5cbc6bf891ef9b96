"""New movies for the providers' own shelves: posted once, beside the guards of questions.

A POST is never hedged, and no breaker of reads keeps it: somebody with the right to write asks
for each one and waits for its outcome, so what bounds them is how many are under way at once.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

from movieql.domain.additions import Addition
from movieql.domain.errors import InvalidInputError
from movieql.domain.movies import SourceError, SourceErrorCode
from movieql.ports import Clock


class Posting(Protocol):
    """Posts movies to one provider."""

    @property
    def takes(self) -> frozenset[str]:
        """Names of the `Row` fields that a posted movie may have; none: it takes no movies."""
        ...

    @property
    def honours_keys(self) -> bool:
        """Whether two POSTs with the same key are one to the provider."""
        ...

    async def add(self, fields: Mapping[str, object], until_s: float, key: str) -> Addition:
        """Post once, by the monotonic second `until_s`; every failure is a value."""
        ...


class Additions:
    """Posts movies to providers.

    `postings`: by provider. `budget_s`: how long one addition may take; longer than a question,
    for an outcome that is not known is worse than a wait. `at_once_max`: under way per provider.
    `make_key`: makes a key that no other addition has.
    `note_added`: told of a provider that has something new, so that its list is asked for again.
    """

    def __init__(
        self,
        postings: Mapping[str, Posting],
        *,
        clock: Clock,
        make_key: Callable[[], str],
        note_added: Callable[[str], None],
        budget_s: float = 10.0,
        at_once_max: int = 4,
    ) -> None:
        self._postings = {name: each for name, each in postings.items() if each.takes}
        self._clock = clock
        self._make_key = make_key
        self._note_added = note_added
        self._budget_s = budget_s
        self._at_once_max = at_once_max
        self._under_way: Counter[str] = Counter()

    async def add(
        self, provider: str, fields: Mapping[str, object], key: str | None = None
    ) -> Addition:
        """Post a movie; `fields` are `Row` fields. Raises InvalidInputError, and posts nothing.

        `key`: the same for every try of one addition, so that an unknown outcome may be tried
        again where the provider honours keys; None: there will be no other try.
        """
        posting = self._checked(provider, fields)
        if self._under_way[provider] >= self._at_once_max:
            said = f"{provider} has {self._at_once_max} additions under way: try again."
            return Addition(error=SourceError(SourceErrorCode.UNAVAILABLE, said))
        self._under_way[provider] += 1
        try:
            addition = await self._posted(posting, fields, key or self._make_key())
        finally:
            self._under_way[provider] -= 1
        if addition.row is not None or addition.may_have_happened:
            self._note_added(provider)
        # Another try would come with another key, and be another movie.
        return _final(addition) if key is None and addition.may_have_happened else addition

    def _checked(self, provider: str, fields: Mapping[str, object]) -> Posting:
        posting = self._postings.get(provider)
        if posting is None:
            able = ", ".join(sorted(self._postings)) or "none does"
            raise InvalidInputError.at(
                ("provider",),
                f"There is no such provider that takes movies; those that do: {able}.",
            )
        for name in fields:
            if name not in posting.takes:
                raise InvalidInputError.at((name,), f"{provider} has no place for this.")
        return posting

    async def _posted(self, posting: Posting, fields: Mapping[str, object], key: str) -> Addition:
        """Post, and on an unknown outcome once more where the provider takes both for one.

        Not where the provider asked for a wait: the caller is told until when.
        """
        now_s = self._clock.monotonic_s()
        until_s = now_s + self._budget_s
        if not posting.honours_keys:
            return await posting.add(fields, until_s, key)
        addition = await posting.add(fields, now_s + self._budget_s / 2, key)
        error = addition.error
        waits = error is not None and (error.retry_at_s or 0.0) > self._clock.monotonic_s()
        if not addition.may_have_happened or waits:
            return addition
        again = await posting.add(fields, until_s, key)
        return again if again.row is not None else replace(again, may_have_happened=True)


def _final(addition: Addition) -> Addition:
    error = addition.error
    return addition if error is None else replace(addition, error=replace(error, retryable=False))
