import time
from typing import Any

import pytest
import strawberry
from graphql import get_introspection_query, parse
from hypothesis import given
from hypothesis import strategies as st

from movieql.api.execution import DocumentLimits, Executor
from movieql.api.limits import LimitCheck, OperationLimits
from movieql.api.schema import core_schema
from movieql.domain.errors import LimitExceededError
from tests.servers import ROOT
from tests.unit.api.asking import CORE_SCHEMA, Api

FAST_S = 0.5
"""What walks every path takes years; the slack is for a busy machine."""


def bomb(links: int, spreads: int = 2) -> str:
    """Return a query whose fragments spread each other, twice a link."""
    chain = " ".join(
        f"fragment F{n} on Movie {{ {f'...F{n + 1} ' * spreads} }}" for n in range(links)
    )
    return f"{{ movies {{ nodes {{ ...F0 }} }} }} {chain} fragment F{links} on Movie {{ id }}"


def check(query: str, variables: dict[str, Any] | None = None, **limits: int) -> None:
    LimitCheck(CORE_SCHEMA, OperationLimits(**limits), page_size=50).check(
        parse(query), variables or {}
    )


def exceeded(query: str, variables: dict[str, Any] | None = None, **limits: int) -> str:
    with pytest.raises(LimitExceededError) as caught:
        check(query, variables, **limits)
    return str(caught.value)


REFUSED = {
    "depth": "{ movies { nodes { cheapest { offer { provider { id } } } } } }",
    "aliases": "{ " + " ".join(f"a{n}: providers {{ id }}" for n in range(4)) + " }",
    "root_fields": "{ " + "providers { id } " * 4 + "}",
    "mutations": "mutation { " + 'deleteMovie(id: "a") { entry { id } } ' * 4 + "}",
    "directives": "{ providers " + "@include(if: true) " * 4 + "{ id } }",
    "fields": "{ providers { id name sells currency } }",
    "cost": "{ movies(first: 4) { nodes { id } } }",
}


@pytest.mark.parametrize("limit", sorted(REFUSED))
def test_each_limit_is_told_by_its_name(limit: str) -> None:
    generous = dict.fromkeys(REFUSED, 1_000)
    assert limit.replace("_", " ") in exceeded(REFUSED[limit], None, **(generous | {limit: 3}))
    check(REFUSED[limit], None, **generous)


@pytest.mark.parametrize(
    "query",
    [
        bomb(90),
        bomb(18, spreads=8),
        "{ providers { ...A } } fragment A on Provider { " + "id " * 950 + "}",
        "{ providers { id } } fragment A on Provider { " + "id " * 950 + "}",
        "{ " + " ".join(f"a{n}: providers {{ id }}" for n in range(100)) + " }",
        "{ providers " + "@a " * 300 + "{ id } }",
        "{ movies { nodes " * 30 + "{ id }" + " } }" * 30,
    ],
)
def test_what_would_be_slow_to_validate_is_refused_fast(query: str) -> None:
    document = parse(query)
    limits = LimitCheck(CORE_SCHEMA, OperationLimits(), page_size=50)
    started_s = time.perf_counter()
    with pytest.raises(LimitExceededError):
        limits.check(document, {})
    assert time.perf_counter() - started_s < FAST_S


def test_the_introspection_that_graphiql_needs_passes() -> None:
    check(get_introspection_query(input_value_deprecation=True, specified_by_url=True))


@pytest.mark.parametrize("path", sorted((ROOT / "schema/operations").glob("*.graphql")))
def test_our_own_operations_pass_with_the_largest_page(path: Any) -> None:
    check(path.read_text(encoding="utf-8"), {"first": 200})


def test_the_size_of_a_page_counts_from_arguments_variables_and_defaults() -> None:
    assert "cost: 101" in exceeded("{ movies(first: 100) { nodes { id } } }", cost=100)
    sized = "query A($n: Int = 70) { movies(first: $n) { nodes { id } edges { node { id } } } }"
    assert "cost: 211" in exceeded(sized, cost=100)
    assert "cost: 301" in exceeded(sized, {"n": 100}, cost=100)
    assert "cost: 51" in exceeded("{ movies { nodes { id } } }", cost=50)


def test_each_mutation_costs_more_than_what_it_shows() -> None:
    write = "mutation { ...A } fragment A on Mutation { a: W b: W }".replace(
        "W", 'deleteMovie(id: "a") { entry { id } }'
    )
    assert "cost: 204" in exceeded(write, cost=203)
    check(write, cost=204)


def test_fragments_in_a_circle_are_left_to_validation() -> None:
    check("{ movies { nodes { ...A } } } fragment A on Movie { id ...A }")


def test_what_does_not_fit_the_schema_is_left_to_validation() -> None:
    check("{ nope { at { all } } ...Gone ... on Nothing { id } } fragment B on No { id }")


@given(st.integers(1, 60), st.integers(1, 4))
def test_time_is_linear_in_the_document_whatever_it_expands_to(links: int, spreads: int) -> None:
    document = parse(bomb(links, spreads), max_tokens=10_000)
    limits = LimitCheck(CORE_SCHEMA, OperationLimits(fields=10**60, cost=10**60), page_size=50)
    started_s = time.perf_counter()
    limits.check(document, {})
    assert time.perf_counter() - started_s < FAST_S


@strawberry.type
class Knot:
    """Refers to itself."""

    name: str = "knot"

    @strawberry.field
    def similar(self) -> list["Knot"]:
        return [Knot() for _ in range(10)]


@strawberry.type
class Root:
    @strawberry.field
    def knot(self) -> Knot:
        return Knot()


def test_a_list_that_refers_to_itself_stays_bounded() -> None:
    schema = core_schema(strawberry.Schema(query=Root))
    limits = LimitCheck(schema, OperationLimits(depth=100), page_size=50)
    limits.check(parse("{ knot { similar { similar { similar { name } } } } }"), {})
    with pytest.raises(LimitExceededError, match="cost"):
        limits.check(parse("{ knot { " + "similar { " * 30 + "name" + " }" * 32), {})


async def test_what_is_too_large_is_refused_by_code_and_the_next_question_answered() -> None:
    api = Api()
    body = await api.ask(bomb(90))
    assert body["errors"][0]["extensions"] == {"code": "LIMIT_EXCEEDED"}
    assert "data" not in body
    assert "errors" not in await api.ask("{ movies { totalCount } }")


async def test_a_larger_page_by_variables_is_measured_anew() -> None:
    api = Api()
    query = """query Large($first: Int) { movies(first: $first) { nodes {
        offers { provider { id } price { amount } error { code } }
        cheapest { offer { provider { id } price { amount } } saving { amount } }
        sources { provider { id } error { code } }
    } } }"""
    assert "errors" not in await api.ask(query, {"first": 5})
    refused = await api.refusal(query, {"first": 200})
    assert refused["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert "errors" not in await api.ask(query, {"first": 5})


def test_where_introspection_is_off_the_schema_cannot_be_asked_for() -> None:
    check = LimitCheck(CORE_SCHEMA, OperationLimits(), page_size=50)
    closed = Executor(CORE_SCHEMA, DocumentLimits(introspection=False), check)
    for query in ("{ __schema { types { name } } }", '{ __type(name: "Movie") { name } }'):
        (error, *_) = closed.prepare(query, {}).errors
        assert "introspection" in error.message
    assert closed.prepare("{ __typename }", {}).errors == ()
