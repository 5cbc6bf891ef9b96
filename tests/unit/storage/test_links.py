"""Signed links to files."""

from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movieql.domain.errors import BadInputError, ForbiddenError, SettingsError
from movieql.memory import VirtualClock
from movieql.storage.links import LinkRefusedError, LinkSigner, OpenedLink

SECRET = b"s" * 32
CSV = "text/csv; charset=utf-8"


def signer(clock: VirtualClock | None = None, secret: bytes = SECRET) -> LinkSigner:
    return LinkSigner(secret, "https://movies.example", (clock or VirtualClock()).now)


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query, strict_parsing=True))


def signed(key: str = "exports/1.csv", lifetime_s: int = 60) -> dict[str, str]:
    return query_of(signer().sign(key, lifetime_s, "movies.csv", CSV))


@pytest.mark.parametrize("key", ["exports/1.csv", "a:b c/é&key=x+%2F"])
def test_a_link_opens_as_what_it_was_made_for(key: str) -> None:
    url = signer().sign(key, 60, "movies.csv", CSV)
    assert url.startswith("https://movies.example/files?")
    assert signer().opened(query_of(url)) == OpenedLink(key, "movies.csv", CSV)


@pytest.mark.parametrize("name", ["key", "expires", "filename", "type", "signature"])
def test_a_link_with_anything_changed_or_left_out_is_refused(name: str) -> None:
    query = signed()
    for changed in (query[name] + "0", query[name][:-1], "", "é", "\ud800"):
        with pytest.raises(LinkRefusedError):
            signer().opened({**query, name: changed})
    with pytest.raises(LinkRefusedError):
        signer().opened({field: value for field, value in query.items() if field != name})


@given(
    st.dictionaries(
        st.sampled_from(["key", "expires", "filename", "type", "signature"]), st.text()
    )
)
def test_no_query_of_a_stranger_opens(query: dict[str, str]) -> None:
    with pytest.raises(LinkRefusedError):
        signer().opened(query)


def test_fields_cannot_be_shifted_into_each_other() -> None:
    query = signed("a")
    query["key"], query["expires"] = "a\n" + query["expires"], ""
    with pytest.raises(LinkRefusedError):
        signer().opened(query)


def test_a_link_of_another_secret_is_refused() -> None:
    with pytest.raises(LinkRefusedError):
        signer(secret=b"t" * 32).opened(signed())


async def test_a_link_is_good_until_its_last_second() -> None:
    clock = VirtualClock()
    query = query_of(signer(clock).sign("key", 60, "movies.csv", CSV))
    await clock.advance(59.9)
    assert signer(clock).opened(query).key == "key"
    await clock.advance(0.1)
    with pytest.raises(LinkRefusedError, match="time is up"):
        signer(clock).opened(query)


def test_a_refused_link_is_a_forbidden_request() -> None:
    assert issubclass(LinkRefusedError, ForbiddenError)


@pytest.mark.parametrize("lifetime_s", [-1, 0, 901, 10**12])
def test_a_lifetime_outside_of_fifteen_minutes_is_refused(lifetime_s: int) -> None:
    with pytest.raises(BadInputError):
        signed(lifetime_s=lifetime_s)


def test_a_lifetime_of_fifteen_minutes_is_allowed() -> None:
    expires = signed(lifetime_s=900)["expires"]
    assert int(expires) == (VirtualClock().now() + timedelta(seconds=900)).timestamp()


@pytest.mark.parametrize(
    "filename", ["", 'a"b', "a\nb", "a/b", "é", ".a", "-a", "a" * 129, "a;b", "a\\b"]
)
def test_a_file_name_that_a_header_cannot_carry_is_refused(filename: str) -> None:
    with pytest.raises(BadInputError):
        signer().sign("key", 60, filename, CSV)


@pytest.mark.parametrize("content_type", ["", "text", "text/csv\r\nx: y", "text/csv; a=b", "*/*"])
def test_a_media_type_that_is_none_is_refused(content_type: str) -> None:
    with pytest.raises(BadInputError):
        signer().sign("key", 60, "a.csv", content_type)


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(SettingsError, match="32 bytes"):
        signer(secret=b"s" * 31)


def test_a_signer_does_not_show_its_secret() -> None:
    assert "s" * 32 not in repr(signer())


def test_a_download_is_saved_and_never_shown_or_kept() -> None:
    headers = OpenedLink("key", "movies.csv", CSV).headers
    assert headers["content-disposition"] == 'attachment; filename="movies.csv"'
    assert headers["content-type"] == CSV
    assert headers["cache-control"] == "private, no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
