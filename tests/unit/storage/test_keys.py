"""Keys, and the files that they are."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from movieql.domain.errors import BadInputError
from movieql.storage.keys import (
    KEY_BYTES_MAX,
    checked_key,
    checked_prefix,
    is_plain_name,
    part_of,
    path_of,
)

ROOT = Path("/store/objects")
PARTS = st.text(
    st.characters(exclude_categories=["C", "Z"], exclude_characters="/") | st.just(" "),
    min_size=1,
    max_size=12,
).filter(lambda part: part not in {".", ".."})
KEYS = st.lists(PARTS, min_size=1, max_size=5).map("/".join)


def key_of(path: Path) -> str:
    return "".join(part_of(name) or "?" for name in path.relative_to(ROOT).parts)


@given(KEYS)
def test_a_key_is_one_file_and_can_be_read_from_its_name(key: str) -> None:
    assert key_of(path_of(ROOT, checked_key(key))) == key


@given(KEYS, KEYS)
@example("a", "A")
@example("j", "J")
@example("é", "e\u0301")
@example("a%41", "aA")
def test_no_two_keys_are_one_file_even_where_capitals_do_not_count(one: str, two: str) -> None:
    names = [str(path_of(ROOT, key)).casefold() for key in (one, two)]
    assert (names[0] == names[1]) == (one == two)


@given(KEYS)
def test_the_file_of_a_key_lies_below_its_folder_and_is_plain_ascii(key: str) -> None:
    path = path_of(ROOT, key)
    assert ROOT in path.parents
    assert str(path).isascii()
    assert ".." not in path.parts
    assert not any(part.startswith(".") for part in path.parts)


@given(st.text(max_size=30))
def test_whatever_is_accepted_has_good_parts_only(text: str) -> None:
    try:
        checked_key(text)
    except BadInputError:
        return
    assert text.isprintable()
    assert not {"", ".", ".."} & set(text.split("/"))
    assert key_of(path_of(ROOT, text)) == text


@pytest.mark.parametrize(
    "key",
    [
        *["", "/", "/a", "a/", "a//b", "..", "../a", "a/..", "a/./b"],
        *["a\0b", "a\nb", "\x7f", "\u202e", "\ud800"],
        *["a" * 241, "É" * 50, "/".join(["abc"] * 129)],
    ],
)
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(BadInputError):
        checked_key(key)


@pytest.mark.parametrize("key", ["a", "movies.json", "a:b", "a b", "...", "a" * 240, "a/b/c"])
def test_what_is_a_key_is_accepted(key: str) -> None:
    assert checked_key(key) == key


def test_a_key_may_be_as_long_as_it_says() -> None:
    longest = ("a" * 127 + "/") * 3 + "a" * 128
    assert len(longest) == KEY_BYTES_MAX
    assert checked_key(longest)
    with pytest.raises(BadInputError):
        checked_key(longest + "a")


def test_an_object_and_a_folder_may_have_one_name() -> None:
    assert path_of(ROOT, "a") not in path_of(ROOT, "a/b").parents


@pytest.mark.parametrize("name", [".DS_Store", "A", "a b", "%61", "%2f", "+", "", "a~", "%"])
def test_a_file_that_no_key_is_named_after_is_foreign(name: str) -> None:
    assert part_of(name) is None


@pytest.mark.parametrize("prefix", ["", "a", "a/", "a/b"])
def test_a_prefix_may_end_anywhere(prefix: str) -> None:
    assert checked_prefix(prefix) == prefix


@pytest.mark.parametrize("prefix", ["a\nb", "a" * (KEY_BYTES_MAX + 1)])
def test_a_prefix_of_no_key_is_refused(prefix: str) -> None:
    with pytest.raises(BadInputError):
        checked_prefix(prefix)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../x", "A", ".hidden"])
def test_an_id_that_leads_elsewhere_is_not_plain(name: str) -> None:
    assert not is_plain_name(name)


def test_an_id_of_hexadecimal_digits_is_plain() -> None:
    assert is_plain_name("0af3")
