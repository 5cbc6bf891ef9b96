"""Ids of movies: one canonical id each, and every id ever printed keeps resolving."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from movieql.domain.matching import Match
from movieql.domain.movies import Listing
from movieql.domain.titles import UNDATED, slug


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
