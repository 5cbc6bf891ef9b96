"""A movie that is posted to a provider's own API, and what became of it: values."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from movieql.domain.errors import InvalidInputError
from movieql.domain.money import usable_amount
from movieql.domain.movies import Row
from movieql.domain.reports import SourceError


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


TITLE_CHARACTERS_MAX = 200
"""Characters of a title that is posted."""

TEXT_CHARACTERS_MAX = 4_000
"""Characters of any other text, and of a list as one text."""

YEARS = range(1870, 2200)
"""Years that a movie can be of: the oldest film is of 1888."""


def checked_addition(fields: Mapping[str, object]) -> dict[str, object]:
    """Return `Row` fields as they are posted: texts without blanks around, lists as one text.

    Both known contracts write lists with commas. Raises InvalidInputError that tells where.
    """
    return {name: _checked(name, value) for name, value in fields.items()}


def _checked(name: str, value: object) -> object:
    match value:
        case Decimal():
            amount = usable_amount(value)
            if amount is None:
                raise InvalidInputError.at((name,), "A price is a number greater than 0.")
            return amount
        case int():
            if value not in YEARS:
                said = f"A year is a number from {YEARS[0]} to {YEARS[-1]}."
                raise InvalidInputError.at((name,), said)
            return value
        case list():
            return _text(name, ", ".join(map(str.strip, value)))
    return _text(name, str(value))


def _text(name: str, value: str) -> str:
    text, most = value.strip(), TITLE_CHARACTERS_MAX if name == "title" else TEXT_CHARACTERS_MAX
    if not 0 < len(text) <= most or not text.replace("\n", " ").isprintable():
        raise InvalidInputError.at((name,), f"This is 1 to {most} printable characters.")
    return text
