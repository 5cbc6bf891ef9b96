"""What a provider sent, read into rows; everything it sends is untrusted."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from movieql.domain.money import usable_amount
from movieql.domain.movies import DESCRIPTIVE_FIELDS, Description, Row, unique_rows
from movieql.providers.contract import Contract

ID_CHARACTERS_MAX = 200
"""A movie id longer than this is not one (the real ones have 9 or 36 characters)."""

YEARS = range(1870, 2200)
"""Years that a movie can be of: the oldest film is of 1888."""

_UNKNOWN = frozenset({"", "n/a", "none", "null", "unknown"})

_SANE_NUMBER = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,2})?")
"""Every number that a shop may mean; written out, `1e-999999999` would fill the memory."""


class UnusableBodyError(ValueError):
    """The body is not what the contract says."""


def read_list(body: bytes, contract: Contract) -> tuple[Row, ...]:
    """Return a row per usable entry of a list body, raising UnusableBodyError when there is none.

    Entries without a usable id are left out: nothing could be asked about them. Rows are as
    `unique_rows` makes them, for the order in which a provider sends them says nothing.
    """
    entries = _payload(body, contract.list.wrapper)
    if not isinstance(entries, list):
        raise UnusableBodyError("The provider's list is not a list.")
    if len(entries) > contract.rows_max:
        raise UnusableBodyError(f"The provider lists more than {contract.rows_max} movies.")
    if not entries and not contract.may_be_empty:
        raise UnusableBodyError("The provider sent an empty list.")
    rows = [row for entry in entries if (row := _row(entry, contract.keys)) is not None]
    if entries and not rows:
        raise UnusableBodyError("The provider's list has no entry that can be used.")
    return unique_rows(rows)


def read_detail(body: bytes, contract: Contract, movie_id: str) -> tuple[Row, ...]:
    """Return the one row of a detail body, raising UnusableBodyError when it is not one."""
    entry = _payload(body, None if contract.detail is None else contract.detail.wrapper)
    if not isinstance(entry, dict):
        raise UnusableBodyError("The provider's detail is not an object.")
    named = {"id": movie_id} | {
        ours: value
        for ours, value in _by_our_names(entry, contract.keys).items()
        if ours != "id" or value is not None
    }
    if str(named["id"]) != movie_id:
        raise UnusableBodyError("The provider sent the detail of another movie.")
    if not named.keys() & {"title", "price"}:
        raise UnusableBodyError("The provider's detail has neither title nor price.")
    row = _named_row(named)
    if row is None:
        raise UnusableBodyError("The provider's detail has no usable id.")
    return (row,)


def read_created(body: bytes, contract: Contract) -> tuple[Row, ...]:
    """Return the row that a provider stored for a posted movie, raising UnusableBodyError."""
    row = _row(_payload(body, None), contract.keys)
    if row is None:
        raise UnusableBodyError("The provider did not say what it stored.")
    return (row,)


def _payload(body: bytes, wrapper: str | None) -> Any:
    try:
        # NaN and Infinity become text, which is no price.
        payload = json.loads(body, parse_float=_fraction, parse_int=_integer, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise UnusableBodyError("The provider's answer is not JSON.") from error
    if wrapper is None:
        return payload
    if isinstance(payload, dict):
        for key, value in payload.items():
            if key.casefold() == wrapper.casefold():
                return value
    raise UnusableBodyError(f"The provider's answer has no {wrapper!r}.")


def _fraction(text: str) -> Decimal | str:
    """Read a number exactly; an absurd one stays text and spoils nothing but its own field."""
    return Decimal(text) if _SANE_NUMBER.fullmatch(text) else text


def _integer(text: str) -> int | str:
    return int(text) if _SANE_NUMBER.fullmatch(text) else text


def _by_our_names(entry: Mapping[str, Any], keys: Mapping[str, str]) -> dict[str, Any]:
    theirs = {key.casefold(): value for key, value in entry.items()}
    return {ours: theirs[key.casefold()] for ours, key in keys.items() if key.casefold() in theirs}


def _row(entry: Any, keys: Mapping[str, str]) -> Row | None:
    return _named_row(_by_our_names(entry, keys)) if isinstance(entry, dict) else None


def _named_row(named: Mapping[str, Any]) -> Row | None:
    movie_id = _movie_id(named.get("id"))
    if movie_id is None:
        return None
    amount = usable_amount(named.get("price"))
    return Row(
        provider_movie_id=movie_id,
        description=Description(
            **{
                name: value
                for name in DESCRIPTIVE_FIELDS
                if (value := _READERS[name](named.get(name))) is not None
            }
        ),
        amount=amount,
        price_problem=_price_problem(named["price"])
        if "price" in named and amount is None
        else None,
        created_at=_moment(named.get("created_at")),
    )


def _price_problem(value: Any) -> str:
    shown = json.dumps(str(value)[:20]) if value is not None else "null"
    return f"The provider's price {shown} is not a price."


def _movie_id(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    text = str(value)
    # "." and ".." would walk up the provider's path, quoted or not.
    usable = 0 < len(text) <= ID_CHARACTERS_MAX and text.isprintable() and text not in {".", ".."}
    return text if usable else None


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    if not value.isprintable():
        value = "".join(c if c.isprintable() else " " for c in value)
    text = " ".join(value.split())
    return None if text.casefold() in _UNKNOWN else text


def _texts(value: Any) -> tuple[str, ...] | None:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list):
        return None
    texts = tuple(dict.fromkeys(text for part in parts if (text := _text(part)) is not None))
    return texts or None


def _whole_number(value: Any) -> int | None:
    """Read 121 out of 121, "121", "121 min" and "915,459"; never more than 12 digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if 0 <= value < 10**12 else None
    match = (
        re.match(r"[0-9][0-9,]{0,15}(?![0-9.])", value.strip()) if isinstance(value, str) else None
    )
    return int(match[0].replace(",", "")) if match else None


def _year(value: Any) -> int | None:
    number = _whole_number(value[:4] if isinstance(value, str) else value)
    return number if number in YEARS else None


def _decimal(value: Any) -> Decimal | None:
    return usable_amount(value)


def _address(value: Any) -> str | None:
    text = _text(value)
    if text is None or " " in text:
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    return text if parts.scheme in {"http", "https"} and parts.netloc else None


def _day(value: Any) -> date | None:
    text = _text(value)
    for form in ("%d %b %Y", "%Y-%m-%d"):
        try:
            return datetime.strptime(text or "", form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    return None


def _moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        # A time without a zone could be any; a guess would be a fact nobody stated.
        return None if moment is None or moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # the year 1 east of Greenwich is no year in UTC
        return None


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "title": _text,
    "year": _year,
    "poster": _address,
    "genres": _texts,
    "director": _text,
    "writers": _texts,
    "actors": _texts,
    "plot": _text,
    "runtime_minutes": _whole_number,
    "rated": _text,
    "released": _day,
    "languages": _texts,
    "countries": _texts,
    "awards": _text,
    "rating": _decimal,
    "votes": _whole_number,
    "metascore": _whole_number,
}
