from typing import Any

import pytest

from movieql.domain.catalogue_fields import (
    FIELD_NAMES,
    STORED_KEYS,
    entry_description,
    entry_field,
    field_of,
)


def test_every_key_has_one_name() -> None:
    assert {FIELD_NAMES[key]: key for key in FIELD_NAMES} == STORED_KEYS
    assert all(field_of(key) == name == field_of(name) for key, name in FIELD_NAMES.items())


@pytest.mark.parametrize("key", ["genre", "Genre", "GENRES", "genres"])
def test_a_field_is_found_under_its_keys_in_any_case(key: str) -> None:
    assert entry_field({key: "Drama"}, "genres") == ("Drama",)


@pytest.mark.parametrize(
    "fields",
    [
        {"Runtime": "117 minutes", "released": "25 May 1979", "cast": "Ada, Jr., Eve"},
        {"runtime": "long", "runtime_minutes": 117, "genres": 7, "poster": "javascript:x"},
        {"Genre": "Drama", "genre": "Crime", "plot": "a &amp; b"},
    ],
)
def test_a_field_alone_says_what_it_says_beside_the_others(fields: dict[str, Any]) -> None:
    described = entry_description("Alien", 1979, fields)
    assert (described.title, described.year) == ("Alien", 1979)
    for name in STORED_KEYS:
        assert (entry_field(fields, name) or ()) == (getattr(described, name) or ())
