"""What a provider's `Retry-After` asks for: that nothing calls it for a while."""

from movieql.domain.reports import SourceError

RETRY_AFTER_S_MAX = 60.0
"""Longest wait that a provider may ask for, as long as a breaker stays open at most."""


class Cooldown:
    """Until when one provider is not called; shared by its list, its details and its POSTs.

    What is under way when it begins goes on, and its outcome counts. No later answer shortens it,
    neither a success nor a shorter `Retry-After`: those calls were sent before it was known.
    """

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._error: SourceError | None = None

    def error(self, now_s: float) -> SourceError | None:
        """Return why a call at the monotonic second `now_s` is not made, None where it may be."""
        error = self._error
        return error if error is not None and now_s < (error.retry_at_s or 0.0) else None

    def note(self, error: SourceError | None) -> None:
        """Begin or extend the wait by what the provider answered: until its `retry_at_s`."""
        if error is None or error.retry_at_s is None:
            return
        if self._error is None or error.retry_at_s > (self._error.retry_at_s or 0.0):
            # Not the message: a POST's may have words that are for its sender alone.
            message = f"{self._provider} asked for no calls until then (Retry-After)."
            self._error = SourceError(error.code, message, retry_at_s=error.retry_at_s)
