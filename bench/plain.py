"""The same answers from a Strawberry server written the usual way, over the same warm data.

Types with async resolvers, a DataLoader per request over details that are already in memory,
merging and sorting per request, Strawberry's own ASGI view, and its caches of parsed and
validated documents. No limits, no reports, no logs.
"""

import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import strawberry
import uvicorn
from starlette.requests import Request
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.types import Info

from movieql.dev.catalogues import invented

SHOPS = ("cinemaworld", "filmworld")


@strawberry.type
class Provider:
    """A shop."""

    id: strawberry.ID
    name: str


@strawberry.type
class Money:
    """A price."""

    amount: Decimal
    currency: str


@strawberry.type
class Offer:
    """A shop's price."""

    provider: Provider
    price: Money
    stale: bool = False


@strawberry.type
class Cheapest:
    """The lowest price."""

    offer: Offer | None
    final: bool = True


@strawberry.type
class Movie:
    """A movie, with the ids that shops have for it."""

    id: strawberry.ID
    title: str
    year: int
    poster: str
    listed: strawberry.Private[dict[str, str]]

    @strawberry.field
    async def offers(self, info: Info) -> list[Offer]:
        """Load the details of every shop that lists the movie."""
        return await load_offers(self, info)

    @strawberry.field
    async def cheapest(self, info: Info) -> Cheapest:
        """Take the lowest of the offers."""
        offers = await load_offers(self, info)
        return Cheapest(offer=min(offers, key=lambda offer: offer.price.amount, default=None))


async def load_offers(movie: Movie, info: Info) -> list[Offer]:
    """Return an offer per shop that lists the movie."""
    details = await info.context["details"].load_many(list(movie.listed.items()))
    return [
        Offer(
            provider=Provider(id=strawberry.ID(shop), name=shop.title()),
            price=Money(amount=Decimal(detail["Price"]), currency="AUD"),
        )
        for shop, detail in zip(movie.listed, details, strict=True)
    ]


@strawberry.type
class Connection:
    """A page."""

    nodes: list[Movie]
    total_count: int
    complete: bool = True


@strawberry.type
class Query:
    """Everything."""

    @strawberry.field
    async def movies(
        self, info: Info, first: int = 50, title: str = "", year_from: int = 0
    ) -> Connection:
        """Merge both lists, filter, sort by title, and take a page."""
        movies: dict[str, Movie] = {}
        for shop, rows in info.context["lists"].items():
            for row in rows:
                number = row["ID"][2:]
                movie = movies.setdefault(
                    number,
                    Movie(
                        id=strawberry.ID(f"tt{number}"),
                        title=row["Title"],
                        year=int(row["Year"]),
                        poster=row["Poster"],
                        listed={},
                    ),
                )
                movie.listed[shop] = row["ID"]
        chosen = [
            movie
            for movie in movies.values()
            if title.lower() in movie.title.lower() and movie.year >= year_from
        ]
        chosen.sort(key=lambda movie: (movie.title, movie.id))
        return Connection(nodes=chosen[:first], total_count=len(chosen))


class View(GraphQL[dict[str, Any], None]):
    """Strawberry's view with the warm data in the context."""

    warm: dict[str, Any]

    async def get_context(self, request: Request | WebSocket, response: object) -> dict[str, Any]:
        """Make a loader for the request."""
        del request, response
        details = self.warm["details"]

        async def load(keys: list[tuple[str, str]]) -> Sequence[dict[str, Any]]:
            return [details[key] for key in keys]

        return {"lists": self.warm["lists"], "details": DataLoader(load_fn=load)}


def warm_data(movies: int) -> dict[str, Any]:
    """Return the lists and details of both shops, as they send them."""
    catalogues = invented(movies, seed=7)
    base = "http://127.0.0.1:1"
    return {
        "lists": {shop: catalogues[shop].list_response(base)["Movies"] for shop in SHOPS},
        "details": {
            (shop, own_id): detail
            for shop in SHOPS
            for own_id, detail in catalogues[shop].detail_responses(base).items()
        },
    }


def main(movies: int, port: int) -> None:
    """Serve until the process is ended."""
    caches = [ParserCache, ValidationCache]
    view = View(strawberry.Schema(query=Query, extensions=caches), graphql_ide=None)
    view.warm = warm_data(movies)
    uvicorn.run(view, port=port, log_level="warning", loop="uvloop")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
