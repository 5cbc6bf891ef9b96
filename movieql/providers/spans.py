"""What a span tells of a call to a provider, and what a call tells a provider of its span."""

from collections.abc import Callable
from typing import TypeAlias

from movieql.domain.reports import SourceError
from movieql.ports import Span

Carried: TypeAlias = Callable[[], dict[str, str]]
"""Gives the headers with which a provider could continue our trace."""


def nothing() -> dict[str, str]:
    """Tell a provider nothing: what we trace is no third party's business."""
    return {}


def note_outcome(span: Span, error: SourceError | None) -> None:
    """Note how a call ended: `ok`, or an error code in small letters."""
    outcome = "ok" if error is None else error.code.value.lower()
    span.note(outcome=outcome)
    if error is not None:
        span.fail(outcome)
