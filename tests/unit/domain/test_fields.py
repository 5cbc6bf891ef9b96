"""What a value of each kind of field says, and that whatever else is sent says nothing."""

import json
import time
import unicodedata
from dataclasses import asdict, fields
from datetime import UTC, date, datetime
from decimal import Decimal
from html import escape
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movieql.domain.fields import (
    COUNT_MAX,
    EXPECTED,
    ID_CHARACTERS_MAX,
    LIST_CHARACTERS_MAX,
    MINUTES,
    READERS,
    TEXT_CHARACTERS_MAX,
    TITLE_CHARACTERS_MAX,
    YEARS,
    decoded,
    described,
    plain,
    read_address,
    read_amount,
    read_count,
    read_day,
    read_id,
    read_metascore,
    read_minutes,
    read_moment,
    read_people,
    read_rating,
    read_text,
    read_texts,
    read_title,
    read_year,
    says_nothing,
)
from movieql.domain.movies import DESCRIPTIVE_FIELDS, Description

IGNORABLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a\u202e\u2060\u2061"
    "\u2066\u2069\u206a\u206f\u3164\ufeff\uffa0\ufff0\ufff9\ufffb\U0001d173\U000e0001\U000e0041"
    "\U000e007f\U000e01f0\ud800\udfff\ufdd0\uffff\U0010fffe"
)
BLANKS = "\x00\x07\t\n\r\x1b\x85\u00a0\u1680\u2003\u2028\u2029\u202f\u205f\u2800\u3000"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
PERSIAN = "\u062f\u0631\u0628\u0627\u0631\u0647\u200c\u06cc \u0627\u0644\u06cc"
NO_TEXTS = [None, True, False, [], {}, ["x"], {"a": "x"}]

strange = st.text(
    st.sampled_from(
        f"aé1&;#x \u200c\u200d\ufe0f\u0301\u0345\u0958\u3099\u094dक{IGNORABLE}{BLANKS}"
    )
    | st.characters(),
    max_size=30,
) | st.from_regex(
    r"(&(amp|lt|#[0-9]{1,4}|#x[0-9a-f]{1,4}|copy|Eacute|nbsp|shy|zwj|x);?){1,5}", fullmatch=True
)
anything: st.SearchStrategy[Any] = st.recursive(
    strange | st.none() | st.booleans() | st.integers() | st.floats() | st.decimals(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


def shown(value: object) -> str:
    return ascii(value)[:40]


# Texts


@pytest.mark.parametrize(
    "sent, read",
    [
        ("Fast &amp; Furious", "Fast & Furious"),
        ("Schindler&#39;s List", "Schindler's List"),
        ("Ocean&#x27;s &#X45;leven", "Ocean's Eleven"),
        ("Am&eacute;lie", "Amélie"),
        ("A&nbsp;B&shy;C", "A BC"),
        ("Tom &amp;amp; Jerry", "Tom &amp; Jerry"),
        ("&am&amp;p;", "&am&p;"),
        ("AT&T, R&amp;B", "AT&T, R&B"),
        ("&copy 2009", "&copy 2009"),
        ("&nosuch; &notit;", "&nosuch; &notit;"),
        ("&#0;&#xD800;&#x110000;", "\ufffd\ufffd\ufffd"),
        ("&#1114112000000;", "&#1114112000000;"),
        ("Star\u00adgate", "Stargate"),
        ("The\u200bMatrix", "TheMatrix"),
        ("\ufeffHeat\u2060", "Heat"),
        ("a\x00b\u202ec\ud800d", "a bcd"),
        ("  Luke\tSkywalker \r\n joins\u3000forces ", "Luke Skywalker joins forces"),
        (PERSIAN, PERSIAN),
        (FAMILY, FAMILY),
        ("\u0928\u094d\u200d", "\u0928\u094d\u200d"),
        ("a\u200cb\u200d", "ab"),
        ("\u0627\u200c\u200c\u0628\u200c", "\u0627\u200c\u0628"),
        ("\u2764\ufe0f\u200d\U0001f525", "\u2764\ufe0f\u200d\U0001f525"),
        ("\ufe0f \ufe0fa", "a"),
        ("\U0001fae9 \U0001fadc", "\U0001fae9 \U0001fadc"),  # of Unicode 16
        ("e\u0301", "é"),
        ("\u1100\u1161", "\uac00"),
        ("\ue000", "\ue000"),
    ],
    ids=shown,
)
def test_a_text_is_decoded_once_and_shown_without_what_nobody_sees(sent: str, read: str) -> None:
    assert read_title(sent) == read
    assert read_text(sent) == read
    assert read_texts([sent]) == (read,)


@given(strange)
def test_a_text_that_was_read_has_nothing_unseen_and_stays_as_it_is(text: str) -> None:
    read = plain(text)
    assert plain(read) == read
    assert not set(read) & set(IGNORABLE)
    assert not set(read) & set(BLANKS)
    assert read == " ".join(read.split())
    assert unicodedata.is_normalized("NFC", read)
    read.encode()


@given(st.text("a1 .é&;#\"'<>кक漢\U0001f600", max_size=30).map(plain))
def test_what_is_encoded_once_is_read_as_it_was(text: str) -> None:
    assert decoded(escape(text)) == text
    assert decoded(escape(escape(text))) == escape(text)
    assert (read_title(escape(text)) or "") == text


@given(st.text("aeк\u0928\u094d\u0627\u0301\U0001f468\ufe0f ", max_size=12), st.text(IGNORABLE))
def test_what_nobody_sees_changes_no_text(text: str, noise: str) -> None:
    noisy = noise.join(text)
    assert plain(noisy) == plain(text)
    assert plain(unicodedata.normalize("NFD", text)) == plain(text)


@pytest.mark.parametrize("title", ["Unknown", "None", "Null", "N/A", "null", "nan", "0"])
def test_a_movie_may_be_called_as_others_say_that_they_do_not_know(title: str) -> None:
    assert read_title(title) == title


@pytest.mark.parametrize("name", ["Unknown", "None", "Null", "Christopher Null"])
def test_people_may_be_called_so_too(name: str) -> None:
    assert READERS["director"](name) == name
    assert read_people(f"{name}, Ada") == (name, "Ada")


@pytest.mark.parametrize("nothing", ["", "  ", "\u200b", "&#32;", "N/A", "n/a", " N/A\n"])
def test_a_blank_and_what_the_shops_write_for_it_are_missing(nothing: str) -> None:
    assert read_text(nothing) is None
    assert read_people(nothing) is None
    assert read_texts([nothing]) is None
    assert says_nothing(nothing)


@pytest.mark.parametrize(
    "sent, read",
    [
        (1917, "1917"),
        (Decimal(1917), "1917"),
        (Decimal("21.10"), "21.10"),
        (8.5, "8.5"),
        (0, "0"),
        (float("nan"), None),
        (float("inf"), None),
        *((each, None) for each in NO_TEXTS),
    ],
    ids=shown,
)
def test_a_title_may_be_a_number_and_nothing_else_that_is_no_text(
    sent: object, read: str | None
) -> None:
    assert read_title(sent) == read
    assert read_text(sent) is None


def test_films_are_rated_18() -> None:
    assert (READERS["rated"](18), READERS["rated"]("PG"), READERS["rated"]("N/A")) == (
        "18",
        "PG",
        None,
    )


@pytest.mark.parametrize(
    "text", ["x" * 1_000_000, "\u00e9" * 5_000, "e\u0301" * 5_000, f"{FAMILY} " * 2_000], ids=shown
)
def test_a_long_text_is_cut_between_two_characters(text: str) -> None:
    for read, most in (
        (read_title(text), TITLE_CHARACTERS_MAX),
        (read_text(text), TEXT_CHARACTERS_MAX),
    ):
        assert read is not None
        assert most - 40 < len(read) <= most
        assert read.endswith("…")
        assert plain(text, 10**7).startswith(read[:-1])
        assert not read[:-1].endswith("\u200d")


@pytest.mark.parametrize(
    "text",
    [
        "a" + "\u0315\u0300" * 500_000,
        "a" + "\u0344" * 500_000,
        "\u200d\ufe0f" * 500_000,
        "\u0d15" + "\u200d\u0d4d" * 500_000 + "\u200d\u0338",
        "&amp" * 500_000,
    ],
    ids=shown,
)
def test_no_text_costs_more_than_its_length(text: str) -> None:
    started_s = time.process_time()
    read = read_title(text) or ""
    assert time.process_time() - started_s < 5  # each took minutes
    assert plain(read) == read


@pytest.mark.parametrize("noise", ["\u200b", " \u200d", "\u00a0"], ids=shown)
def test_no_id_costs_more_than_its_length(noise: str) -> None:
    started_s = time.process_time()
    assert read_id("é" + noise * 500_000 + "é") is None
    assert read_id(noise * 500_000 + "é" + noise * 500_000) == "é"
    assert time.process_time() - started_s < 5


# Lists


@pytest.mark.parametrize(
    "sent, read",
    [
        ("Mark Hamill, Harrison Ford, Mark Hamill", ("Mark Hamill", "Harrison Ford")),
        ("First Last, Jr., Other Name", ("First Last, Jr.", "Other Name")),
        ("A B, Sr, C D, III , E F, jr.", ("A B, Sr", "C D, III", "E F, jr.")),
        ("Jr., A B", ("Jr.", "A B")),
        (["Robert Downey, Jr.", "Jude Law"], ("Robert Downey, Jr.", "Jude Law")),
        ("George Lucas (created by), Ada", ("George Lucas (created by)", "Ada")),
        ("Tom &amp; Jerry, Ada", ("Tom & Jerry", "Ada")),
        (",,", None),
        ([7, None, {}], None),
        (7, None),
        (b"Ada", None),
    ],
    ids=shown,
)
def test_people_come_as_a_list_or_with_commas(sent: object, read: tuple[str, ...] | None) -> None:
    assert read_people(sent) == read


def test_what_follows_a_comma_is_a_genre_of_its_own() -> None:
    assert read_texts("Action, III, Action") == ("Action", "III")


def test_a_list_has_a_bound() -> None:
    read = read_texts(",".join(map(str, range(10_000))))
    assert read is not None
    assert LIST_CHARACTERS_MAX - 4 <= sum(map(len, read)) <= LIST_CHARACTERS_MAX


# Numbers


@pytest.mark.parametrize(
    "sent, minutes",
    [
        *((each, 121) for each in (121, 121.0, Decimal("121.0"), "121", " 121 min", "121min")),
        *((each, 121) for each in ("121 mins", "121 minutes", "121 Min.", "121m", "&#49;21 min")),
        *((each, 90) for each in ("1 h 30 min", "1h 30m", "1h30", "1 hr. 30 mins.", "PT1H30M")),
        *((each, 90) for each in ("1 hour and 30 minutes", "1 hour, 30 minutes", "PT90M", "1:30")),
        *((each, 120) for each in ("2h", "2 hours", "PT2H", "2:00:00", "7200 sec", "2h 0m 0s")),
        ("2 hrs 5 mins", 125),
        ("1:42:00", 102),
        ("1:42", 102),
        ("3600 sec", 60),
        ("1,234 min", 1234),
        ("51,420 min", 51_420),
        (MINUTES[-1], MINUTES[-1]),
        *((each, None) for each in (0, "0 min", -1, "-1", "100000", 100_000, 10**30)),
        *((each, None) for each in ("12:30", "01:42", "1:42:30", "1:75", "1h 75m", "61 sec")),
        *((each, None) for each in ("1.5h", "121.5", 121.5, Decimal("121.5"), "1.234 min", "2K")),
        *((each, None) for each in ("121 min / 90 min", "USA: 121 min", "121 km", "about 121")),
        *((each, None) for each in ("", "min", "h", "PT", ":", "30 20 sec", "N/A", "１２１")),  # noqa: RUF001
        *(
            (each, None)
            for each in ("9" * 50, float("nan"), Decimal("Infinity"), Decimal("1E+99"))
        ),
        *((each, None) for each in NO_TEXTS),
    ],
    ids=shown,
)
def test_a_running_time_is_whole_minutes_or_nothing(sent: object, minutes: int | None) -> None:
    assert read_minutes(sent) == minutes


@given(st.integers(0, 99), st.integers(0, 59), st.sampled_from(["h", " h ", " hrs ", " hours, "]))
def test_hours_and_minutes_are_read_as_what_they_are(hours: int, minutes: int, unit: str) -> None:
    total = hours * 60 + minutes
    expected = total or None
    assert read_minutes(f"{hours}{unit}{minutes} min") == expected
    assert read_minutes(f"{hours}:{minutes:02}:00") == expected
    assert read_minutes(f"PT{hours}H{minutes}M") == expected
    assert read_minutes(f"{total * 60} sec") == expected


@pytest.mark.parametrize(
    "sent, count",
    [
        *((each, 915_459) for each in (915_459, 915_459.0, "915,459", "915 459", "915\u202f459")),
        *((each, 1_234_567) for each in ("1 234 567", "1'234'567", "1\u2019234\u2019567")),
        *((each, 1_234_567) for each in ("1,234,567", "1.234.567", "1\u00a0234\u00a0567")),
        *((each, 915_000) for each in ("915K", "915k", "915 K", "0.9150M")),
        *((each, 1_200_000) for each in ("1.2M", "1.20 m", "1200K")),
        ("1.2345678B", 1_234_567_800),
        (0, 0),
        ("0", 0),
        ("007", 7),
        (COUNT_MAX, COUNT_MAX),
        *((each, None) for each in ("1.234", "1.234M", "1,234K", "1.2345K", "1,2M", "915 KB")),
        *((each, None) for each in ("1,23", "12,34,567", "1 234,567", "0,123", "1,234.5", "7.5")),
        *((each, None) for each in (-7, "-7", 7.5, 10**12, "9" * 50, "many", "", "K", "1e6")),
        *((each, None) for each in ("1,234 votes", "> 100", "1_000", "١٢", "$5", "5%")),
        *((each, None) for each in NO_TEXTS),
    ],
    ids=shown,
)
def test_a_count_is_whole_or_nothing(sent: object, count: int | None) -> None:
    assert read_count(sent) == count


@given(st.integers(0, COUNT_MAX), st.sampled_from(",'\u2019 \u00a0\u202f"))
def test_a_count_is_read_with_any_separator_of_thousands(count: int, separator: str) -> None:
    assert read_count(count) == count
    assert read_count(str(count)) == count
    assert read_count(f"{count:,}".replace(",", separator)) == count


@given(st.integers(0, 999_999), st.sampled_from([("K", 3), ("M", 6), ("B", 9)]))
def test_a_count_in_thousands_is_exact_or_nothing(thousandths: int, unit: tuple[str, int]) -> None:
    number = f"{Decimal(thousandths) / 1000:f}"
    is_ambiguous = len(number.partition(".")[2]) == 3  # a point, or one between thousands
    expected = None if is_ambiguous else int(Decimal(number) * 10 ** unit[1])
    assert read_count(number + unit[0]) == expected


@pytest.mark.parametrize(
    "sent, rating",
    [
        *((each, Decimal("7.4")) for each in ("7.4", 7.4, Decimal("7.4"), "7.4/10", " 7.4 / 10 ")),
        *((each, Decimal(10)) for each in (10, "10", "10/10")),
        ("0.1", Decimal("0.1")),
        *((each, None) for each in ("74", 740, "10.1", "74/100", "7.4/5", "7/10/10", "7/", "/10")),
        *((each, None) for each in (0, "0", "0.0", -1, "-7.4", "74%", "$7", "7,4", "7.4 stars")),
        *((each, None) for each in ("N/A", "", float("nan"), float("inf"), "1e0", *NO_TEXTS)),
    ],
    ids=shown,
)
def test_a_rating_is_of_10_or_nothing(sent: object, rating: Decimal | None) -> None:
    assert read_rating(sent) == rating


@pytest.mark.parametrize(
    "sent, score",
    [
        *((each, 76) for each in (76, 76.0, "76", "76/100", " 76 / 100", Decimal(76))),
        (0, 0),
        ("100", 100),
        *((each, None) for each in ("7600", "101", 101, -1, 76.5, "76.5", "7.6/10", "76%", "tbd")),
        *((each, None) for each in NO_TEXTS),
    ],
    ids=shown,
)
def test_a_metascore_is_a_whole_one_of_100_or_nothing(sent: object, score: int | None) -> None:
    assert read_metascore(sent) == score


@pytest.mark.parametrize(
    "sent, year",
    [
        *((each, 2011) for each in (2011, 2011.0, "2011", " 2011\u200b", "2011-", "2011\u2013")),
        *((each, 2011) for each in ("2011\u20132013", "2011 - 2013", "2011-12", "2011/12")),
        *((each, 2011) for each in ("2011-12-31", "2011-12-31T23:59:59.000Z")),
        *((each, None) for each in ("20111", "2011 min", "2011 (I)", "(2011)", "2011.5", "2011?")),
        *((each, None) for each in ("77", 12, 99_999, 1869, 2200, -1977, "２０１１", "N/A", "")),  # noqa: RUF001
        *((each, None) for each in (1977.5, "1977 - next", *NO_TEXTS)),
    ],
    ids=shown,
)
def test_a_year_is_one_of_films_or_nothing(sent: object, year: int | None) -> None:
    assert read_year(sent) == year


@pytest.mark.parametrize(
    "sent, amount",
    [
        ("12345678.123456789", "12345678.123456789"),
        (Decimal("12345678.123456789"), "12345678.123456789"),
        ("0.123456789012345678", "0.123456789012345678"),
        ("0.1234567890123456789", None),
        (Decimal("0.1234567890123456789"), None),
        ("\ufeff29.5\u00a0", "29.5"),
        ("N/A", None),
    ],
    ids=shown,
)
def test_a_price_is_the_same_as_text_and_as_number(sent: object, amount: str | None) -> None:
    assert read_amount(sent) == (None if amount is None else Decimal(amount))


# Days


@pytest.mark.parametrize(
    "sent, day",
    [
        ("25 May 1977", date(1977, 5, 25)),
        ("1 DEC 1977", date(1977, 12, 1)),
        ("1977-5-5", date(1977, 5, 5)),
        ("1977-05-25", date(1977, 5, 25)),
        *(
            (each, None)
            for each in ("31 Feb 1977", "1977-13-01", "0001-01-01", "25 Mai 1977", 1977)
        ),
        ("２５ May 1977", None),  # noqa: RUF001
    ],
    ids=shown,
)
def test_a_day_is_read_in_the_two_known_forms(sent: object, day: date | None) -> None:
    assert read_day(sent) == day


def test_a_moment_is_known_only_with_its_zone() -> None:
    assert read_moment(" 2021-01-26T10:00:00+10:00") == datetime(2021, 1, 26, tzinfo=UTC)
    assert read_moment("2021-01-26T10:00:00") is None


# Ids and addresses


@pytest.mark.parametrize(
    "sent, own_id",
    [
        *(
            (each, "cw1")
            for each in ("cw1", " cw1 ", "\ufeffcw1\n", "\u200bcw1\u00a0", "\u200dcw1")
        ),
        (42, "42"),
        (Decimal("6.0"), "6"),
        *(
            (each, each)
            for each in ("a b", "a/b?c#d%2e", "...", "naïve", "nai\u0308ve", "a&amp;b")
        ),
        ("\u06cc\u200c\u0627", "\u06cc\u200c\u0627"),
        ("x" * ID_CHARACTERS_MAX, "x" * ID_CHARACTERS_MAX),
        *(
            (each, None)
            for each in ("", " ", ".", "..", " .. ", "\u202e", "a\nb", "a\u202eb", "a\u00a0b")
        ),
        *((each, None) for each in ("x" * 201, "a\u200db", "a\ud800", 1.5, *NO_TEXTS)),
    ],
    ids=shown,
)
def test_an_id_is_trimmed_and_else_as_it_is(sent: object, own_id: str | None) -> None:
    assert read_id(sent) == own_id


@pytest.mark.parametrize(
    "sent, address",
    [
        *(
            (each, each)
            for each in ("https://a.test/1.jpg", "http://a.test", "HTTPS://A.test:8/x")
        ),
        ("https://a.test/?a=1&amp;b=2", "https://a.test/?a=1&b=2"),
        ("https://a.test/?a=1&copy=2", "https://a.test/?a=1&copy=2"),
        ("https://a.test/&amp;amp;", "https://a.test/&amp;"),
        (" https://a.test/1.jpg\ufeff", "https://a.test/1.jpg"),
        ("https://a.test/e\u0301", "https://a.test/e\u0301"),
        *(
            (each, None)
            for each in ("javascript:alert(1)", "JavaScript:alert(1)", "java\nscript:x")
        ),
        *((each, None) for each in ("java&#115;cript:alert(1)", "&#106;avascript:alert(1)")),
        *((each, None) for each in ("data:text/html,x", "file:///etc/passwd", "//a.test/1.jpg")),
        *(
            (each, None)
            for each in ("https://", "http:///a.jpg", "http://:80", "http://[", "http://a:99999/")
        ),
        *(
            (each, None)
            for each in ("https://a.test/1 2.jpg", "https://a.test/\u200b1", "N/A", "", 42)
        ),
        ("https://a.test/" + "x" * 4_000, None),
        *((each, None) for each in NO_TEXTS),
    ],
    ids=shown,
)
def test_an_address_is_one_of_the_web_or_nothing(sent: object, address: str | None) -> None:
    assert read_address(sent) == address


# Whatever comes


def test_every_field_of_a_movie_has_its_reader() -> None:
    assert tuple(READERS) == DESCRIPTIVE_FIELDS == tuple(each.name for each in fields(Description))
    assert EXPECTED.keys() <= READERS.keys()


@given(st.dictionaries(st.sampled_from([*READERS, "x"]), anything, max_size=8))
def test_whatever_is_sent_is_read_or_missing(said: dict[str, Any]) -> None:
    read = described(said)
    json.dumps(asdict(read), default=str, ensure_ascii=False).encode()
    assert read.year is None or read.year in YEARS
    assert read.runtime_minutes is None or read.runtime_minutes in MINUTES
    assert read.votes is None or 0 <= read.votes <= COUNT_MAX
    assert read.rating is None or 0 < read.rating <= 10
    assert read.metascore is None or 0 <= read.metascore <= 100
    assert read.title is None or read.title == plain(read.title, TITLE_CHARACTERS_MAX) != ""


@given(anything)
def test_an_id_that_was_read_is_read_again(value: Any) -> None:
    own_id = read_id(value)
    assert own_id is None or (read_id(own_id) == own_id and own_id.strip() == own_id != "")


numerals = st.text("0123456789.,' /:kKmMhpt-+eE$%\u00a0", max_size=10)


@given(numerals)
def test_no_number_is_made_of_the_beginning_of_a_text(text: str) -> None:
    digits = "".join(each for each in text if each.isdigit())
    count, minutes, year = read_count(text), read_minutes(text), read_year(text)
    if count is not None:
        suffixed = set(text.lower()) & set("km")
        assert (
            str(count).rstrip("0") == digits.lstrip("0").rstrip("0")
            if suffixed
            else count == int(digits)
        )
    if minutes is not None and not set(text.lower()) & set("h:"):
        assert minutes == int(digits)
    if year is not None:
        assert digits.startswith(str(year))
    for score in (read_rating(text), read_metascore(text)):
        assert score is None or Decimal(text.partition("/")[0].strip()) == score
