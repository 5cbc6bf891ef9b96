"""Segments: the files that facts are written to, a line each, and how they are read back.

A line's first character says what it is: `h` the head with the names of all segments whose facts
are in here, `w` the watcher that the next lines are of, `o` an offer, `m` marks, `e` the end with
the number of lines and the CRC-32 of all before it. An offer's line starts with the CRC-32 of its
key in 8 hex digits, so that offers can be dealt out without being read.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zlib import crc32

from movieql.domain.errors import ObservationsCorruptError
from movieql.domain.movies import AMOUNT_MAX
from movieql.domain.observations import Marks, OfferFacts, PriceRun, Run

SEGMENT_VERSION = 1
"""Of the format; a file of another version is not read."""

HASH_CHARACTERS = 8
"""Hex digits before an offer's facts."""

_NEWLINE = b"\n"
_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True, slots=True)
class Segment:
    """A file's content: `lines` are (watcher, an offer's line), `marks` (watcher, marks).

    `sources`: names of the segments whose facts are in it; its own when it is not compacted.
    """

    sources: tuple[str, ...]
    lines: tuple[tuple[str, bytes], ...]
    marks: tuple[tuple[str, Marks], ...]


def offer_line(facts: OfferFacts) -> bytes:
    """Return an offer's line, without what says that it is one and without its end."""
    own = _encode([facts.provider, facts.provider_movie_id])
    rest = _encode(
        [
            facts.title,
            facts.year,
            facts.created_ms,
            facts.described_ms,
            [[run.start_ms, run.end_ms] for run in facts.runs],
            [[str(price.amount), price.start_ms, price.end_ms] for price in facts.prices],
        ]
    )
    # Both are lists; put together they are one.
    return f"{crc32(own.encode()):08x}{own[:-1]},{rest[1:]}".encode()


def read_offer(line: bytes) -> OfferFacts:
    """Read what `offer_line` returned. Raises ValueError that says what is wrong."""
    values = json.loads(line[HASH_CHARACTERS:])
    try:
        provider, own_id, title, year, created_ms, described_ms, runs, prices = values
        facts = OfferFacts(
            _text(provider),
            _text(own_id),
            None if title is None else _text(title),
            None if year is None else _whole(year),
            None if created_ms is None else _whole(created_ms),
            _whole(described_ms),
            tuple(Run(_whole(start), _end(start, end)) for start, end in runs),
            tuple(_price(*price) for price in prices),
        )
    except (TypeError, ArithmeticError) as error:
        raise ValueError("an offer has other parts") from error
    return facts


def encode_segment(
    sources: Iterable[str],
    lines: Iterable[tuple[str, bytes]],
    marks: Iterable[tuple[str, Marks]],
) -> bytes:
    """Return a file; see `Segment`. A watcher's lines are best given together."""
    written = [b"h" + _encode([SEGMENT_VERSION, list(sources)]).encode()]
    current: str | None = None
    for watcher, line in _all_lines(lines, marks):
        if watcher != current:
            written.append(b"w" + _encode(watcher).encode())
            current = watcher
        written.append(line)
    body = _NEWLINE.join(written) + _NEWLINE
    return body + f"e[{len(written)},{crc32(body)}]\n".encode()


def decode_segment(key: str, body: bytes) -> Segment:
    """Read a file. Raises ObservationsCorruptError that names its key."""
    try:
        return _decoded(body)
    except (ValueError, TypeError, RecursionError) as error:
        raise ObservationsCorruptError.of(key, str(error)) from error


def _all_lines(
    lines: Iterable[tuple[str, bytes]], marks: Iterable[tuple[str, Marks]]
) -> Iterator[tuple[str, bytes]]:
    for watcher, line in lines:
        yield watcher, b"o" + line
    for watcher, each in marks:
        yield watcher, b"m" + _encode([each.provider, each.lists, each.prices]).encode()


def _decoded(body: bytes) -> Segment:
    end = body.rfind(_NEWLINE, 0, -1) + 1
    if not end or body[end : end + 1] != b"e" or not body.endswith(_NEWLINE):
        raise ValueError("it has no end")
    count, checksum = json.loads(body[end + 1 :])
    if checksum != crc32(memoryview(body)[:end]):
        raise ValueError("its checksum is wrong")
    head, *written = body[: end - 1].split(_NEWLINE)
    version, sources = json.loads(head[1:])
    if head[:1] != b"h" or version != SEGMENT_VERSION or count != len(written) + 1:
        raise ValueError(f"it is not of version {SEGMENT_VERSION}")
    lines: list[tuple[str, bytes]] = []
    marks: list[tuple[str, Marks]] = []
    watcher = ""
    for line in written:
        kind = line[:1]
        if kind == b"o":
            lines.append((watcher, line[1:]))
        elif kind == b"m":
            marks.append((watcher, _marks(json.loads(line[1:]))))
        elif kind == b"w":
            watcher = _text(json.loads(line[1:]))
        else:
            raise ValueError("it has lines of no kind")
    return Segment(tuple(_text(each) for each in sources), tuple(lines), tuple(marks))


def _marks(values: Any) -> Marks:
    provider, lists, prices = values
    return Marks(_text(provider), tuple(map(_whole, lists)), tuple(map(_whole, prices)))


def _price(amount: Any, start_ms: Any, end_ms: Any) -> PriceRun:
    usable = Decimal(_text(amount))
    if not 0 < usable <= AMOUNT_MAX:
        raise ValueError("a price is none")
    return PriceRun(usable, _whole(start_ms), _end(start_ms, end_ms))


def _end(start_ms: Any, end_ms: Any) -> int | None:
    if end_ms is None:
        return None
    if _whole(end_ms) < start_ms:
        raise ValueError("a run ends before it starts")
    return _whole(end_ms)


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise ValueError("a number is none")
    return value


def _text(value: Any) -> str:
    if type(value) is not str:
        raise ValueError("a text is none")
    return value
