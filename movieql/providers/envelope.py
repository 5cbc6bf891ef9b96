"""Kept answers as bytes, for a cache that replicas share."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from datetime import datetime
from io import BytesIO
from typing import Annotated

from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError

from movieql.domain.movies import Row
from movieql.movies.growth import ReadRows

ROWS_A_LINE = 100
"""Rows that are written or read in one step; measured at about 1 ms."""

ENVELOPE_VERSION = 4
"""Raised whenever a field of `Row` changes, or what `domain/fields.py` makes of the same answer.

So nobody reads another version's bytes.
"""


@dataclass(frozen=True, slots=True)
class Envelope:
    """An answer as it is stored: rows, when they were said, for how many seconds fresh."""

    rows: tuple[Row, ...]
    as_of: AwareDatetime
    fresh_s: Annotated[float, Field(allow_inf_nan=False)]


class EnvelopeCodec:
    """Writes and reads envelopes; made once per composition, for building it is not free."""

    def __init__(self) -> None:
        self._adapter = TypeAdapter(Envelope)

    def encode(self, envelope: Envelope) -> Generator[None, None, bytes]:
        """Return an envelope as lines of JSON, in steps: an envelope for some of the rows each."""
        lines: list[bytes] = []
        for start in range(0, max(len(envelope.rows), 1), ROWS_A_LINE):
            rows = envelope.rows[start : start + ROWS_A_LINE]
            lines.append(self._adapter.dump_json(replace(envelope, rows=rows)))
            yield
        return b"\n".join(lines)

    def decode(
        self, stored: bytes, rows: ReadRows | None = None, newer_than: datetime | None = None
    ) -> Generator[None, None, Envelope | None]:
        """Return what was stored, in steps; None for a miss: no envelope, or not `newer_than`."""
        rows, envelope = ReadRows() if rows is None else rows, None
        try:
            for line in BytesIO(stored):
                envelope = self._adapter.validate_json(line)
                if newer_than is not None and envelope.as_of <= newer_than:
                    return None
                for row in envelope.rows:
                    rows.add(row)
                yield
        except ValidationError:
            return None
        whole = yield from rows.whole()
        return None if envelope is None else replace(envelope, rows=whole)
