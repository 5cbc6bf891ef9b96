"""The merged movies of this process, kept up to date by difference.

A change costs what the movies that it touches cost, however many others there are. What cannot be
done at once is done in steps: between two of them others may run, and read whatever is there.
docs/decisions/0025 says why.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar
from weakref import WeakSet

from movieql.domain.matching import Identified, Identities, match_listings
from movieql.domain.merge import ListedMovie
from movieql.domain.movies import Listing, ListingKey, Profile, Row
from movieql.domain.titles import imdb_id, match_key
from movieql.movies.growth import Growth
from movieql.movies.views import View

ROWS_LOOKED_AT_A_STEP = 1_000
"""Rows of a list that are compared with what is known in one step; measured at about 1 ms."""

ROWS_A_STEP = 50
"""Changed rows that are matched in one step; measured at about 1.5 ms."""

VIEWS_MAX = 8
"""Sets of providers with a view of their own, besides that of all and that of each alone."""

_Traits = tuple[str | None, str | None]
"""What joins a listing to others: its match key, and IMDb's digits behind a NUL."""


class Snapshot:
    """Movies merged from the lists of providers, found by any id and seen through views."""

    def __init__(self, profiles: Iterable[Profile], identities: Identities) -> None:
        self.profiles = {profile.id: profile for profile in profiles}
        self._identities = identities
        self._numbered = frozenset(each.id for each in self.profiles.values() if each.imdb_ids)
        self._selling = frozenset(each.id for each in self.profiles.values() if each.sells)
        self._lists: dict[str, tuple[Row, ...]] = {}
        self._listings: dict[str, dict[str, Listing]] = {each: {} for each in self.profiles}
        self._traits: dict[ListingKey, _Traits] = {}
        self._alike: dict[str, set[ListingKey]] = defaultdict(set)
        self._movies: dict[str, ListedMovie] = {}
        self._aliases: dict[str, str] = {}
        self._movie_of: dict[ListingKey, ListedMovie] = {}
        self._near: dict[str, set[str]] = defaultdict(set)
        self._meant: dict[str, set[tuple[str, int | None]]] = defaultdict(set)
        self._details: dict[ListingKey, Row] = {}
        self._unknown: dict[str, set[str]] = {each: set() for each in self.profiles}
        self._unlisted: dict[str, set[str]] = {each: set() for each in self.profiles}
        self._growth, self._rank_growth = Growth(), Growth()
        everyone = frozenset(self.profiles)
        self._views = OrderedDict(
            {everyone: View(everyone, self.profiles, self._details, self._rank_growth)}
        )
        # What is let go is kept up for as long as a request reads it.
        self._used_views = WeakSet(self._views.values())

    def __len__(self) -> int:
        """Return how many movies there are."""
        return len(self._movies)

    def list_of(self, provider: str) -> tuple[Row, ...] | None:
        """Return the rows of a provider as they were last taken in, None when none ever were."""
        return self._lists.get(provider)

    def find(self, movie_id: str) -> ListedMovie | None:
        """Return the movie of an id: its canonical one, an alias, or one given out before."""
        for name in (movie_id, self._identities.canonical(movie_id)):
            movie = self._movies.get(name) or self._movies.get(self._aliases.get(name, ""))
            if movie is not None:
                return movie
        return None

    def of(self, key: ListingKey | None) -> ListedMovie | None:
        """Return the movie that a listing is part of."""
        return None if key is None else self._movie_of.get(key)

    def last_seen(self, movie_id: str) -> Identified | None:
        """Return a movie as it was when a provider last listed it."""
        return self._identities.last_seen(movie_id)

    def unknown(self, provider: str) -> list[str]:
        """Return a provider's own ids of what it lists and has a detail of that is not known."""
        return list(self._unknown[provider])

    def details_read(self, provider: str) -> tuple[int, int]:
        """Return how many details of what a provider lists are known, and how many it has."""
        listed = len(self._listings[provider])
        return listed - len(self._unknown[provider]), listed

    def knows(self, key: ListingKey) -> bool:
        """Return whether the detail of a listing is known, however old."""
        return key in self._details

    def listed(self, provider: str) -> list[str]:
        """Return a provider's own ids of what it lists."""
        return list(self._listings[provider])

    def set_detail(self, provider: str, own_id: str, row: Row | None) -> None:
        """Take in what a provider's detail says of a movie; None: it says nothing any more."""
        key = (provider, own_id)
        before = self._details.get(key)
        if row is before:
            return
        if row is None:
            del self._details[key]
        else:
            self._details[key] = row
            self._note_growth()
        self._note_detail(key)
        movie = self._movie_of.get(key)
        if movie is not None and row != before:
            self._refresh(movie)

    def set_list(self, provider: str, rows: tuple[Row, ...]) -> Generator[None, None, None]:
        """Take in a provider's list of `unique_rows`, in steps; equal rows cost one look each."""
        new: dict[str, Row] = {}
        changed: list[tuple[ListingKey, Row | None]] = []
        for each in _pieces(rows, ROWS_LOOKED_AT_A_STEP):
            new.update((row.provider_movie_id, row) for row in each)
            changed += (
                (key, row)
                for row in each
                if self._differs(key := (provider, row.provider_movie_id), row)
            )
            yield
        for ids in _pieces(list(self._listings[provider]), ROWS_LOOKED_AT_A_STEP):
            changed += (((provider, own_id), None) for own_id in ids if own_id not in new)
            yield
        for changes in _pieces(changed, ROWS_A_STEP):
            self._change(changes)
            yield
        # Details that came before this list, of movies that are not in it either.
        for own_id in list(self._unlisted[provider]):
            self.set_detail(provider, own_id, None)
        self._lists[provider] = rows

    def view(self, providers: frozenset[str]) -> Generator[None, None, View]:
        """Return the movies as these providers tell them; the first time in steps."""
        view = self._views.get(providers)
        if view is None:
            view = View(providers, self.profiles, self._details, self._rank_growth)
            view.is_filling = True
            self._used_views.add(view)
            self._views[providers] = view
            self._bound_views()
        else:
            self._views.move_to_end(providers)
        if view.is_filling:  # by this request, another one, or one that was given up
            for at, movie_id in enumerate(list(self._movies)):
                if movie_id in self._movies and movie_id not in view:
                    view.put(self._movies[movie_id])
                if at % ROWS_A_STEP == ROWS_A_STEP - 1:
                    yield
            view.is_filling = False
        return view

    def _differs(self, key: ListingKey, row: Row) -> bool:
        known = self._listings[key[0]].get(key[1])
        return known is None or (known.row is not row and known.row != row)

    def _bound_views(self) -> None:
        others = [each for each in self._views if 1 < len(each) < len(self.profiles)]
        for each in others[: max(0, len(others) - VIEWS_MAX)]:
            del self._views[each]

    def _change(self, rows: Sequence[tuple[ListingKey, Row | None]]) -> None:
        """Change listings, and match those again that they are or were joined to."""
        keys = [key for key, _ in rows]
        touched = self._joined(keys)
        for key, row in rows:
            self._unlist(key)
            if row is None:
                self._details.pop(key, None)
            else:
                self._list(Listing(key[0], row))
        self._note_growth()
        self._match(touched | self._joined(keys))

    def _note_growth(self) -> None:
        self._growth.reach(len(self._traits) + len(self._details))

    def _list(self, listing: Listing) -> None:
        key, row = listing.key, listing.row
        title = row.description.title
        digits = imdb_id(key[1]) if key[0] in self._numbered else None
        self._listings[key[0]][key[1]] = listing
        self._note_detail(key)
        self._traits[key] = (
            None if title is None else match_key(title),
            None if digits is None else f"\0{digits}",
        )
        for trait in filter(None, self._traits[key]):
            self._alike[trait].add(key)

    def _note_detail(self, key: ListingKey) -> None:
        provider, own_id = key
        is_listed = own_id in self._listings[provider]
        if not is_listed and key in self._details:
            self._unlisted[provider].add(own_id)
        else:
            self._unlisted[provider].discard(own_id)
        if is_listed and self.profiles[key[0]].detail_fields and key not in self._details:
            self._unknown[key[0]].add(key[1])
        else:
            self._unknown[key[0]].discard(key[1])

    def _unlist(self, key: ListingKey) -> None:
        self._listings[key[0]].pop(key[1], None)
        self._unknown[key[0]].discard(key[1])
        for trait in filter(None, self._traits.pop(key, ())):
            _discard(self._alike, trait, key)

    def _joined(self, keys: Collection[ListingKey]) -> set[ListingKey]:
        """Return these listings and all that titles and digits join to them, directly or not."""
        joined, todo, traits = set(keys), list(keys), set[str]()
        while todo:
            for trait in filter(None, self._traits.get(todo.pop(), ())):
                if trait not in traits:
                    traits.add(trait)
                    new = self._alike[trait] - joined
                    joined |= new
                    todo.extend(new)
        return joined

    def _match(self, touched: set[ListingKey]) -> None:
        """Make the movies of these listings anew; an id that another movie has takes it along."""
        while True:
            before = {
                movie.id: movie for movie in map(self._movie_of.get, touched) if movie is not None
            }
            listings = [
                self._listings[provider][own_id]
                for provider, own_id in touched
                if own_id in self._listings[provider]
            ]
            matches = match_listings(listings, self._numbered)
            rivals = [
                self._movies[match.imdb]
                for match in matches
                if match.imdb in self._movies and match.imdb not in before
            ]
            more = {
                listing.key
                for movie in (*before.values(), *rivals)
                for listing in movie.listings
                if listing.key not in touched
            }
            if not more:
                break
            # It ends: each time there are more of them, and there are only so many listings.
            touched |= self._joined(more)
        for movie in before.values():  # else what is listed for long is forgotten first
            self._identities.keep(Identified(movie.id, movie.aliases, movie.listings, movie.years))
        identified = self._identities.identify(
            matches, lambda movie_id: movie_id in self._movies and movie_id not in before
        )
        self._replace(before, identified)

    def _replace(
        self, before: Mapping[str, ListedMovie], identified: Iterable[Identified]
    ) -> None:
        near: set[str] = set()
        after: dict[str, ListedMovie] = {}
        for each in identified:
            listings = sorted(
                each.listings,
                key=lambda listing: (self.profiles[listing.provider].priority, listing.key),
            )
            same = before.get(each.id)
            if same is None or same.aliases != each.aliases or same.listings != tuple(listings):
                after[each.id] = ListedMovie(each.id, each.aliases, listings)
            else:
                after[each.id] = same
        views = tuple(self._used_views)
        for movie in before.values():
            if after.get(movie.id) is not movie:
                near |= self._forget(movie, views)
        for movie in after.values():
            if before.get(movie.id) is not movie:
                near |= self._remember(movie, views)
        for key in near & self._near.keys():
            movies = [self._movies[each] for each in self._near[key]]
            self._mark_near_duplicates(movies, self._meant.get(key, ()))

    def _forget(self, movie: ListedMovie, views: Iterable[View]) -> set[str]:
        del self._movies[movie.id]
        for view in views:
            view.drop(movie.id)
        for alias in movie.aliases:
            if self._aliases.get(alias) == movie.id:
                del self._aliases[alias]
        for listing in movie.listings:
            if self._movie_of.get(listing.key) is movie:
                del self._movie_of[listing.key]
        for key, year in movie.also:
            _discard(self._meant, key, (movie.id, year))
        if movie.near_key is not None:
            _discard(self._near, movie.near_key, movie.id)
        return _near_keys(movie)

    def _remember(self, movie: ListedMovie, views: Iterable[View]) -> set[str]:
        self._movies[movie.id] = movie
        for view in views:
            view.put(movie)
        for alias in movie.aliases:
            self._aliases[alias] = movie.id
        for listing in movie.listings:
            self._movie_of[listing.key] = movie
        for key, year in movie.also:
            self._meant[key].add((movie.id, year))
        if movie.near_key is not None:
            self._near[movie.near_key].add(movie.id)
        return _near_keys(movie)

    def _mark_near_duplicates(
        self, movies: Sequence[ListedMovie], meant: Collection[tuple[str, int | None]]
    ) -> None:
        """Mark movies of one near key; `meant`: what else contradicted listings may be of."""
        if len(movies) == 1 and not movies[0].near_duplicate and not meant:
            return  # as nearly all are
        # There are few different sets of sellers, however many movies have nearly one title.
        sellers: dict[int | None, set[frozenset[str]]] = defaultdict(set)
        for movie in movies:
            for year in movie.years or {None}:
                sellers[year].add(movie.providers & self._selling)
        everyone = set().union(*sellers.values())
        for movie in movies:
            rivals = (
                sellers[None].union(*(sellers[year] for year in movie.years))
                if movie.years
                else everyone
            )
            marked = any(each and each.isdisjoint(movie.providers) for each in rivals) or any(
                year is None or not movie.years or year in movie.years for _, year in meant
            )
            if marked != movie.near_duplicate:
                movie.near_duplicate = marked
                self._refresh(movie)

    def _refresh(self, movie: ListedMovie) -> None:
        for view in self._used_views:
            view.refresh(movie)


def _near_keys(movie: ListedMovie) -> set[str]:
    """Return the near keys that a movie may mark others under."""
    own = () if movie.near_key is None else (movie.near_key,)
    return {*own, *(key for key, _ in movie.also)}


_T = TypeVar("_T")


def _discard(sets: dict[str, set[_T]], key: str, member: _T) -> None:
    """Take a member out of one of several sets, and an empty set with it."""
    sets[key].discard(member)
    if not sets[key]:
        del sets[key]


def _pieces(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    return (items[start : start + size] for start in range(0, len(items), size))
