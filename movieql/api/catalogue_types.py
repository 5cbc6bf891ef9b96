"""The house catalogue in GraphQL: its entries, and what may be written into one.

The file keeps what the schema calls `genres` under `genre`, as it always did; `STORED_KEYS` has
all names. A list is one text with commas, or a JSON array where an element has a comma itself.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import strawberry

from movieql.domain.catalogue import CatalogueEntry as Entry
from movieql.domain.errors import InvalidInputError

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

_OTHER_KEYS = {
    "genres": ("genres",),
    "actors": ("actor", "cast"),
    "writers": ("writers",),
    "runtime_minutes": ("runtime_minutes",),
    "languages": ("languages",),
    "countries": ("countries",),
}
"""Further keys that a field is read from, for the file is written by others, too."""

_MINUTES = range(1, 100_000)
_MINUTES_TEXT = re.compile("[0-9]{1,5}")


def _stored(entry: Any, name: str) -> Any:
    """Return what the file has of a field, from the first of its keys, whatever their case."""
    keys = {STORED_KEYS[name], *_OTHER_KEYS.get(name, ())}
    return next((value for key, value in entry.fields.items() if key.casefold() in keys), None)


def _text_of(name: str) -> Callable[[Any], str | None]:
    def resolve(root: strawberry.Parent[Any]) -> str | None:
        value = _stored(root, name)
        return value.strip() or None if isinstance(value, str) else None

    return resolve


def _list_of(name: str) -> Callable[[Any], list[str]]:
    def resolve(root: strawberry.Parent[Any]) -> list[str]:
        value = _stored(root, name)
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, Sequence):
            return []
        return [text for each in parts if isinstance(each, str) and (text := each.strip())]

    return resolve


@strawberry.type(
    description="A movie as the house catalogue's own file has it. "
    "What the file has besides these fields stays in it through every write."
)
class CatalogueEntry:
    """See `domain.catalogue.CatalogueEntry`."""

    id: strawberry.ID = strawberry.field(
        description="Made of name and year. The merged movie resolves by it as well."
    )
    version: str = strawberry.field(
        description="Changes with every write of this entry: send it as `ifMatch`."
    )
    name: str
    year: int
    director: str | None = strawberry.field(resolver=_text_of("director"))
    genres: list[str] = strawberry.field(resolver=_list_of("genres"))
    actors: list[str] = strawberry.field(resolver=_list_of("actors"))
    writers: list[str] = strawberry.field(resolver=_list_of("writers"))
    plot: str | None = strawberry.field(resolver=_text_of("plot"))
    poster: str | None = strawberry.field(resolver=_text_of("poster"))
    rated: str | None = strawberry.field(resolver=_text_of("rated"))
    languages: list[str] = strawberry.field(resolver=_list_of("languages"))
    countries: list[str] = strawberry.field(resolver=_list_of("countries"))
    awards: str | None = strawberry.field(resolver=_text_of("awards"))

    @strawberry.field(description="Null where the file has no day in the form `1982-06-25`.")
    @staticmethod
    def released(root: strawberry.Parent[Any]) -> date | None:
        """Return the day of release."""
        value = _stored(root, "released")
        try:
            return date.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            return None

    @strawberry.field(description="Null where the file has no whole number of minutes.")
    @staticmethod
    def runtime_minutes(root: strawberry.Parent[Any]) -> int | None:
        """Return the running time: of 117, "117" and "117 min"."""
        value = _stored(root, "runtime_minutes")
        if isinstance(value, str):
            digits = value.removesuffix("min").strip()
            value = int(digits) if _MINUTES_TEXT.fullmatch(digits) else None
        is_number = isinstance(value, int) and not isinstance(value, bool)
        return value if is_number and value in _MINUTES else None


def shown(entry: Entry | None) -> CatalogueEntry | None:
    """Return an entry as the schema shows it: its resolvers read the domain's value."""
    return entry  # type: ignore[return-value]  # a domain value, read by name


@strawberry.input(
    description="A movie of the house catalogue, found by name (in any case) and year, which a "
    "write never changes. A field that is left out stays as it is; null or nothing in it removes "
    "it."
)
class UpsertMovieInput:
    """Becomes the arguments of `services.catalogue.Catalogue.upsert`."""

    name: str
    year: int
    director: str | None = strawberry.UNSET
    genres: list[str] | None = strawberry.UNSET
    actors: list[str] | None = strawberry.UNSET
    writers: list[str] | None = strawberry.UNSET
    plot: str | None = strawberry.UNSET
    poster: str | None = strawberry.field(
        default=strawberry.UNSET, description="Address of an image, http or https."
    )
    rated: str | None = strawberry.UNSET
    released: date | None = strawberry.UNSET
    runtime_minutes: int | None = strawberry.UNSET
    languages: list[str] | None = strawberry.UNSET
    countries: list[str] | None = strawberry.UNSET
    awards: str | None = strawberry.UNSET

    def fields(self) -> dict[str, Any]:
        """Return what the file will have under which key, None for what is to be removed.

        Raises InvalidInputError.
        """
        given = {name: getattr(self, name) for name in STORED_KEYS}
        fields: dict[str, Any] = {}
        for name, value in given.items():
            if value is not strawberry.UNSET:
                fields |= dict.fromkeys(_OTHER_KEYS.get(name, ()))  # or they would still be read
                fields[STORED_KEYS[name]] = _written(name, value)
        return fields


def _written(name: str, value: Any) -> Any:
    """Return a field as it is kept in the file."""
    match value:
        case None | "" | []:
            return None
        case list():
            texts = [text for each in value if (text := each.strip())]
            return texts if any("," in text for text in texts) else ", ".join(texts) or None
        case date():
            return value.isoformat()
        case int() if value not in _MINUTES:
            said = f"A running time is {_MINUTES[0]} to {_MINUTES[-1]} minutes."
            raise InvalidInputError.at((name,), said)
        case str() if name == "poster" and not _is_address(value):
            raise InvalidInputError.at((name,), "A poster is an address of http or https.")
    return value


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return (
        parts.scheme in {"http", "https"} and bool(parts.netloc) and not set(text) & set(" \n\t")
    )


FIELD_NAMES: Mapping[str, str] = {key: name for name, key in STORED_KEYS.items()}
"""The key in the file, and our name of its field."""
