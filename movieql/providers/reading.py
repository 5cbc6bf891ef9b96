"""What a provider sent, read into rows; everything it sends is untrusted."""

import json
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from movieql.domain.fields import described, read_amount, read_id, read_moment
from movieql.domain.movies import Row, exact_number, unique_rows
from movieql.movies.growth import ReadRows
from movieql.providers.contract import Contract

ENTRIES_A_STEP = 50
"""Entries of a list that are read in one step; measured at about 1 ms."""

_VARIANTS_MAX = 4  # of an entry that has a key again and again


class UnusableBodyError(ValueError):
    """The body is not what the contract says."""


def read_list(
    body: bytes, contract: Contract, rows: ReadRows | None = None
) -> Generator[None, None, tuple[Row, ...]]:
    """Return a row per id of a list body, in steps, raising UnusableBodyError when there is none.

    Entries without a usable id are left out: nothing could be asked about them. Rows are those
    of `unique_rows`, in no order, for the one in which a provider sends them says nothing.
    """
    rows = ReadRows() if rows is None else rows
    count, names = 0, _names(contract.keys)
    for entry in _entries(body, contract.list.wrapper):
        count += 1
        if count > contract.rows_max:
            raise UnusableBodyError(f"The provider lists more than {contract.rows_max} movies.")
        for row in _rows(entry, names):
            rows.add(row)
        if count % ENTRIES_A_STEP == 0:
            yield
    if not count and not contract.may_be_empty:
        raise UnusableBodyError("The provider sent an empty list.")
    if count and not rows:
        raise UnusableBodyError("The provider's list has no entry that can be used.")
    return (yield from rows.whole())


def _entries(body: bytes, wrapper: str | None) -> Iterator[Any]:
    """Yield the entries of a list, raising UnusableBodyError once the body is none."""
    try:
        text = _Text(body)
        yield from _items(text) if wrapper is None else _wrapped(text, wrapper)
        text.end()
    except UnusableBodyError:
        raise
    except (ValueError, RecursionError) as error:
        raise UnusableBodyError("The provider's answer is not JSON.") from error


def _wrapped(text: "_Text", wrapper: str) -> Iterator[Any]:
    is_found = False
    for key in text.members():
        if key.casefold() == wrapper.casefold():
            is_found = True
            yield from _items(text)
        else:
            text.value()
    if not is_found:
        raise UnusableBodyError(f"The provider's answer has no {wrapper!r}.")


def _items(text: "_Text") -> Iterator[Any]:
    if not text.takes("["):
        text.value()
        raise UnusableBodyError("The provider's list is not a list.")
    return text.items()


def read_detail(body: bytes, contract: Contract, movie_id: str) -> tuple[Row, ...]:
    """Return the one row of a detail body, raising UnusableBodyError when it is not one."""
    entry = _payload(body, None if contract.detail is None else contract.detail.wrapper)
    if not isinstance(entry, dict):
        raise UnusableBodyError("The provider's detail is not an object.")
    rows = []
    for named in _by_our_names(entry, _names(contract.keys)):
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
    rows = unique_rows(_rows(_payload(body, None), _names(contract.keys)))
    if not rows:
        raise UnusableBodyError("The provider did not say what it stored.")
    return rows[:1]


def _payload(body: bytes, wrapper: str | None) -> Any:
    try:
        payload = _DECODER.decode(_decoded(body))
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


def _decoded(body: bytes) -> str:
    return body.decode(json.detect_encoding(body), "surrogatepass")


class _Text:
    """JSON that is read piece by piece. All methods raise ValueError where it is none."""

    def __init__(self, body: bytes) -> None:
        self._text = _decoded(body)
        self._at = 0

    def takes(self, sign: str) -> bool:
        """Go past a sign if it is the next."""
        found = _BLANKS.match(self._text, self._at)
        self._at = self._at if found is None else found.end()
        is_next = self._text.startswith(sign, self._at)
        self._at += len(sign) * is_next
        return is_next

    def value(self) -> Any:
        """Go past the next value, and return it."""
        self.takes("")
        value, self._at = _DECODER.raw_decode(self._text, self._at)
        return value

    def items(self) -> Iterator[Any]:
        """Go past the values of an array that has begun, and yield each."""
        if not self.takes("]"):
            yield self.value()
            while self.takes(","):
                yield self.value()
            self._expect("]")

    def members(self) -> Iterator[str]:
        """Yield the keys of an object; whoever asks goes past the value of each."""
        if not self.takes("{"):
            self.value()  # it is JSON, at least
        elif not self.takes("}"):
            is_more = True
            while is_more:
                self._expect('"')
                self._at -= 1
                key = str(self.value())
                self._expect(":")
                yield key
                is_more = self.takes(",")
            self._expect("}")

    def end(self) -> None:
        """Say that nothing may follow."""
        self.takes("")
        if self._at < len(self._text):
            raise ValueError(self._at)

    def _expect(self, sign: str) -> None:
        if not self.takes(sign):
            raise ValueError(self._at)


class _Repeating(dict[str, Any]):
    """An object that has a key again; `pairs` are all that it has."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _Repeating(pairs)


_BLANKS = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder(
    parse_float=_fraction,
    parse_int=_integer,
    parse_constant=str,  # NaN and Infinity become text, which is no price
    object_pairs_hook=_object,
)


_NO_NAMES: Final[Sequence[str]] = ()


def _names(keys: Mapping[str, str]) -> dict[str, list[str]]:
    """Return our names of what a provider has under a key, by the key without case."""
    names: dict[str, list[str]] = {}
    for ours, key in keys.items():
        names.setdefault(key.casefold(), []).append(ours)
    return names


def _by_our_names(
    entry: Mapping[str, Any], names: Mapping[str, Sequence[str]]
) -> list[dict[str, Any]]:
    """Return an entry by our names; several where it says several things under a key.

    Which of them is meant nobody knows, so each is as good as another entry.
    """
    named: dict[str, list[Any]] = {}
    for key, value in entry.pairs if isinstance(entry, _Repeating) else entry.items():
        for ours in names.get(key.casefold(), _NO_NAMES):
            named.setdefault(ours, []).append(value)
    several = min(max(map(len, named.values()), default=1), _VARIANTS_MAX)
    return [
        {ours: values[min(at, len(values) - 1)] for ours, values in named.items()}
        for at in range(several)
    ]


def _rows(entry: Any, names: Mapping[str, Sequence[str]]) -> list[Row]:
    if not isinstance(entry, dict):
        return []
    rows = map(_named_row, _by_our_names(entry, names))
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
