import asyncio
from collections.abc import Mapping
from itertools import count
from typing import Any

import pytest

from movieql.domain.additions import Addition
from movieql.domain.errors import InvalidInputError
from movieql.domain.movies import SourceError, SourceErrorCode
from movieql.memory import VirtualClock
from movieql.services.additions import Additions
from tests.builders import row

STORED = Addition(row("new-1"), status=201)
REFUSED = Addition(error=SourceError(SourceErrorCode.BAD_RESPONSE, "No."), status=400)
UNKNOWN = Addition(error=SourceError(SourceErrorCode.TIMEOUT, "Late."), may_have_happened=True)
JAWS = {"title": "Jaws"}
BUDGET_S = 10.0


class ScriptedPosting:
    """Gives its outcomes in order, the last one for ever; waits while `gate` is closed."""

    def __init__(self, *outcomes: Addition, honours_keys: bool = False) -> None:
        self.takes = frozenset({"title"})
        self.honours_keys = honours_keys
        self.outcomes = list(outcomes)
        self.calls: list[tuple[float, str]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def add(self, fields: Mapping[str, Any], until_s: float, key: str) -> Addition:  # noqa: ARG002
        self.calls.append((until_s, key))
        await self.gate.wait()
        return self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]


def additions(
    posting: ScriptedPosting, added: list[str] | None = None, **options: Any
) -> Additions:
    keys = count(1)
    return Additions(
        {"cinemaworld": posting},
        clock=VirtualClock(),
        make_key=lambda: f"made-{next(keys)}",
        note_added=([] if added is None else added).append,
        budget_s=BUDGET_S,
        **options,
    )


@pytest.mark.parametrize(
    "outcome, is_noted",
    [(STORED, True), (UNKNOWN, True), (REFUSED, False)],
    ids=["stored", "unknown", "refused"],
)
async def test_a_list_that_may_have_something_new_is_asked_for_again(
    outcome: Addition,
    is_noted: bool,  # noqa: FBT001  # pytest names it
) -> None:
    added: list[str] = []
    posting = ScriptedPosting(outcome)
    addition = await additions(posting, added).add("cinemaworld", JAWS)
    assert addition.row is outcome.row
    assert bool(added) is is_noted
    assert posting.calls == [(BUDGET_S, "made-1")]


async def test_there_is_no_second_try_before_the_provider_said_to_come_back() -> None:
    error = SourceError(SourceErrorCode.UNAVAILABLE, "503.", retry_at_s=30.0)
    asked_to_wait = Addition(error=error, status=503, may_have_happened=True)
    posting = ScriptedPosting(asked_to_wait, STORED, honours_keys=True)
    assert await additions(posting).add("cinemaworld", JAWS, "key") == asked_to_wait
    assert len(posting.calls) == 1


@pytest.mark.parametrize("outcome", [STORED, UNKNOWN, REFUSED])
async def test_without_keys_nothing_is_posted_twice(outcome: Addition) -> None:
    posting = ScriptedPosting(outcome)
    await additions(posting).add("cinemaworld", JAWS, "key")
    assert len(posting.calls) == 1


async def test_an_unknown_outcome_is_tried_once_more_with_the_same_key() -> None:
    posting = ScriptedPosting(UNKNOWN, STORED, honours_keys=True)
    assert await additions(posting).add("cinemaworld", JAWS) == STORED
    assert posting.calls == [(BUDGET_S / 2, "made-1"), (BUDGET_S, "made-1")]


@pytest.mark.parametrize("outcome", [STORED, REFUSED])
async def test_a_known_outcome_is_not_tried_again(outcome: Addition) -> None:
    posting = ScriptedPosting(outcome, UNKNOWN, honours_keys=True)
    assert await additions(posting).add("cinemaworld", JAWS) == outcome
    assert len(posting.calls) == 1


async def test_a_refusal_of_the_second_try_does_not_undo_the_first() -> None:
    posting = ScriptedPosting(UNKNOWN, REFUSED, honours_keys=True)
    addition = await additions(posting).add("cinemaworld", JAWS, "key")
    assert (addition.row, addition.may_have_happened, addition.status) == (None, True, 400)


@pytest.mark.parametrize("key, retryable", [(None, False), ("mine", True)])
async def test_only_a_caller_with_a_key_may_try_an_unknown_outcome_again(
    key: str | None,
    retryable: bool,  # noqa: FBT001  # pytest names it
) -> None:
    posting = ScriptedPosting(UNKNOWN, honours_keys=True)
    addition = await additions(posting).add("cinemaworld", JAWS, key)
    assert addition.error is not None
    assert addition.error.retryable is retryable
    assert len(posting.calls) == 2


async def test_only_so_many_are_under_way_per_provider() -> None:
    posting = ScriptedPosting(STORED)
    service = additions(posting, at_once_max=2)
    posting.gate.clear()
    waiting = [asyncio.ensure_future(service.add("cinemaworld", JAWS)) for _ in range(2)]
    await asyncio.sleep(0)
    refused = await service.add("cinemaworld", JAWS)
    assert refused.error is not None
    assert (refused.error.retryable, refused.may_have_happened) == (True, False)
    posting.gate.set()
    assert await asyncio.gather(*waiting) == [STORED, STORED]
    assert await service.add("cinemaworld", JAWS) == STORED


async def test_a_place_is_free_again_after_whoever_left() -> None:
    posting = ScriptedPosting(STORED)
    service = additions(posting, at_once_max=1)
    posting.gate.clear()
    waiting = asyncio.ensure_future(service.add("cinemaworld", JAWS))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})
    posting.gate.set()
    assert await service.add("cinemaworld", JAWS) == STORED


@pytest.mark.parametrize(
    "provider, fields, path",
    [("nobody", JAWS, "provider"), ("cinemaworld", {"title": "Jaws", "genres": "x"}, "genres")],
)
async def test_what_cannot_be_posted_is_told_by_its_path(
    provider: str, fields: dict[str, str], path: str
) -> None:
    posting = ScriptedPosting(STORED)
    with pytest.raises(InvalidInputError) as caught:
        await additions(posting).add(provider, fields)
    assert caught.value.path == (path,)
    assert posting.calls == []
