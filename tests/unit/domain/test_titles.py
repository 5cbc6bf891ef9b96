import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movieql.domain.titles import imdb_id, match_key, near_key, search_text, slug, sort_key

tricky = st.text(alphabet="aA1e\u0301 !-_.~'\"\\\ufe0f❤☎≠…कि한ßİſ\u2028\ud800½²+#йø", max_size=6)
any_title = tricky | st.text(alphabet=st.characters(), max_size=12)
ascii_titles = st.text(alphabet=st.characters(codec="ascii"), max_size=20)
words = st.text(alphabet="abcdefghij", min_size=1, max_size=5)


@pytest.mark.parametrize(
    "one, other",
    [
        ("Star Wars: Episode IV - A New Hope", "star wars episode iv   a new hope"),
        ("Amélie", "AMELIE"),
        ("Ame\u0301lie", "Am\u00e9lie"),
        ("ŉ Man", "'n Man"),
        ("ŉ Man", "’n Man"),  # noqa: RUF001
        ("مُحَمَّد", "محمد"),
        ("محـمد", "محمد"),
        ("שָׁלוֹם", "שלום"),
        ("τῷ", "τω"),
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
        ("It’s", "It's"),  # noqa: RUF001
        ("It\u00b4s", "It\u02bcs"),
        ("9½ Weeks", "9 1/2 weeks"),
        ("9½ Weeks", "9 1\u20442 Weeks"),
        ("Alien³", "Alien 3"),
        ("Star\u00adgate", "Stargate"),
        ("The\u200bMatrix", "TheMatrix"),
        ("\ufeffHeat\u2060", "Heat"),
        ("Batman™", "Batman"),
        ("Godzilla -1", "Godzilla \u22121"),
        ("Spider-Man", "Spider\u2212Man"),
        ("A & B", "A&B"),
    ],
)
def test_one_title_written_in_two_ways_is_one_title(one: str, other: str) -> None:
    assert match_key(one) == match_key(other)
    assert slug(one, None) == slug(other, None)


@pytest.mark.parametrize(
    "one, other",
    [
        ("Alien", "Aliens"),
        ("Alien³", "Alien"),
        ("Alien²", "Alien³"),
        ("!!!", "???"),
        ("❤\ufe0f", "☎\ufe0f"),
        ("❤", "☎"),
        ("I ❤ NY", "I NY"),
        ("नीर", "नूर"),  # differ in a vowel sign only
        ("தீ", "தா"),
        ("ดี", "ดู"),
        ("か", "が"),
        ("三", "二"),
        ("한국", "한구"),
        ("+", "-"),
        ("\u0301 -", "\u0301--"),
        # signs that carry meaning
        ("C", "C+"),
        ("C+", "C#"),
        ("C++", "C+"),
        ("100", "100%"),
        ("9.99", "$9.99"),
        ("Fast & Furious", "Fast Furious"),
        ("Fast & Furious", "Fast and Furious"),
        ("Godzilla -1.0", "Godzilla 1.0"),
        ("2½", "2"),
        ("™", "®"),
        ("©", "℠"),
        ("🏽", "🏿"),
        ("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "🏴"),
        (
            "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
            "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
        ),
        # marks that make another letter
        ("Zoë", "Zoe"),
        ("câine", "caine"),
        ("cô", "co"),
        ("أب", "اب"),
        ("мой", "мои"),
        ("ўсё", "усё"),
        ("його", "иого"),
        ("їжа", "іжа"),
        ("año", "ano"),
        ("schön", "schon"),
        ("år", "ar"),
        ("Ørn", "Orn"),
        ("łan", "lan"),
        ("şan", "san"),
        ("čas", "cas"),
        ("ğ", "g"),
        ("ế", "e"),
        ("ő", "o"),
        ("\u0131", "i"),
        ("ț", "t"),
    ],
)
def test_two_titles_stay_two(one: str, other: str) -> None:
    assert match_key(one) != match_key(other)
    assert slug(one, None) != slug(other, None)


@given(ascii_titles)
def test_full_width_letters_make_the_same_key_as_ascii_ones(title: str) -> None:
    wide = "".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in title)
    plain = title.replace("`", "'")  # one has no other form, and is an apostrophe
    assert match_key(wide) == match_key(plain)
    assert sort_key(wide) == sort_key(plain)


@given(any_title)
def test_a_sort_key_is_its_own_sort_key(title: str) -> None:
    assert sort_key(sort_key(title)) == sort_key(title)


@given(words, words, st.sampled_from("#$%&+<=>@❤€№½³"))
def test_a_sign_that_carries_meaning_makes_another_title(one: str, two: str, sign: str) -> None:
    titles = {f"{one} {two}", f"{one}{sign} {two}", f"{sign} {one} {two}", f"{one} {two}{sign}"}
    assert len({match_key(each) for each in titles}) == 4


@given(words, words, st.sampled_from("!?.,:;'\"-/()[]*…–—’“”·™\u00ad\u200b\ufeff"))  # noqa: RUF001
def test_punctuation_after_a_word_says_nothing(one: str, two: str, sign: str) -> None:
    assert match_key(f"{one}{sign} {two}") == match_key(f"{one} {two}")


# Searching and sorting


def finds(needle: str, title: str) -> bool:
    return any(form in search_text(title) for form in search_text(needle).split("\n"))


@pytest.mark.parametrize(
    "needle, title",
    [
        ("8 1/2", "8½"),
        ("8½", "8 1/2"),
        ("alien 3", "Alien³"),
        ("alien3", "Alien³"),
        ("aeon", "Æon Flux"),
        ("lodz", "Łódź"),
        ("orkenen", "Ørkenen"),
        ("thor", "Þor"),
        ("dor", "Đor"),
        ("strasse", "Straße"),
        ("мои", "Мой"),
        ("spiderman", "Spider-Man"),
        ("spider man", "Spider-Man"),
        ("spider-man", "Spiderman"),
        ("swat", "S.W.A.T."),
        ("its", "It's a Wonderful Life"),
        ("it’s", "It's a Wonderful Life"),  # noqa: RUF001
        ("star\u00adgate", "Stargate"),
        ("دربه", "در\u200cبه"),  # noqa: RUF001
        ("!!!", "!!!"),
        ("😀", "😀 Smile"),
        ("♥", "I ♥ Huckabees"),
        ("&", "Fast & Furious"),
        ("👨\u200d👩\u200d👧", "A 👨\u200d👩\u200d👧 B"),
        ("ehmed", "Əhməd haradad\u0131r?"),
        ("محمد", "مُحَمَّد"),
    ],
)
def test_a_title_is_found_as_people_type_it(needle: str, title: str) -> None:
    assert finds(needle, title)


@pytest.mark.parametrize("needle, title", [("91", "9½ Weeks"), ("hope", "Hop e"), ("??", "!!!")])
def test_a_text_that_is_not_in_a_title_does_not_find_it(needle: str, title: str) -> None:
    assert not finds(needle, title)


def test_titles_are_sorted_at_their_letter() -> None:
    assert [sort_key(each) for each in "ƒƁƉƘǤȺĦŦ"] == ["f", "b", "d", "k", "g", "a", "h", "t"]
    titles = ["Zulu", "Ørkenen", "¡Three Amigos!", "Łódź", "9½ Weeks", "Æon Flux", "Alien", "Oz"]
    assert sorted(titles, key=sort_key) == [
        "9½ Weeks", "Æon Flux", "Alien", "Łódź", "Ørkenen", "Oz", "¡Three Amigos!", "Zulu",
    ]  # fmt: skip


# What may be one movie


@pytest.mark.parametrize(
    "one, other",
    [
        ("Fast & Furious", "Fast and Furious"),
        ("The Matrix", "Matrix, The"),
        ("The Matrix", "Matrix"),
        ("Les Misérables", "Miserables"),
        ("S.W.A.T.", "SWAT"),
        ("A.I.", "AI"),
        ("It's a Wonderful Life", "Its Wonderful Life"),
        ("Q & A", "QA"),
        ("Wall-E", "WALLE"),
        ("мой", "мои"),
        ("Blade Runner", "Bladerunner"),
        ("C+", "C#"),
        ("Zoë", "Zoe"),
        ("L'Avventura", "Avventura, L'"),
        ("L’Avventura", "Avventura"),  # noqa: RUF001
        ("I Vitelloni", "Vitelloni, I"),
        ("O Pagador", "Pagador, O"),
        ("Den goda viljan", "goda viljan, Den"),
        ("En passion", "passion, En"),
        ("A Hard Day", "Hard Day, A"),
        ("Don't Look Up", "Dont Look Up"),
    ],
)
def test_titles_that_may_be_meant_as_one_are_near(one: str, other: str) -> None:
    assert near_key(one) == near_key(other)
    assert match_key(one) != match_key(other)


@pytest.mark.parametrize(
    "one, other",
    [
        ("The", "A"),
        ("Plan A", "Plan"),
        ("Vitamin A", "Vitamin"),
        ("Alien", "Aliens"),
        ("!!!", "???"),
        ("Band", "B"),
        ("La", "Le"),
    ],
)
def test_other_titles_are_not_near(one: str, other: str) -> None:
    assert near_key(one) != near_key(other)


@given(any_title, any_title)
def test_titles_of_one_movie_are_near(one: str, other: str) -> None:
    if match_key(one) == match_key(other):
        assert near_key(one) == near_key(other)


@given(any_title)
def test_composed_and_decomposed_letters_are_the_same_title(title: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, title) for form in ("NFC", "NFD"))
    assert match_key(composed) == match_key(decomposed) == match_key(title)


@given(any_title)
def test_space_around_a_title_says_nothing(title: str) -> None:
    assert match_key(f" \t{title}\n") == match_key(title)


@given(st.lists(st.tuples(any_title, st.none() | st.integers(1979, 1981)), max_size=30))
def test_two_movies_share_a_slug_only_if_they_share_title_and_year(
    movies: list[tuple[str, int | None]],
) -> None:
    by_slug: dict[str, tuple[str, int | None]] = {}
    by_title: dict[tuple[str, int | None], str] = {}
    for title, year in movies:
        known = (match_key(title), year)
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
        ("Blade Runner", None, "blade-runner_undated"),
        ("Blade Runner 2049", None, "blade-runner-2049_undated"),
        ("Blade Runner", 2049, "blade-runner_2049"),
        ("Amélie", 2001, "amelie_2001"),
        ("千と千尋の神隠し", 2001, "千と千尋の神隠し_2001"),
        ("한국", None, "한국_undated"),
        ("か\u3099", None, "が_undated"),
        ("tt0076759", None, "tt0076759_undated"),
        ("!!!", 2004, "~21~21~21_2004"),
        ("C#", 2004, "c-~23_2004"),
        ("Fast & Furious", 2009, "fast-~26-furious_2009"),
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
