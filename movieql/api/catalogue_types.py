"""The house catalogue in GraphQL: its entries, and what may be written into one.

A list is one text with commas in the file, or a JSON array where that would be read as another.
"""

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from movieql.api.context import ContextInfo
from movieql.api.found import movie_of_entry
from movieql.api.node import Node
from movieql.domain.catalogue import CatalogueEntry as Entry
from movieql.domain.catalogue_fields import STORED_KEYS, entry_field
from movieql.domain.fields import READERS, says_nothing

if TYPE_CHECKING:  # which shows entries in turn
    from movieql.api.types import Movie


def _text_of(name: str) -> Callable[[Any], str | None]:
    def resolve(root: strawberry.Parent[Any]) -> str | None:
        text: str | None = entry_field(root.fields, name)
        return text

    return resolve


def _list_of(name: str) -> Callable[[Any], list[str]]:
    def resolve(root: strawberry.Parent[Any]) -> list[str]:
        return list(entry_field(root.fields, name) or ())

    return resolve


@strawberry.type(
    description="A movie as the house catalogue's own file has it. "
    "What the file has besides these fields stays in it through every write."
)
class CatalogueEntry(Node):
    """See `domain.catalogue.CatalogueEntry`."""

    id: strawberry.ID = strawberry.field(
        description="Its own, not the merged movie's: the same for as long as name and year are."
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

    @strawberry.field(description="The merged movie that it is part of; null when it is gone.")
    @staticmethod
    async def movie(
        root: strawberry.Parent[Any], info: ContextInfo
    ) -> Annotated["Movie", strawberry.lazy("movieql.api.types")] | None:
        """Answer with what came within the budget of the request; see `Browse.movie`."""
        return await movie_of_entry(info, root)  # type: ignore[return-value]  # read by name

    @strawberry.field(description="Null where the file has no readable date.")
    @staticmethod
    def released(root: strawberry.Parent[Any]) -> date | None:
        """Return the day of release."""
        day: date | None = entry_field(root.fields, "released")
        return day

    @strawberry.field(description="Null where the file has no whole number of minutes.")
    @staticmethod
    def runtime_minutes(root: strawberry.Parent[Any]) -> int | None:
        """Return the running time."""
        minutes: int | None = entry_field(root.fields, "runtime_minutes")
        return minutes

    @classmethod
    def is_type_of(cls, value: object, _: object) -> bool:
        """Return whether a value is an entry, for `node`."""
        return isinstance(value, Entry)


def shown(entry: Entry) -> CatalogueEntry:
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
    if_match: str | None = strawberry.field(
        default=None, description="The `version` of the entry: written only if it is this one."
    )
    allow_near_duplicate: bool = strawberry.field(
        default=False,
        description="Create the entry also when another of that year has nearly the same name; "
        "else that is refused with `NearDuplicate`.",
    )
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
        """Return what the file will have under which key, None for what is to be removed."""
        given = {name: getattr(self, name) for name in STORED_KEYS}
        return {
            STORED_KEYS[name]: _written(name, value)
            for name, value in given.items()
            if value is not strawberry.UNSET
        }


def _written(name: str, value: Any) -> Any:
    """Return a field as it is kept in the file."""
    match value:
        case _ if says_nothing(value):
            return None
        case list():
            texts = [text for each in value if (text := each.strip())]
            joined = ", ".join(texts)
            return joined if READERS[name](joined) == READERS[name](texts) else texts
        case date():
            return value.isoformat()
    return value
