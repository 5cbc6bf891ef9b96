"""Which listings of different providers are the same movie, and the ids that movies keep.

Matching (docs/semantics.md) is a pure function of the set of listings: neither the order of rows
nor of arrival matters. A movie has one canonical id, and every id ever printed keeps resolving.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from movieql.domain.movies import Listing
from movieql.domain.titles import UNDATED, imdb_id, match_key, slug

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


@dataclass(frozen=True, slots=True)
class Identified:
    """A matched movie with its canonical id and every other id that its listings give it.

    `years`: all that movies of this id were ever listed with.
    """

    id: str
    aliases: frozenset[str]
    listings: tuple[Listing, ...]
    years: frozenset[int] = frozenset()


class Identities:
    """What this process remembers of the ids it gave out, at most `entries_max` ids.

    Canonical is `tt…` where digits are known, else a slug of title and year. A slug may become
    an alias of a `tt…` once; it never becomes canonical again while that movie is known, also
    when the shop that knew the digits withdraws it. The id of a movie of one year is never given
    to a movie of another. Past the bound the ids longest not named are forgotten.
    """

    def __init__(self, entries_max: int = 100_000) -> None:
        self._entries_max = entries_max
        self._canonical: OrderedDict[str, str] = OrderedDict()
        self._last_seen: OrderedDict[str, Identified] = OrderedDict()

    def identify(
        self, matches: Iterable[Match], is_taken: Callable[[str], bool] = lambda _: False
    ) -> list[Identified]:
        """Give each match its id and remember all of them; none an id that `is_taken`."""
        several = list(matches)
        taken = {str(match.imdb) for match in several if match.imdb is not None}
        taken |= {name for match in several if match.imdb is None for name in _slugs(match)}
        # Named movies come last: where a slug is both an id and an alias, the id wins.
        several.sort(key=lambda match: match.imdb is None)
        identified = []
        for match in several:
            movie = (
                self._called(match.imdb, match)
                if match.imdb
                else self._named(match, taken, is_taken)
            )
            taken.add(movie.id)
            identified.append(movie)
        for movie in identified:
            self._remember(movie)
        return identified

    def keep(self, movie: Identified) -> None:
        """Remember a movie that is still listed, or was until now, as if it was named anew."""
        for name in (movie.id, *movie.aliases):
            self._canonical.setdefault(name, movie.id)
            self._canonical.move_to_end(name)
        self._last_seen.setdefault(movie.id, movie)
        self._last_seen.move_to_end(movie.id)
        self._forget()

    def canonical(self, movie_id: str) -> str:
        """Return the canonical id for any id ever given out, else the id itself."""
        return self._canonical.get(movie_id, movie_id)

    def last_seen(self, movie_id: str) -> Identified | None:
        """Return a movie as it was when a provider last listed it."""
        return self._last_seen.get(self.canonical(movie_id))

    def _named(self, match: Match, taken: set[str], is_taken: Callable[[str], bool]) -> Identified:
        slugs = sorted(_slugs(match), key=_slug_rank, reverse=True)
        known = [self._canonical[name] for name in slugs if name in self._canonical]
        fitting = (
            name
            for name in known
            if name not in taken and not is_taken(name) and self._may_be(name, match)
        )
        return self._called(next(fitting, slugs[0]), match)

    def _may_be(self, movie_id: str, match: Match) -> bool:
        years, known = _years(match), self._known_years(movie_id)
        return not years or not known or not years.isdisjoint(known)

    def _known_years(self, movie_id: str) -> frozenset[int]:
        known = self._last_seen.get(movie_id)
        return frozenset() if known is None else known.years

    def _called(self, movie_id: str, match: Match) -> Identified:
        years = _years(match) | self._known_years(movie_id)
        return Identified(movie_id, _slugs(match) - {movie_id}, match.listings, years)

    def _remember(self, movie: Identified) -> None:
        for name in (movie.id, *movie.aliases):
            self._canonical[name] = movie.id
            self._canonical.move_to_end(name)
        self._last_seen[movie.id] = movie
        self._last_seen.move_to_end(movie.id)
        self._forget()

    def _forget(self) -> None:
        while len(self._canonical) > self._entries_max:
            self._canonical.popitem(last=False)
        while len(self._last_seen) > self._entries_max:
            self._last_seen.popitem(last=False)


def _slugs(match: Match) -> frozenset[str]:
    described = [(listing.key, listing.row.description) for listing in match.listings]
    return frozenset(
        # Without a title the provider's own id has to do; "." keeps it apart from slugs.
        f"{provider}.{own_id}"
        if description.title is None
        else slug(description.title, description.year)
        for (provider, own_id), description in described
    )


def _slug_rank(name: str) -> tuple[bool, str]:
    """Sort slugs with a year above those without."""
    return (not name.endswith(f"_{UNDATED}"), name)


def _years(match: Match) -> frozenset[int]:
    years = (listing.row.description.year for listing in match.listings)
    return frozenset(year for year in years if year is not None)
