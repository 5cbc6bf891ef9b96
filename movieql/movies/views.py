"""Movies as some providers list them, in every order, and filters over them.

Filters are sets of bits, one for each movie's place: an intersection of 100,000 of them takes
microseconds, so that what a filter leaves can be counted at each request.
"""

from collections import defaultdict
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

from sortedcontainers import SortedList

from movieql.domain.merge import ListedMovie
from movieql.domain.movies import ListingKey, MovieOrder, Profile, Row
from movieql.domain.selection import MovieFilter, Position
from movieql.movies.growth import Growth
from movieql.waiting import exhausted

MOVIES_A_STEP = 200
"""Movies that are put into an order in one step; measured at about 1 ms."""

MOVIES_SCANNED_A_STEP = 5_000
"""Movies whose titles and prices are tested in one step; measured at about 2 ms."""

MOVIES_WALKED_A_STEP = 5_000
"""Movies in an order that are looked at for a page in one step; measured at about 1 ms."""

TRIES_MAX = 3
"""Ways through a list that changes may disturb; the next one is one step."""

_SORTED_CHARACTERS_MAX = 100  # of a title, so that the longest cursor is short enough
_HIGHEST = 0x10FFFF

Rank = tuple[int, Any, str]
"""Where a movie stands in an order: 1 where it has no value, the value, its id."""

_Bound = tuple[Any, ...]  # a rank, or the beginning of one


class Member:
    """A movie of a view: what is known of its prices and genres, and where it stands."""

    __slots__ = ("amount", "bit", "genres", "movie", "ranks")

    def __init__(self, movie: ListedMovie, bit: int) -> None:
        self.movie = movie
        self.bit = bit
        self.amount: Decimal | None = None
        self.genres: frozenset[str] = frozenset()
        self.ranks: dict[MovieOrder, Rank] = {}

    def place(self, order: MovieOrder) -> Position:
        """Return the movie's value in an order, and its id."""
        value: Any = self.amount
        if order.field == "title":
            title = self.movie.sort_key
            value = None if title is None else title[:_SORTED_CHARACTERS_MAX]
        elif order.field == "year":
            value = self.movie.year
        return (value, self.movie.id)


@dataclass(frozen=True, slots=True)
class Selected:
    """Movies behind a place, at most as many as were asked for, and what else there is."""

    movies: tuple[ListedMovie, ...]
    places: tuple[Position, ...]
    total_count: int
    has_next: bool


class View:
    """The movies of some providers; what others say neither chooses nor orders them.

    `details`: the detail rows that are known, by listing; `refresh` takes in a change of them.
    `growth`: of the orders of any view.
    """

    def __init__(
        self,
        providers: frozenset[str],
        profiles: Mapping[str, Profile],
        details: Mapping[ListingKey, Row],
        growth: Growth,
    ) -> None:
        self._growth = growth
        self.providers = providers
        self.is_filling = False
        self._changes = 0
        self._profiles = profiles
        self._details = details
        self._members: dict[str, Member] = {}
        self._bits: list[Member | None] = []
        self._free: list[int] = []
        self._years: dict[int, bytearray] = defaultdict(bytearray)
        self._genres: dict[str, bytearray] = defaultdict(bytearray)
        self._orders: dict[MovieOrder, SortedList] = {}
        self._filled: set[MovieOrder] = set()

    def __contains__(self, movie_id: str) -> bool:
        """Return whether a movie is in the view."""
        return movie_id in self._members

    def put(self, movie: ListedMovie) -> None:
        """Take in a movie that is not in the view."""
        self._changes += 1
        restricted = movie.restricted_to(self.providers)
        if restricted is None:
            return
        bit = self._free.pop() if self._free else len(self._bits)
        if bit == len(self._bits):
            self._bits.append(None)
        member = self._members[restricted.id] = self._bits[bit] = Member(restricted, bit)
        if restricted.year is not None:
            _set(self._years[restricted.year], bit)
        self._learn(member)
        for order in self._orders:
            self._rank(member, order)

    def drop(self, movie_id: str) -> None:
        """Let a movie go, if it is there."""
        member = self._members.pop(movie_id, None)
        if member is None:
            return
        self._changes += 1
        for order, found in member.ranks.items():
            self._orders[order].remove((*found, member))
        for genre in member.genres:
            _clear(self._genres[genre], member.bit)
        if member.movie.year is not None:
            _clear(self._years[member.movie.year], member.bit)
        self._bits[member.bit] = None
        self._free.append(member.bit)

    def refresh(self, movie: ListedMovie) -> None:
        """Note that the details of a movie changed, or whether it has a near-duplicate."""
        member = self._members.get(movie.id)
        if member is None:
            return
        member.movie.near_duplicate = movie.near_duplicate
        member.movie.values.clear()
        before = member.amount
        self._changes += 1
        self._learn(member)
        if member.amount != before:
            for order in [each for each in member.ranks if each.field == "price"]:
                self._orders[order].remove((*member.ranks[order], member))
                self._rank(member, order)

    def passes(self, movie_id: str, narrowed: MovieFilter) -> bool:
        """Return whether a movie passes what a filter asks of lists: ids, title and years."""
        member = self._members.get(movie_id)
        return (
            member is not None
            and (narrowed.ids is None or movie_id in narrowed.ids)
            and narrowed.admits_year(member.movie.year)
            and narrowed.admits_text(member.movie.search_text)
        )

    def fill(self, order: MovieOrder) -> Generator[None, None, None]:
        """Make an order, in steps; afterwards it is kept up."""
        if order in self._filled:
            return
        self._orders.setdefault(order, SortedList())
        for at, member in enumerate(list(self._members.values())):
            if order not in member.ranks and self._members.get(member.movie.id) is member:
                self._rank(member, order)
            self._growth.reach(sum(map(len, self._orders.values())))
            if at % MOVIES_A_STEP == MOVIES_A_STEP - 1:
                yield
        self._filled.add(order)

    def select(
        self, narrowed: MovieFilter, order: MovieOrder, after: Position | None, first: int
    ) -> Generator[None, None, Selected]:
        """Return the movies that pass a filter behind a place, in steps."""
        yield from self.fill(order)
        for _ in range(TRIES_MAX):
            changes = self._changes
            selected = yield from self._selected(narrowed, order, after, first)
            if changes == self._changes:
                return selected
        return exhausted(self._selected(narrowed, order, after, first))

    def _selected(
        self, narrowed: MovieFilter, order: MovieOrder, after: Position | None, first: int
    ) -> Generator[None, None, Selected]:
        ranked = self._orders[order]
        start: _Bound = (0,) if after is None else _behind(rank(after, order))
        passing = yield from self._tested(narrowed)
        if passing is None:
            at = ranked.bisect_left(start)
            found = [entry[3] for entry in ranked.islice(at, at + first + 1)]
            return _page(found, order, first, len(ranked))
        low, high = _bounds(narrowed, order)
        bits = passing.to_bytes((passing.bit_length() + 7) // 8, "little")
        count = passing.bit_count()
        if count * count < (first + 1) * len(ranked):  # few: to sort them is less than to walk
            found = self._sorted(bits, order, start)
        else:
            found = yield from self._walked(ranked, bits, max(start, low), high, first + 1)
        return _page(found, order, first, count)

    def _sorted(self, bits: bytes, order: MovieOrder, start: _Bound) -> list[Member]:
        members = filter(None, map(self._bits.__getitem__, _ones(bits)))
        entries = sorted((*member.ranks[order], member) for member in members)
        return [entry[3] for entry in entries if entry >= start]

    @staticmethod
    def _walked(
        ranked: SortedList, bits: bytes, start: _Bound, high: _Bound, wanted: int
    ) -> Generator[None, None, list[Member]]:
        """Return as many members as are wanted of those whose bit is set."""
        found: list[Member] = []
        length = len(bits)
        while True:
            entries = list(islice(ranked.irange(start, high), MOVIES_WALKED_A_STEP))
            for entry in entries:
                bit = entry[3].bit
                if bit >> 3 < length and bits[bit >> 3] >> (bit & 7) & 1:
                    found.append(entry[3])
                    if len(found) == wanted:
                        return found
            if len(entries) < MOVIES_WALKED_A_STEP:
                return found
            start = _behind(entries[-1])
            yield

    def _tested(self, narrowed: MovieFilter) -> Generator[None, None, int | None]:
        passing: int | None = None
        if narrowed.ids is not None:
            members = filter(None, map(self._members.get, narrowed.ids))
            passing = sum(1 << member.bit for member in members)
        if narrowed.year_from is not None or narrowed.year_to is not None:
            of_years = 0
            for year, bits in self._years.items():
                if narrowed.admits_year(year):
                    of_years |= _whole(bits)
            passing = of_years if passing is None else passing & of_years
        if narrowed.genre:
            of_genre = _whole(self._genres.get(narrowed.genre.casefold(), b""))
            passing = of_genre if passing is None else passing & of_genre
        if (
            narrowed.title_forms
            or narrowed.price_from is not None
            or narrowed.price_to is not None
        ):
            found = yield from self._scan(narrowed)
            passing = found if passing is None else passing & found
        return passing

    def _scan(self, narrowed: MovieFilter) -> Generator[None, None, int]:
        bits = bytearray((len(self._bits) + 7) // 8)
        forms = tuple(narrowed.title_forms)
        for start in range(0, len(self._bits), MOVIES_SCANNED_A_STEP):
            piece: Iterable[Member] = filter(
                None, self._bits[start : start + MOVIES_SCANNED_A_STEP]
            )
            if len(forms) == 1:  # as nearly always
                form = forms[0]
                piece = (each for each in piece if form in each.movie.search_text)
            elif forms:
                piece = (each for each in piece if narrowed.admits_text(each.movie.search_text))
            for member in piece:
                if narrowed.admits_amount(member.amount):
                    _set(bits, member.bit)
            yield
        return _whole(bits)

    def _learn(self, member: Member) -> None:
        member.amount = member.movie.amount(self._profiles, self._details)
        genres = member.movie.genres(self._details)
        for genre in member.genres - genres:
            _clear(self._genres[genre], member.bit)
        for genre in genres - member.genres:
            _set(self._genres[genre], member.bit)
        member.genres = genres

    def _rank(self, member: Member, order: MovieOrder) -> None:
        found = member.ranks[order] = rank(member.place(order), order)
        self._orders[order].add((*found, member))


def rank(place: Position, order: MovieOrder) -> Rank:
    """Return what sorts a place in an order: missing values last in both directions, then ids."""
    value, movie_id = place
    if value is None:
        return (1, 0, movie_id)
    if order.descending:
        value = _inverted(value) if isinstance(value, str) else -value
    return (0, value, movie_id)


def _inverted(text: str) -> str:
    """Return a text that sorts before all that sort before `text`."""
    return "".join(chr(_HIGHEST - ord(each)) for each in text) + chr(_HIGHEST)


def _behind(at: tuple[Any, ...]) -> _Bound:
    return (*at[:2], f"{at[2]}\0")


def _bounds(narrowed: MovieFilter, order: MovieOrder) -> tuple[_Bound, _Bound]:
    """Return between which ranks the movies are that pass what a filter asks of the order."""
    low: Any = None
    high: Any = None
    if order.field == "year":
        low, high = narrowed.year_from, narrowed.year_to
    elif order.field == "price":
        low, high = narrowed.price_from, narrowed.price_to
    if order.descending:
        low, high = None if high is None else -high, None if low is None else -low
    # No id begins with the highest character.
    return (0,) if low is None else (0, low), (2,) if high is None else (0, high, chr(_HIGHEST))


def _page(found: list[Member], order: MovieOrder, first: int, total_count: int) -> Selected:
    page = found[:first]
    return Selected(
        tuple(member.movie for member in page),
        tuple(member.place(order) for member in page),
        total_count,
        len(found) > first,
    )


def _set(bits: bytearray, bit: int) -> None:
    if len(bits) <= bit >> 3:
        bits.extend(bytes((bit >> 3) + 1 - len(bits)))
    bits[bit >> 3] |= 1 << (bit & 7)


def _clear(bits: bytearray, bit: int) -> None:
    bits[bit >> 3] &= ~(1 << (bit & 7))


def _whole(bits: bytes | bytearray) -> int:
    return int.from_bytes(bits, "little")


def _ones(bits: bytes) -> Iterable[int]:
    for at, byte in enumerate(bits):
        if byte:
            for bit in range(8):
                if byte >> bit & 1:
                    yield at * 8 + bit
