import gc
import time
import tracemalloc
from contextlib import nullcontext
from typing import Any

import pytest
import strawberry
from graphql import (
    OperationDefinitionNode,
    get_introspection_query,
    get_operation_ast,
    get_variable_values,
    parse,
)
from graphql.execution.values import VariableValues
from hypothesis import given
from hypothesis import strategies as st

from movieql.api.execution import DocumentLimits, Executor
from movieql.api.limits import LimitCheck, OperationLimits
from movieql.api.schema import core_schema
from movieql.domain.errors import LimitExceededError
from tests.servers import ROOT
from tests.unit.api.asking import CORE_SCHEMA, Api, cost_of, executor

FAST_S = 0.5
"""What walks every path takes years; the slack is for a busy machine."""


def bomb(links: int, spreads: int = 2) -> str:
    """Return a query whose fragments spread each other, twice a link."""
    chain = " ".join(
        f"fragment F{n} on Movie {{ {f'...F{n + 1} ' * spreads} }}" for n in range(links)
    )
    return f"{{ movies {{ nodes {{ ...F0 }} }} }} {chain} fragment F{links} on Movie {{ id }}"


def check(query: str, variables: dict[str, Any] | None = None, **limits: int) -> None:
    """Measure a document, and each of its operations with these variables."""
    document = parse(query)
    measure = LimitCheck(CORE_SCHEMA, OperationLimits(**limits), page_size=50)
    measure.check(document)
    for each in document.definitions:
        if isinstance(each, OperationDefinitionNode):
            defined = each.variable_definitions or ()
            values = get_variable_values(CORE_SCHEMA, defined, variables or {})
            assert isinstance(values, VariableValues)
            measure.cost(document, each, values.coerced)


def exceeded(query: str, variables: dict[str, Any] | None = None, **limits: int) -> str:
    with pytest.raises(LimitExceededError) as caught:
        check(query, variables, **limits)
    return str(caught.value)


REFUSED = {
    "depth": "{ movies { nodes { cheapest { offer { provider { id } } } } } }",
    "aliases": "{ " + " ".join(f"a{n}: providers {{ id }}" for n in range(4)) + " }",
    "root_fields": "{ " + "providers { id } " * 4 + "}",
    "mutations": "mutation { " + 'deleteMovie(input: {id: "a"}) { entry { id } } ' * 4 + "}",
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
        limits.check(document)
    assert time.perf_counter() - started_s < FAST_S


def test_the_introspection_that_graphiql_needs_passes() -> None:
    check(get_introspection_query(input_value_deprecation=True, specified_by_url=True))


@pytest.mark.parametrize("path", sorted((ROOT / "schema/operations").glob("*.graphql")))
def test_our_own_operations_pass_with_the_largest_page(path: Any) -> None:
    document = parse(path.read_text(encoding="utf-8"))
    operation = get_operation_ast(document)
    assert operation is not None
    limits = LimitCheck(CORE_SCHEMA, OperationLimits(), page_size=50)
    limits.check(document)
    assert limits.cost(document, operation, {"first": 200}) <= OperationLimits().cost


def test_the_size_of_a_page_counts_from_arguments_variables_and_defaults() -> None:
    assert "cost: 101" in exceeded("{ movies(first: 100) { nodes { id } } }", cost=100)
    sized = "query A($n: Int = 70) { movies(first: $n) { nodes { id } edges { node { id } } } }"
    assert "cost: 211" in exceeded(sized, cost=100)
    assert "cost: 301" in exceeded(sized, {"n": 100}, cost=100)
    assert "cost: 51" in exceeded("{ movies { nodes { id } } }", cost=50)


def test_each_mutation_costs_more_than_what_it_shows() -> None:
    write = "mutation { ...A } fragment A on Mutation { a: W b: W }".replace(
        "W", 'deleteMovie(input: {id: "a"}) { entry { id } }'
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
    limits.check(document)
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
    for deep, refused in ((3, False), (30, True)):
        document = parse("{ knot { " + "similar { " * deep + "name" + " }" * (deep + 2))
        (operation,) = document.definitions
        assert isinstance(operation, OperationDefinitionNode)
        limits.check(document)
        with pytest.raises(LimitExceededError, match="cost") if refused else nullcontext():
            limits.cost(document, operation, {})


PAGE = "movies(first: $n) { nodes { id } }"
FRAGMENT = f"fragment B on Query {{ {PAGE} }}"
COSTS = [
    # (document, variables as they were sent, operation, pages that count)
    (f"query($n: Int) {{ {PAGE} }}", {"n": 200}, None, [200]),
    (f"query($n: Int) {{ {PAGE} }}", {"n": 200.0}, None, [200]),
    (f"query($n: Int) {{ {PAGE} }}", {"n": 2e2}, None, [200]),
    (f"query($n: Int) {{ {PAGE} }}", {"n": None}, None, [50]),
    (f"query($n: Int) {{ {PAGE} }}", {}, None, [50]),
    (f"query($n: Int) {{ {PAGE} }}", {"m": 7, "first": 7}, None, [50]),
    (f"query($n: Int = 70) {{ {PAGE} }}", {}, None, [70]),
    (f"query($n: Int = 70) {{ {PAGE} }}", {"n": 80.0}, None, [80]),
    (f"query($n: Int = 70) {{ {PAGE} }}", {"n": None}, None, [50]),
    (f"query($n: Int! = 70) {{ {PAGE} }}", {}, None, [70]),
    ("{ movies(first: null) { nodes { id } } }", {}, None, [50]),
    (f"query($n: Int) {{ a: {PAGE} b: {PAGE} }}", {"n": 90.0}, None, [90, 90]),
    (
        f"query($n: Int) {{ ...A }} fragment A on Query {{ ... {{ ...B }} }} {FRAGMENT}",
        {"n": 90.0},
        None,
        [90],
    ),
    (
        "query($n: Int, $s: Boolean!) { movies(first: $n) @skip(if: $s) { nodes { id } } }",
        {"n": 90.0, "s": True},
        None,
        [90],
    ),
    (f"query A($n: Int) {{ {PAGE} }} query B($n: Int = 7) {{ {PAGE} }}", {}, "B", [7]),
    (f"query A($n: Int) {{ {PAGE} }} query B($n: Int = 7) {{ {PAGE} }}", {}, "A", [50]),
    (
        f"query A($n: Int) {{ {PAGE} }} query B {{ movies(first: 3) {{ nodes {{ id }} }} }}",
        {"n": 200.0},
        "B",
        [3],
    ),
    (
        (
            f"query A($n: Int) {{ {PAGE} }} "
            "query B($n: MovieFilter) { movies(filter: $n, first: 3) { nodes { id } } }"
        ),
        {"n": {"title": "a"}},
        "B",
        [3],
    ),
    (
        (
            f"query A($n: Int) {{ {PAGE} }} "
            "query B($n: [ID!]) { movies(ids: $n, first: 3) { nodes { id } } }"
        ),
        {"n": ["a"]},
        "B",
        [3],
    ),
    (
        f"query($n: Int, $f: MovieFilter) {{ {PAGE} }}".replace("$n)", "$n, filter: $f)"),
        {"n": 60.0, "f": {"yearFrom": 1977.0, "providers": "filmworld"}},
        None,
        [60],
    ),
]


@pytest.mark.parametrize("document, variables, operation, pages", COSTS)
async def test_the_cost_is_that_of_the_variables_as_they_are_executed(
    document: str, variables: dict[str, Any], operation: str | None, pages: list[int]
) -> None:
    expected = sum(1 + page for page in pages)
    assert cost_of(document, variables, operation) == expected
    api = Api()
    for _ in range(2):  # also once it is known
        answer = await api.run(document, variables, operation_name=operation)
        assert "errors" not in answer.body
    assert api.charged == [expected] * 2


@pytest.mark.parametrize(
    "sent",
    ["200", True, 200.5, 2**31, 10**40, float(2**53), [200, 1], {"n": 200}, "", 1e300],
)
async def test_a_size_that_is_no_whole_number_is_graphqls_error_and_costs_nothing(
    sent: object,
) -> None:
    api = Api()
    error = await api.refusal(f"query($n: Int) {{ {PAGE} }}", {"n": sent})
    assert "Int" in error["message"]
    assert api.charged == []


async def test_what_is_refused_for_its_cost_is_refused_however_its_size_is_written() -> None:
    offers = "query($n: Int) { movies(first: $n) { nodes { OFFERS } } }".replace(
        "OFFERS", "offers { provider { id } price { amount } } sources { provider { id } }"
    )
    limits = OperationLimits(cost=1_000)
    for size in (200, 200.0, 2e2):
        with pytest.raises(LimitExceededError, match="cost"):
            cost_of(offers, {"n": size}, limits=limits)
    assert cost_of(offers, {"n": 20.0}, limits=limits) == cost_of(offers, {"n": 20}, limits=limits)


@given(
    st.integers(-(2**31), 2**31 - 1),
    st.dictionaries(st.text(max_size=5), st.integers() | st.text() | st.none(), max_size=5),
)
def test_variables_that_are_not_declared_cost_nothing(size: int, others: dict[str, Any]) -> None:
    document = f"query($n: Int) {{ {PAGE} }}"
    limits = OperationLimits(cost=2**32)
    assert cost_of(document, {**others, "n": float(size)}, limits=limits) == cost_of(
        document, {"n": size}, limits=limits
    )


@pytest.mark.parametrize("character", ["x", "\u0416", "\U0001f600"])
@pytest.mark.parametrize("fields, text_characters", [(1, 0), (2, 4_000), (320, 0), (300, 3_000)])
def test_kept_documents_take_no_more_memory_than_they_may(
    fields: int, text_characters: int, character: str
) -> None:
    own = executor(OperationLimits(fields=10_000, cost=10**9, aliases=10_000, root_fields=10_000))
    text = f'p: __type(name: "{character * text_characters}") {{ name }}'
    own.prepare("{ __typename }")
    before = own.kept_bytes
    tracemalloc.start()
    try:
        for number in range(10):
            query = f"query A{number} {{ {text} {'__typename ' * fields}}}"
            assert own.prepare(query).errors == ()
        del query
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] <= own.kept_bytes - before
    finally:
        tracemalloc.stop()


def test_documents_beyond_the_room_are_not_kept_and_the_longest_unused_go_first() -> None:
    check = LimitCheck(CORE_SCHEMA, OperationLimits(), page_size=50)
    own = Executor(CORE_SCHEMA, DocumentLimits(kept_bytes_max=56_000), check)
    first, second, third = (own.prepare(f"query A{each} {{ __typename }}") for each in range(3))
    assert own.known(first.sha256) is first
    own.prepare("query A3 { __typename }")
    assert own.known(second.sha256) is None
    assert own.known(first.sha256) is first
    large = own.prepare("{ movies { " + "totalCount " * 400 + "} }")
    assert large.errors == ()
    assert own.known(large.sha256) is None
    assert own.known(third.sha256) is third


def test_a_document_that_is_not_valid_is_not_kept() -> None:
    own = executor()
    for query in ("{", "{ nope }"):
        assert own.known(own.prepare(query).sha256) is None


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
        (error, *_) = closed.prepare(query).errors
        assert "introspection" in error.message
    assert closed.prepare("{ __typename }").errors == ()
