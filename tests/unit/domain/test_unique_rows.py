from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from movieql.domain.movies import Row, unique_rows
from tests.builders import row

some_rows = st.lists(
    st.builds(
        row,
        st.sampled_from(["1", "2", "3"]),
        price=st.sampled_from([None, "8", "9", "10", "10.0"]),
        title=st.sampled_from([None, "Dup", "Dap"]),
        year=st.sampled_from([None, 1999]),
    ),
    max_size=8,
)


def test_an_id_listed_at_8_and_at_10_costs_8_and_is_contradicted() -> None:
    (kept,) = unique_rows([row("d", price="10"), row("d", price="8")])
    assert (kept.amount, kept.contradicted) == (Decimal(8), True)


def test_a_title_that_sorts_first_does_not_choose_the_price() -> None:
    for cheap, dear in [("Aaa", "Zzz"), ("Zzz", "Aaa")]:
        (kept,) = unique_rows([row("d", price="8", title=cheap), row("d", price="10", title=dear)])
        assert (kept.amount, kept.description.title) == (Decimal(8), cheap)


def test_what_else_a_contradicted_row_may_mean_is_kept() -> None:
    (kept,) = unique_rows([row("d", price="8", title="Foo"), row("d", price="3", title="Bar")])
    assert kept.also == {("Foo", None)}


def test_equal_prices_are_written_the_same_whatever_the_order() -> None:
    rows = [row("d", price="8"), row("d", price="8.0")]
    assert str(unique_rows(rows)[0].amount) == str(unique_rows(rows[::-1])[0].amount)


def test_a_row_that_is_listed_again_as_it_was_contradicts_nothing() -> None:
    assert unique_rows([row("d", price="8"), row("d", price="8")]) == (row("d", price="8"),)


def test_without_prices_the_row_that_says_more_is_kept() -> None:
    more = row("d", title="Dup", year=1999)
    (kept,) = unique_rows([row("d", title=None), more, row("d", title="Dup")])
    assert kept.description == more.description


@given(some_rows, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows: list[Row], chance: Random) -> None:
    assert unique_rows(chance.sample(rows, len(rows))) == unique_rows(rows)


@given(some_rows)
def test_every_id_has_one_row_with_its_lowest_price(rows: list[Row]) -> None:
    kept = unique_rows(rows)
    assert [each.provider_movie_id for each in kept] == sorted(
        {each.provider_movie_id for each in rows}
    )
    for each in kept:
        prices = [
            other.amount
            for other in rows
            if other.provider_movie_id == each.provider_movie_id and other.amount is not None
        ]
        assert each.amount == min(prices, default=None)


@given(some_rows)
def test_unique_rows_stay_as_they_are(rows: list[Row]) -> None:
    assert unique_rows(unique_rows(rows)) == unique_rows(rows)
