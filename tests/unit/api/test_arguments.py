from decimal import Decimal
from typing import Any

import pytest
from strawberry.utils.str_converters import to_snake_case

from movieql.ports import LIST, Call
from tests.builders import fresh, row
from tests.unit.api.asking import Api

QUOTED = '"x",'
ALLOWED = {
    "first: -1": "0 to 200",
    "maxWaitMs: -1": "`maxWaitMs` takes 0 and more",
    "first: 201": "0 to 200",
    'after: "nonsense"': "`endCursor`",
    'after: ""': "`endCursor`",
    'after: "é"': "`endCursor`",
    'after: "W10"': "`endCursor`",
    f'after: "{"W1tb" * 600}"': "`endCursor`",
    'filter: {providers: ["nope"]}': "cinemaworld, filmworld",
    "filter: {providers: []}": "cinemaworld, filmworld",
    f'filter: {{title: "{"x" * 201}"}}': "`title` takes at most 200 characters",
    f'filter: {{genre: "{"x" * 201}"}}': "`genre` takes at most 200 characters",
    'filter: {priceFrom: "Infinity"}': "`priceFrom` takes a finite number",
    'filter: {priceFrom: "-Infinity"}': "`priceFrom` takes a finite number",
    'filter: {priceFrom: "sNaN"}': "`priceFrom` takes a finite number",
    'filter: {priceTo: "NaN"}': "`priceTo` takes a finite number",
    f"ids: [{QUOTED * 201}]": "`ids` takes at most 200 ids",
    f'ids: ["{"x" * 601}"]': "at most 600 characters",
    "filter: {priceTo: 1e999}": "`priceTo` takes a finite number",
}


@pytest.mark.parametrize("arguments", ALLOWED, ids=lambda arguments: arguments[:40])
async def test_an_argument_that_is_not_allowed_is_told_what_is(arguments: str) -> None:
    error = await Api().refusal(f"{{ movies({arguments}) {{ totalCount }} }}")
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert ALLOWED[arguments] in error["message"]
    assert error["path"] == ["movies"]


@pytest.mark.parametrize("field", ["movie", "node"])
async def test_an_id_that_is_too_long_is_told_how_long_it_may_be(field: str) -> None:
    error = await Api().refusal(f'{{ {field}(id: "{"x" * 601}") {{ id }} }}')
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert "at most 600 characters" in error["message"]


@pytest.mark.parametrize(
    "arguments",
    [
        "ids: null",
        "ids: []",
        f"ids: [{QUOTED * 200}]",
        "first: 0",
        "maxWaitMs: null",
        "maxWaitMs: 0",
        "maxWaitMs: 2147483647",
        "first: 200",
        "first: null",
        "after: null",
        "orderBy: null",
        "filter: null",
        "requireComplete: null",
        "filter: {}",
        'filter: {title: ""}',
        'filter: {genre: ""}',
        'filter: {providers: ["cinemaworld", "cinemaworld"]}',
        f'filter: {{title: "{"x" * 200}"}}',
        "filter: {yearFrom: null, yearTo: -1}",
        'filter: {priceFrom: "1e999999", priceTo: "-1e999999"}',
        "filter: {priceFrom: 29.5, priceTo: 30}",
        "orderBy: {field: PRICE, direction: DESC}",
        "orderBy: {}",
    ],
)
async def test_an_argument_within_its_bounds_is_answered(arguments: str) -> None:
    assert "errors" not in await Api().ask(f"{{ movies({arguments}) {{ totalCount }} }}")


@pytest.mark.parametrize(
    "value",
    [
        {"nothing": 1},
        {"priceFrom": {}},
        {"priceFrom": "nothing"},
        {"providers": [[["x"]]]},
        {"providers": [None]},
        {"yearFrom": 10**10},
        1,
    ],
    ids=str,
)
async def test_a_variable_of_the_wrong_kind_is_the_callers_fault(value: Any) -> None:
    api = Api()
    error = await api.refusal(
        "query ($filter: MovieFilter) { movies(filter: $filter) { complete } }", {"filter": value}
    )
    assert error["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}
    assert api.faults == []


async def test_a_cursor_of_another_order_is_refused() -> None:
    api = Api()
    page = await api.ask("{ movies { pageInfo { endCursor } } }")
    cursor = page["data"]["movies"]["pageInfo"]["endCursor"]
    error = await api.refusal(
        "query ($after: String) { movies(after: $after, orderBy: {field: YEAR}) { totalCount } }",
        {"after": cursor},
    )
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert "`orderBy`" in error["message"]


async def test_a_price_filter_compares_exactly() -> None:
    for bound, count in {"29.5": 1, "29.50": 1, "29.4999999999999999999": 0}.items():
        body = await Api().ask(
            "query ($to: Decimal) { movies(filter: {priceTo: $to}) { totalCount } }", {"to": bound}
        )
        assert body["data"]["movies"]["totalCount"] == count, bound


@pytest.mark.parametrize("field", ["votes", "runtimeMinutes", "metascore"])
async def test_a_number_beyond_an_int_is_unknown_and_no_error(field: str) -> None:
    name = to_snake_case(field)
    for number, shown in {2**31 - 1: 2**31 - 1, 2**31: None, 10**12 - 1: None}.items():
        listed = row()
        told: dict[str, Any] = {name: number}
        detail = row(price="1", **told)
        api = Api(
            {"cinemaworld": {LIST: fresh(listed), Call("cw0076759"): fresh(detail)}},
            detail_fields=frozenset({"price", name}),
        )
        body = await api.ask(f"{{ movies {{ nodes {{ {field} cheapest {{ final }} }} }} }}")
        assert "errors" not in body
        assert body["data"]["movies"]["nodes"][0][field] == shown


async def test_an_amount_keeps_its_digits() -> None:
    body = await Api().ask("{ movies { nodes { offers { price { amount } } } } }")
    amounts = [o["price"]["amount"] for o in body["data"]["movies"]["nodes"][0]["offers"]]
    assert [Decimal(amount) for amount in amounts] == [Decimal("123.5"), Decimal("29.5")]
    assert all(isinstance(amount, str) for amount in amounts)
