import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movieql.domain.titles import imdb_id, normalised, slug

tricky = st.text(alphabet="aA1e\u0301 !-_.~'\"\\\ufe0f❤☎≠…कि한ßİſ\u2028\ud800", max_size=6)
any_title = tricky | st.text(alphabet=st.characters(), max_size=12)


@pytest.mark.parametrize(
    "one, other",
    [
        ("Star Wars: Episode IV - A New Hope", "star wars episode iv   a new hope"),
        ("Amélie", "AMELIE"),
        ("Ame\u0301lie", "Am\u00e9lie"),
        ("WALL·E", "Wall-E"),
        ("Straße", "STRASSE"),
        ("Ὀδύσσεια", "ΟΔΥΣΣΕΙΑ"),
        ("Ёлки", "елки"),
        ("Episode Ⅳ", "Episode IV"),
        ("ﬁreworks", "Fireworks"),
        ("Ａｌｉｅｎ", "Alien"),  # noqa: RUF001
        ("ｶﾞﾒﾗ", "ガメラ"),
        ("İstanbul", "istanbul"),
        ("I ❤\ufe0f NY", "I ❤ NY"),
        ("क़यामत", "क\u093cयामत"),
        ("“Alien”", "alien"),
    ],
)
def test_one_title_written_in_two_ways_is_one_title(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    "one, other",
    [
        ("Alien", "Aliens"),
        ("Alien³", "Alien"),
        ("!!!", "???"),
        ("❤\ufe0f", "☎\ufe0f"),
        ("❤", "☎"),
        ("नीर", "नूर"),  # differ in a vowel sign only
        ("தீ", "தா"),
        ("ดี", "ดู"),
        ("か", "が"),
        ("三", "二"),
        ("한국", "한구"),
        ("+", "-"),
        ("\u0301 -", "\u0301--"),
    ],
)
def test_two_titles_stay_two(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)
    assert slug(one, None) != slug(other, None)


@given(any_title)
def test_composed_and_decomposed_letters_are_the_same_title(title: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, title) for form in ("NFC", "NFD"))
    assert normalised(composed) == normalised(decomposed) == normalised(title)


@given(any_title)
def test_space_around_a_title_says_nothing(title: str) -> None:
    assert normalised(f" \t{title}\n") == normalised(title)


@given(st.lists(st.tuples(any_title, st.none() | st.integers(1979, 1981)), max_size=30))
def test_two_movies_share_a_slug_only_if_they_share_title_and_year(
    movies: list[tuple[str, int | None]],
) -> None:
    by_slug: dict[str, tuple[str, int | None]] = {}
    by_title: dict[tuple[str, int | None], str] = {}
    for title, year in movies:
        known = (normalised(title), year)
        assert by_slug.setdefault(slug(title, year), known) == known
        assert by_title.setdefault(known, slug(title, year)) == slug(title, year)


@given(any_title, st.none() | st.integers(1979, 1981))
def test_a_slug_is_never_an_imdb_id_and_has_neither_spaces_nor_dots(
    title: str, year: int | None
) -> None:
    name = slug(title, year)
    assert name
    assert imdb_id(name) != name
    assert not set(name) & set(" .\n\t")


@pytest.mark.parametrize(
    "title, year, name",
    [
        ("Blade Runner", 1982, "blade-runner_1982"),
        ("Blade Runner", None, "blade-runner"),
        ("Blade Runner 2049", None, "blade-runner-2049"),
        ("Blade Runner", 2049, "blade-runner_2049"),
        ("Amélie", 2001, "amelie_2001"),
        ("千と千尋の神隠し", 2001, "千と千尋の神隠し_2001"),
        ("한국", None, "한국"),
        ("か\u3099", None, "が"),
        ("tt0076759", None, "~tt0076759"),
        ("tt0076759", 1977, "~tt0076759_1977"),
        ("!!!", 2004, "~212121_2004"),
    ],
)
def test_a_slug_can_be_read(title: str, year: int | None, name: str) -> None:
    assert slug(title, year) == name


def test_a_title_without_end_still_has_a_short_slug_of_its_own() -> None:
    long, longer = "a" * 5_000, "a" * 5_001
    assert slug(long, 1999) != slug(longer, 1999)
    assert slug(long, 1999) != slug(long, None)
    assert slug(long, 1999).startswith("aaa")
    assert slug(long, 1999).endswith("_1999")
    assert len(slug(long, 1999)) <= 200
    assert len(slug("!" * 5_000, None)) <= 200


def test_the_longest_real_titles_are_readable_in_full() -> None:
    title = "Dr. Strangelove or: How I Learned to Stop Worrying and Love the Bomb"
    assert slug(title, 1964) == (
        "dr-strangelove-or-how-i-learned-to-stop-worrying-and-love-the-bomb_1964"
    )


@pytest.mark.parametrize(
    "own_id, imdb",
    [
        ("cw0076759", "tt0076759"),
        ("fw0076759", "tt0076759"),
        ("tt0076759", "tt0076759"),
        ("0076759", "tt0076759"),
        ("76759", "tt0076759"),
        ("tt10872600", "tt10872600"),
        ("cw-0076759", "tt0076759"),
    ],
)
def test_the_digits_after_the_prefix_are_the_imdb_id(own_id: str, imdb: str) -> None:
    assert imdb_id(own_id) == imdb


@pytest.mark.parametrize(
    "own_id",
    ["", "cw", "cw0076759x", "cw1-2", "cw00000000001", "cw\u0660\u0667", "9f1c0e2a-0b1d-4c11"],
)
def test_other_ids_have_no_imdb_digits(own_id: str) -> None:
    assert imdb_id(own_id) is None


@given(st.text())
def test_the_imdb_id_of_an_imdb_id_is_itself(own_id: str) -> None:
    found = imdb_id(own_id)
    assert found is None or imdb_id(found) == found
