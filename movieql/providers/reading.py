"""What a provider sent, read into rows; everything it sends is untrusted."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from movieql.domain.fields import described, read_amount, read_id, read_moment
from movieql.domain.money import exact_number
from movieql.domain.movies import Row, unique_rows
from movieql.providers.contract import Contract

_VARIANTS_MAX = 4  # of an entry that has a key again and again


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
    rows = [row for entry in entries for row in _rows(entry, contract.keys)]
    if entries and not rows:
        raise UnusableBodyError("The provider's list has no entry that can be used.")
    return unique_rows(rows)


def read_detail(body: bytes, contract: Contract, movie_id: str) -> tuple[Row, ...]:
    """Return the one row of a detail body, raising UnusableBodyError when it is not one."""
    entry = _payload(body, None if contract.detail is None else contract.detail.wrapper)
    if not isinstance(entry, dict):
        raise UnusableBodyError("The provider's detail is not an object.")
    rows = []
    for named in _by_our_names(entry, contract.keys):
        if named.get("id") is not None and read_id(named["id"]) != movie_id:
            raise UnusableBodyError("The provider sent the detail of another movie.")
        if not named.keys() & {"title", "price"}:
            raise UnusableBodyError("The provider's detail has neither title nor price.")
        row = _named_row(named | {"id": movie_id})
        if row is None:
            raise UnusableBodyError("The provider's detail has no usable id.")
        rows.append(row)
    return unique_rows(rows)


def read_created(body: bytes, contract: Contract) -> tuple[Row, ...]:
    """Return the row that a provider stored for a posted movie, raising UnusableBodyError."""
    rows = unique_rows(_rows(_payload(body, None), contract.keys))
    if not rows:
        raise UnusableBodyError("The provider did not say what it stored.")
    return rows[:1]


def _payload(body: bytes, wrapper: str | None) -> Any:
    try:
        # NaN and Infinity become text, which is no price.
        payload = json.loads(
            body,
            parse_float=_fraction,
            parse_int=_integer,
            parse_constant=str,
            object_pairs_hook=_object,
        )
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
    number = exact_number(text)
    return text if number is None else number


def _integer(text: str) -> int | str:
    return text if exact_number(text) is None else int(text)


class _Repeating(dict[str, Any]):
    """An object that has a key again; `pairs` are all that it has."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _Repeating(pairs)


def _by_our_names(entry: Mapping[str, Any], keys: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return an entry by our names; several where it says several things under a key.

    Which of them is meant nobody knows, so each is as good as another entry.
    """
    theirs: dict[str, list[Any]] = {}
    for key, value in entry.pairs if isinstance(entry, _Repeating) else entry.items():
        theirs.setdefault(key.casefold(), []).append(value)
    named = {
        ours: theirs[key.casefold()] for ours, key in keys.items() if key.casefold() in theirs
    }
    several = min(max(map(len, named.values()), default=1), _VARIANTS_MAX)
    return [
        {ours: values[min(at, len(values) - 1)] for ours, values in named.items()}
        for at in range(several)
    ]


def _rows(entry: Any, keys: Mapping[str, str]) -> list[Row]:
    if not isinstance(entry, dict):
        return []
    rows = map(_named_row, _by_our_names(entry, keys))
    return [row for row in rows if row is not None]


def _named_row(named: Mapping[str, Any]) -> Row | None:
    movie_id = read_id(named.get("id"))
    if movie_id is None:
        return None
    amount = read_amount(named.get("price"))
    return Row(
        provider_movie_id=movie_id,
        description=described(named),
        amount=amount,
        price_problem=_price_problem(named["price"])
        if "price" in named and amount is None
        else None,
        created_at=read_moment(named.get("created_at")),
    )


def _price_problem(value: Any) -> str:
    shown = json.dumps(str(value)[:20]) if value is not None else "null"
    return f"The provider's price {shown} is not a price."
