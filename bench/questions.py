"""What is asked, and how answers are read."""

import itertools
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from bench.load import FailedError, post

PAGE = 20
"""Movies of a page."""

_OPERATION = Path(__file__).parents[1] / "schema" / "operations" / "CheapestMovies.graphql"
_FIELDS = """{
  totalCount complete
  nodes {
    id title year poster
    cheapest { final offer { provider { id name } price { amount currency } stale } }
    offers { provider { id } price { amount currency } stale }
  }
}"""
OF_MOVIEQL = (
    "query Page($first: Int!, $yearFrom: Int!)"
    "{ movies(first: $first, filter: {yearFrom: $yearFrom})" + _FIELDS + "}"
)
"""A page whose variables can change without changing the page, as movieql takes it."""

OF_PLAIN = (
    "query Page($first: Int!, $yearFrom: Int!)"
    "{ movies(first: $first, yearFrom: $yearFrom)" + _FIELDS + "}"
)
"""The same page as `bench.plain` takes it."""


def same(first: int) -> Iterator[bytes]:
    """Return the operation that the repository ships, again and again."""
    return itertools.repeat(asked(_OPERATION.read_text("utf-8"), first=first))


def changing(query: str) -> Iterator[bytes]:
    """Return a page's question with another year each time, all before the first movie."""
    return (asked(query, first=PAGE, yearFrom=year) for year in itertools.count(-1_000_000, -1))


def asked(query: str, **variables: int) -> bytes:
    """Return a POST of a query."""
    return post(orjson.dumps({"query": query, "variables": variables}))


def answered(body: bytes) -> Any:
    """Return the page in an answer. Raises FailedError when there are errors."""
    answer = orjson.loads(body)
    if answer.get("errors"):
        raise FailedError(f"answered with errors: {answer['errors'][:3]}")
    return answer["data"]["movies"]


def complete(body: bytes) -> Any:
    """Return the page in an answer. Raises FailedError when it is not complete."""
    page = answered(body)
    if not page["complete"]:
        raise FailedError(f"the answer is not complete: {page.get('sources')}")
    return page


def gist(page: Any) -> list[Any]:
    """Return what has to be the same in the answers of two servers, in order."""
    return [
        (
            *(node[key] for key in ("id", "title", "year")),
            _amount(node["cheapest"]["offer"]),
            sorted((each["provider"]["id"], _amount(each)) for each in node["offers"]),
        )
        for node in page["nodes"]
    ]


def _amount(offer: Any) -> Decimal:
    return Decimal(offer["price"]["amount"])
