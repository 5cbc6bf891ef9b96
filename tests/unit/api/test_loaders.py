import ast
import asyncio
from pathlib import Path

import movieql
from movieql.domain.movies import Answer, SourceErrorCode, failed
from movieql.memory import MemoryProvider
from movieql.ports import Call
from tests.builders import fresh, row
from tests.unit.api.asking import Api

STAR_WARS, EMPIRE = ("cinemaworld", "cw0076759"), ("cinemaworld", "cw0080684")

PACKAGE = Path(movieql.__file__).parent


async def test_what_is_asked_in_one_tick_is_one_batch() -> None:
    api = Api()
    load = api.context().load
    await asyncio.gather(load([STAR_WARS]), load([EMPIRE]))
    assert api.browse.batches == [[STAR_WARS, EMPIRE]]


async def test_each_detail_is_asked_for_once_in_a_request() -> None:
    api = Api()
    load = api.context().load
    await asyncio.gather(load([STAR_WARS, STAR_WARS]), load([STAR_WARS]))
    await load([EMPIRE, STAR_WARS])
    assert api.browse.batches == [[STAR_WARS], [EMPIRE]]


async def test_two_fields_of_a_request_share_its_details() -> None:
    api = Api()
    priced = "{ nodes { cheapest { final } } }"
    await api.ask(f"{{ a: movies {priced} b: movies {priced} }}")
    asked = [key for batch in api.browse.batches for key in batch]
    assert sorted(asked) == [STAR_WARS, ("filmworld", "fw0076759")]


async def test_two_requests_do_not_share_a_loader() -> None:
    api = Api()
    await api.context().load([STAR_WARS])
    await api.context().load([STAR_WARS])
    assert api.browse.batches == [[STAR_WARS], [STAR_WARS]]


async def test_a_request_does_not_change_its_mind_about_a_detail() -> None:
    class Kept(MemoryProvider):
        """Keeps what it has until it is told that it aged."""

        aged = False

        def peek(self, call: Call) -> Answer | None:
            return None if self.aged else fresh(row(str(call.movie_id), price="1"))

    api = Api({"cinemaworld": {}})
    kept = Kept(api.clock, otherwise=failed(SourceErrorCode.TIMEOUT, "Too late."))
    api.browse._providers["cinemaworld"] = kept  # noqa: SLF001  # the twin keeps nothing
    load = api.context().load
    first = await load([STAR_WARS])
    kept.aged = True
    assert await load([STAR_WARS]) == first


async def test_who_leaves_takes_nothing_from_those_who_stay() -> None:
    api = Api()
    api.shops["cinemaworld"].delay_s = 1.0
    load = api.context().load
    leaves = asyncio.ensure_future(load([STAR_WARS]))
    stays = asyncio.ensure_future(load([STAR_WARS]))
    await api.clock.settle()
    leaves.cancel()
    await api.clock.advance(1.0)
    assert leaves.cancelled()
    assert (await stays)[STAR_WARS].rows


async def test_a_field_that_fails_does_not_cancel_the_details_of_another_request() -> None:
    api = Api()
    for provider in api.shops.values():
        provider.delay_s = 1.0
    healthy = asyncio.ensure_future(api.ask("{ movies { nodes { cheapest { final } } } }"))
    fails = asyncio.ensure_future(
        api.ask("{ a: movies { nodes { cheapest { final } } } b: movies(first: -1) { complete } }")
    )
    await api.clock.advance(3.0)
    assert (await fails)["data"] is None
    assert (await healthy)["data"]["movies"]["nodes"] == [{"cheapest": {"final": True}}]


async def test_a_sibling_that_fails_leaves_the_other_fields_their_data() -> None:
    api = Api()
    for provider in api.shops.values():
        provider.delay_s = 0.5
    asked = asyncio.ensure_future(
        api.ask(
            '{ good: movie(id: "tt0076759") { cheapest { final } }'
            f'  bad: movie(id: "{"x" * 1000}") {{ cheapest {{ final }} }}'
            "  list: movies { nodes { cheapest { final } } } }"
        )
    )
    await api.clock.advance(3.0)
    body = await asked
    assert body["data"]["good"] == {"cheapest": {"final": True}}
    assert body["data"]["list"]["nodes"] == [{"cheapest": {"final": True}}]
    assert body["data"]["bad"] is None
    assert [error["path"] for error in body["errors"]] == [["bad"]]


async def test_a_detail_that_fails_is_an_answer_of_its_own() -> None:
    api = Api()
    api.shops["filmworld"].answers[Call("fw0076759")] = failed(SourceErrorCode.TIMEOUT, "Late.")
    body = await api.ask("{ movies { nodes { offers { price { amount } error { code } } } } }")
    (movie,) = body["data"]["movies"]["nodes"]
    assert movie["offers"] == [
        {"price": {"amount": "123.5"}, "error": None},
        {"price": None, "error": {"code": "TIMEOUT"}},
    ]


def raw_loads(tree: ast.AST) -> list[int]:
    """Return the lines that touch Strawberry's loader without a shield."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    shielded = {
        id(argument)
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr == "shield"
        for argument in call.args
    }
    return [
        call.lineno
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in {"load", "load_many"}
        and id(call) not in shielded
    ]


def test_strawberrys_loader_is_only_touched_in_one_file_and_behind_a_shield() -> None:
    sources = {path: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    assert [path for path, text in sources.items() if raw_loads(ast.parse(text))] == []
    touching = [path for path, text in sources.items() if "strawberry.dataloader" in text]
    assert touching == [PACKAGE / "api" / "context.py"]


def test_a_raw_load_would_be_found() -> None:
    raw = "await asyncio.gather(*(loader.load(key) for key in keys))"
    assert raw_loads(ast.parse(f"async def f():\n    {raw}")) == [2]
    assert raw_loads(ast.parse("asyncio.shield(loader.load(key))")) == []
