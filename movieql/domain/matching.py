"""Which listings of different providers are the same movie (docs/semantics.md, Matching).

A pure function of the set of listings: neither the order of rows nor of arrival matters.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from movieql.domain.movies import Listing
from movieql.domain.titles import imdb_id, match_key

_TitleKey = tuple[str, int | None]


@dataclass(frozen=True, slots=True)
class Match:
    """Listings of one movie, ordered by provider and its id; `imdb` when an id told the digits."""

    listings: tuple[Listing, ...]
    imdb: str | None = None


@dataclass(slots=True)
class _Group:
    """A movie while it is being put together; `titles` are the (title, year) it goes by."""

    imdb: str | None
    listings: list[Listing] = field(default_factory=list)
    titles: set[_TitleKey] = field(default_factory=set)

    @property
    def has_year(self) -> bool:
        return any(year is not None for _, year in self.titles)

    def add(self, listing: Listing, title_key: _TitleKey | None) -> None:
        self.listings.append(listing)
        if title_key is not None:
            self.titles.add(title_key)

    def take(self, other: "_Group") -> None:
        self.imdb = self.imdb or other.imdb
        self.listings += other.listings
        self.titles |= other.titles
        other.listings = []


def match_listings(listings: Iterable[Listing], imdb_providers: Collection[str]) -> list[Match]:
    """Put listings together: by IMDb digits, then title and year, then title alone.

    Title alone counts only when one side has no year and exactly one candidate exists. Two
    listings with different digits are never one movie. Every listing is in exactly one match.
    A provider has each of its ids once, as `unique_rows` makes it.
    """
    in_order = sorted(listings, key=lambda listing: listing.key)
    groups = _by_digits_or_title(in_order, imdb_providers)
    _join_same_title_and_year(groups)
    _join_where_one_side_has_no_year(groups)
    matches = (
        Match(tuple(sorted(group.listings, key=lambda listing: listing.key)), group.imdb)
        for group in groups
        if group.listings
    )
    return sorted(matches, key=lambda match: match.listings[0].key)


def _title_key(listing: Listing) -> _TitleKey | None:
    description = listing.row.description
    if description.title is None:
        return None
    return (match_key(description.title), description.year)


def _by_digits_or_title(
    listings: Iterable[Listing], imdb_providers: Collection[str]
) -> list[_Group]:
    groups: dict[object, _Group] = {}
    for listing in listings:
        title_key = _title_key(listing)
        digits = (
            imdb_id(listing.row.provider_movie_id) if listing.provider in imdb_providers else None
        )
        # A listing with neither digits nor title is a movie of its own.
        key = digits or title_key or listing.key
        groups.setdefault(key, _Group(digits)).add(listing, title_key)
    return list(groups.values())


def _join_same_title_and_year(groups: list[_Group]) -> None:
    numbered: dict[_TitleKey, list[_Group]] = defaultdict(list)
    for group in groups:
        if group.imdb is not None:
            for title_key in group.titles:
                numbered[title_key].append(group)
    for group in groups:
        if group.imdb is None:
            candidates = [movie for key in group.titles for movie in numbered.get(key, [])]
            if len(candidates) == 1:
                candidates[0].take(group)


def _join_where_one_side_has_no_year(groups: list[_Group]) -> None:
    dated: dict[str, list[_Group]] = defaultdict(list)
    undated: dict[str, list[_Group]] = defaultdict(list)
    for group in groups:
        if group.listings:
            for title in {title for title, _ in group.titles}:
                (dated if group.has_year else undated)[title].append(group)
    pairs = [
        (candidate, group)
        for group in groups
        if (candidate := _only_candidate(group, dated, undated)) is not None
    ]
    for candidate, group in pairs:
        candidate.take(group)


def _only_candidate(
    group: _Group, dated: Mapping[str, list[_Group]], undated: Mapping[str, list[_Group]]
) -> _Group | None:
    """Return the one dated movie that an undated group may be, if there is just one."""
    if not group.listings or group.has_year:
        return None
    titles = {title for title, _ in group.titles}
    candidates = {id(movie): movie for title in titles for movie in dated.get(title, [])}
    if len(candidates) != 1 or any(len(undated[title]) != 1 for title in titles):
        return None
    candidate = next(iter(candidates.values()))
    # Two different IMDb numbers are two movies, whatever they are called.
    return candidate if group.imdb is None or candidate.imdb is None else None
