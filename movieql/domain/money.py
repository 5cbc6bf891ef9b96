"""Prices as exact decimals that cannot be compared with anything but prices."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Self

AMOUNT_MAX = Decimal(1_000_000_000)
"""The highest amount taken for a price; the dearest real one seen is 123343.5, and it stays."""

_AMOUNT_MIN = Decimal("0.000001")
_DECIMALS_MAX = 18
_DIGITS_MAX = 40  # before the point; written out, 1E+999999 would fill the memory

_NUMBER = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)
_PLAIN_DECIMAL = re.compile(r"[0-9]{1,40}(?:\.[0-9]{1,40})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount, 0 or more, in a currency (ISO 4217, `"AUD"`)."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal):
            message = f"an amount is a Decimal, not {type(self.amount).__name__}"
            raise TypeError(message)
        if not (self.amount.is_finite() and self.amount >= 0):
            message = f"{self.amount} is not an amount of money"
            raise ValueError(message)

    def __lt__(self, other: Self) -> bool:
        """Compare amounts of one currency; other currencies and other types raise."""
        return self.amount < self._comparable(other)

    def __sub__(self, other: Self) -> "Money":
        """Return how much more this is; it must not be less."""
        return Money(self.amount - self._comparable(other), self.currency)

    def _comparable(self, other: Self) -> Decimal:
        if not isinstance(other, Money):
            message = f"money compares with money, not with {type(other).__name__}"
            raise TypeError(message)
        if other.currency != self.currency:
            message = f"{self.currency} does not compare with {other.currency}"
            raise ValueError(message)
        return other.amount


PRICE_RULE = (
    f"A price is a number from {_AMOUNT_MIN} to {AMOUNT_MAX}, "
    f"with {_DECIMALS_MAX} decimals at most."
)
"""What `usable_amount` takes, as a sentence for callers."""


def exact_number(text: str) -> Decimal | None:
    """Return a number as JSON and GraphQL write it, exactly; None for an absurd one.

    Nobody means more than 40 digits on a side of the point, or an exponent of three: written
    out, `1e-999999999` would fill the memory.
    """
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def is_exactly(nearest: float, text: str) -> bool:
    """Return whether a float, written out, is the number that a text of JSON is."""
    try:
        return Decimal(repr(nearest)) == Decimal(text)
    except InvalidOperation as error:  # an exponent that no computer counts to
        message = "no such number"
        raise ValueError(message) from error


def plain_decimal(value: object) -> Decimal | None:
    """Return a number, 0 or more, exactly, as it is written out; None for anything else.

    Texts must be plain decimals ("123.5"), numbers whole or Decimal: a float is no exact number.
    Either is finite and has at most 40 digits before the point and 18 behind it.
    """
    number: Decimal | None = None
    if isinstance(value, str) and _PLAIN_DECIMAL.fullmatch(value.strip()):
        number = Decimal(value.strip())
    elif isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        number = Decimal(value)
    if number is None or not number.is_finite() or number < 0 or number.adjusted() >= _DIGITS_MAX:
        return None
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -_DECIMALS_MAX:
        return None
    return Decimal(f"{number:f}")  # 1E+3 is a number, but nobody reads it as a price


def usable_amount(value: object) -> Decimal | None:
    """Return what a provider sent as a price if it is one, else None.

    A `plain_decimal` of a millionth to `AMOUNT_MAX`: 28 digits at most, which Decimal subtracts
    exactly. Blank, "N/A", negative, zero, NaN, infinite, "1,299.00" and booleans are no price,
    and never 0.
    """
    amount = plain_decimal(value)
    return amount if amount is not None and _AMOUNT_MIN <= amount <= AMOUNT_MAX else None
