"""The HTTP header `Retry-After` (RFC 9110 §10.2.3)."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"[0-9]+(\.[0-9]*)?", re.ASCII)


def retry_after_s(values: Iterable[str], now: datetime) -> float | None:
    """Return the longest wait in seconds from `now` on, None where none can be read.

    `values`: of each such header of an answer; proxies add their own, or join them by commas.
    Seconds may have a fraction, which some servers send although the RFC has whole ones only. A
    date in the past is no wait, 0. There is no upper bound: the caller sets its own.
    """
    # A date's one comma is behind the name of its day, without which it is read as well.
    waits_s = [_wait_s(each.strip(), now) for value in values for each in value.split(",")]
    return max((each for each in waits_s if each is not None), default=None)


def _wait_s(text: str, now: datetime) -> float | None:
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        date = parsedate_to_datetime(text)
        # HTTP dates are in GMT; two of their three forms do not name a zone that is read.
        aware = date if date.tzinfo else date.replace(tzinfo=UTC)
        return max((aware - now).total_seconds(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return None
