from decimal import Decimal

import pytest

from movieql.domain.selection import MovieFilter
from movieql.domain.titles import search_text


def finds(text: str, title: str) -> bool:
    """Return whether a filter by a part of a title leaves the movie of a title."""
    return MovieFilter(title=text).admits_text(search_text(title))


def test_a_filter_of_nothing_admits_everything() -> None:
    assert MovieFilter().admits_text("")
    assert MovieFilter().admits_year(None)
    assert MovieFilter().admits_amount(None)
    assert MovieFilter().detail_fields == frozenset()


@pytest.mark.parametrize("text", ["star", "STAR WARS", "ar w", "Stár", "star-wars!", "", "  "])
def test_a_title_is_found_by_any_part_of_it_however_it_is_written(text: str) -> None:
    assert finds(text, "Star Wars: A New Hope")


@pytest.mark.parametrize("text", ["trek", "wars star", "starwars"])
def test_a_title_without_that_part_is_not_found(text: str) -> None:
    assert not finds(text, "Star Wars: A New Hope")


def test_a_title_of_signs_is_found_by_its_signs() -> None:
    assert finds("!!", "!!!")
    assert not finds("?", "!!!")


def test_a_filter_finds_every_movie_by_its_whole_title() -> None:
    for title in ("Star Wars", "!!!", "नीर", "❤️", "Ⅳ", "\u0301"):
        assert finds(title, title)


def test_a_movie_without_title_year_or_price_is_in_no_part_of_them() -> None:
    assert not MovieFilter(title="star").admits_text("")
    assert not MovieFilter(year_from=1900).admits_year(None)
    assert not MovieFilter(year_to=2100).admits_year(None)
    assert not MovieFilter(price_from=Decimal(0)).admits_amount(None)
    assert not MovieFilter(price_to=Decimal(10)).admits_amount(None)


@pytest.mark.parametrize(
    "low, high, admitted",
    [
        (1977, 1977, True),
        (1977, None, True),
        (None, 1977, True),
        (1978, None, False),
        (None, 1976, False),
        (1978, 1976, False),
    ],
)
def test_both_ends_of_a_range_of_years_belong_to_it(
    low: int | None, high: int | None, *, admitted: bool
) -> None:
    assert MovieFilter(year_from=low, year_to=high).admits_year(1977) is admitted


@pytest.mark.parametrize(
    "low, high, admitted",
    [
        ("29.5", "29.50", True),
        ("29.51", None, False),
        (None, "29.49", False),
        ("100", "200", False),
        (None, "0", False),
    ],
)
def test_both_ends_of_a_range_of_prices_belong_to_it(
    low: str | None, high: str | None, *, admitted: bool
) -> None:
    narrowed = MovieFilter(
        price_from=None if low is None else Decimal(low),
        price_to=None if high is None else Decimal(high),
    )
    assert narrowed.admits_amount(Decimal("29.5")) is admitted


def test_only_genre_and_price_need_details() -> None:
    listed_parts = MovieFilter(title="a", year_from=1, year_to=2, providers=frozenset({"x"}))
    assert listed_parts.detail_fields == frozenset()
    assert MovieFilter(genre="drama").detail_fields == {"genres"}
    assert MovieFilter(price_from=Decimal(1)).detail_fields == {"price"}
    assert MovieFilter(genre="drama", price_to=Decimal(1)).detail_fields == {"genres", "price"}
