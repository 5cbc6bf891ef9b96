import gc
import tracemalloc
from dataclasses import replace
from typing import Any
from weakref import ref

import orjson
import pytest
from graphql import FieldNode, get_operation_ast, parse

from movieql.api.context import Context
from movieql.api.execution import KeptMovies, is_independent
from movieql.domain.movies import Answer, Movie, SourceErrorCode, failed
from movieql.movies.browse import Question
from movieql.ports import Call
from tests.builders import fresh, row
from tests.unit.api.asking import REQUEST_ID, Api


def independent_of_variables(query: str) -> bool:
    document = parse(query)
    operation = get_operation_ast(document, None)
    assert operation is not None
    return is_independent(document, operation)


QUERY = "query A($first: Int) { movies(first: $first) { nodes { id cheapest { final } } } }"


class KeepingApi(Api):
    """Shops in memory, whose movies are kept written out."""

    def __init__(self, bytes_max: int = 100_000) -> None:
        super().__init__()
        self.kept = KeptMovies(bytes_max)

    def context(self, request_id: str = REQUEST_ID) -> Context:
        return replace(super().context(request_id), kept=self.kept)

    async def shown(self, query: str = QUERY, **variables: Any) -> Any:
        """Return the data as a caller reads it."""
        return orjson.loads(orjson.dumps(await self.ask(query, variables)))["data"]

    @property
    def written(self) -> int:
        return len(self.kept._kept)  # noqa: SLF001


async def test_a_movie_is_written_once_for_the_same_fields_whatever_the_page() -> None:
    api = KeepingApi()
    pages = [await api.shown(first=size) for size in (5, 6, 7)]
    assert pages[0]["movies"]["nodes"] == [{"id": "tt0076759", "cheapest": {"final": True}}]
    assert pages[0] == pages[1] == pages[2]
    assert api.written == 1


async def test_other_fields_are_written_for_themselves() -> None:
    api = KeepingApi()
    await api.shown()
    assert (await api.shown("{ movies { nodes { title } } }"))["movies"]["nodes"] == [
        {"title": "Star Wars"}
    ]
    assert api.written == 2


async def test_a_changed_price_is_shown_at_once() -> None:
    api = KeepingApi()
    query = "{ movies { nodes { cheapest { offer { price { amount } } } } } }"
    before = await api.shown(query)
    api.shops["filmworld"].answers[Call("fw0076759")] = fresh(
        row("fw0076759", price="1.5", year=1977)
    )
    after = await api.shown(query)
    assert before["movies"]["nodes"][0]["cheapest"]["offer"]["price"]["amount"] == "29.5"
    assert after["movies"]["nodes"][0]["cheapest"]["offer"]["price"]["amount"] == "1.5"


async def test_how_long_a_shop_is_not_called_is_never_taken_from_before() -> None:
    api = KeepingApi()
    why = failed(SourceErrorCode.UNAVAILABLE, "filmworld answered 503.", retry_at_s=30).error
    api.shops["filmworld"].answers[Call("fw0076759")] = Answer(rows=None, error=why)
    query = "{ movies { nodes { id offers { error { code retryAfterMs } } } } }"
    waits_ms = []
    for _ in range(3):
        (movie,) = (await api.shown(query))["movies"]["nodes"]
        waits_ms.append(movie["offers"][1]["error"]["retryAfterMs"])
        await api.clock.advance(0.5)
    assert waits_ms == [30_000, 29_500, 29_000]
    assert api.written == 0
    await api.shown("{ movies { nodes { id offers { error { code } } } } }")
    assert api.written == 1


async def test_fields_that_depend_on_variables_are_never_taken_from_before() -> None:
    api = KeepingApi()
    query = "query A($t: Boolean!) { movies { nodes { id title @include(if: $t) } } }"
    assert (await api.shown(query, t=True))["movies"]["nodes"][0] == {
        "id": "tt0076759",
        "title": "Star Wars",
    }
    assert (await api.shown(query, t=False))["movies"]["nodes"][0] == {"id": "tt0076759"}
    assert api.written == 0


@pytest.mark.parametrize(
    "query, independent",
    [
        ("query($a: Int) { movies(first: $a) { nodes { id } } }", True),
        ("query($a: Boolean!) { movies { nodes { id @skip(if: $a) } } }", False),
        ("query($a: Boolean!) { movies @skip(if: $a) { nodes { id } } }", False),
        (
            "query($a: Boolean!) { ...A } fragment A on Query { providers @skip(if: $a) {id} }",
            False,
        ),
        ("{ movies { nodes { id } } }", True),
    ],
)
def test_only_arguments_of_root_fields_may_depend_on_variables(
    query: str, *, independent: bool
) -> None:
    assert independent_of_variables(query) is independent


async def test_room_is_bounded_and_then_starts_over() -> None:
    api = KeepingApi(bytes_max=4_000)
    for fields in ("id", "title", "id title", "title id", "year", "year id"):
        await api.shown(f"{{ movies {{ nodes {{ {fields} }} }} }}")
    assert 0 < api.written < 6


async def test_kept_movies_take_no_more_memory_than_they_may() -> None:
    (movie,) = await movies(Api())
    kept = KeptMovies(bytes_max=500_000)
    nodes = fields_of("{ movies { nodes { id } } }")
    tracemalloc.start()
    try:
        for number in range(1_000):
            kept.put(movie, f"{number:064}", nodes, {"id": str(number)})
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] <= 500_000
    finally:
        tracemalloc.stop()


async def test_neither_movies_nor_documents_are_kept_alive() -> None:
    kept = KeptMovies(bytes_max=500_000)
    (movie,) = await movies(Api())
    nodes = fields_of("{ movies { nodes { id } } }")
    kept.put(movie, "first", nodes, {"id": "a"})
    assert kept.get(movie, "first", fields_of("{ movies { nodes { id } } }")) is not None
    assert kept.get(movie, "second", nodes) is None
    assert kept.get(replace(movie), "first", nodes) is None
    gone = ref(movie)
    del movie
    gc.collect()
    assert gone() is None


async def movies(api: Api) -> list[Movie]:
    """Return the movies of both shops, which nobody else holds."""
    context = api.context()
    page = await api.browse.movies(Question(until_s=context.until_s, first=5), context.load)
    return list(page.movies)


def fields_of(query: str) -> list[FieldNode]:
    """Return the field at the root of a query."""
    operation = get_operation_ast(parse(query), None)
    assert operation is not None
    return [each for each in operation.selection_set.selections if isinstance(each, FieldNode)]
