from typing import Any

import pytest

from movieql.api.errors import ERROR_CODES
from movieql.domain.errors import CacheError, MovieqlError
from movieql.domain.movies import SourceErrorCode, failed
from movieql.ports import LIST
from tests.unit.api.asking import REQUEST_ID, Api

CANARY = "canary-0123456789"


def broken_api(error: BaseException) -> Api:
    """Return an API whose first provider has a bug."""
    api = Api()

    def fail() -> Any:
        raise error

    api.shops["cinemaworld"].answers[LIST] = fail
    return api


QUESTIONS = {
    "{": "GRAPHQL_PARSE_FAILED",
    "": "GRAPHQL_PARSE_FAILED",
    "{ providers { id } }" + " " * 20_000: "GRAPHQL_PARSE_FAILED",
    "{" + " a" * 2_000 + "}": "GRAPHQL_PARSE_FAILED",
    "{" + "a{" * 480 + "b" + "}" * 481: "GRAPHQL_PARSE_FAILED",
    "{ nothing }": "GRAPHQL_VALIDATION_FAILED",
    "mutation { anything }": "GRAPHQL_VALIDATION_FAILED",
    "query A { providers { id } } query B { providers { id } }": "GRAPHQL_VALIDATION_FAILED",
    "query ($id: ID!) { movie(id: $id) { id } }": "GRAPHQL_VALIDATION_FAILED",
    "{ movies { ...F } } fragment F on MovieConnection { ...F }": "GRAPHQL_VALIDATION_FAILED",
    "{ movies(first: -1) { complete } }": "BAD_USER_INPUT",
}


@pytest.mark.parametrize("query", QUESTIONS, ids=lambda query: query[:30] or "empty")
async def test_every_error_has_one_shape(query: str) -> None:
    body = await Api().ask(query)
    for error in body["errors"]:
        assert error.keys() <= {"message", "locations", "path", "extensions"}
        assert isinstance(error["message"], str)
        assert error["message"]
        assert error["extensions"]["code"] == QUESTIONS[query]
        assert error["extensions"]["code"] in ERROR_CODES


async def test_a_document_that_is_not_executed_has_no_data() -> None:
    assert "data" not in await Api().ask("{ nothing }")


async def test_only_so_many_errors_are_told() -> None:
    body = await Api().ask("{" + " ".join(f"nothing{n}" for n in range(200)) + "}")
    assert len(body["errors"]) <= 11


async def test_no_field_is_suggested_to_those_who_guess() -> None:
    error = await Api().refusal("{ movie_ }")
    assert "movies" not in error["message"]


@pytest.mark.parametrize(
    "fault",
    [
        ValueError(f"password {CANARY}"),
        KeyError(CANARY),
        RecursionError(CANARY),
        ExceptionGroup(CANARY, [ValueError(CANARY)]),
        CacheError(f"redis://{CANARY}"),
        MovieqlError(CANARY),
    ],
    ids=lambda fault: type(fault).__name__,
)
async def test_a_fault_of_ours_is_masked_and_told_to_the_log(fault: Exception) -> None:
    api = broken_api(fault)
    body = await api.ask("{ movies { totalCount } }")
    (error,) = body["errors"]
    assert error["extensions"] == {"code": "INTERNAL", "requestId": REQUEST_ID}
    assert REQUEST_ID in error["message"]
    assert error["path"] == ["movies"]
    assert CANARY not in str(body)
    assert api.faults == [fault]


async def test_a_callers_mistake_is_not_a_fault_of_ours() -> None:
    api = Api()
    await api.refusal("{ movies(first: -1) { complete } }")
    await api.refusal("{ nothing }")
    assert api.faults == []


async def test_a_provider_that_fails_is_not_an_error() -> None:
    api = Api()
    for provider in api.shops.values():
        provider.answers[LIST] = failed(SourceErrorCode.UNAVAILABLE, "Gone.")
    body = await api.ask("{ movies { totalCount complete sources { status error { code } } } }")
    gone = {"status": "FAILED", "error": {"code": "UNAVAILABLE"}}
    assert body == {
        "data": {"movies": {"totalCount": 0, "complete": False, "sources": [gone] * 2}}
    }


async def test_requiring_completeness_turns_a_gap_into_an_error_that_names_it() -> None:
    api = Api()
    api.shops["filmworld"].answers[LIST] = failed(SourceErrorCode.TIMEOUT, "Late.")
    error = await api.refusal("{ movies(requireComplete: true) { totalCount } }")
    assert error["extensions"]["code"] == "INCOMPLETE_SOURCES"
    told = {each["provider"]: each for each in error["extensions"]["sources"]}
    assert told.keys() == {"cinemaworld", "filmworld"}
    assert told["cinemaworld"]["status"] == "OK"
    assert told["filmworld"]["error"] == {"code": "TIMEOUT", "message": "Late."}


async def test_requiring_completeness_changes_nothing_when_nothing_is_missing() -> None:
    body = await Api().ask("{ movies(requireComplete: true) { totalCount complete } }")
    assert body == {"data": {"movies": {"totalCount": 1, "complete": True}}}


async def test_a_shop_that_was_left_out_is_no_gap() -> None:
    api = Api()
    api.shops["filmworld"].answers[LIST] = failed(SourceErrorCode.TIMEOUT, "Late.")
    body = await api.ask(
        '{ movies(requireComplete: true, filter: {providers: ["cinemaworld"]}) { complete } }'
    )
    assert body == {"data": {"movies": {"complete": True}}}
