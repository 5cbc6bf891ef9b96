from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movieql.api.catalogue_types import _list_of, _written
from movieql.domain.catalogue import CatalogueEntry, CatalogueFile
from movieql.domain.catalogue_fields import STORED_KEYS
from movieql.domain.fields import plain, read_people, read_texts
from movieql.providers.house import rows_of


def entry(**fields: Any) -> CatalogueEntry:
    return CatalogueEntry("alien_1979", "Alien", 1979, "1", fields)


@pytest.mark.parametrize("name", ["genres", "actors"])
@given(texts=st.lists(st.text(min_size=1).map(plain) | st.sampled_from(["Jr.", "A, B", "N/A"])))
def test_a_list_that_is_written_is_read_again(name: str, texts: list[str]) -> None:
    read = {"genres": read_texts, "actors": read_people}[name]
    written = entry(**{STORED_KEYS[name]: _written(name, texts)})
    (row,) = rows_of(CatalogueFile((written,)))
    assert _list_of(name)(written) == list(getattr(row.description, name))
    assert _list_of(name)(written) == list(read(texts) or ())


def test_every_field_is_merged_from_the_key_that_it_is_written_under() -> None:
    given_texts = {"released": "1979-06-22", "poster": "https://a.test/1.jpg"}
    fields = {
        key: 117 if name == "runtime_minutes" else given_texts.get(name, "Some text")
        for name, key in STORED_KEYS.items()
    }
    (row,) = rows_of(CatalogueFile((entry(**fields),)))
    assert all(getattr(row.description, name) for name in STORED_KEYS)


@pytest.mark.parametrize("value", [None, "", " , ", [], [7], 7, {"a": "b"}, True])
def test_what_is_no_list_is_an_empty_one(value: Any) -> None:
    assert _list_of("genres")(entry(genre=value)) == []
