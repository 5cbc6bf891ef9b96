import time
from typing import Any

import pytest
from graphql import GraphQLResolveInfo, build_schema, execute, parse

from movieql.api.found import wanted_of_movie, wanted_of_page
from movieql.api.limits import OperationLimits
from tests.servers import ROOT
from tests.unit.api.asking import Api, executor

PLAIN_SCHEMA = build_schema((ROOT / "schema" / "schema.graphql").read_text(encoding="utf-8"))
"""Our types without our resolvers: only what a query selects matters here."""

LINEAR_S = 0.5
"""What walks every path of these chains takes years; the slack is for a busy machine."""


def info_of(query: str, field: str, **variables: Any) -> GraphQLResolveInfo[Any]:
    """Return what graphql-core hands to the resolver of a root field."""
    caught: list[GraphQLResolveInfo[Any]] = []

    def resolve(_: object, info: GraphQLResolveInfo[Any], **__: object) -> None:
        if info.field_name == field:
            caught.append(info)

    execute(PLAIN_SCHEMA, parse(query), variable_values=variables, field_resolver=resolve)
    (info,) = caught
    return info


def of_page(query: str, **variables: Any) -> frozenset[str]:
    return wanted_of_page(info_of(query, "movies", **variables))


def of_movie(query: str, field: str = "movie", **variables: Any) -> frozenset[str]:
    return wanted_of_movie(info_of(query, field, **variables))


@pytest.mark.parametrize(
    "selection",
    [
        "nodes { title cheapest { final } }",
        "edges { node { title cheapest { final } } }",
        "nodes { title } edges { node { cheapest { final } } }",
        "some: nodes { name: title } others: nodes { lowest: cheapest { final } }",
        "edges { node { title } } again: edges { it: node { cheapest { final } } }",
        "... on MovieConnection { nodes { ... on Movie { title cheapest { final } } } }",
        "... { nodes { ... on Node { ... on Movie { title cheapest { final } } } } }",
        "...Page",
        "nodes { ...Named } ...Priced",
    ],
)
def test_a_field_is_wanted_however_it_is_selected(selection: str) -> None:
    wanted = of_page(
        f"{{ movies {{ {selection} }} }}"
        "fragment Page on MovieConnection { nodes { ...Named cheapest { final } } }"
        "fragment Named on Movie { title }"
        "fragment Priced on MovieConnection { edges { node { cheapest { final } } } }"
    )
    assert wanted >= {"title", "price"}


def test_fields_of_two_equal_response_keys_are_both_wanted() -> None:
    wanted = of_page("{ movies { nodes { title } } movies { nodes { genres } } }")
    assert wanted == {"title", "genres"}


def test_names_are_those_of_rows() -> None:
    assert "runtime_minutes" in of_movie('{ movie(id: "x") { runtimeMinutes } }')


def test_all_posters_want_what_the_one_wants() -> None:
    assert "poster" in of_movie('{ movie(id: "x") { posters } }')


def test_a_node_wants_what_its_inline_fragment_shows() -> None:
    assert "price" in of_movie('{ node(id: "x") { ... on Movie { cheapest { final } } } }', "node")


@pytest.mark.parametrize(
    "selection",
    ["totalCount", "sources { status }", "pageInfo { hasNextPage }", "edges { cursor }"],
)
def test_a_page_without_movies_wants_no_field_of_them(selection: str) -> None:
    assert of_page(f"{{ movies {{ {selection} }} }}") == frozenset()


@pytest.mark.parametrize("shown", ["price { amount }", "stale", "asOf", "error { code }"])
def test_what_only_a_price_can_tell_wants_the_price(shown: str) -> None:
    assert "price" in of_page(f"{{ movies {{ nodes {{ offers {{ {shown} }} }} }} }}")


@pytest.mark.parametrize("shown", ["providerMovieId", "provider { id }", "__typename"])
def test_what_the_list_tells_of_an_offer_wants_no_price(shown: str) -> None:
    assert "price" not in of_page(f"{{ movies {{ nodes {{ offers {{ {shown} }} }} }} }}")


@pytest.mark.parametrize(
    "directive", ["@skip(if: true)", "@include(if: false)", "@skip(if: $yes)", "@include(if: $no)"]
)
@pytest.mark.parametrize(
    "selection",
    [
        "cheapest {} {{ final }}",
        "... on Movie {} {{ cheapest {{ final }} }}",
        "...Priced {}",
        "offers {} {{ price {{ amount }} }}",
        "offers {{ provider {{ id }} price {} {{ amount }} }}",
    ],
)
def test_what_is_left_out_is_not_wanted(selection: str, directive: str) -> None:
    query = (
        "query ($yes: Boolean = true, $no: Boolean = false) { movies { nodes { title "
        + selection.format(directive)
        + " n: title @include(if: $yes) m: title @skip(if: $no) } } }"
        "fragment Priced on Movie { cheapest { final } }"
    )
    assert "price" not in of_page(query)


@pytest.mark.parametrize("yes, wanted", [(True, True), (False, False)])
def test_variables_decide_what_is_included(*, yes: bool, wanted: bool) -> None:
    query = (
        "query ($yes: Boolean!)"
        "{ movies { nodes { title cheapest @include(if: $yes) { final } } } }"
    )
    assert ("price" in of_page(query, yes=yes)) is wanted


def test_a_fragment_that_is_skipped_once_still_counts_where_it_is_not() -> None:
    wanted = of_page(
        "{ movies { nodes { ...F @skip(if: true) ...F } } }"
        "fragment F on Movie { cheapest { final } }"
    )
    assert "price" in wanted


def chain(fragments: int) -> str:
    """Return a query whose fragments, written out, would be 2 ** fragments fields."""
    links = (f"fragment F{n} on Movie {{ ...F{n + 1} ...F{n + 1} }}" for n in range(fragments))
    last = f"fragment F{fragments} on Movie {{ cheapest {{ final }} }}"
    return "{ movies { nodes { ...F0 } } }" + "".join(links) + last


def quickest_s(work: Any, tries: int = 5) -> float:
    """Return the shortest of several runs: what the work costs, without what the machine does."""
    elapsed_s = []
    for _ in range(tries):
        began_s = time.perf_counter()
        work()
        elapsed_s.append(time.perf_counter() - began_s)
    return min(elapsed_s)


def test_a_chain_of_fragments_takes_linear_time() -> None:
    info = info_of(chain(60), "movies")
    assert "price" in wanted_of_page(info)
    assert quickest_s(lambda: wanted_of_page(info)) < LINEAR_S


def test_a_chain_of_fragments_is_parsed_and_validated_in_linear_time() -> None:
    query = chain(60)

    def prepare() -> None:
        limits = OperationLimits(fields=10**30, directives=10**30, cost=10**30)
        prepared = executor(limits).prepare(query)
        assert prepared.errors == ()

    assert quickest_s(prepare) < LINEAR_S


async def test_no_detail_is_asked_for_when_no_selected_field_needs_one() -> None:
    api = Api()
    await api.ask("{ movies { totalCount nodes { id title year offers { provider { id } } } } }")
    assert api.browse.batches == []
