import re
from datetime import UTC, datetime

import pytest

from movieql.dev.catalogues import (
    Catalogue,
    bare_id,
    captured,
    invented,
    read_data,
)
from movieql.dev.faults import NotAllowedError

BASE = "http://127.0.0.1:9000"


def without_posters(movies: list[dict[str, str]]) -> list[list[tuple[str, str]]]:
    """Pairs, not dicts: the order of keys is a captured fact too."""
    return [[pair for pair in movie.items() if pair[0] != "Poster"] for movie in movies]


@pytest.mark.parametrize("provider", ["cinemaworld", "filmworld"])
def test_a_captured_shop_answers_as_the_real_one_but_for_posters(provider: str) -> None:
    facts = read_data(f"{provider}.json")
    catalogue = captured()[provider]
    listed = catalogue.list_response(BASE)
    details = catalogue.detail_responses(BASE)
    assert without_posters(listed["Movies"]) == without_posters(facts["list_response"]["Movies"])
    assert [list(movie) for movie in listed["Movies"]] == [
        list(movie) for movie in facts["list_response"]["Movies"]
    ]
    for movie_id, detail in facts["detail_responses"].items():
        assert without_posters([details[movie_id]]) == without_posters([detail])
        assert catalogue.detail_response(movie_id, BASE) == details[movie_id]


def test_posters_are_absolute_addresses_at_the_simulator() -> None:
    catalogue = captured()["filmworld"]
    for movie in catalogue.list_response(BASE)["Movies"]:
        assert movie["Poster"] == f"{BASE}/posters/{movie['ID']}.svg"


def test_four_posters_of_filmworld_are_broken_and_none_of_cinemaworld() -> None:
    assert captured()["cinemaworld"].broken_posters == frozenset()
    assert captured()["filmworld"].broken_posters == {
        "fw0076759",
        "fw0080684",
        "fw0120915",
        "fw0121766",
    }


def test_a_changed_price_shows_in_the_detail_and_leaves_other_catalogues_alone() -> None:
    catalogue = captured()["filmworld"]
    catalogue.change("fw0076759", {"Price": "1.5"})
    changed = catalogue.detail_response("fw0076759", BASE)
    fresh = captured()["filmworld"].detail_response("fw0076759", BASE)
    assert changed is not None
    assert fresh is not None
    assert (changed["Price"], fresh["Price"]) == ("1.5", "29.5")


def test_an_added_movie_is_listed_last_with_a_poster_of_its_own() -> None:
    catalogue = captured()["filmworld"]
    catalogue.change("fw7", {"Title": "New", "Year": "2026"})
    assert catalogue.list_response(BASE)["Movies"][-1] == {
        "Title": "New",
        "Year": "2026",
        "ID": "fw7",
        "Type": "movie",
        "Poster": f"{BASE}/posters/fw7.svg",
    }


def test_a_poster_somewhere_else_stays_there() -> None:
    catalogue = captured()["filmworld"]
    catalogue.change("fw0076759", {"Poster": "https://elsewhere.example/a.jpg"})
    assert (
        catalogue.list_response(BASE)["Movies"][0]["Poster"] == "https://elsewhere.example/a.jpg"
    )


def test_a_withdrawn_movie_is_gone_and_cannot_be_withdrawn_twice() -> None:
    catalogue = captured()["filmworld"]
    catalogue.withdraw("fw0076759")
    assert catalogue.detail_response("fw0076759", BASE) is None
    with pytest.raises(NotAllowedError, match="unknown movie 'fw0076759'; allowed: fw0080684"):
        catalogue.withdraw("fw0076759")


def digits(catalogue: Catalogue) -> set[str]:
    return {movie_id[2:] for movie_id in catalogue.movies}


def test_invented_catalogues_are_the_same_for_the_same_seed() -> None:
    assert invented(200, seed=3) == invented(200, seed=3)
    assert invented(200, seed=3) != invented(200, seed=4)


def test_a_tenth_of_the_invented_titles_is_sold_by_one_shop_only() -> None:
    shops = invented(1000, seed=1)
    cinema, film = (digits(shops[name]) for name in ("cinemaworld", "filmworld"))
    assert len(cinema) == len(film) == 1000
    assert 0.08 < len(cinema ^ film) / len(cinema | film) < 0.12


def test_invented_movies_match_by_digits_and_differ_in_price_only() -> None:
    shops = invented(500, seed=1)
    for movie_id, cinema in shops["cinemaworld"].movies.items():
        film = shops["filmworld"].movies.get(f"fw{movie_id[2:]}")
        assert re.fullmatch(r"cw9\d{6}", movie_id)
        assert re.fullmatch(r"\d+\.\d", cinema["Price"])
        if film:
            different = {key for key in cinema if cinema[key] != film[key]}
            assert different == {"ID", "Poster", "Price"}
            assert list(cinema) == list(film)


def test_no_invented_title_occurs_twice() -> None:
    movies = invented(9000, seed=1)["cinemaworld"].movies.values()
    assert len({movie["Title"] for movie in movies}) == 9000


def test_one_invented_movie_is_sold_by_both() -> None:
    shops = invented(1, seed=1)
    assert digits(shops["cinemaworld"]) == digits(shops["filmworld"]) == {"9000000"}


@pytest.mark.parametrize("count", [0, -1, 900_001])
def test_an_impossible_count_is_refused_with_the_range(count: int) -> None:
    with pytest.raises(NotAllowedError, match="allowed: 1 to 900000"):
        invented(count, seed=1)


def test_contract_b_lists_the_same_movies_dearest_first_without_a_year() -> None:
    items = captured()["cinemaworld"].bare().list_response()
    assert [item["price"] for item in items] == [123343.5, 253.5, 129.5, 125.5, 123.5, 13.5, 12.5]
    for item in items:
        assert list(item) == ["id", "createdAt", "title", "body", "price"]
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", item["id"])
        assert re.fullmatch(r"2021-01-26T00:0\d:00\.000Z", item["createdAt"])


def test_the_shops_share_no_id_under_contract_b_and_ids_are_stable() -> None:
    cinema, film = (shop.bare().movies for shop in captured().values())
    assert not cinema.keys() & film.keys()
    assert bare_id("filmworld", "fw0076759") in film
    assert bare_id("filmworld", "fw0076759") == "8e2cb6c2-5882-56da-947b-1663b4ab1cf5"


def test_contract_b_lists_what_has_no_number_as_a_price_last() -> None:
    bare = captured()["filmworld"].bare()
    now = datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=UTC)
    item = bare.add("x", now, {"title": "T", "body": "B", "price": "9.5", "more": 1})
    bare.change("y", {"title": "U"})
    assert item["createdAt"] == "2026-01-02T03:04:05.678Z"
    assert "more" not in item
    assert [movie["id"] for movie in bare.list_response()[-2:]] == ["x", "y"]
    assert bare.detail_response("y") == {
        "id": "y",
        "createdAt": "2021-01-26T00:00:00.000Z",
        "title": "U",
    }
