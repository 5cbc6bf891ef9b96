"""The house catalogue's file: a JSON array of movies, read and changed as a value.

What this program does not understand it carries along: entries without a usable name and year
("left aside") and keys that it does not know survive every write. `{}` says nothing and goes with
the next write. Where a key or a movie is there twice nobody can say which counts: that is corrupt.

Bookkeeping is under one reserved key. Each entry that was written here carries the id of its last
write, so no two versions of an entry are equal. The first entry also carries the ledger: per
writer (a process) the number of the last write of the file, by which a writer whose answer was
lost sees that its write took place. Files edited by hand need neither.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType
from typing import Any, TypeAlias

from movieql.domain.catalogue_fields import field_of
from movieql.domain.errors import (
    CatalogueConflictError,
    CatalogueCorruptError,
    InvalidInputError,
    LimitExceededError,
    NearDuplicateError,
)
from movieql.domain.fields import read_title
from movieql.domain.movies import is_exactly
from movieql.domain.titles import near_key

JsonValue: TypeAlias = (
    "bool | int | float | str | list[JsonValue] | tuple[JsonValue, ...] "
    "| Mapping[str, JsonValue] | None"
)
"""What JSON can say."""

BOOKKEEPING = "_movieql"
"""The reserved key of an entry; nobody sees it and no input may have it."""

WRITERS_MAX = 32
"""Writers that the ledger remembers: those that wrote last."""

NEAR_DUPLICATES_MAX = 10
"""Entries that a refusal of a near-duplicate names at most, so that an answer has a bound."""

EntryKey: TypeAlias = tuple[str, int]
"""What an entry is found by: (its name as it is read, without case; its year)."""

_ENTRY_ID_PREFIX = "entry:"
_LEDGER_BYTES = 80 * WRITERS_MAX
_YEAR_MAX = 9999
_YEAR_TEXT = re.compile("[0-9]{1,4}")
_encode_readable = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
_encode_ascii = json.JSONEncoder(allow_nan=False).encode
_encode_canonical = json.JSONEncoder(allow_nan=False, sort_keys=True, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class FileLimits:
    """How large the file may be: `bytes_max`, and `entries_max` elements of its array."""

    bytes_max: int = 4 * 1024 * 1024
    entries_max: int = 10_000


@dataclass(frozen=True, slots=True)
class EntryLimits:
    """How large an entry may become: `bytes_max` as JSON, and `fields_max` fields."""

    bytes_max: int = 16 * 1024
    fields_max: int = 64


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A movie of the house catalogue.

    `id`: see `entry_id`. `name`: as `read_title` reads it. `version`: opaque; changes with every
    write of this entry, also by hand. `fields`: everything else, as it is in the file.
    """

    id: str
    name: str
    year: int
    version: str
    fields: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class CatalogueFile:
    """The catalogue as it was read; the same object for the same version.

    `etag`: the file's version, None: there is no file yet. `left_aside`: entries without a usable
    name and year, which are kept in the file and shown to nobody.
    """

    entries: tuple[CatalogueEntry, ...] = ()
    etag: str | None = None
    left_aside: int = 0


def entry_key(name: str, year: int) -> EntryKey:
    """Return what an entry is found by: its name, however it is written, and its year.

    Case, form (NFC, NFD), characters that nobody sees and character references do not count.
    References are decoded before case is folded, for some mean another character in lower case:
    so an entry is found by its name as shown, too.
    """
    key = _settled(name)
    while (again := _settled(key.casefold())) != key:
        key = again
    return key, year


def _settled(name: str) -> str:
    """Return a name read as a title until reading it again changes nothing.

    This ends, and so does folding in between: what a second reading changes are references, of
    which each is longer than what it stands for.
    """
    text = read_title(name) or ""
    while (again := read_title(text) or "") != text:
        text = again
    return text


def entry_id(name: str, year: int) -> str:
    """Return the id of an entry: `entry:` and 24 hex digits of the SHA-256 of its key.

    Entries with different keys have different ids, also where their movies have one slug, and no
    other object's id has a colon; see docs/decisions/0020.
    """
    return _id_of(entry_key(name, year))


def _id_of(key: EntryKey) -> str:
    text = "\n".join(map(str, key))
    return _ENTRY_ID_PREFIX + sha256(text.encode(errors="surrogatepass")).hexdigest()[:24]


def is_entry_id(text: str) -> bool:
    """Return whether a text has the form of an entry's id."""
    return text.startswith(_ENTRY_ID_PREFIX)


@dataclass(frozen=True, slots=True)
class _Element:
    """An element of the array without the ledger, and the line that it is in the file."""

    value: JsonValue
    line: bytes

    @classmethod
    def of(cls, value: JsonValue) -> "_Element":
        return cls(value, _line(value))


class Document:
    """The file's content; changing it changes nothing that was copied from it."""

    def __init__(self, file: FileLimits, entry: EntryLimits) -> None:
        self._limits = file
        self._entry_limits = entry
        self._elements: dict[EntryKey | int, _Element] = {}  # by number: left aside
        self._near: dict[EntryKey, tuple[EntryKey, ...]] = {}  # by near key and year
        self._ledger: dict[str, int] = {}  # the last writer last
        self._size_bytes = 0

    def copy(self) -> "Document":
        """Return a document that can be changed without this one."""
        copied = Document(self._limits, self._entry_limits)
        copied._elements = dict(self._elements)  # our own
        copied._near = dict(self._near)
        copied._ledger = dict(self._ledger)
        copied._size_bytes = self._size_bytes
        return copied

    def file(self, etag: str | None) -> CatalogueFile:
        """Return what readers see of it."""
        entries = tuple(
            _entry(element.value, key)
            for key, element in self._elements.items()
            if not isinstance(key, int)
        )
        return CatalogueFile(entries, etag, len(self._elements) - len(entries))

    def find(self, name: str, year: int) -> CatalogueEntry | None:
        """Return the entry of a name and year; see `entry_key`."""
        key = entry_key(name, year)
        element = self._elements.get(key)
        return None if element is None else _entry(element.value, key)

    def near_duplicates(self, name: str, year: int) -> tuple[CatalogueEntry, ...]:
        """Return the entries of that year whose names have the same near key, by name.

        At most `NEAR_DUPLICATES_MAX`.
        """
        keys = self._near.get(_near(entry_key(name, year)), ())
        return tuple(
            _entry(self._elements[key].value, key) for key in sorted(keys)[:NEAR_DUPLICATES_MAX]
        )

    def upsert(  # an entry, and the conditions of its write
        self,
        name: str,
        year: int,
        fields: Mapping[str, JsonValue],
        write_id: str,
        *,
        allow_near_duplicate: bool = False,
    ) -> tuple[CatalogueEntry, bool]:
        """Create an entry, or put `fields` over those it has; return it, and whether it is new.

        A null removes its field; the name stays as it was first written. A field replaces what
        the entry has under any of its keys (`field_of`), so that none is there twice. Raises
        NearDuplicateError when an entry would be created that `near_duplicates` has others of,
        unless that is allowed; LimitExceededError when the catalogue is full; InvalidInputError
        when the entry is.
        """
        key = entry_key(name, year)
        before = self._elements.get(key)
        if before is None:
            near = () if allow_near_duplicate else self.near_duplicates(name, year)
            if near:
                raise NearDuplicateError.of(near)
            self._check_room()
        changed = _changed(before, name, year, fields) | {BOOKKEEPING: {"write": write_id}}
        self._put(key, before, changed)
        return _entry(changed, key), before is None

    def delete(self, name: str, year: int) -> CatalogueEntry | None:
        """Remove an entry and return it, None if there was none.

        Raises LimitExceededError where a file that somebody else wrote would still be too large.
        """
        key = entry_key(name, year)
        element = self._elements.get(key)
        if element is None:
            return None
        size_bytes = self._size_bytes - len(element.line)
        self._check_size(size_bytes)
        del self._elements[key]
        self._forget_near(key)
        self._size_bytes = size_bytes
        return _entry(element.value, key)

    def landed(self, writer: str) -> int:
        """Return the number of a writer's last write that took place, 0 for none."""
        return self._ledger.get(writer, 0)

    def sign(self, writer: str, number: int) -> None:
        """Note who makes this version of the file, as its write of this number."""
        self._ledger.pop(writer, None)
        self._ledger[writer] = number
        while len(self._ledger) > WRITERS_MAX:
            del self._ledger[next(iter(self._ledger))]

    def serialise(self) -> bytes:
        """Return the file: a line per entry, so that people can read and edit it."""
        return b"[\n" + b",\n".join(self._lines()) + b"\n]\n"

    def _lines(self) -> Iterator[bytes]:
        ledger: list[JsonValue] = [f"{writer}.{number}" for writer, number in self._ledger.items()]
        for key, element in self._elements.items():
            if ledger and not isinstance(key, int) and isinstance(element.value, Mapping):
                own = _bookkeeping(element.value) | {"writes": ledger}
                yield _line({**element.value, BOOKKEEPING: own})
                ledger = []
            else:
                yield element.line
        if ledger:  # nobody is there to carry it
            yield _line({BOOKKEEPING: {"writes": ledger}})

    def _check_room(self) -> None:
        if len(self._elements) >= self._limits.entries_max:
            raise LimitExceededError(
                f"The catalogue has the {self._limits.entries_max} entries that it may have."
            )

    def _check_size(self, size_bytes: int) -> None:
        # The rest: two bytes per line, and the ledger.
        if size_bytes + 2 * (len(self._elements) + 4) + _LEDGER_BYTES > self._limits.bytes_max:
            raise LimitExceededError(
                f"The catalogue has the {self._limits.bytes_max} bytes that it may have."
            )

    def _put(self, key: EntryKey, before: _Element | None, changed: dict[str, JsonValue]) -> None:
        limits = self._entry_limits
        element = _Element.of(changed)
        if len(element.line) > limits.bytes_max or len(changed) > limits.fields_max:
            raise InvalidInputError(
                f"The entry would be larger than {limits.bytes_max} bytes or have more than "
                f"{limits.fields_max} fields."
            )
        size_bytes = self._size_bytes + len(element.line) - len(before.line if before else b"")
        self._check_size(size_bytes)
        self._elements[key] = element
        if before is None:
            self._note_near(key)
        self._size_bytes = size_bytes

    def _take(self, number: int, value: JsonValue) -> None:
        """Add an element of a file, under its number there if it is no entry."""
        if isinstance(value, dict):
            value = self._without_ledger(value)
            if not value:
                return
        key = _key_of(value)
        if key is not None and key in self._elements:
            raise CatalogueCorruptError(
                f"The catalogue has a movie of {key[1]} twice, as entry {number + 1}."
            )
        element = _Element.of(value)
        self._elements[number if key is None else key] = element
        if key is not None:
            self._note_near(key)
        self._size_bytes += len(element.line)

    def _note_near(self, key: EntryKey) -> None:
        near = _near(key)
        self._near[near] = (*self._near.get(near, ()), key)

    def _forget_near(self, key: EntryKey) -> None:
        near = _near(key)
        others = tuple(each for each in self._near.pop(near) if each != key)
        if others:
            self._near[near] = others

    def _without_ledger(self, value: dict[str, Any]) -> dict[str, Any]:
        own = value.get(BOOKKEEPING)
        if not isinstance(own, dict) or "writes" not in own:
            return value
        for text in own["writes"] if isinstance(own["writes"], list) else ():
            writer, _, number = str(text).rpartition(".")
            if writer and number.isascii() and number.isdigit():
                self._ledger[writer] = max(int(number), self._ledger.get(writer, 0))
        rest = {key: each for key, each in own.items() if key != "writes"}
        without = {key: each for key, each in value.items() if key != BOOKKEEPING}
        return without | {BOOKKEEPING: rest} if rest else without


def parse(
    body: bytes | None,
    file: FileLimits = FileLimits(),  # frozen
    entry: EntryLimits = EntryLimits(),  # frozen
) -> Document:
    """Return the content of a file, an empty one for None: there is no file.

    Raises CatalogueCorruptError when that would lose something or may not be what was meant.
    """
    document = Document(file, entry)
    values = [] if body is None else _values(body, file)
    for number, value in enumerate(values):
        document._take(number, value)  # noqa: SLF001  # our own
    return document


def check_version(entry: CatalogueEntry | None, if_version: str | None) -> None:
    """Raise CatalogueConflictError unless the entry is the version that a change is for."""
    version = None if entry is None else entry.version
    if if_version is not None and if_version != version:
        raise CatalogueConflictError.at(version)


def _values(body: bytes, limits: FileLimits) -> list[JsonValue]:
    if len(body) > limits.bytes_max:
        raise CatalogueCorruptError(f"The catalogue is larger than {limits.bytes_max} bytes.")
    try:
        values = json.loads(
            body, object_pairs_hook=_object, parse_float=_float, parse_constant=_float
        )
    except (ValueError, RecursionError) as error:
        raise CatalogueCorruptError("The catalogue's file is not JSON.") from error
    if not isinstance(values, list):
        raise CatalogueCorruptError("The catalogue's file is not a JSON array.")
    if len(values) > limits.entries_max:
        raise CatalogueCorruptError(f"The catalogue has more than {limits.entries_max} entries.")
    return values


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):  # writing it would lose one of them
        raise CatalogueCorruptError("An entry of the catalogue has a key twice.")
    return found


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):  # JSON could not say it again
        raise CatalogueCorruptError("The catalogue has a number that is none.")
    if not is_exactly(number, text):  # writing it would lose digits
        raise CatalogueCorruptError("The catalogue has a number with more digits than are kept.")
    return number


def _key_of(value: JsonValue) -> EntryKey | None:
    if not isinstance(value, dict):
        return None
    name, year = value.get("name"), _year(value.get("year"))
    title = read_title(name)
    return None if title is None or year is None else entry_key(title, year)


def _near(key: EntryKey) -> EntryKey:
    name, year = key
    return near_key(name), year


def _year(value: JsonValue) -> int | None:
    """Read 1999 and, as some programs write it, "1999" and 1999.0."""
    if isinstance(value, str) and _YEAR_TEXT.fullmatch(value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    is_year = isinstance(value, int) and not isinstance(value, bool)
    return value if is_year and 0 <= value <= _YEAR_MAX else None  # type: ignore[operator,return-value]  # an int


def _bookkeeping(value: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    own = value.get(BOOKKEEPING)
    return dict(own) if isinstance(own, Mapping) else {}


def _changed(
    before: _Element | None, name: str, year: int, fields: Mapping[str, JsonValue]
) -> dict[str, JsonValue]:
    known = before.value if before is not None and isinstance(before.value, Mapping) else {}
    replaced = {field_of(key) for key in fields}
    kept = {
        key: each for key, each in known.items() if field_of(key) not in replaced or key in fields
    }
    merged: dict[str, JsonValue] = {"name": name.strip(), **kept, "year": year, **fields}
    merged.pop(BOOKKEEPING, None)  # so that it comes last
    return {key: value for key, value in merged.items() if key not in fields or value is not None}


def _entry(value: JsonValue, key: EntryKey) -> CatalogueEntry:
    if not isinstance(value, Mapping):  # only what has a key becomes an entry
        raise TypeError
    name = read_title(value["name"]) or ""
    fields = {field: each for field, each in value.items() if field not in _OWN_KEYS}
    return CatalogueEntry(_id_of(key), name, key[1], _version(value), MappingProxyType(fields))


_OWN_KEYS = frozenset({"name", "year", BOOKKEEPING})


def _version(value: JsonValue) -> str:
    return sha256(_encode_canonical(value).encode()).hexdigest()[:32]


def _line(value: JsonValue) -> bytes:
    try:
        return _encode_readable(value).encode()
    except UnicodeEncodeError:  # half a character, which only an escape can carry
        return _encode_ascii(value).encode()
