"""Readers of what providers and callers say: one per kind of field, for every way in.

Each takes any JSON value and returns what it says, or None where that is not certain: a text is
understood as a whole or not at all. The rules, and where they come from: docs/semantics.md,
"Reading what providers say".
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from html import unescape
from html.entities import html5
from itertools import accumulate
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from movieql.domain.movies import Description, plain_decimal, usable_amount

ID_CHARACTERS_MAX = 200
"""Characters of a provider's movie id (the real ones have 9 or 36)."""

TITLE_CHARACTERS_MAX = 1_000
"""Characters of a title or name, as of a cell of an export; more are cut, of a caller refused."""

TEXT_CHARACTERS_MAX = 4_000
"""Characters of any other text that is shown; more are cut. A longer address is none."""

LIST_CHARACTERS_MAX = 16_000
"""Characters of a list that is shown; what follows is left out."""

YEARS = range(1870, 2200)
"""Years that a movie can be of: the oldest film is of 1888."""

MINUTES = range(1, 100_000)
"""Running times; the longest film, "Logistics", has 51,420 minutes."""

COUNT_MAX = 10**12 - 1
"""The highest count, for there are fewer people who could vote."""

_PASSES_MAX = 8  # that joiners may outlast; real texts need two, made-up ones thousands
_MARKS_MAX = 30  # in a row: Unicode's Stream-Safe Text Format (UAX #15, D4); sorting is quadratic

# Halves of surrogate pairs, and Unicode's noncharacters.
_NO_CHARACTERS = "\ud800-\udfff\ufdd0-\ufdef" + "".join(
    f"{chr(plane + 0xFFFE)}-{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)
)
IGNORED = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
"""Ranges of Unicode's Default_Ignorable_Code_Point without joiners and variation selectors, and of
the interlinear annotations, for a regular expression: characters that nobody sees."""

_CONTROLS = "\x00-\x1f\x7f-\x9f\u2028\u2029"
_BLANKS = f"{_CONTROLS}\u2800"  # the blank of Braille is a sign to `str.split`
JOINERS = "\u200c\u200d"
"""Characters that nobody sees, and that are spelling in some scripts."""

SELECTORS = "\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"
"""Ranges of variation selectors, which say how the sign before looks, for a regular expression."""

MODIFIERS = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
"""Colours of skin."""

_AT_NOTHING = f"(?<![^ ])[{SELECTORS}{JOINERS}]+"
_IGNORED_RUN = re.compile(f"[{IGNORED}{_NO_CHARACTERS}]+|{_AT_NOTHING}")
_BLANK = re.compile(f"[{_BLANKS}]")
_NO_LINE = re.compile(f"[{_CONTROLS}{_NO_CHARACTERS}]")
_JOINER_RUN = re.compile(f"[{JOINERS}]+")
_SIGN_RUN = re.compile(rf"[^\w\s]{{{_MARKS_MAX + 1},}}")  # no mark is a word's letter
_START = re.compile(rf"\A[\s{IGNORED}{_BLANKS}{JOINERS}]+")  # no `\Z`: it would be quadratic
_UNSEEN = re.compile(rf"[{IGNORED}{_NO_CHARACTERS}{_BLANKS}]|[^\S ]")
_REFERENCE = re.compile("&(?:#[0-9]{1,10}|#[xX][0-9a-fA-F]{1,8}|[A-Za-z][A-Za-z0-9]{1,31});")

_DIGITS = re.compile("[0-9]{1,12}")
_GROUPED = re.compile(
    "[1-9][0-9]{0,2}(?:([,'\u2019 ])[0-9]{3}(?:\\1[0-9]{3}){0,2}|(?:\\.[0-9]{3}){2,3})"
)
_SHORT = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,9}))? ?([kmb])")
_POWERS = {"k": 3, "m": 6, "b": 9}
_IN_MINUTES = re.compile(r"(.+?) ?(?:minutes?|mins?|m)\.?")
_CLOCK = re.compile("([0-9]):([0-5][0-9])|([0-9]{1,3}):([0-5][0-9]):([0-5][0-9])")
_SPELT = re.compile(
    r"(?:pt)?"  # ISO 8601
    r"(?:([0-9]{1,4}) ?(?:hours?|hrs?|h)\.?)?"
    r"(?: ?([0-9]{1,5})(?![0-9]) ?(minutes?|mins?|m|)\.?)?"
    r"(?: ?([0-9]{1,7})(?![0-9]) ?(?:seconds?|secs?|s)\.?)?"
)
_YEAR = re.compile(
    "([0-9]{4})(?: ?[-\u2010-\u2015/] ?(?:[0-9]{4}|[0-9]{2}"  # a span, or the next year
    "(?:-[0-9]{2}(?:T[0-9:.]+(?:Z|[-+][0-9:]+)?)?)?)?)?"  # a day, or a time of it
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SPELT_DAY = re.compile(f"([0-9]{{1,2}}) ({'|'.join(_MONTHS)}) ([0-9]{{4}})")
_ISO_DAY = re.compile("([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_SUFFIX = re.compile(r"[JSjs][Rr]\.?|I{2,3}|IV")
_MISSING = "n/a"  # how the shops and OMDb, whose format theirs is, write a value that is not there


def decoded(text: str) -> str:
    """Return a text with its character references replaced, once: `&amp;`, `&#39;`, `&#x27;`.

    Only those that end in `;`: "AT&T" and "?a=1&copy=2" are no encoded texts.
    """
    return _REFERENCE.sub(_character, text) if "&" in text else text


def _character(reference: re.Match[str]) -> str:
    found = reference[0]
    return unescape(found) if found[1] == "#" else html5.get(found[1:], found)


def plain(text: str, characters_max: int = TEXT_CHARACTERS_MAX) -> str:
    """Return a text as it is shown: NFC, no character that nobody sees, single blanks, bounded.

    Joiners stay where they are spelling. A longer text is cut between two characters and ends
    in "…". What is returned is returned unchanged when it is given again.
    """
    if text.isascii() and text.isprintable():
        return _cut(" ".join(text.split()), characters_max)
    before, passes = None, 0
    while text != before:  # what goes may let its neighbours meet
        before, passes = text, passes + 1
        seen = _IGNORED_RUN.sub("", " ".join(_BLANK.sub(" ", text).split()))
        composed = unicodedata.normalize("NFC", _SIGN_RUN.sub(_few_marks, seen))
        joined = _JOINER_RUN.sub(_spelling if passes <= _PASSES_MAX else "", composed)
        text = _cut(joined, characters_max)
    return text


def _few_marks(signs: re.Match[str]) -> str:
    kept, marks = [], 0
    for sign in signs[0]:
        marks = marks + 1 if unicodedata.combining(sign) else 0
        if marks <= _MARKS_MAX:
            kept.append(sign)
    return "".join(kept)


def _spelling(joiners: re.Match[str]) -> str:
    """Return the first of several joiners where it is spelling, else nothing.

    It is after a virama (RFC 5892, A.1 and A.2), and between two characters of the scripts and
    emoji above U+0530; between letters of Latin, Greek and Cyrillic it means nothing.
    """
    text, start, end = joiners.string, joiners.start(), joiners.end()
    before = text[start - 1] if start else " "
    after = text[end] if end < len(text) else " "
    is_spelling = unicodedata.combining(before) == 9 or min(before, after) > "\u0530"  # noqa: PLR2004  # virama
    return joiners[0][0] if is_spelling else ""


def _cut(text: str, characters_max: int) -> str:
    if len(text) <= characters_max:
        return text
    end = characters_max - 1
    while end > characters_max - 1 - _MARKS_MAX and _belongs_before(text, end):
        end -= 1
    return f"{text[:end].rstrip()}…"


def _belongs_before(text: str, at: int) -> bool:
    """Return whether the code point at an index is of the same character as the one before."""
    joined = text[at] in JOINERS + MODIFIERS or text[at - 1] in JOINERS
    return joined or unicodedata.category(text[at]).startswith("M")


def read_text(value: object) -> str | None:
    """Return a text, None for an empty one, "N/A", and what is no text."""
    text = plain(decoded(value)) if isinstance(value, str) else ""
    return None if text.casefold() in {"", _MISSING} else text


def read_title(value: object) -> str | None:
    """Return a title or a name, None for an empty one and what is neither text nor number.

    No word means that there is none: films are called "Unknown", "None" and "N/A".
    """
    number = _number(value)
    if number is not None and number.is_finite():
        value = _written(number)
    return _prose(value) or None


def _written(number: Decimal) -> str:
    """Return a number as people write it: 1917 for 1917.0."""
    whole = number.to_integral_value()
    return f"{whole if whole == number else number:f}"


def _read_label(value: object) -> str | None:
    """Return a text, which a number may be too: films are rated 18."""
    return read_text(value if _number(value) is None else read_title(value))


def read_texts(value: object) -> tuple[str, ...] | None:
    """Return the texts of a list, or of a text with commas, each once; None when there is none."""
    return _texts(value.split(",") if isinstance(value, str) else value)


def read_people(value: object) -> tuple[str, ...] | None:
    """Return names as `read_texts`; a "Jr." or "III" between commas is of the name before it."""
    if not isinstance(value, str):
        return _texts(value)
    names: list[str] = []
    for part in value.split(","):
        if names and _SUFFIX.fullmatch(plain(part)):
            names[-1] += f",{part}"
        else:
            names.append(part)
    return _texts(names)


def _texts(parts: object) -> tuple[str, ...] | None:
    if isinstance(parts, str) or not isinstance(parts, Sequence):
        return None
    texts = dict.fromkeys(text for part in parts if (text := read_text(part)) is not None)
    ends = zip(texts, accumulate(map(len, texts)), strict=True)
    return tuple(text for text, end in ends if end <= LIST_CHARACTERS_MAX) or None


def read_id(value: object) -> str | None:
    """Return a provider's movie id, a number as its digits, without blanks around it.

    None where it is longer than `ID_CHARACTERS_MAX` or has characters inside that nobody sees,
    and for "." and "..", which would walk up the provider's path, quoted or not.
    """
    whole = _whole(value)
    text = _opaque(value if whole is None else str(whole))
    is_usable = text is not None and len(text) <= ID_CHARACTERS_MAX and text not in {".", ".."}
    return text if is_usable else None


def _opaque(value: object) -> str | None:
    """Return a text that is no prose without what surrounds it, None if anything is unseen in it.

    Normalising or mending it could make it another one.
    """
    if not isinstance(value, str):
        return None
    if value.isascii() and value.isprintable():
        return value.strip() or None
    text = _START.sub("", _START.sub("", value)[::-1])[::-1]
    if not text or _UNSEEN.search(text) or _JOINER_RUN.sub(_spelling, text) != text:
        return None
    return text


def read_address(value: object) -> str | None:
    """Return an address of the web, http or https with a host, None for any other text."""
    text = _opaque(decoded(value)) if isinstance(value, str) else None
    if text is None or " " in text or len(text) > TEXT_CHARACTERS_MAX:
        return None
    try:
        parts = urlsplit(text)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:  # a bracket or a port that is none
        return None
    return text if parts.scheme in {"http", "https"} and has_host else None


def read_count(value: object) -> int | None:
    """Return a count: 915459, "915,459", "1 234 567", "915K", "1.2M"; None where in doubt."""
    text = _prose(value)
    count = _whole(value) if text is None else _count(text.casefold())
    return count if count is not None and 0 <= count <= COUNT_MAX else None


def _count(text: str) -> int | None:
    short = _SHORT.fullmatch(text)
    if short is None:
        return _ungrouped(text)
    whole, fraction, unit = short[1], short[2] or "", _POWERS[short[3]]
    # "1.234M" is 1,234 million where a point stands between thousands.
    is_exact = len(fraction) != 3 and not fraction[unit:].strip("0")  # noqa: PLR2004  # digits
    return int(whole + fraction[:unit].ljust(unit, "0")) if is_exact else None


def _ungrouped(text: str) -> int | None:
    """Read "1234" and "1,234"; a single point may also be that of a fraction."""
    if not _DIGITS.fullmatch(text) and not _GROUPED.fullmatch(text):
        return None
    return int("".join(each for each in text if each.isdigit()))


def read_minutes(value: object) -> int | None:
    """Return whole minutes: 121, "121 min", "1 h 30 min", "1:42:00", "1:42", "PT1H30M"."""
    text = _prose(value)
    minutes = _whole(value) if text is None else _minutes(text.casefold())
    return minutes if minutes in MINUTES else None


def _minutes(text: str) -> int | None:
    plain_minutes = _IN_MINUTES.fullmatch(text)
    alone = _ungrouped(plain_minutes[1] if plain_minutes else text)
    return _duration(text) if alone is None else alone


def _duration(text: str) -> int | None:
    clock = _CLOCK.fullmatch(text)
    if clock is not None:
        hours, minutes, seconds = clock[1] or clock[3], clock[2] or clock[4], clock[5] or "0"
    else:
        spelt = _SPELT.fullmatch(" ".join(text.replace(",", " ").replace(" and ", " ").split()))
        if spelt is None or not any(spelt.groups()):
            return None
        hours, minutes, unit, seconds = spelt.groups()
        if minutes and not unit and (seconds or not hours):
            return None  # "30 20 sec": of what?
    return _whole_minutes(
        *(None if each is None else int(each) for each in (hours, minutes, seconds))
    )


def _whole_minutes(hours: int | None, minutes: int | None, seconds: int | None) -> int | None:
    is_carried = hours is not None and (minutes or 0) > 59  # noqa: PLR2004  # minutes
    is_carried |= (hours or minutes) is not None and (seconds or 0) > 59  # noqa: PLR2004  # seconds
    total_s = ((hours or 0) * 60 + (minutes or 0)) * 60 + (seconds or 0)
    return None if is_carried or total_s % 60 else total_s // 60


def read_rating(value: object) -> Decimal | None:
    """Return a rating of 10: 7.4, "7.4", "7.4/10". 0 is none: ratings begin at 1."""
    rating = _score(value, "10")
    return rating if rating is not None and 0 < rating <= 10 else None  # noqa: PLR2004  # of 10


def read_metascore(value: object) -> int | None:
    """Return a whole score of 100: 76, "76", "76/100". 0 is the lowest one."""
    score = _whole(_score(value, "100"))
    return score if score is not None and score <= 100 else None  # noqa: PLR2004  # of 100


def _score(value: object, scale: str) -> Decimal | None:
    text = _prose(value)
    if text is None:
        return plain_decimal(_number(value))
    number, slash, of = text.partition("/")
    return plain_decimal(number.strip()) if not slash or of.strip() == scale else None


def read_year(value: object) -> int | None:
    """Return the year of 1977, "1977", "1977-05-25", and the first of "2011-2013" and "2011-"."""
    text = _prose(value)
    if text is None:
        year = _whole(value)
    else:
        found = _YEAR.fullmatch(text)
        year = int(found[1]) if found else None
    return year if year in YEARS else None


def read_amount(value: object) -> Decimal | None:
    """Return a price; see `usable_amount`."""
    return usable_amount(value if (text := _prose(value)) is None else text)


def read_day(value: object) -> date | None:
    """Return the day of "25 May 1977" and "1977-05-25"."""
    text = (_prose(value) or "").casefold()
    spelt, iso = _SPELT_DAY.fullmatch(text), _ISO_DAY.fullmatch(text)
    if spelt is not None:
        year, month, day = spelt[3], _MONTHS.index(spelt[2]) + 1, spelt[1]
    elif iso is not None:
        year, month, day = iso[1], int(iso[2]), iso[3]
    else:
        return None
    try:
        return date(int(year), month, int(day)) if int(year) in YEARS else None
    except ValueError:  # the 31st of February
        return None


def read_moment(value: object) -> datetime | None:
    """Return a time of ISO 8601 in UTC; without a zone it could be any and is none."""
    try:
        moment = datetime.fromisoformat(_prose(value) or "")
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # the year 1 east of Greenwich is no year in UTC
        return None


def _prose(value: object) -> str | None:
    """Return what a text says, None for what is no text."""
    return plain(decoded(value), TITLE_CHARACTERS_MAX) if isinstance(value, str) else None


def _number(value: object) -> Decimal | None:
    """Return a JSON number exactly; a float as the shortest text that reads as it."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return Decimal(repr(value))
    return Decimal(value) if isinstance(value, (int, Decimal)) else None


def _whole(value: object) -> int | None:
    """Return a number that is whole, also one that is written as 121.0."""
    number = _number(value)
    if number is None or not number.is_finite() or number.adjusted() > 40:  # noqa: PLR2004  # digits
        return None
    return int(number) if number == number.to_integral_value() else None


READERS: Mapping[str, Callable[[object], Any]] = MappingProxyType(
    {
        "title": read_title,
        "year": read_year,
        "poster": read_address,
        "genres": read_texts,
        "director": read_text,
        "writers": read_people,
        "actors": read_people,
        "plot": read_text,
        "runtime_minutes": read_minutes,
        "rated": _read_label,
        "released": read_day,
        "languages": read_texts,
        "countries": read_texts,
        "awards": read_text,
        "rating": read_rating,
        "votes": read_count,
        "metascore": read_metascore,
    }
)
"""The reader of each field of `Description`."""


EXPECTED: Mapping[str, str] = MappingProxyType(
    {
        "poster": "A poster is an address of http or https.",
        "runtime_minutes": f"A running time is {MINUTES[0]} to {MINUTES[-1]} minutes, "
        'such as 117, "117 min" or "1 h 57 min".',
        "released": 'A day of release is written as "1979-06-22" or "22 Jun 1979".',
        "year": f"A year is a number from {YEARS[0]} to {YEARS[-1]}.",
    }
    | dict.fromkeys(("director", "plot", "rated", "awards"), "This is one text.")
    | {
        "rating": 'A rating is above 0 and at most 10, such as 7.4 or "7.4/10".',
        "votes": 'A count is a whole number, such as 915459 or "915,459".',
        "metascore": "A metascore is a whole number from 0 to 100.",
    }
    | dict.fromkeys(
        ("genres", "writers", "actors", "languages", "countries"),
        "This is a list of texts, or one text with commas.",
    )
)
"""What a field that a caller writes has to be, as a sentence for who sent something else."""


def described(said: Mapping[str, object]) -> Description:
    """Return what values under our names of fields say; one that cannot be read is missing."""
    read = {name: READERS[name](value) for name, value in said.items() if name in READERS}
    return Description(**{name: value for name, value in read.items() if value is not None})


def has_controls(text: str) -> bool:
    """Return whether a text has what no single line of text has: controls and no characters.

    What providers send is read without them; what callers send is refused.
    """
    return _NO_LINE.search(text) is not None


def says_nothing(value: object) -> bool:
    """Return whether a value means that there is none: null, "", "N/A", or a list of such."""
    if isinstance(value, str):
        return read_text(value) is None
    return value is None or (isinstance(value, (list, tuple)) and all(map(says_nothing, value)))
