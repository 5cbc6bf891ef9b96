"""Signed links on a server that checks signature and expiry: ministack, by S3's own rules."""

import asyncio
import re
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from yarl import URL

from movieql.storage.s3 import S3Store
from tests.object_store import SECRET_KEY, S3Server, s3_store

KEY = "exports/42/data.csv"
BODY = b"id,title\r\n1,Alien\r\n"
CONTENT_TYPE = "text/csv; charset=utf-8"


@pytest.fixture
async def store(ministack_server: S3Server) -> AsyncIterator[S3Store]:
    async with s3_store(ministack_server, prefix="linked/") as opened:
        await opened.put(KEY, BODY)
        yield opened


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


async def link(store: S3Store, lifetime_s: int = 60) -> str:
    return await store.link(
        KEY, lifetime_s=lifetime_s, filename="movies.csv", content_type=CONTENT_TYPE
    )


async def status_of(session: aiohttp.ClientSession, url: str, method: str = "GET") -> int:
    async with session.request(method, URL(url, encoded=True)) as answer:
        return answer.status


async def test_a_link_downloads_the_object_as_a_file(
    store: S3Store, session: aiohttp.ClientSession
) -> None:
    async with session.get(URL(await link(store), encoded=True)) as answer:
        assert (answer.status, await answer.read()) == (200, BODY)
        assert answer.headers["content-disposition"] == 'attachment; filename="movies.csv"'
        assert answer.headers["content-type"] == CONTENT_TYPE


@pytest.mark.parametrize(
    "pattern, replacement",
    [
        (r"X-Amz-Signature=.", "X-Amz-Signature=_"),
        (r"/data\.csv\?", "/other.csv?"),
        (r"X-Amz-Expires=60", "X-Amz-Expires=900"),
        (r"movies\.csv", "movies.exe"),
    ],
    ids=["signature", "key", "lifetime", "filename"],
)
async def test_a_tampered_link_is_refused(
    store: S3Store, session: aiohttp.ClientSession, pattern: str, replacement: str
) -> None:
    await store.put("exports/42/other.csv", b"of another")
    tampered, changes = re.subn(pattern, replacement, await link(store))
    assert changes == 1
    assert await status_of(session, tampered) == 403


async def test_a_link_to_read_does_not_write(
    store: S3Store, session: aiohttp.ClientSession
) -> None:
    assert await status_of(session, await link(store), "PUT") == 403
    assert await store.get(KEY, bytes_max=100) is not None


async def test_a_link_ends_with_its_lifetime(
    store: S3Store, session: aiohttp.ClientSession
) -> None:
    short = await link(store, lifetime_s=1)
    async with asyncio.timeout(10):
        while await status_of(session, short) == 200:  # noqa: ASYNC110  # time has no event
            await asyncio.sleep(0.1)
    assert await status_of(session, short) == 403
    assert await status_of(session, await link(store)) == 200


async def test_a_link_says_its_lifetime_and_no_secret(store: S3Store) -> None:
    query = parse_qs(urlsplit(await link(store, lifetime_s=900)).query)
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == ["900"]
    assert all(SECRET_KEY not in value for values in query.values() for value in values[1:])
