from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movieql.api.catalogue_types import (
    FIELD_NAMES,
    STORED_KEYS,
    _is_address,
    _list_of,
    _stored,
    _written,
)
from movieql.domain.catalogue import CatalogueEntry, CatalogueFile
from movieql.providers.house import rows_of


def entry(**fields: Any) -> CatalogueEntry:
    return CatalogueEntry("alien_1979", "Alien", 1979, "1", fields)


@given(st.lists(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1), unique=True))
def test_a_list_that_is_written_is_read_again(genres: list[str]) -> None:
    assert _list_of("genres")(entry(genre=_written("genres", genres))) == genres


@given(st.lists(st.sampled_from(["Drama", "Sci-Fi", "Action, Adventure"]), unique=True))
def test_the_merge_reads_what_the_entry_shows(genres: list[str]) -> None:
    written = entry(genre=_written("genres", genres))
    (row,) = rows_of(CatalogueFile((written,)))
    assert list(row.description.genres) == _list_of("genres")(written) == genres


def test_every_field_is_merged_from_the_key_that_it_is_written_under() -> None:
    given_texts = {"released": "1979-06-22", "poster": "https://a.test/1.jpg"}
    fields = {
        key: 117 if name == "runtime_minutes" else given_texts.get(name, "Some text")
        for name, key in STORED_KEYS.items()
    }
    (row,) = rows_of(CatalogueFile((entry(**fields),)))
    assert all(getattr(row.description, name) for name in STORED_KEYS)


def test_every_key_has_one_name() -> None:
    assert {FIELD_NAMES[key]: key for key in FIELD_NAMES} == STORED_KEYS


@pytest.mark.parametrize("key", ["genre", "Genre", "GENRES", "genres"])
def test_a_field_is_found_under_its_keys_in_any_case(key: str) -> None:
    assert _stored(entry(**{key: "Drama"}), "genres") == "Drama"


@pytest.mark.parametrize("value", [None, "", " , ", [], [7], 7, {"a": "b"}, True])
def test_what_is_no_list_is_an_empty_one(value: Any) -> None:
    assert _list_of("genres")(entry(genre=value)) == []


@pytest.mark.parametrize(
    "address, usable",
    [
        ("https://a.test/1.jpg", True),
        ("http://a.test", True),
        ("javascript:alert(1)", False),
        ("//a.test/1.jpg", False),
        ("https://", False),
        ("https://a.test/1 2.jpg", False),
        ("http://[", False),
    ],
)
def test_a_poster_is_an_address_of_the_web(address: str, usable: bool) -> None:  # noqa: FBT001
    assert _is_address(address) is usable
