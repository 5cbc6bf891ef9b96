import json
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from movieql.domain.movies import AMOUNT_MAX, Money, is_exactly, plain_decimal, usable_amount


def aud(amount: str) -> Money:
    return Money(Decimal(amount), "AUD")


@pytest.mark.parametrize(
    "sent, amount",
    [
        ("123.5", "123.5"),
        (" 29.5\n", "29.5"),
        ("1295.0", "1295.0"),
        ("123343.5", "123343.5"),
        ("007", "7"),
        (25, "25"),
        (Decimal("24.7"), "24.7"),
        (Decimal("0.30000000000000004"), "0.30000000000000004"),
        ("0.30000000000000004", "0.30000000000000004"),
        ("1.0000001", "1.0000001"),
        (Decimal("1E+3"), "1000"),
        ("0.000001", "0.000001"),
        ("1000000000", "1000000000"),
    ],
)
def test_a_plain_decimal_is_a_price_to_the_last_digit(sent: object, amount: str) -> None:
    assert str(usable_amount(sent)) == amount


@pytest.mark.parametrize(
    "sent",
    [
        *("", " ", "N/A", "free", "null", "NaN", "Infinity", "-Infinity", "\ud800", "\0"),
        *("0", "0.0", "-0", "-1", "-29.5", "+1", "1e3", "1E3", ".5", "5.", "1,299.00", "1_000"),
        *("$5", "5 AUD", "0x10", "١٢", "１２", "1.2.3", "1000000000.1", f"1.{'0' * 18}1"),  # noqa: RUF001
        *(
            None,
            True,
            False,
            0,
            -1,
            10**18,
            10**4_000,
            1.5,
            float("nan"),
            b"1",
            [],
            [1],
            {},
            {"a": 1},
        ),
        *map(Decimal, ("0", "-0", "-1", "NaN", "sNaN", "Infinity", "-Infinity", "1E+999999")),
    ],
    ids=lambda sent: repr(sent)[:20],
)
def test_anything_else_is_no_price_and_never_0(sent: object) -> None:
    assert usable_amount(sent) is None


@pytest.mark.parametrize(
    "number", ["1e-7", "1e-999999", "1e-999999999999999", "1.0000000000000000001"]
)
def test_a_number_too_fine_to_be_shown_and_subtracted_exactly_is_no_price(number: str) -> None:
    assert usable_amount(json.loads(number, parse_float=Decimal)) is None


@pytest.mark.parametrize("written", [str, int, Decimal])
def test_a_number_has_40_digits_before_the_point_at_most(written: Callable[[int], object]) -> None:
    assert plain_decimal(written(10**40 - 1)) == 10**40 - 1
    assert plain_decimal(written(10**40)) is None


anything = (
    st.text()
    | st.from_regex(r"[-+]?[0-9]{0,12}[.,]?[0-9]{0,8}([eE][-+]?[0-9]{1,3})?", fullmatch=True)
    | st.integers()
    | st.floats()
    | st.decimals(allow_nan=True, allow_infinity=True)
    | st.builds(
        lambda sign, digits, exponent: Decimal((sign, tuple(digits), exponent)),
        st.integers(0, 1),
        st.lists(st.integers(0, 9), min_size=1, max_size=40),
        st.integers(-60, 20) | st.integers(-(10**17), 10**17),
    )
    | st.none()
    | st.booleans()
    | st.lists(st.integers())
)


@given(anything)
def test_whatever_is_sent_is_an_exact_price_above_0_or_none(sent: object) -> None:
    amount = usable_amount(sent)
    if amount is not None:
        assert isinstance(amount, Decimal)
        assert 0 < amount <= AMOUNT_MAX
        assert isinstance(sent, str | int | Decimal)
        assert amount == Decimal(sent)
        assert set(str(amount)) <= set("0123456789.")


plain_prices = st.from_regex(r"[0-9]{1,9}(\.[0-9]{1,18})?", fullmatch=True).map(Decimal)


@given(plain_prices, plain_prices)
def test_what_is_saved_is_exact(one: Decimal, other: Decimal) -> None:
    assume(one > 0 < other)
    low, high = sorted((one, other))
    assert usable_amount(high) == high
    saved = (Money(high, "AUD") - Money(low, "AUD")).amount
    assert Fraction(saved) == Fraction(high) - Fraction(low)


def test_money_is_compared_as_numbers_not_as_text() -> None:
    assert aud("29.5") < aud("123.5")
    assert aud("123.5") > aud("29.5")
    assert not aud("29.5") < aud("29.50")
    assert min(aud("13.5"), aud("1295.0")) == aud("13.5")


def test_the_same_amount_is_the_same_money_however_it_was_written() -> None:
    assert aud("29.5") == aud("29.50")
    assert hash(aud("29.5")) == hash(aud("29.50"))
    assert aud("29.5") != Money(Decimal("29.5"), "NZD")


@pytest.mark.parametrize("other", ["30", 31, 30.0, Decimal(30), None])
def test_money_compares_with_nothing_but_money(other: object) -> None:
    with pytest.raises(TypeError):
        assert aud("29.5") < other  # type: ignore[operator]
    with pytest.raises(TypeError):
        assert aud("29.5") > other  # type: ignore[operator]
    with pytest.raises(TypeError):
        assert other < aud("29.5")  # type: ignore[operator]
    with pytest.raises(TypeError):
        aud("29.5") - other  # type: ignore[operator]


def test_money_of_two_currencies_does_not_compare() -> None:
    with pytest.raises(ValueError, match="AUD does not compare with NZD"):
        assert aud("29.5") < Money(Decimal(30), "NZD")
    with pytest.raises(ValueError, match="AUD does not compare with NZD"):
        aud("29.5") - Money(Decimal(1), "NZD")


@pytest.mark.parametrize("amount", [29.5, 29, "30", None])
def test_an_amount_is_never_anything_but_a_decimal(amount: object) -> None:
    with pytest.raises(TypeError, match="an amount is a Decimal"):
        Money(amount, "AUD")  # type: ignore[arg-type]


@pytest.mark.parametrize("amount", ["-0.01", "NaN", "sNaN", "Infinity"])
def test_an_amount_is_never_negative_or_no_number(amount: str) -> None:
    with pytest.raises(ValueError, match="is not an amount of money"):
        aud(amount)


def test_nothing_can_be_saved_on_something_cheaper() -> None:
    assert aud("30") - aud("29.5") == aud("0.5")
    with pytest.raises(ValueError, match=r"-0\.5 is not an amount"):
        aud("29.5") - aud("30")


@given(plain_prices)
def test_a_number_is_a_price_or_none_however_it_is_written(number: Decimal) -> None:
    assert usable_amount(f"{number:f}") == usable_amount(number)
    assert plain_decimal(f"{number:f}") == plain_decimal(number) == number


@pytest.mark.parametrize(
    "text, exact",
    [
        *((each, True) for each in ("0.1", "200.0", "1.50", "-0.0", "1e22")),
        *((each, False) for each in ("12345678.123456789", "0.1234567890123456789", "1e-400")),
    ],
)
def test_a_float_is_the_number_that_was_written_or_is_not(text: str, exact: bool) -> None:  # noqa: FBT001
    assert is_exactly(float(text), text) is exact


def test_an_exponent_that_nobody_counts_to_is_no_number() -> None:
    with pytest.raises(ValueError, match="no such number"):
        is_exactly(0.0, "1e-99999999999999999999")
