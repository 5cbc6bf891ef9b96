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

from movieql.domain.fields import IGNORED, JOINERS, MODIFIERS, SELECTORS

_TRAILING_DIGITS = re.compile(r"[^0-9]*([0-9]{1,10})")
_IMDB_DIGITS = 7
_READABLE_CHARACTERS_MAX = 120
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

_LATIN, _GREEK, _CYRILLIC = "aeiouy", "αεηιορυω", "аеиоуыэюя"
_GRAVE, _ACUTE, _CIRCUMFLEX, _DIAERESIS, _DOT = "\u0300", "\u0301", "\u0302", "\u0308", "\u0307"
_SAME_LETTER = (
    {vowel + mark for vowel in _LATIN for mark in (_GRAVE, _ACUTE, _CIRCUMFLEX)}
    | {vowel + _ACUTE for vowel in _CYRILLIC}
    | {vowel + _DIAERESIS for vowel in "eiyе"}  # the last is Cyrillic  # noqa: RUF001
    | {"i" + _DOT}  # what İ is in small letters
)
_GREEK_ACCENTS = frozenset("\u0300\u0301\u0308\u0313\u0314\u0342\u0345")

_BASE_LETTERS = str.maketrans(
    {
        "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h",
        "ŧ": "t", "\u0131": "i", "ŋ": "ng", "ɨ": "i", "ƶ": "z",
    }
)  # fmt: skip  # letters that Unicode does not decompose
_EDGE_ARTICLES = frozenset(
    ["das", "de", "der", "die", "een", "ein", "eine", "el", "gli", "het", "il", "la", "las", "le"]
) | frozenset(["les", "lo", "los", "os", "un", "una", "une", "uno"])


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
    if not any(each.isalnum() or _is_sign(each) for each in plain):
        return " ".join(plain.split())
    return " ".join("".join(_token(plain, at) for at in range(len(plain))).split())


def sort_key(title: str) -> str:
    """Return the words of a title as they are sorted: `ørkenen` at `o`, without signs."""
    words = _loose(title, " ")
    if words:
        return words
    return " ".join(unicodedata.normalize("NFC", _decomposed(_prepared(title))).split())


def search_text(title: str) -> str:
    """Return the forms in which a title is searched, one a line: signs as blanks, as nothing.

    So "Spider-Man" is found by "spider man" and by "spiderman". A title is found by a text when
    one of the text's lines is within it.
    """
    return f"{sort_key(title)}\n{_loose(title, '') or sort_key(title)}"


def near_key(title: str) -> str:
    """Return what two titles share that may be meant as one: no blanks, articles or "and"."""
    words = [each for each in sort_key(title).split() if each != "and"] or ["and"]
    inner = [each for at, each in enumerate(words) if not _is_article(words, at)]
    if inner and inner[0] in _EDGE_ARTICLES:
        inner = inner[1:]
    elif inner and inner[-1] in _EDGE_ARTICLES:
        inner = inner[:-1]
    return "".join(inner or words)


def _is_article(words: Sequence[str], at: int) -> bool:
    if words[at] != "a":
        return words[at] in {"an", "the"}
    is_last = at + 1 == len(words)
    beside = words[at - 1] if is_last and at else "" if is_last else words[at + 1]
    return len(beside) != 1  # an initial, as in "S.W.A.T." or "Q&A"


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


def imdb_id(provider_movie_id: str) -> str | None:
    """Return `tt0076759` for `cw0076759`: the digits after the prefix, at least seven of them."""
    match = _TRAILING_DIGITS.fullmatch(provider_movie_id)
    return f"tt{int(match[1]):0{_IMDB_DIGITS}d}" if match else None


def _prepared(title: str) -> str:
    """Return a title without ignorable characters; what a raised digit follows ends before it."""
    spaced = _APOSTROPHES.sub("'", _IGNORABLE.sub("", title))
    return _FRACTION.sub(" ", _RAISED.sub("\u00b7", spaced))


def _decomposed(text: str) -> str:
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())


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
    base = "".join(each for each in text if not "\u0300" <= each <= "\u036f")
    words = "".join(
        each if each.isspace() or (_is_word(each) and each not in JOINERS) else sign
        for each in base.translate(_BASE_LETTERS)
    )
    return unicodedata.normalize("NFC", " ".join(words.split()))


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
