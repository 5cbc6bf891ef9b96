from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from graphql.pyutils import inspect

from movieql.web import socket_messages
from movieql.web.bodies import (
    GRAPHQL_RESPONSE,
    JSON,
    GraphQLRequest,
    RequestRefusedError,
    accepted_media_type,
    check_body_headers,
    json_value,
    posted_request,
    queried_request,
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
    f"{JSON};v=1;q=0,{JSON}": JSON,
    f"{JSON},{JSON};v=1;q=0": JSON,
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


def body_headers(content_type: str | None, *more: tuple[str, str]) -> list[tuple[bytes, bytes]]:
    given = [] if content_type is None else [("content-type", content_type)]
    return [(name.encode(), value.encode("latin-1")) for name, value in (*given, *more)]


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON",
        " application/json\t",
        "application/json;",
        "application/json; ;",
        "application/json;charset=utf-8",
        "application/json; charset=utf8",
        'application/json; charset="UTF-8"',
        'application/json ; CHARSET="utf\\-8"',
        "application/json; charset=utf-8; foo=bar",
        'application/json; foo="a;charset=latin1"; charset=utf-8',
        "application/json;charset=UTF-8;charset=utf8",
        "application/json; profile=x",
    ],
)
def test_json_in_utf_8_is_taken_however_it_is_said(content_type: str) -> None:
    check_body_headers(body_headers(content_type))


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/jsonx",
        "application/json/x",
        "application/json x",
        "application/json, application/json",
        "application/json; charset",
        "application/json; charset =utf-8",
        "application/json; charset= utf-8",
        'application/json; charset="utf-8',
        "application/json charset=utf-8",
        "application/json; charset=utf-16",
        "application/json; charset=",
        "application/json; charset=iso-8859-1",
        "application/json; charset=us-ascii",
        "application/json; charset=utf-8; charset=utf-7",
        "application/json; charset='utf-8'",
        "application/json; charset=\xfctf-8",
        "application/graphql+json",
        "application/json" + "; " * 30_000 + "!",
        "application/json" + ";a=b" * 15_000 + "=",
    ],
    ids=lambda each: str(each)[:60],
)
def test_other_types_and_charsets_are_refused_with_the_one_that_is_taken(
    content_type: str | None,
) -> None:
    with pytest.raises(RequestRefusedError, match=r"(?i)application/json.*utf-8") as refusal:
        check_body_headers(body_headers(content_type))
    assert refusal.value.status == 415


def test_two_content_types_are_refused() -> None:
    with pytest.raises(RequestRefusedError):
        check_body_headers(body_headers(JSON, ("content-type", JSON)))


@pytest.mark.parametrize("coding", ["identity", "Identity", "", " , identity,"])
def test_a_body_as_it_is_may_say_so(coding: str) -> None:
    check_body_headers(body_headers(JSON, ("content-encoding", coding)))


@pytest.mark.parametrize(
    "codings",
    [["gzip"], ["x-gzip"], ["br"], ["identity, deflate"], ["identity", "zstd"]],
)
def test_an_encoded_body_is_refused_for_its_coding(codings: list[str]) -> None:
    headers = body_headers(JSON, *(("content-encoding", coding) for coding in codings))
    with pytest.raises(RequestRefusedError, match="content coding") as refusal:
        check_body_headers(headers)
    assert refusal.value.status == 415
    assert codings[-1].split(", ")[-1][:40] in str(refusal.value)
    assert refusal.value.headers == {"Accept-Encoding": "identity"}


@pytest.mark.parametrize(
    "text",
    [
        b'{"a": 1, "a": 1}',
        b'{"a": {"b": 1, "b": 2}}',
        b'[{"b": 1, "c": 3, "b": 2}]',
        b'{"a": 1, "\\u0061": 2}',
        b'{"": 1, "": 2}',
    ],
)
def test_a_key_that_is_there_twice_is_refused(text: bytes) -> None:
    with pytest.raises(RequestRefusedError, match="twice") as refusal:
        json_value(text, "The body")
    assert refusal.value.status == 400


@pytest.mark.parametrize("opening, closing", [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
@pytest.mark.parametrize("depth", [101, 102, 150, 300, 1_000, 40_000])
def test_json_that_is_nested_too_deep_is_refused(
    opening: bytes, closing: bytes, depth: int
) -> None:
    with pytest.raises(RequestRefusedError, match=r"nested more than 100 deep|not JSON"):
        json_value(opening * depth + b"1" + closing * depth, "The body")
    with pytest.raises(RequestRefusedError, match="nested more than 100 deep"):
        json_value(b"[" * min(depth, 1_000) + b"]" * min(depth, 1_000), "The body")


@pytest.mark.parametrize(
    "text, value",
    [
        (b'{"a": 123456789012345678901234567890}', {"a": 123456789012345678901234567890}),
        (b'{"a": {"b": 1}, "b": 1}', {"a": {"b": 1}, "b": 1}),
    ],
)
def test_other_json_is_read_exactly(text: bytes, value: object) -> None:
    assert json_value(text, "The body") == value


def test_json_may_be_a_hundred_deep() -> None:
    value = json_value(b"[" * 100 + b"]" * 100, "The body")
    for _ in range(99):
        (value,) = value
    assert value == []


@pytest.mark.parametrize("text", [b"", b"NaN", b"\xff", b'"\\ud800"', b"{'a': 1}", b"[1,]"])
def test_what_is_not_json_is_refused_without_being_repeated(text: bytes) -> None:
    with pytest.raises(RequestRefusedError, match=r"^The body is not JSON\.$") as refusal:
        json_value(text, "The body")
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__


@pytest.mark.parametrize("text", [b"1e999", b"1" * 5_000, b'{"a": [-1e400]}'])
def test_a_number_that_is_too_large_is_called_so(text: bytes) -> None:
    with pytest.raises(RequestRefusedError, match=r"^The body has a number that is too large\.$"):
        json_value(text, "The body")


@pytest.mark.parametrize(
    "number", ["1.00000000000000000001", "1e-999999999", "0.1000000000000000000000000000001"]
)
def test_graphql_repeats_a_number_of_many_digits_as_it_was_sent(number: str) -> None:
    value = json_value(f'{{"n": {number}}}'.encode(), "The body")
    assert inspect(value) == f"{{'n': {number}}}"
    assert value["n"] == Decimal(number)
    assert len(inspect(json_value(b"1." + b"1" * 500, "The body"))) < 150


def by_post(variables: str) -> GraphQLRequest:
    return posted_request(f'{{"query": "{{a}}", "variables": {variables}}}'.encode())


def by_get(variables: str) -> GraphQLRequest:
    return queried_request(urlencode({"query": "{a}", "variables": variables}).encode())


def by_socket(variables: str) -> GraphQLRequest:
    payload = f'{{"query": "{{a}}", "variables": {variables}}}'
    message = socket_messages.read(f'{{"type": "subscribe", "id": "1", "payload": {payload}}}')
    assert isinstance(message, socket_messages.Subscribe)
    return message.request


@pytest.mark.parametrize("read", [by_post, by_get, by_socket])
@pytest.mark.parametrize(
    "number, value",
    [
        ("12345678.123456789", Decimal("12345678.123456789")),
        ("0.1234567890123456789", Decimal("0.1234567890123456789")),
        ("99999999999999999999", 99_999_999_999_999_999_999),
        ("19.95", 19.95),
        ("200.0", 200.0),
    ],
)
def test_a_number_in_variables_is_kept_to_the_last_digit(
    read: Any, number: str, value: float | Decimal
) -> None:
    variables = read(f'{{"price": {number}}}').variables
    assert variables == {"price": value}
    assert isinstance(variables["price"], type(value))


@pytest.mark.parametrize("read", [by_post, by_get, by_socket])
@pytest.mark.parametrize("variables", ['{"n": 1e999}', '{"n": 1e-99999999999999999999}', "[1]"])
def test_variables_that_cannot_be_kept_are_refused(read: Any, variables: str) -> None:
    with pytest.raises((RequestRefusedError, socket_messages.SocketClosedError)):
        read(variables)
