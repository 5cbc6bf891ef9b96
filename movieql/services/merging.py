"""Merged movies, kept for as long as what they were merged from stays the same."""

from collections.abc import Sequence
from operator import is_

from movieql.domain.answers import Answer
from movieql.domain.index import IndexedMovie
from movieql.domain.merge import Evidence, merge_movie
from movieql.domain.movies import Movie

_Inputs = tuple[Answer | None, ...]


class MergedMovies:
    """Merges movies, each once for the same answers.

    The cache hands out the same answer for as long as it is fresh, so comparing by identity is
    enough, and whatever was computed from a movie may be kept by the movie's identity as well.
    At most `entries_max` movies are kept; then it starts over.
    """

    def __init__(self, entries_max: int = 50_000) -> None:
        self._entries_max = entries_max
        self._kept: dict[tuple[int, bool], tuple[IndexedMovie, _Inputs, Movie]] = {}

    def all(self, movies: Sequence[IndexedMovie], evidence: Evidence) -> list[Movie]:
        """Return each movie merged from its evidence."""
        shelves = tuple(evidence.shelves.get(profile.id) for profile in evidence.profiles)
        return [self._merged(movie, shelves, evidence) for movie in movies]

    def _merged(self, movie: IndexedMovie, shelves: _Inputs, evidence: Evidence) -> Movie:
        details = evidence.details
        inputs = shelves + tuple([details.get(listing.key) for listing in movie.listings])
        # A list page without details and one with them take turns; each has its place.
        key = (id(movie), bool(details))
        kept = self._kept.get(key)
        if kept is not None and kept[0] is movie and all(map(is_, kept[1], inputs)):
            return kept[2]
        merged = merge_movie(movie, evidence)
        if len(self._kept) >= self._entries_max:
            self._kept.clear()
        self._kept[key] = (movie, inputs, merged)
        return merged
