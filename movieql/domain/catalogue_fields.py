"""What the entries of the house catalogue's file say of movies: keys, and what stands under them.

The file keeps what the schema calls `genres` under `genre`, as it always did. It is written by
others, too: a key counts whatever its case, and some fields have further ones. Where an entry has
a field twice, the first one counts.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from movieql.domain.fields import READERS, described, says_nothing
from movieql.domain.movies import DESCRIPTIVE_FIELDS, Description

STORED_KEYS = {
    "director": "director",
    "genres": "genre",
    "actors": "actors",
    "writers": "writer",
    "plot": "plot",
    "poster": "poster",
    "rated": "rated",
    "released": "released",
    "runtime_minutes": "runtime",
    "languages": "language",
    "countries": "country",
    "awards": "awards",
}
"""Our name of a field, and the key that it is written under in the catalogue's file."""

FIELD_NAMES = {key: name for name, key in STORED_KEYS.items()}
"""The key in the file, and our name of its field."""

_NAMES = (
    FIELD_NAMES
    | {name: name for name in DESCRIPTIVE_FIELDS}
    | {name.replace("_", ""): name for name in DESCRIPTIVE_FIELDS}  # as in GraphQL, in any case
    | {"actor": "actors", "cast": "actors"}
)

_READ_TOO = frozenset({"rating", "votes", "metascore"})  # by movies, though entries do not show it


def is_readable(key: str, value: Any) -> bool:
    """Return whether a value under a key says something or nothing, where that key is read."""
    name = field_of(key)
    is_read = name in STORED_KEYS or name in _READ_TOO
    return not is_read or says_nothing(value) or READERS[name](value) is not None


def field_of(key: str) -> str:
    """Return what an entry has under a key: our name of a field, or the key in lower case."""
    folded = key.casefold()
    return _NAMES.get(folded, folded)


def entry_field(fields: Mapping[str, Any], name: str) -> Any:
    """Return what an entry's fields say of one of `STORED_KEYS`, None where that is nothing."""
    said = (value for key, value in fields.items() if field_of(key) == name)
    return READERS[name](next(said, None))


def entry_description(name: str, year: int, fields: Mapping[str, Any]) -> Description:
    """Return what an entry says of its movie; name and year are of the entry itself."""
    said: dict[str, object] = {}
    for key, value in fields.items():
        said.setdefault(field_of(key), value)
    return replace(described(said), title=name, year=year)
