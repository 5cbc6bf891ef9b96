import json
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from html.entities import html5
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movieql.domain.catalogue import (
    BOOKKEEPING,
    WRITERS_MAX,
    CatalogueEntry,
    EntryLimits,
    FileLimits,
    entry_id,
    entry_key,
    is_entry_id,
    parse,
)
from movieql.domain.errors import CatalogueCorruptError, LimitExceededError
from movieql.domain.fields import read_title
from movieql.domain.titles import slug

KEYS = st.text(max_size=5) | st.sampled_from(["name", "year", BOOKKEEPING, "writes", "genre"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(), max_size=8)  # also halves of characters
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(["Alien", "ALIEN", " alien ", "Heat", "Straße", "STRASSE", "!!!"])
MOVIES = st.fixed_dictionaries(
    {"name": NAMES, "year": st.sampled_from([0, 1979, "1979", 1995])}, optional={"genre": VALUES}
)
FILES = st.lists(VALUES | MOVIES, max_size=6)


def file_of(values: Any) -> bytes:
    return json.dumps(values).encode()


def read(body: bytes | None) -> tuple[CatalogueEntry, ...]:
    return parse(body).file("etag").entries


@pytest.mark.parametrize("body", [None, b"[]", b"[{}, {}]", b" [\n{} ] "])
def test_no_file_and_empty_entries_are_an_empty_catalogue(body: bytes | None) -> None:
    file = parse(body).file("etag")
    assert (file.entries, file.left_aside) == ((), 0)


def test_an_entry_has_an_id_of_its_own_and_its_fields() -> None:
    (entry,) = read(file_of([{"name": "Blade Runner", "year": 1982, "genre": "SF"}]))
    assert entry.id == entry_id("BLADE RUNNER", 1982)
    assert dict(entry.fields) == {"genre": "SF"}


TITLES = st.text(min_size=1, max_size=12) | st.sampled_from(
    ["a b", "A-B", "a/../b", "\ud800", "1"]
)
YEARS = st.integers(0, 9999)


@given(TITLES, YEARS, TITLES, YEARS)
def test_entries_have_one_id_only_if_they_are_found_by_one_key(
    name: str, year: int, other: str, other_year: int
) -> None:
    is_one = entry_key(name, year) == entry_key(other, other_year)
    assert (entry_id(name, year) == entry_id(other, other_year)) == is_one


@given(TITLES, YEARS | st.none())
def test_no_movies_id_looks_like_an_entrys(title: str, year: int | None) -> None:
    assert not is_entry_id(slug(title, year))
    assert is_entry_id(entry_id(title, year or 0))


def test_near_duplicates_are_those_that_are_there_now() -> None:
    document = parse(file_of([{"name": "A B", "year": 1990}, {"name": "A B", "year": 1991}]))
    assert [each.year for each in document.near_duplicates("The A-B", 1990)] == [1990]
    changed = document.copy()
    changed.delete("a b", 1990)
    assert changed.near_duplicates("A-B", 1990) == ()
    changed.upsert("A-B", 1990, {}, "w")
    assert [each.name for each in changed.near_duplicates("a b", 1990)] == ["A-B"]
    assert [each.name for each in document.near_duplicates("a b", 1990)] == ["A B"]


def test_the_file_of_the_original_program_is_read() -> None:
    sample = [{"name": "name", "year": 0, "director": "director", "genre": "genre"}]
    (entry,) = read(file_of(sample))
    assert (entry.name, entry.year) == ("name", 0)


@pytest.mark.parametrize(
    "odd",
    [
        {"name": "A"},
        {"year": 1979},
        {"name": [7], "year": 1979},
        {"name": True, "year": 1979},
        {"name": "\u200b", "year": 1979},
        {"name": " ", "year": 1979},
        {"name": "A", "year": True},
        {"name": "A", "year": 1979.5},
        {"name": "A", "year": -1},
        {"name": "A", "year": 10_000},
        {"name": "A", "year": "19 79"},
        {"name": "A", "year": "\u0661\u0669\u0667\u0669"},
        None,
        7,
        "text",
        [],
    ],
)
def test_an_odd_entry_is_left_aside_and_kept(odd: Any) -> None:
    document = parse(file_of([odd, {"name": "Alien", "year": 1979}]))
    file = document.file("etag")
    assert [entry.name for entry in file.entries] == ["Alien"]
    assert file.left_aside == 1
    document.upsert("Heat", 1995, {}, "w.1.0")
    assert json.loads(document.serialise())[0] == odd


@given(
    st.text(max_size=12) | st.text("aAİßΐςﬁé&;#x1mpu\u0301\u0345\u200b\u200d ", max_size=12),
    st.sampled_from([str.upper, str.lower, str.title, lambda name: f" {name}\u00ad"]),
)
def test_a_name_as_it_is_shown_finds_its_entry(name: str, written: Callable[[str], str]) -> None:
    key = entry_key(name, 1979)
    assert entry_key(key[0], 1979) == key
    assert entry_key(read_title(name) or "", 1979) == key
    assert entry_key(unicodedata.normalize("NFD", name), 1979) == key
    if name.isascii():
        assert entry_key(written(name), 1979) == key


@pytest.mark.parametrize(
    "form", ["&{}", "&amp;{}", "&amp;amp;{}", "&AMP;{}", "&#38;{} &{}", "a&{}b"]
)
def test_a_name_with_any_character_reference_as_it_is_shown_finds_its_entry(form: str) -> None:
    references = [each for each in html5 if each.endswith(";")]
    names = [form.format(each, each) for each in references]
    shown = [read_title(name) or "" for name in names]
    assert [entry_key(name, 1979) for name in shown] == [entry_key(name, 1979) for name in names]


def test_an_entry_is_found_again_whose_reference_means_something_else_in_lower_case() -> None:
    document = parse(None)
    document.upsert("&amp;Dagger;", 1979, {}, "w.1.0")
    document = parse(document.serialise())
    (entry,) = document.file("e").entries
    assert entry.name == "&Dagger;"
    assert document.find("&amp;Dagger;", 1979) == document.find(entry.name, 1979) == entry
    assert document.find("&dagger;", 1979) is None
    assert document.upsert("&amp;Dagger;", 1979, {"plot": "P"}, "w.2.0")[1] is False
    assert len(parse(document.serialise()).file("e").entries) == 1


@given(FILES)
def test_reading_either_says_that_it_is_corrupt_or_keeps_everything(values: list[Any]) -> None:
    try:
        document = parse(file_of(values))
    except CatalogueCorruptError:
        return
    again = parse(document.serialise())
    assert again.file("e") == document.file("e")
    assert again.serialise() == document.serialise()
    kept = json.loads(document.serialise())
    plain = [value for value in values if value != {}]
    if BOOKKEEPING not in json.dumps(values):
        assert kept == plain


@given(FILES, NAMES, st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3))
def test_an_upsert_changes_its_entry_and_nothing_else(
    values: list[Any], name: str, fields: dict[str, Any]
) -> None:
    try:
        document = parse(file_of(values))
    except CatalogueCorruptError:
        return
    before = {entry_key(each.name, each.year): each for each in document.file("e").entries}
    entry, created = document.copy().upsert(name, 1979, fields, "w.1.0")
    changed = document.copy()
    changed.upsert(name, 1979, fields, "w.1.0")
    after = {
        entry_key(each.name, each.year): each
        for each in parse(changed.serialise()).file("e").entries
    }
    key = entry_key(name, 1979)
    assert after.pop(key) == entry
    assert created == (key not in before)
    old = before.pop(key, None)
    assert after == before
    kept = {} if old is None else {k: v for k, v in old.fields.items() if k not in fields}
    assert dict(entry.fields) == kept | {k: v for k, v in fields.items() if v is not None}
    assert old is None or entry.version != old.version
    assert {entry_key(e.name, e.year): e for e in document.file("e").entries}.keys() == (
        before.keys() | ({key} if old else set())
    )


@given(FILES, NAMES)
def test_a_delete_removes_its_entry_and_nothing_else(values: list[Any], name: str) -> None:
    try:
        document = parse(file_of(values))
    except CatalogueCorruptError:
        return
    before = document.file("e").entries
    deleted = document.delete(name, 1979)
    after = parse(document.serialise()).file("e").entries
    assert after == tuple(each for each in before if each != deleted)
    assert document.delete(name, 1979) is None


def test_a_version_tells_of_every_write() -> None:
    document = parse(None)
    first, _ = document.upsert("Alien", 1979, {"a": 1}, "w.1.0")
    second, _ = document.upsert("Alien", 1979, {"a": 1}, "w.2.0")
    assert first.version != second.version


def test_a_version_does_not_change_with_writes_of_others() -> None:
    document = parse(file_of([{"name": "Alien", "year": 1979}]))
    version = document.file("e").entries[0].version
    document.upsert("Heat", 1995, {}, "w.1.0")
    document.sign("w", 1)
    assert read(document.serialise())[0].version == version


def test_a_version_does_not_depend_on_the_order_of_keys() -> None:
    one, other = (
        read(file_of([dict(pairs)]))[0].version
        for pairs in (
            [("name", "A"), ("year", 1979), ("k", 1)],
            [("k", 1), ("year", 1979), ("name", "A")],
        )
    )
    assert one == other


def test_the_ledger_says_whose_last_write_took_place_and_nobody_sees_it() -> None:
    document = parse(file_of(["odd", {"name": "Alien", "year": 1979}]))
    document.sign("a", 7)
    document.sign("b", 2)
    document.sign("a", 8)
    again = parse(document.serialise())
    assert (again.landed("a"), again.landed("b"), again.landed("c")) == (8, 2, 0)
    assert dict(again.file("e").entries[0].fields) == {}
    assert json.loads(document.serialise())[0] == "odd"


def test_the_ledger_outlives_the_last_entry() -> None:
    document = parse(None)
    document.upsert("Alien", 1979, {}, "a.1.0")
    document.delete("Alien", 1979)
    document.sign("a", 2)
    again = parse(document.serialise())
    assert again.landed("a") == 2
    assert (again.file("e").entries, again.file("e").left_aside) == ((), 0)


def test_the_ledger_forgets_those_who_wrote_longest_ago() -> None:
    document = parse(None)
    for number in range(WRITERS_MAX + 1):
        document.sign(f"w{number}", 1)
        document.sign("busy", number + 1)
    again = parse(document.serialise())
    assert again.landed("busy") == WRITERS_MAX + 1
    assert again.landed("w0") == 0
    assert again.landed(f"w{WRITERS_MAX}") == 1


@pytest.mark.parametrize("own", [7, {}, {"writes": 7}, {"writes": [7, "x", "x.y", ".1"]}])
def test_bookkeeping_spoilt_by_hand_spoils_nothing(own: Any) -> None:
    document = parse(file_of([{"name": "Alien", "year": 1979, BOOKKEEPING: own}]))
    document.upsert("Alien", 1979, {"a": 1}, "w.1.0")
    document.sign("w", 1)
    again = parse(document.serialise())
    assert again.landed("w") == 1
    assert dict(again.file("e").entries[0].fields) == {"a": 1}


def test_the_file_has_a_line_per_entry() -> None:
    document = parse(None)
    for name in ("Alien", "Amélie"):
        document.upsert(name, 2001, {}, "w.1.0")
    lines = document.serialise().decode().splitlines()
    assert len(lines) == 4
    assert "Amélie" in lines[2]


def test_what_may_be_written_may_be_read_to_the_last_byte() -> None:
    limits = FileLimits(bytes_max=10_000)
    document = parse(None, limits, EntryLimits())
    for writer in range(WRITERS_MAX):
        document.sign(f"{writer:016x}", 10**9)
    with suppress(LimitExceededError):
        for number in range(1_000):
            document.upsert(f"Movie {number}", 1979, {}, "w.1.0")
    body = document.serialise()
    assert 8_000 < len(body) <= limits.bytes_max
    parse(body, limits)


def test_a_delete_never_makes_a_file_that_could_not_be_read() -> None:
    movies = [{"name": f"Movie {number}", "year": 1979, "k": [0] * 50} for number in range(80)]
    compact = json.dumps(movies, separators=(",", ":")).encode()
    document = parse(compact, FileLimits(bytes_max=len(compact)))
    with pytest.raises(LimitExceededError):
        document.delete("Movie 0", 1979)
    assert document.find("Movie 0", 1979) is not None
