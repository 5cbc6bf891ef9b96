"""The HTTP header `Retry-After` (RFC 9110 §10.2.3)."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"[0-9]+(\.[0-9]*)?", re.ASCII)


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """Return the seconds to wait from `now` on, None for no header and for what is neither form.

    Seconds may have a fraction, which some servers send although the RFC has whole ones only. A
    date in the past is no wait, 0. There is no upper bound: the caller sets its own.
    """
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        date = parsedate_to_datetime(text)
        # HTTP dates are in GMT; two of their three forms do not name a zone that is read.
        aware = date if date.tzinfo else date.replace(tzinfo=UTC)
        return max((aware - now).total_seconds(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return None
