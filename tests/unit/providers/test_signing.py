"""Headers that prove who we are."""

import re

import pytest
from multidict import CIMultiDict

from movieql.dev.sigv4 import Signed, SigningKey, is_signed_by
from movieql.providers.contract import HeaderAuth, Operation, SigV4Auth, auth_headers

KEY = SigningKey("AKIATEST", "secret")
SIGNED = Operation("/movie", auth=SigV4Auth(KEY.access_key, KEY.secret_key), method="POST")
BODY = b'{"title": "Jaws"}'


def host_of(url: str) -> str:
    return url.split("/")[2]


def sent(headers: dict[str, str], url: str, body: bytes = BODY) -> Signed:
    """Return a request as the gateway gets it: names without case, and the host."""
    named = {name.lower(): value for name, value in headers.items()}
    named |= {"host": host_of(url)}
    return Signed("POST", url, CIMultiDict(named), body)


def test_an_operation_without_proof_has_no_headers() -> None:
    assert auth_headers(Operation("/movies"), "https://shop.test/movies", b"") == {}


def test_a_token_goes_into_its_header() -> None:
    operation = Operation("/movies", auth=HeaderAuth("x-access-token", "t"))
    assert auth_headers(operation, "https://shop.test/movies", b"") == {"x-access-token": "t"}


@pytest.mark.parametrize(
    "url", ["https://shop.test/dev/movie", "http://127.0.0.1:8080/dev/cinemaworld/movie"]
)
def test_the_gateway_accepts_our_signature(url: str) -> None:
    assert is_signed_by(KEY, sent(auth_headers(SIGNED, url, BODY), url))


def test_a_changed_body_breaks_the_signature() -> None:
    url = "https://shop.test/movie"
    headers = auth_headers(SIGNED, url, BODY)
    assert not is_signed_by(KEY, sent(headers, url, b'{"title": "Alien"}'))


def test_another_key_is_refused() -> None:
    url = "https://shop.test/movie"
    headers = auth_headers(SIGNED, url, BODY)
    assert not is_signed_by(SigningKey("AKIATEST", "another"), sent(headers, url))


def test_region_and_service_are_the_configured_ones() -> None:
    auth = SigV4Auth("AKIA", "s", region="ap-southeast-2", service="lambda")
    headers = auth_headers(Operation("/movie", auth=auth, method="POST"), "https://a.test/", b"")
    assert re.search(r"AKIA/\d{8}/ap-southeast-2/lambda/aws4_request", headers["Authorization"])


def test_a_session_token_is_sent_along_and_the_secret_key_is_not() -> None:
    auth = SigV4Auth("AKIA", "hunter2", session_token="session")  # noqa: S106  # opens nothing
    headers = auth_headers(Operation("/movie", auth=auth, method="POST"), "https://a.test/", b"")
    assert headers["X-Amz-Security-Token"] == "session"
    assert "hunter2" not in str(headers)
