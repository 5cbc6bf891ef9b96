"""What people send to be written into the house catalogue, checked."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from movieql.domain.catalogue import BOOKKEEPING, JsonValue, entry_key
from movieql.domain.catalogue_fields import field_of, is_readable
from movieql.domain.errors import InvalidInputError
from movieql.domain.fields import (
    EXPECTED,
    TEXT_CHARACTERS_MAX,
    TITLE_CHARACTERS_MAX,
    YEARS,
    has_controls,
    read_title,
)


@dataclass(frozen=True, slots=True)
class InputLimits:
    """What an input may be: lengths in characters.

    `fields_max`: fields of one input; `items_max`: values in it at any depth; `depth_max`: how
    deep lists and objects may be in each other.
    """

    name_characters_max: int = TITLE_CHARACTERS_MAX
    key_characters_max: int = 64
    text_characters_max: int = TEXT_CHARACTERS_MAX
    fields_max: int = 50
    items_max: int = 500
    depth_max: int = 4


_INTEGER_MAX = 2**53  # beyond it JavaScript does not hold every integer
_ALLOWED_CONTROLS = frozenset("\n\t")


def checked_name(name: Any, limits: InputLimits, field: str = "name") -> str:
    """Return a name as it was sent, without the blanks around it. Raises InvalidInputError.

    It must be one as `read_title` reads it, of a single line. `field`: where it stood.
    """
    text = name.strip() if isinstance(name, str) else ""
    is_line = len(text) <= limits.name_characters_max and not has_controls(text)
    if not is_line or read_title(text) is None:
        raise InvalidInputError.at(
            (field,),
            f"A {field} is one line of 1 to {limits.name_characters_max} characters.",
        )
    return text


def checked_year(year: Any) -> int:
    """Return a year. Raises InvalidInputError."""
    if not isinstance(year, int) or isinstance(year, bool) or year not in YEARS:
        raise InvalidInputError.at(("year",), EXPECTED["year"])
    return year


def checked_fields(
    name: str, year: int, fields: Mapping[str, Any], limits: InputLimits
) -> dict[str, JsonValue]:
    """Return the fields to write, without name and year, which an input may only repeat.

    Raises InvalidInputError that tells where.
    """
    if len(fields) > limits.fields_max:
        raise InvalidInputError(f"An input has {limits.fields_max} fields at most.")
    items = _Items(limits)
    checked: dict[str, JsonValue] = {}
    keys: dict[str, str] = {}
    for key, value in fields.items():
        items.check_key((), key)
        folded = key.casefold()
        other = keys.setdefault(field_of(key), key)
        if other != key:
            raise InvalidInputError.at((key,), f"{other!r} and {key!r} are one field: send one.")
        if folded in {"name", "year"}:
            _check_same(key, value, name if folded == "name" else year)
        elif folded.startswith(BOOKKEEPING):
            raise InvalidInputError.at((key,), f"{BOOKKEEPING!r} is reserved.")
        else:
            checked[key] = items.checked((key,), value)
            _check_field((key,), key, value)
    return checked


def checked_value(field: str, value: Any, limits: InputLimits) -> JsonValue:
    """Return a value that stands alone. Raises InvalidInputError."""
    return _Items(limits).checked((field,), value)


def _check_field(path: tuple[str, ...], key: str, value: Any) -> None:
    """Raise InvalidInputError where a field that is shown says something that nobody can read."""
    if not is_readable(key, value):
        raise InvalidInputError.at(path, EXPECTED[field_of(key)])


def _check_same(key: str, value: Any, given: str | int) -> None:
    if isinstance(given, str):
        same = isinstance(value, str) and entry_key(value, 0) == entry_key(given, 0)
    else:
        same = not isinstance(value, (bool, float)) and str(value) == str(given)
    if not same:
        raise InvalidInputError.at((key,), f"{key!r} may not be changed by a write.")


class _Items:
    """Walks through values and counts them."""

    def __init__(self, limits: InputLimits) -> None:
        self._limits = limits
        self._left = limits.items_max

    def check_key(self, path: tuple[str, ...], key: Any) -> None:
        limit = self._limits.key_characters_max
        if not isinstance(key, str) or not 0 < len(key) <= limit or not key.isprintable():
            raise InvalidInputError.at(path, f"A key is 1 to {limit} printable characters.")

    def checked(self, path: tuple[str, ...], value: Any) -> JsonValue:
        self._left -= 1
        if self._left < 0:
            raise InvalidInputError.at(path, f"{self._limits.items_max} values are too many.")
        if len(path) > self._limits.depth_max:
            raise InvalidInputError.at(path, f"This is deeper than {self._limits.depth_max}.")
        if isinstance(value, Mapping):
            return dict(self._members(path, value))
        if isinstance(value, (list, tuple)):
            return [self.checked((*path, str(at)), each) for at, each in enumerate(value)]
        return self._scalar(path, value)

    def _members(
        self, path: tuple[str, ...], value: Mapping[Any, Any]
    ) -> Iterator[tuple[str, JsonValue]]:
        for key, each in value.items():
            self.check_key(path, key)
            checked = self.checked((*path, key), each)
            if field_of(key) == "poster":  # whoever shows it, it is an address
                _check_field((*path, key), key, each)
            yield key, checked

    def _scalar(self, path: tuple[str, ...], value: Any) -> JsonValue:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self._text(path, value)
        if isinstance(value, (int, float)) and _is_interoperable(value):
            return value
        raise InvalidInputError.at(path, "JSON has no such value, or no number as large.")

    def _text(self, path: tuple[str, ...], value: str) -> str:
        limit = self._limits.text_characters_max
        if len(value) > limit:
            raise InvalidInputError.at(path, f"A text has {limit} characters at most.")
        if not value.isprintable() and not all(map(_is_text, value)):
            raise InvalidInputError.at(path, "A text has no control characters.")
        return value


def _is_text(character: str) -> bool:
    # Not `isprintable` alone: it also refuses joiners and exotic blanks, which are text.
    is_control = ord(character) < ord(" ") or "\x7f" <= character <= "\x9f"
    is_half = "\ud800" <= character <= "\udfff"
    return character in _ALLOWED_CONTROLS or not (is_control or is_half)


def _is_interoperable(number: float) -> bool:
    return math.isfinite(number) and (isinstance(number, float) or abs(number) <= _INTEGER_MAX)
