"""Prices as exact decimals that cannot be compared with anything but prices."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

AMOUNT_MAX = Decimal(1_000_000_000)
"""The highest amount taken for a price; the dearest real one seen is 123343.5, and it stays."""

_AMOUNT_MIN = Decimal("0.000001")
_DECIMALS_MAX = 18  # with those before the point 28 digits: what Decimal subtracts exactly

_PLAIN_DECIMAL = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,6})?", re.ASCII)


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


def usable_amount(value: object) -> Decimal | None:
    """Return what a provider sent as a price if it is one, else None.

    Strings must be plain decimals ("123.5"); numbers must be finite and of at most 18 decimals.
    Blank, "N/A", negative, zero, NaN, infinite, "1,299.00", less than a millionth and booleans
    are no price, and never 0 (docs/semantics.md, Answers).
    """
    amount: Decimal | None = None
    if isinstance(value, str) and _PLAIN_DECIMAL.fullmatch(value.strip()):
        amount = Decimal(value.strip())
    elif isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        amount = Decimal(value)
    if amount is None or not amount.is_finite() or not _AMOUNT_MIN <= amount <= AMOUNT_MAX:
        return None
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -_DECIMALS_MAX:
        return None
    return Decimal(f"{amount:f}")  # 1E+3 is a number, but nobody reads it as a price
