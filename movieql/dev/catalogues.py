"""What the simulated shops sell: captured from the real ones, or invented for scale.

Two contracts are known. **A** is the shops' original API: `{"Movies": [...]}` without prices, and
details with string prices and ids such as `cw0076759`. **B** is the API of a later service
that uses their names: a bare array of `{id, createdAt, title, body, price}`, without years, whose
ids match nothing.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from random import Random
from typing import Any, ClassVar

import orjson

from movieql.dev.faults import NotAllowedError

Movie = dict[str, Any]
"""One JSON object as the shop sends it; what its keys are depends on the contract."""

Words = dict[str, list[str]]

PROVIDERS = {"cinemaworld": "cw", "filmworld": "fw"}
"""The two captured shops and the prefixes of their ids, in the order of their ports."""

LIST_KEYS = ("Title", "Year", "ID", "Type", "Poster")
"""Keys of a list entry under contract A, in captured order."""

INVENTED_MAX = 900_000
"""Movies per shop `invented` can make: their seven digits start at 9,000,000, and each shop may
need some of its own, so that none is the number of a captured movie (the highest is 2,488,496)."""

SOLD_ONCE_OF = 19
"""One in 19 of a shop's invented movies is its own: 2 in 20 of all titles are sold by one shop."""

B_EPOCH = datetime(2021, 1, 26, tzinfo=UTC)
"""Date of contract B's source; item n was created n minutes later."""

B_NAMESPACE = uuid.UUID("5b4fd9c6-6d0e-5d3f-9d0b-0d6c5d1d2a71")
"""Arbitrary and fixed, so that the ids of contract B stay the same between starts."""


@dataclass
class Stock:
    """The movies of one shop by id, in list order; subclasses say how a contract shows them.

    Changes last as long as the object: `captured` and `invented` make new ones.
    """

    id_key: ClassVar[str]
    """Key of a movie's id under the contract."""
    blank: ClassVar[Movie]
    """What an added movie has besides its id unless told otherwise."""

    provider: str
    movies: dict[str, Movie]

    def change(self, movie_id: str, fields: Movie) -> None:
        """Set fields of a movie, named and typed as the contract sends them, or add it last."""
        known = self.movies.get(movie_id) or {self.id_key: movie_id, **self.blank}
        self.movies[movie_id] = {**known, **fields}

    def withdraw(self, movie_id: str) -> None:
        """Stop selling a movie. Raises `NotAllowedError` when the shop does not sell it."""
        if movie_id not in self.movies:
            raise NotAllowedError(movie_id, "movie", self.movies)
        del self.movies[movie_id]


@dataclass
class Catalogue(Stock):
    """A shop's movies under contract A: `movies` maps ids to details in captured key order.

    `Poster` is kept relative to the simulator (`posters/cw0076759.svg`) and made absolute when
    sent; ids in `broken_posters` have such an address too, but nothing is there.
    """

    id_key: ClassVar[str] = "ID"
    blank: ClassVar[Movie] = {"Type": "movie"}

    broken_posters: frozenset[str] = frozenset()

    def list_response(self, base_url: str) -> dict[str, list[Movie]]:
        """Give `{"Movies": [...]}` with five text fields each, no price among them."""
        details = (self._absolute(movie, base_url) for movie in self.movies.values())
        return {
            "Movies": [{key: movie[key] for key in LIST_KEYS if key in movie} for movie in details]
        }

    def detail_response(self, movie_id: str, base_url: str) -> Movie | None:
        """Give all fields of a movie, `Price` as text; None when the shop does not sell it."""
        movie = self.movies.get(movie_id)
        return self._absolute(movie, base_url) if movie else None

    def detail_responses(self, base_url: str) -> dict[str, Movie]:
        """Give every detail response by id, in list order."""
        return {key: self._absolute(movie, base_url) for key, movie in self.movies.items()}

    def bare(self) -> "BareCatalogue":
        """Give the same movies as contract B sends them, independent of later changes here."""
        items = (
            _bare_item(self.provider, number, movie)
            for number, movie in enumerate(self.movies.values())
        )
        return BareCatalogue(self.provider, {item["id"]: item for item in items})

    def _absolute(self, movie: Movie, base_url: str) -> Movie:
        poster = movie.get("Poster", _poster(movie["ID"]))
        if isinstance(poster, str) and poster.startswith("posters/"):
            return {**movie, "Poster": f"{base_url}/{poster}"}
        return movie


@dataclass
class BareCatalogue(Stock):
    """A shop's movies under contract B: items `{id, createdAt, title, body, price}` by id.

    Prices are numbers here; a POST may have stored any other JSON.
    """

    id_key: ClassVar[str] = "id"
    blank: ClassVar[Movie] = {"createdAt": "2021-01-26T00:00:00.000Z"}

    def list_response(self) -> list[Movie]:
        """Give a bare array, dearest first like the original; what is no number comes last."""
        return sorted(self.movies.values(), key=_number, reverse=True)

    def detail_response(self, movie_id: str) -> Movie | None:
        """Give one item, the same as in the list; None when the shop does not sell it."""
        return self.movies.get(movie_id)

    def add(self, item_id: str, created_at: datetime, posted: Movie) -> Movie:
        """Store what was posted (`title`, `body` and, if sent, `price`) and give the item."""
        item = {"id": item_id, "createdAt": iso_ms(created_at)}
        item |= {key: posted[key] for key in ("title", "body", "price") if key in posted}
        self.movies[item_id] = item
        return item


def captured() -> dict[str, Catalogue]:
    """Give the catalogues of cinemaworld (7 movies) and filmworld (6), read from `data/`."""
    return {provider: _captured(provider) for provider in PROVIDERS}


def invented(count: int, seed: int) -> dict[str, Catalogue]:
    """Invent `count` movies per shop: the same for the same seed, matching by their digits.

    About a tenth of all titles is sold by one shop only, prices differ between the shops, and no
    title occurs twice. Raises `NotAllowedError` unless `count` is 1 to 900,000.
    """
    if not 1 <= count <= INVENTED_MAX:
        raise NotAllowedError(count, "count", (f"1 to {INVENTED_MAX}",))
    random = Random(seed)  # noqa: S311 - has to be repeatable, guards nothing
    words: Words = read_data("words.json")
    own = round(count / SOLD_ONCE_OF)
    shared = [_invent(number, random, words) for number in range(count - own)]
    catalogues = {}
    for order, (provider, prefix) in enumerate(PROVIDERS.items()):
        first = count - own + order * own
        alone = [_invent(number, random, words) for number in range(first, first + own)]
        movies = [_priced(movie, prefix, order, random) for movie in shared + alone]
        random.shuffle(movies)
        catalogues[provider] = Catalogue(provider, {movie["ID"]: movie for movie in movies})
    return catalogues


def read_data(name: str) -> Any:
    """Give the parsed content of a file in `data/`, for example `cinemaworld.json`."""
    return orjson.loads(resources.files("movieql.dev").joinpath("data", name).read_bytes())


def bare_id(provider: str, movie_id: str) -> str:
    """Give the id contract B uses for a movie of contract A: a uuid nothing can be read from."""
    return str(uuid.uuid5(B_NAMESPACE, f"{provider}/{movie_id}"))


def iso_ms(moment: datetime) -> str:
    """Write a UTC time as JavaScript's `toISOString` does: `2021-01-26T00:00:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _captured(provider: str) -> Catalogue:
    data = read_data(f"{provider}.json")
    details = {entry["ID"]: entry for entry in _in_list_order(data)}
    return Catalogue(provider, details, frozenset(data["broken_posters"]))


def _in_list_order(data: dict[str, Any]) -> Iterator[Movie]:
    for entry in data["list_response"]["Movies"]:
        yield {**data["detail_responses"][entry["ID"]], "Poster": _poster(entry["ID"])}


def _poster(movie_id: str) -> str:
    return f"posters/{movie_id}.svg"


def _bare_item(provider: str, number: int, movie: Movie) -> Movie:
    return {
        "id": bare_id(provider, movie["ID"]),
        "createdAt": iso_ms(B_EPOCH + timedelta(minutes=number)),
        "title": movie["Title"],
        "body": movie["Plot"],
        "price": float(movie["Price"]),
    }


def _number(item: Movie) -> float:
    price = item.get("price")
    return price if isinstance(price, int | float) else float("-inf")


def _title(number: int, words: Words) -> str:
    """Count through the words, so that no title repeats: the last place is a part number."""
    rest, first = divmod(number, len(words["first"]))
    rest, second = divmod(rest, len(words["second"]))
    part, third = divmod(rest, len(words["third"]))
    title = f"The {words['first'][first]} {words['second'][second]} of {words['third'][third]}"
    return f"{title}, Part {part + 1}" if part else title


def _invent(number: int, random: Random, words: Words) -> Movie:
    """Make what both shops say about a movie; keys in the order of the captured details."""
    year = str(random.randint(1930, 2025))
    title = _title(number, words)
    return {
        "Title": title,
        "Year": year,
        "Rated": random.choice(("G", "PG", "PG-13", "R")),
        "Released": f"{random.randint(1, 28):02} {random.choice(words['months'])} {year}",
        "Runtime": f"{random.randint(70, 190)} min",
        "Genre": ", ".join(sorted(random.sample(words["genres"], 3))),
        "Director": random.choice(words["people"]),
        "Writer": random.choice(words["people"]),
        "Actors": ", ".join(random.sample(words["people"], 4)),
        "Plot": f"What happened in {title.removeprefix('The ')} stays a secret until the end.",
        "Language": "English",
        "Country": "Australia",
        "Poster": "",
        "Metascore": str(random.randint(20, 98)),
        "Rating": f"{random.randint(30, 92) / 10}",
        "Votes": f"{random.randint(100, 900_000):,}",
        "ID": f"{9_000_000 + number}",
        "Type": "movie",
        "Price": str(random.randint(10, 300)),
    }


def _priced(movie: Movie, prefix: str, order: int, random: Random) -> Movie:
    """Give one shop's copy: whole dollars are common ground, the cents are the shop's own."""
    movie_id = f"{prefix}{movie['ID']}"
    dollars = int(movie["Price"]) + random.randint(-5, 5)
    cents = random.randrange(0, 5) + 5 * order  # .0-.4 here, .5-.9 there: never equal
    return {**movie, "ID": movie_id, "Poster": _poster(movie_id), "Price": f"{dollars}.{cents}"}
