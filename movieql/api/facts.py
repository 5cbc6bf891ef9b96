"""What an answer was made from: what caches and operators are told beside it."""

from collections.abc import Iterable

from movieql.domain.reports import SourceReport, worst


class AnswerFacts:
    """Collected while one operation runs.

    `sources`: the worst report per provider of everything asked, by provider. `fresh_until_s`:
    the monotonic second of the earliest freshness change; infinite when no provider was needed.
    `renew_s`: the one from which something has to be asked for, so that it is refreshed ahead.
    `complete`: whether every provider that was not left out answered freshly, and nothing was
    asked that changes on its own; no other answer is kept, here or anywhere. `waits_shown`: how
    many waits for a provider were written into it, which are shorter in the next answer.
    """

    def __init__(self) -> None:
        self.sources: dict[str, SourceReport] = {}
        self.fresh_until_s = float("inf")
        self.renew_s = float("inf")
        self.complete = True
        self.waits_shown = 0

    def note(
        self,
        sources: Iterable[SourceReport],
        fresh_until_s: float,
        renew_s: float,
        *,
        complete: bool,
    ) -> None:
        """Add what one root field was made from."""
        for report in sources:
            known = self.sources.get(report.provider)
            self.sources[report.provider] = worst((known, report)) if known else report
        self.fresh_until_s = min(self.fresh_until_s, fresh_until_s)
        self.renew_s = min(self.renew_s, renew_s)
        self.complete &= complete

    def keep_nothing(self) -> None:
        """Let the answer not be kept: it has what is true only now, or for this caller."""
        self.note((), float("-inf"), float("-inf"), complete=False)

    @property
    def waited(self) -> bool:
        """Tell whether the answer had to wait for a provider, so that its latencies say so."""
        return any(report.latency_ms for report in self.sources.values())
