"""A movie that is posted to a provider's own API, and what became of it: values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from movieql.domain.catalogue_input import InputLimits, checked_name, checked_value
from movieql.domain.errors import InvalidInputError
from movieql.domain.fields import EXPECTED, READERS, read_title
from movieql.domain.movies import PRICE_RULE, Row, SourceError, usable_amount


@dataclass(frozen=True, slots=True)
class Addition:
    """What a provider did with a posted movie.

    `row`: what it says that it stored. Without one, `error` says why not, and `status` is the
    HTTP status of its answer, None when there was none. `may_have_happened`: it was sent, and
    nobody knows whether it was carried out.
    """

    row: Row | None = None
    error: SourceError | None = None
    status: int | None = None
    may_have_happened: bool = False


def checked_addition(fields: Mapping[str, object]) -> dict[str, object]:
    """Return `Row` fields as they are posted: as their readers read them, lists as one text.

    Both known contracts write lists with commas. Raises InvalidInputError that tells where.
    """
    limits = InputLimits()
    return {name: _checked(name, value, limits) for name, value in fields.items()}


def _checked(name: str, value: object, limits: InputLimits) -> object:
    if name == "title":
        return read_title(checked_name(value, limits, name))
    read: Any
    if name == "price":
        read, expected = usable_amount(value), PRICE_RULE
    else:
        read, expected = READERS[name](checked_value(name, value, limits)), EXPECTED[name]
    if read is None:
        raise InvalidInputError.at((name,), expected)
    return checked_value(name, ", ".join(read), limits) if isinstance(read, tuple) else read
