"""Titles made comparable, and the readable ids made of them."""

import hashlib
import re
import unicodedata

_IMDB_SHAPE = re.compile(r"tt[0-9]+")
_TRAILING_DIGITS = re.compile(r"[^0-9]*([0-9]{1,10})")
_IMDB_DIGITS = 7
_VARIATION_SELECTORS = re.compile("[\ufe00-\ufe0f]")  # how a sign looks, not which it is
_ASCII_WORDS = re.compile("[a-z0-9]+")
_READABLE_CHARACTERS_MAX = 120


def normalised(title: str) -> str:
    """Return a title without case, accents and punctuation, words separated by one space.

    A title of punctuation alone keeps it, so that "!!!" and "???" are two movies.
    """
    if title.isascii():  # nearly all are, and this is twenty times as fast
        return " ".join(_ASCII_WORDS.findall(title.lower())) or title.strip()
    plain = _VARIATION_SELECTORS.sub("", unicodedata.normalize("NFKD", title))
    kept = "".join(
        character if _is_word(character) else " "
        for character in plain.casefold()
        if not "\u0300" <= character <= "\u036f"  # accents of Latin, Greek, Cyrillic letters
    )
    words = unicodedata.normalize("NFKC", " ".join(kept.split()))
    return words or unicodedata.normalize("NFKC", plain).strip()


def _is_word(character: str) -> bool:
    # Marks (category M) carry the vowels of Indic scripts: without them words collide.
    return character.isalnum() or unicodedata.category(character).startswith("M")


def slug(title: str, year: int | None) -> str:
    """Return the readable id of a title: `blade-runner_1982`, `blade-runner` without a year.

    Two titles that compare as different have different slugs: neither `_` nor `~` can come out
    of a title, so "Blade Runner 2049" without a year and "Blade Runner" of 2049 differ, and so
    do a title that looks like an IMDb id and that id. A very long title ends in its hash.
    """
    words = normalised(title)
    encoded = words.encode(errors="surrogatepass")
    if not words or not all(_is_word(character) or character == " " for character in words):
        words = f"~{encoded.hex()}"
    if _IMDB_SHAPE.fullmatch(words):
        words = f"~{words}"
    readable = words.replace(" ", "-")
    if len(readable) > _READABLE_CHARACTERS_MAX:
        digest = hashlib.sha256(encoded).hexdigest()[:32]
        readable = f"{readable[:_READABLE_CHARACTERS_MAX]}~{digest}"
    return readable if year is None else f"{readable}_{year}"


def imdb_id(provider_movie_id: str) -> str | None:
    """Return `tt0076759` for `cw0076759`: the digits after the prefix, at least seven of them."""
    match = _TRAILING_DIGITS.fullmatch(provider_movie_id)
    return f"tt{int(match[1]):0{_IMDB_DIGITS}d}" if match else None
