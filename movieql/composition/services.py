"""What is open while a process serves."""

from dataclasses import dataclass

from movieql.composition.exporting import Exporting
from movieql.composition.store import HouseParts, Store
from movieql.domain.movies import ContentRevision
from movieql.movies.browse import Browse
from movieql.ports import Cache
from movieql.services.additions import Additions


@dataclass(frozen=True, slots=True)
class Services:
    """Services and what they share; closed in reverse order of opening.

    `store`, `house` and `exporting` are None where the settings name no store.
    """

    browse: Browse
    cache: Cache
    revision: ContentRevision
    additions: Additions
    store: Store | None = None
    house: HouseParts | None = None
    exporting: Exporting | None = None
