import json
from pathlib import Path
from typing import Any

import pytest
from graphql import parse, validate

from movieql.api.schema import build_schema, schema_text
from tests.servers import ROOT, operation
from tests.unit.api.asking import CORE_SCHEMA, Api
from tests.unit.api.exporting import exporting

OPERATIONS = sorted((ROOT / "schema" / "operations").glob("*.graphql"))


def variables_beside(path: Path) -> dict[str, Any]:
    """Return the example variables of an operation, if it has any."""
    beside = path.with_suffix(".variables.json")
    variables: dict[str, Any] = json.loads(beside.read_text("utf-8")) if beside.is_file() else {}
    return variables


def test_the_schema_in_the_repository_is_the_one_that_is_served() -> None:
    written = (ROOT / "schema" / "schema.graphql").read_text(encoding="utf-8")
    assert schema_text(build_schema()) == written, "run `make schema` and read the difference"


def test_there_are_operations_to_check() -> None:
    assert "CheapestMovies.graphql" in [path.name for path in OPERATIONS]


@pytest.mark.parametrize("path", OPERATIONS, ids=lambda path: path.stem)
def test_every_operation_fits_the_schema(path: Path) -> None:
    assert validate(CORE_SCHEMA, parse(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", OPERATIONS, ids=lambda path: path.stem)
async def test_every_operation_is_answered(path: Path, tmp_path: Path) -> None:
    async with exporting(tmp_path / "store") as api:
        if path.stem != "RequestExport":
            await api.requested(idempotencyKey="example")  # its id is in the examples
        body = await api.first(operation(path.stem), variables_beside(path))
    assert "errors" not in body
    assert body["data"]
    assert None not in body["data"].values()


async def test_the_cheapest_offer_is_told_with_what_it_saves() -> None:
    body = await Api().ask(
        "{ movies { nodes { cheapest { final saving { amount } offer { price { amount currency }"
        " provider { id name } } } } } }"
    )
    (movie,) = body["data"]["movies"]["nodes"]
    assert movie["cheapest"] == {
        "final": True,
        "saving": {"amount": "94.0"},
        "offer": {
            "price": {"amount": "29.5", "currency": "AUD"},
            "provider": {"id": "filmworld", "name": "Filmworld"},
        },
    }


async def test_a_movie_is_found_as_a_node() -> None:
    body = await Api().ask('{ node(id: "tt0076759") { __typename id ... on Movie { title } } }')
    assert body["data"]["node"] == {
        "__typename": "Movie",
        "id": "tt0076759",
        "title": "Star Wars",
    }


async def test_edges_and_nodes_show_the_same_movies() -> None:
    movies = (
        await Api().ask(
            "{ movies { nodes { id } edges { node { id } cursor } pageInfo { endCursor } } }"
        )
    )["data"]["movies"]
    assert [edge["node"] for edge in movies["edges"]] == movies["nodes"]
    assert movies["edges"][-1]["cursor"] == movies["pageInfo"]["endCursor"]


async def test_an_unnamed_one_of_two_operations_is_not_guessed() -> None:
    body = await Api().ask("query A { providers { id } } query B { providers { id } }")
    assert "data" not in body
    assert "operation name" in body["errors"][0]["message"]
