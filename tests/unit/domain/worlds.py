"""What shops may list and answer, for property tests: few words, so that they collide."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hypothesis import strategies as st

from movieql.domain.matching import Identities
from movieql.domain.merge import Evidence, ListedMovie, merge_movie
from movieql.domain.movies import (
    Answer,
    Listing,
    ListingKey,
    Movie,
    MovieOrder,
    Profile,
    Row,
    SourceError,
    SourceErrorCode,
    failed,
    unique_rows,
)
from movieql.domain.selection import MovieFilter
from movieql.domain.titles import near_key
from movieql.movies.snapshot import Snapshot
from movieql.waiting import exhausted
from tests.builders import NOON, fresh, listing, row, shop

LATE = SourceError(SourceErrorCode.TIMEOUT, "Not in time.")

NUMBERED = frozenset({"cinemaworld", "filmworld"})
"""Providers whose ids end in IMDb's digits; "princes" and "corner" have ids of their own."""

OWN_IDS = {
    "cinemaworld": ("cw0000001", "cw0000002", "cw0000003", "cw1", "cw-x"),
    "filmworld": ("fw0000001", "fw0000002", "fw0000003", "fw-x"),
    "princes": ("p1", "p2", "p3", "p4", "0000001"),
    "corner": ("c1", "c2", "c3", "0000001"),
}
TITLES = ("Alien", "alien!", "Álien", "Aliens", "!!!", "tt0000001", "Alien 1979", None)
YEARS = (None, None, 1979, 1986, 2024)

PROFILES = (
    shop("cinemaworld", priority=1),
    shop("filmworld", priority=1),
    shop("princes", priority=2, imdb_ids=False),
    shop("corner", priority=0, imdb_ids=False, detail_fields=frozenset()),
    shop("house", priority=900, imdb_ids=False, detail_fields=frozenset(), sells=False),
)
"""The corner shop has its prices in the list; the house catalogue does not sell."""


Field = Literal["title", "year", "price"]
FIELDS: tuple[Field, ...] = ("title", "year", "price")
ORDERS = [MovieOrder(field, descending) for field in FIELDS for descending in (False, True)]


def stale(*rows: Row) -> Answer:
    """Return an answer with these rows, kept from before, and why it is not fresh."""
    return Answer(rows=rows, as_of=NOON, error=LATE)


@st.composite
def some_listings(
    draw: st.DrawFn,
    titles: Sequence[str | None] = TITLES,
    *,
    again: bool = False,
) -> list[Listing]:
    """Draw what shops list; `again`: a shop may list the same id more than once."""
    keys = st.sampled_from([(shop, own_id) for shop, ids in OWN_IDS.items() for own_id in ids])
    return [
        listing(*key, title=draw(st.sampled_from(titles)), year=draw(st.sampled_from(YEARS)))
        for key in draw(st.lists(keys, unique=not again, max_size=14))
    ]


def taken_in(lists: Mapping[str, Sequence[Row]], profiles: Iterable[Profile]) -> Snapshot:
    """Return a snapshot of these lists, as if nothing had been listed before."""
    snapshot = Snapshot(profiles, Identities())
    for provider, rows in lists.items():
        exhausted(snapshot.set_list(provider, unique_rows(rows)))
    return snapshot


def listed(*listings: Listing, profiles: Sequence[Profile] = PROFILES) -> Snapshot:
    """Return a snapshot of these listings, as if nothing had been listed before."""
    lists: dict[str, list[Row]] = {}
    for each in listings:
        lists.setdefault(each.provider, []).append(each.row)
    return taken_in(lists, profiles)


def movies_of(
    snapshot: Snapshot,
    narrowed: MovieFilter = MovieFilter(),
    order: MovieOrder = MovieOrder(),
) -> tuple[ListedMovie, ...]:
    """Return the movies that pass a filter, in an order."""
    view = exhausted(snapshot.view(narrowed.providers or frozenset(snapshot.profiles)))
    return exhausted(view.select(narrowed, order, None, len(snapshot))).movies


def may_be_one(one: ListedMovie, other: ListedMovie, selling: frozenset[str]) -> bool:
    """Return whether another movie, sold by other shops only, has nearly the same title."""
    if one.title is None or other.title is None or near_key(one.title) != near_key(other.title):
        return False
    years = [one.years, other.years]
    sellers = other.providers & selling
    return (
        (not all(years) or bool(years[0] & years[1]))
        and bool(sellers)
        and not sellers & one.providers
    )


@dataclass(frozen=True)
class World:
    """What every provider answered; a shop without a shelf was left out by the caller."""

    profiles: Sequence[Profile]
    shelves: Mapping[str, Answer]
    details: Mapping[ListingKey, Answer]

    def listed(self, order: MovieOrder = MovieOrder()) -> tuple[ListedMovie, ...]:
        """Return the movies as they are listed, in an order."""
        lists = {provider: shelf.rows or () for provider, shelf in self.shelves.items()}
        snapshot = taken_in(lists, self.profiles)
        for (provider, own_id), answer in self.details.items():
            snapshot.set_detail(provider, own_id, answer.rows[0] if answer.rows else None)
        return movies_of(snapshot, order=order)

    def movies(self, order: MovieOrder = MovieOrder()) -> dict[str, Movie]:
        """Return what is merged of it, by id, in an order."""
        evidence = Evidence(self.profiles, self.shelves, dict(self.details))
        return {movie.id: merge_movie(movie, evidence) for movie in self.listed(order)}


amounts = st.sampled_from([None, "9.5", "29.5", "29.50", "123.5", "1295.0", "123343.5"]) | (
    st.decimals("0.01", "2000", places=2).map(str)
)


def _described(draw: st.DrawFn, **choices: Sequence[Any]) -> dict[str, Any]:
    return {name: draw(st.sampled_from(values)) for name, values in choices.items()}


def _a_row(draw: st.DrawFn, own_id: str) -> Row:
    described = _described(
        draw,
        title=TITLES,
        year=YEARS,
        poster=(None, f"https://posters.example/{own_id}.jpg"),
        votes=(None, 7, 1_000),
    )
    return row(own_id, price=draw(amounts), **described)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw shops that list, are late, are down or are left out, with details likewise."""
    shelves: dict[str, Answer] = {}
    details: dict[ListingKey, Answer] = {}
    for profile in PROFILES:
        ids = OWN_IDS.get(profile.id, ("h1", "h2"))
        own_ids = draw(st.lists(st.sampled_from(ids), unique=True, max_size=4))
        rows = [_a_row(draw, own_id) for own_id in own_ids]
        shelf = draw(
            st.sampled_from(
                [fresh(*rows)] * 5 + [stale(*rows), failed(LATE.code, LATE.message), None]
            )
        )
        if shelf is None:
            continue
        shelves[profile.id] = shelf
        if "price" not in profile.detail_fields:
            continue
        for each in shelf.rows or ():
            detail = row(each.provider_movie_id, price=draw(amounts), plot="Plot.", votes=3)
            answer = draw(
                st.sampled_from(
                    [fresh(detail)] * 8
                    + [fresh(), stale(detail), failed(LATE.code, LATE.message), None]
                )
            )
            if answer is not None:
                details[profile.id, each.provider_movie_id] = answer
    return World(PROFILES, shelves, details)
