from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from movieql.domain.errors import StoreError
from movieql.memory import VirtualClock
from movieql.storage.links import LinkSigner
from movieql.web.files import Files
from tests.unit.web.rest_doors import FORGED, RestDoor

LINK = "/files?key=exports/a.csv&signature=good"
BODY = b"id,title\n" + b"x" * 16
SECRET = b"0123456789abcdefghijklmnopqrstuv"


@pytest.fixture
def door() -> RestDoor:
    door = RestDoor()
    door.objects.bodies["exports/a.csv"] = BODY
    return door


async def test_a_good_link_streams_the_file_in_bounded_pieces(door: RestDoor) -> None:
    reply = await door.call("GET", LINK)
    assert (reply.status, reply.body) == (200, BODY)
    assert reply.headers["content-length"] == str(len(BODY))
    assert reply.headers["content-type"] == "text/csv"
    assert door.objects.reads == [(0, 10), (10, 10), (20, 5)]
    assert reply.chunks >= 3


async def test_head_reads_nothing(door: RestDoor) -> None:
    reply = await door.call("HEAD", LINK)
    assert (reply.status, reply.headers["content-length"]) == (200, str(len(BODY)))
    assert door.objects.reads == []


async def test_an_empty_file_is_a_file(door: RestDoor) -> None:
    door.objects.bodies["exports/a.csv"] = b""
    reply = await door.call("GET", LINK)
    assert (reply.status, reply.body, reply.headers["content-length"]) == (200, b"", "0")


@pytest.mark.parametrize("query", ["", "key=exports/a.csv", "key=exports/a.csv&signature=bad"])
async def test_what_is_not_signed_is_refused_and_not_looked_for(
    door: RestDoor, query: str
) -> None:
    door.objects.failure = StoreError("It was asked.")
    reply = await door.call("GET", f"/files?{query}")
    assert (reply.status, reply.json["code"]) == (403, "FORBIDDEN")
    assert "www-authenticate" not in reply.headers
    assert reply.headers["cache-control"] == "no-store"


async def test_a_link_is_all_it_takes(door: RestDoor) -> None:
    assert (await door.call("GET", LINK, token=FORGED)).status == 200


async def test_a_file_that_is_gone_is_not_found(door: RestDoor) -> None:
    door.objects.bodies.clear()
    reply = await door.call("GET", LINK)
    assert (reply.status, reply.json["code"]) == (404, "NOT_FOUND")


async def test_a_file_that_goes_at_once_is_not_found(
    door: RestDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: object) -> None:
        return None

    monkeypatch.setattr(door.objects, "get_range", gone)
    assert (await door.call("GET", LINK)).status == 404


async def test_a_store_that_is_down_says_so_before_anything_is_sent(door: RestDoor) -> None:
    door.objects.failure = StoreError()
    reply = await door.call("GET", LINK)
    assert (reply.status, reply.json["code"]) == (503, "UNAVAILABLE")


@pytest.mark.parametrize("left", [b"id,title\n", None])
async def test_half_a_file_breaks_the_connection(
    door: RestDoor, monkeypatch: pytest.MonkeyPatch, left: bytes | None
) -> None:
    whole = door.objects.get_range

    async def shrunk(key: str, start: int, length: int) -> bytes | None:
        return await whole(key, start, length) if start == 0 else left and left[start:]

    monkeypatch.setattr(door.objects, "get_range", shrunk)
    with pytest.raises(StoreError, match="changed"):
        await door.call("GET", LINK)


async def test_without_a_store_of_its_own_the_server_hands_out_nothing(door: RestDoor) -> None:
    door.app.state.files = None
    assert (await door.call("GET", LINK)).status == 404


class Signed:
    """The route with real links."""

    def __init__(self, door: RestDoor) -> None:
        self.door = door
        self.clock = VirtualClock()
        self.signer = LinkSigner(SECRET, "http://here", self.clock.now)
        door.app.state.files = Files(self.signer.opened, door.objects)

    def link(self, key: str = "exports/a.csv") -> str:
        url = self.signer.sign(key, 60, "movies.csv", "text/csv; charset=utf-8")
        return url.removeprefix("http://here")


@pytest.fixture
def signed(door: RestDoor) -> Signed:
    return Signed(door)


async def test_what_is_downloaded_is_saved_and_never_shown_or_kept(signed: Signed) -> None:
    reply = await signed.door.call("GET", signed.link())
    assert reply.body == BODY
    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    assert reply.headers["content-disposition"] == 'attachment; filename="movies.csv"'
    assert reply.headers["referrer-policy"] == "no-referrer"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["cache-control"] == "private, no-store"


async def test_a_link_ends(signed: Signed) -> None:
    link = signed.link()
    await signed.clock.advance(timedelta(seconds=60).total_seconds())
    reply = await signed.door.call("GET", link)
    assert reply.status == 403
    assert "time is up" in reply.json["error"]


@pytest.mark.parametrize("name", ["key", "expires", "filename", "type", "signature"])
@pytest.mark.parametrize("value", ["", "9", "../../etc/passwd", "exports/b.csv"])
async def test_a_link_that_was_changed_is_refused(signed: Signed, name: str, value: str) -> None:
    signed.door.objects.bodies["exports/b.csv"] = b"another's"
    fields = dict(parse_qsl(urlsplit(signed.link()).query)) | {name: value}
    assert (await signed.door.call("GET", f"/files?{urlencode(fields)}")).status == 403


@pytest.mark.parametrize(
    "more", ["a=b", "a=", "key=exports/b.csv", "key=exports/a.csv", "signature=x", "type="]
)
@pytest.mark.parametrize("is_first", [True, False])
async def test_what_is_beside_the_signed_parameters_is_refused(
    signed: Signed,
    more: str,
    is_first: bool,  # noqa: FBT001  # pytest names it
) -> None:
    link = signed.link()
    link = link.replace("?", f"?{more}&") if is_first else f"{link}&{more}"
    reply = await signed.door.call("GET", link)
    assert (reply.status, reply.json["code"]) == (400, "BAD_REQUEST")
