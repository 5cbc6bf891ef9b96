"""Titles made comparable, each key for its purpose, and the readable ids made of them.

| key | for | what it drops |
|---|---|---|
| `match_key` | which listings are one movie | case, form, punctuation, mere accents |
| `sort_key` | where a movie stands in an order | all accents and signs; ø is o, æ is ae |
| `search_text` | text within a title | as `sort_key`, with signs as blanks and as nothing |
| `near_key` | whether two movies may be one | as `sort_key`, and blanks, articles and "and" |

Rules and examples: docs/semantics.md, "Titles".
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

from movieql.domain.fields import IGNORED, JOINERS, MODIFIERS, SELECTORS

_TRAILING_DIGITS = re.compile(r"[^0-9]*([0-9]{1,10})")
_IMDB_DIGITS = 7
_READABLE_CHARACTERS_MAX = 120
_KEYS_KEPT = 1_024  # a movie's keys are asked for several times within moments
UNDATED = "undated"
"""Stands in an id where a movie without a year has none."""

_ASCII_LOOKALIKES = str.maketrans("\u2212\u2044", "-/")  # minus, and the slash within "½"
_IGNORABLE = re.compile(f"[{IGNORED}{SELECTORS}{MODIFIERS}™®©℠]")  # or how a sign looks
_APOSTROPHES = re.compile("[`\u00b4\u02b9-\u02bd\u02c8]")  # letters or accents by their category
_RAISED_DIGITS = "\u00b2\u00b3\u00b9\u2070\u2074-\u2079\u2460-\u249b\u24ea"
_RAISED = re.compile(f"(?<![{_RAISED_DIGITS}])(?=[{_RAISED_DIGITS}])")
_FRACTION = re.compile("(?=[\u00bc-\u00be\u2150-\u215f\u2189])")
_FRACTION_SLASH = re.compile("(?<=[0-9])[/\u2044](?=[0-9])")

_ASCII_TOKENS = re.compile("[a-z0-9]+|[#$%&+<=>@]|(?<![a-z0-9])-(?=[0-9])")
_ASCII_WORDS = re.compile("[a-z0-9 ]*")
_ASCII_SIGNS = re.compile(r"[^a-z0-9\s]")
_SIGNS = frozenset("#%&@")  # punctuation by their category, but "C#" is not "C"
_SEPARATORS = frozenset("~|")  # symbols by their category, but they enclose and separate

_SAME_LETTER = frozenset(
    {vowel + mark for vowel in "aeiouy" for mark in "\u0300\u0301"}  # grave and acute
    | {vowel + "\u0301" for vowel in "аеиоуыэюя"}  # Cyrillic; stress
    | {"е\u0308", "i\u0307"}  # Cyrillic ё, and what İ is in small letters  # noqa: RUF001
)
_GREEK = "αεηιορυω"
_GREEK_ACCENTS = frozenset("\u0300\u0301\u0308\u0313\u0314\u0342")
_POINTS = re.compile(  # of vowels, which Hebrew and Arabic may leave out, and what only stretches
    "[\u0345\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0640\u064b-\u0652\u0670]"
)
_FLAG = re.compile("\U0001f3f4([\U000e0020-\U000e007e]+)\U000e007f")  # of England, Texas, …
_TAGS = 0xE0000

_LATIN_LETTER = re.compile(
    "LATIN SMALL LETTER (?:DOTLESS |OPEN |REVERSED |TURNED |BARRED )*([A-Z])(?: WITH .+)?"
)
_OTHER_LETTERS = str.maketrans(
    {
        "æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "ŋ": "ng", "ĸ": "k", "ə": "e", "ǝ": "e",
        "ʒ": "z", "ƶ": "z", "ƿ": "w", "\u0269": "i", "ʊ": "u", "\u028b": "v", "\u0263": "g",
    }
)  # fmt: skip  # that Unicode neither decomposes nor names by a base letter
_TRAILING_ARTICLE = re.compile(
    r"[,،]\s*(?:the|an?|l['\u2019]|les?|la|los?|las|els?|il|gli|i|uno?|una|une|der|die|das|ein|eine|"
    r"de|den|det|en|ett?|het|een|os?|as|um|uma)\s*\Z",
    re.IGNORECASE,
)
_LEADING_ARTICLES = frozenset(
    ["das", "de", "den", "der", "det", "die", "een", "ein", "eine", "el", "en", "ett", "gli"]
) | frozenset(
    ["het", "i", "il", "l", "la", "las", "le", "les", "lo", "los", "o", "os", "un", "una", "une"]
)


@lru_cache(_KEYS_KEPT)
def match_key(title: str) -> str:
    """Return what two listings of one movie have in common: words and signs between blanks.

    Case, compatibility forms, ignorable characters, punctuation and accents that do not make
    another letter say nothing. Signs that carry meaning stay: "C++" is not "C", "-1" not "1". A
    title of punctuation alone keeps it, so that "!!!" and "???" are two movies.
    """
    if title.isascii():  # nearly all are, and this is twenty times as fast
        return " ".join(_ASCII_TOKENS.findall(title.lower())) or " ".join(
            title.replace("`", "'").split()
        )
    plain = "".join(map(_without_accents, _clusters(_prepared(title))))
    plain = unicodedata.normalize("NFC", plain.translate(_ASCII_LOOKALIKES))
    if not plain.strip():
        return _signs(title)
    if not any(each.isalnum() or _is_sign(each) for each in plain):
        return " ".join(plain.split())
    return " ".join("".join(_token(plain, at) for at in range(len(plain))).split())


@lru_cache(_KEYS_KEPT)
def sort_key(title: str) -> str:
    """Return the words of a title as they are sorted: `ørkenen` at `o`, without signs."""
    return _loose(title, " ") or _signs(title)


def search_text(title: str) -> str:
    """Return the forms in which a title is searched, one a line.

    Signs as blanks, signs as nothing, and where there are any, signs as they are. So "Spider-Man"
    is found by "spider man" and by "spiderman", and "Fast & Furious" by "&". A title is found by
    a text when one of the text's lines is within it.
    """
    words = sort_key(title)
    if words == title.lower():
        return words
    return "\n".join(dict.fromkeys((words, _loose(title, "") or words, _signs(title))))


def near_key(title: str) -> str:
    """Return what two titles share that may be meant as one: no blanks, articles or "and"."""
    words = sort_key(_TRAILING_ARTICLE.sub("", title)).split()
    inner = [each for each in words if each != "and"] or words
    inner = [each for at, each in enumerate(inner) if not _is_article(inner, at)] or words
    if len(inner) > 1 and inner[0] in _LEADING_ARTICLES:
        inner = inner[1:]
    return "".join(inner)


def _is_article(words: Sequence[str], at: int) -> bool:
    if words[at] != "a":
        return words[at] in {"an", "the"}
    # Not at the end ("Plan A"), and not an initial ("A.I.", "S.W.A.T.").
    return at + 1 < len(words) and len(words[at + 1]) > 1


def slug(title: str, year: int | None) -> str:
    """Return the readable id of a title: `blade-runner_1982`, or `blade-runner_undated`.

    Two titles with different match keys have different slugs: neither `_` nor `~` comes out of a
    title, and a sign becomes `~` with its code point. A very long title ends in its hash.
    """
    key = match_key(title)
    readable = key.replace(" ", "-")
    if not _ASCII_WORDS.fullmatch(key):
        readable = "".join(
            "-" if each == " " else each if _is_word(each) else f"~{ord(each):x}" for each in key
        )
    if len(readable) > _READABLE_CHARACTERS_MAX:
        digest = hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()[:32]
        readable = f"{readable[:_READABLE_CHARACTERS_MAX]}~{digest}"
    return f"{readable or '~'}_{UNDATED if year is None else year}"


@lru_cache(_KEYS_KEPT)
def imdb_id(provider_movie_id: str) -> str | None:
    """Return `tt0076759` for `cw0076759`: the digits after the prefix, at least seven of them."""
    match = _TRAILING_DIGITS.fullmatch(provider_movie_id)
    return f"tt{int(match[1]):0{_IMDB_DIGITS}d}" if match else None


def _prepared(title: str) -> str:
    """Return a title without ignorable characters; what a raised digit follows ends before it."""
    flagged = _FLAG.sub(_named_flag, title) if "\U0001f3f4" in title else title
    spaced = _APOSTROPHES.sub("'", _IGNORABLE.sub("", flagged))
    return _FRACTION.sub(" ", _RAISED.sub("\u00b7", spaced))


def _named_flag(flag: re.Match[str]) -> str:
    return f"{flag[0][0]}{''.join(chr(ord(tag) - _TAGS) for tag in flag[1])} "


def _signs(title: str) -> str:
    """Return a title in small letters with its signs as they are."""
    folded = unicodedata.normalize("NFC", _decomposed(_prepared(title)))
    return " ".join((folded if folded.strip() else title).split())


def _decomposed(text: str) -> str:
    plain = _POINTS.sub("", unicodedata.normalize("NFKD", text))
    small = unicodedata.normalize("NFKD", plain.casefold())
    return small.replace("\u02bc", "'")  # of ŉ


def _clusters(text: str) -> Iterator[str]:
    """Split a text, decomposed and in small letters, into letters with the marks behind them."""
    cluster = ""
    for each in _decomposed(text):
        if cluster and not unicodedata.combining(each):
            yield cluster
            cluster = ""
        cluster += each
    yield cluster


def _without_accents(cluster: str) -> str:
    base, marks = cluster[:1], cluster[1:]
    if cluster in _SAME_LETTER or (base in _GREEK and _GREEK_ACCENTS.issuperset(marks)):
        return base
    return cluster


def _loose(title: str, sign: str) -> str:
    """Return a title in base letters, each sign replaced by `sign`."""
    if title.isascii():
        text = title.lower()
        if "/" in text:
            text = _FRACTION_SLASH.sub(" ", text)
        return " ".join(_ASCII_SIGNS.sub(sign, text).split())
    text = _FRACTION_SLASH.sub(" ", _decomposed(_prepared(title)))
    base = "".join(each for each in text if not _is_accent(each))
    words = "".join(
        each if each.isspace() or (_is_word(each) and each not in JOINERS) else sign
        for each in map(_base_letter, base.translate(_OTHER_LETTERS))
    )
    return unicodedata.normalize("NFC", " ".join(words.split()))


def _is_accent(character: str) -> bool:
    return "\u0300" <= character <= "\u036f" or "\u0653" <= character <= "\u065f"


def _base_letter(character: str) -> str:
    """Return the letter that a Latin one is written with: o of ø, d of đ."""
    if "\x7f" < character < "\u0300" or "\u1d00" < character < "\u2c80":
        found = _LATIN_LETTER.fullmatch(unicodedata.name(character, ""))
        return character if found is None else found[1].lower()
    return character


def _is_word(character: str) -> bool:
    # Marks (category M) carry the vowels of Indic scripts: without them words collide.
    return (
        character.isalnum()
        or character in JOINERS
        or unicodedata.category(character).startswith("M")
    )


def _is_sign(character: str) -> bool:
    """Return whether a character that is no letter carries meaning.

    Symbols do, and code points that this Python does not know: they are mostly newer emoji.
    """
    category = unicodedata.category(character)
    symbol = category in {"Sm", "Sc", "So", "Cn", "Co"} and character not in _SEPARATORS
    return symbol or character in _SIGNS


def _token(text: str, at: int) -> str:
    """Return what the character at a place is of a match key: part of a word, a sign, a blank."""
    character = text[at]
    if _is_word(character):
        return character
    is_minus = (
        character == "-"
        and not (at and _is_word(text[at - 1]))
        and text[at + 1 : at + 2].isdecimal()
    )
    return f" {character} " if is_minus or _is_sign(character) else " "
