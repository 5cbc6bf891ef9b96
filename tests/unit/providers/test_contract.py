"""Addresses of a provider's operations, and who may see its secrets."""

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from movieql.providers.contract import Contract, HeaderAuth, Operation, SigV4Auth

DETAIL = Operation("/movie/{id}")
CONTRACT = Contract("https://shop.test/api/", Operation("/movies"), {"id": "ID"}, DETAIL)

IDS = st.text(min_size=1, max_size=50).filter(
    lambda own_id: own_id.isprintable() and own_id not in {".", ".."}
)


def test_a_slash_at_the_end_of_the_base_does_not_double() -> None:
    assert CONTRACT.url(CONTRACT.list) == "https://shop.test/api/movies"


@pytest.mark.parametrize(
    "own_id, segment",
    [
        ("cw0076759", "cw0076759"),
        ("../admin", "..%2Fadmin"),
        ("a?b=c#d", "a%3Fb%3Dc%23d"),
        ("a b", "a%20b"),
        ("%2e%2e", "%252e%252e"),
        ("é", "%C3%A9"),
        ("{id}", "%7Bid%7D"),
    ],
)
def test_an_id_is_quoted(own_id: str, segment: str) -> None:
    assert CONTRACT.url(DETAIL, own_id) == f"https://shop.test/api/movie/{segment}"


@given(IDS)
def test_any_id_stays_one_segment_of_the_path_that_is_sent(own_id: str) -> None:
    sent = URL(CONTRACT.url(DETAIL, own_id), encoded=True)
    assert sent.host == "shop.test"
    parts = urlsplit(str(sent))
    assert (parts.query, parts.fragment) == ("", "")
    *before, segment = sent.raw_path.split("/")
    assert before == ["", "api", "movie"]
    assert unquote(segment) == own_id


def test_an_id_may_be_part_of_a_query() -> None:
    operation = Operation("/movie?id={id}&full=1")
    assert CONTRACT.url(operation, "a&b=c") == "https://shop.test/api/movie?id=a%26b%3Dc&full=1"


def test_no_secret_is_in_a_repr_of_anything() -> None:
    secret = "hunter2"  # noqa: S105  # to be looked for
    header = HeaderAuth("x-access-token", secret)
    signing = SigV4Auth("AKIA", secret, session_token=secret)
    contract = Contract(
        "https://shop.test",
        Operation("/movies", auth=header),
        {"id": "ID"},
        create=Operation("/movie", auth=signing, method="POST"),
    )
    shown = f"{contract} {contract!r} {header} {signing} {signing!r}"
    assert secret not in shown
    assert "x-access-token" in shown
