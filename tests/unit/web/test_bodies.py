import pytest

from movieql.web.bodies import (
    GRAPHQL_RESPONSE,
    JSON,
    RequestRefusedError,
    accepted_media_type,
)

CHOSEN = {
    "": JSON,
    "*/*": JSON,
    "application/*": JSON,
    JSON: JSON,
    GRAPHQL_RESPONSE: GRAPHQL_RESPONSE,
    "APPLICATION/JSON": JSON,
    f"{GRAPHQL_RESPONSE}, {JSON}": GRAPHQL_RESPONSE,
    f"{JSON}, {GRAPHQL_RESPONSE}": JSON,
    f"{JSON};q=0.5, {GRAPHQL_RESPONSE}": GRAPHQL_RESPONSE,
    f"{GRAPHQL_RESPONSE};q=0.1, {JSON};q=0.2": JSON,
    f"{GRAPHQL_RESPONSE}; charset=utf-8, {JSON}; charset=utf-8": GRAPHQL_RESPONSE,
    f"{GRAPHQL_RESPONSE};charset=utf-8;q=0.1, {JSON};q=0.2": JSON,
    f"{GRAPHQL_RESPONSE};Q=0.1, {JSON};q=0.2": JSON,
    f"*/*;q=0.1, {GRAPHQL_RESPONSE}": GRAPHQL_RESPONSE,
    f"text/html, {GRAPHQL_RESPONSE};q=0.9, */*;q=0.8": GRAPHQL_RESPONSE,
    f"{JSON};q=0, */*": GRAPHQL_RESPONSE,
    f"{GRAPHQL_RESPONSE};q=0, application/*": JSON,
    f"multipart/mixed;incrementalSpec=v0.2,{GRAPHQL_RESPONSE},{JSON};q=0.9": GRAPHQL_RESPONSE,
    " , ,": JSON,
}


@pytest.mark.parametrize("accept", CHOSEN, ids=lambda accept: accept or "nothing")
def test_the_answer_is_of_the_type_that_the_caller_likes_best(accept: str) -> None:
    assert accepted_media_type(accept) == CHOSEN[accept]


@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "application/xml",
        "application/jsonx",
        "application/json-patch+json",
        "nonsense",
        ";q=1",
        f"{JSON};q=0",
        f"{JSON};q=0, {GRAPHQL_RESPONSE};q=0.0",
        f"{JSON};q=much",
        f"{JSON};q=nan",
        "*/*;q=0",
    ],
)
def test_a_caller_who_takes_neither_type_is_refused(accept: str) -> None:
    with pytest.raises(
        RequestRefusedError, match="Accept `application/graphql-response"
    ) as refusal:
        accepted_media_type(accept)
    assert refusal.value.status == 406
