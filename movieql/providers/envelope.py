"""Kept answers as bytes, for a cache that replicas share."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError

from movieql.domain.movies import Row

ENVELOPE_VERSION = 3
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

    def encode(self, envelope: Envelope) -> bytes:
        """Return an envelope as JSON."""
        return self._adapter.dump_json(envelope)

    def decode(self, stored: bytes) -> Envelope | None:
        """Return what was stored, None when it is not an envelope: then it is a miss."""
        try:
            return self._adapter.validate_json(stored)
        except ValidationError:
            return None
