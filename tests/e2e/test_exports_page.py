"""The page for exports in a real browser: order, watch, download; and what goes wrong."""

import asyncio
import gzip
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.e2e.accessibility import serious_findings
from tests.e2e.exported import captured_rows
from tests.e2e.visiting import Visit, visited
from tests.e2e.workers import held_workers, kill_workers
from tests.integration.exports.seeding import Past, made_past, put_past, rows_of
from tests.object_store import file_store

JOB_MS = 60_000
"""Longest wait for an export: one that is lost is found after 10 s, then queued, then run."""

BULK_MOVIES = 20_000
"""As many of the past make a job that runs for seconds, so that its progress is seen."""

WORKING = re.compile(r"[1-9]\d %, [\d,]+ of [\d,]+ offers")


@pytest.fixture
def browser_options() -> dict[str, Any]:
    """Return how the browser is set up."""
    return {}


@pytest.fixture
def visit(browser_options: dict[str, Any]) -> Iterator[Visit]:
    """Start shops, server and worker, let what the shops sell be seen, and sign in for exports."""
    with visited(**browser_options) as visit:
        begin(visit)
        yield visit


@contextmanager
def visited_with_a_past() -> Iterator[tuple[Visit, Past]]:
    """The same with so much that was seen before that an export of it takes a while."""
    past = made_past(datetime.now(UTC), BULK_MOVIES)
    # Not tmp_path: the path of a unix socket has about 100 characters.
    with tempfile.TemporaryDirectory(prefix="movieql-") as folder:
        asyncio.run(_put(past, Path(folder) / "store"))
        with visited("--data", folder) as visit:
            begin(visit)
            yield visit, past


async def _put(past: Past, folder: Path) -> None:
    async with file_store(folder) as store:
        await put_past(store, past)


def begin(visit: Visit) -> None:
    """Let every price be asked for, since an export has what was seen before, and sign in."""
    visit.open()
    page = visit.watched.page
    expect(page.get_by_text(re.compile("^(Cheapest|Only) at "))).to_have_count(7)
    visit.open("/exports")
    visit.sign_in()


def order(visit: Visit) -> None:
    visit.watched.page.get_by_role("button", name="Order export").click()


def exports(visit: Visit) -> Locator:
    return visit.watched.page.get_by_role("article")


def downloaded(visit: Visit, export: Locator) -> tuple[str, bytes]:
    """Press Download; return the file's name and what is in it."""
    with visit.watched.page.expect_download() as download:
        export.get_by_role("button", name="Download").click()
    return download.value.suggested_filename, download.value.path().read_bytes()


def test_who_is_not_signed_in_reads_what_exports_are_and_why_a_password_is_refused() -> None:
    with visited() as visit:
        visit.open("/exports")
        page = visit.watched.page
        expect(page.get_by_role("heading", name="Exports")).to_be_visible()
        expect(page.get_by_text("An export is a CSV file of every movie")).to_be_visible()
        page.get_by_label("Name", exact=True).fill("dev")
        page.get_by_label("Password").fill("a guess")
        page.get_by_role("button", name="Sign in", exact=True).click()
        told = page.get_by_role("alert")
        expect(told).to_contain_text("Wrong name or password.")
        expect(page).to_have_url(f"{visit.url}/exports")
        visit.sign_in()
        expect(told).to_have_count(0)
        expect(page.get_by_text("You have no exports yet.")).to_be_visible()
        page.get_by_role("link", name="Movies").click()
        page.get_by_role("link", name="Exports").click()
        expect(page.get_by_role("button", name="Order export")).to_be_visible()
        # The browser itself tells of an answer of 401.
        assert all("/login" in complaint for complaint in visit.watched.complaints)


def test_an_export_is_ordered_watched_and_downloaded_with_every_row() -> None:
    with visited_with_a_past() as (visit, past):
        with visit.watched.page.expect_websocket():
            order(visit)
        export = exports(visit)
        expect(
            visit.watched.page.get_by_text("Ordered: it is on top of your exports.")
        ).to_be_visible()
        expect(export.get_by_text(WORKING)).to_be_visible(timeout=JOB_MS)
        percent = export.get_by_role("progressbar").get_attribute("value")
        visit.shoot("export-running")
        assert percent is not None
        assert 0 <= int(percent) < 100
        expect(export).to_contain_text(
            re.compile(r"Ready: [\d,]+ rows, [\d.]+ MB\."), timeout=JOB_MS
        )
        expect(export.get_by_role("progressbar")).to_have_count(0)
        visit.shoot("export-ready")
        assert serious_findings(visit.watched.page) == []
        name, content = downloaded(visit, export)
        assert re.fullmatch(r"movies-\d{8}T\d{6}Z\.csv", name)
        rows = rows_of(content)
        expected = captured_rows() | past.rows(past.since, datetime.now(UTC))
        assert len(rows) == len(expected)
        assert set(rows) == expected
        assert visit.watched.complaints == []


def test_an_export_whose_worker_is_killed_is_told_of_and_ends_all_the_same() -> None:
    with visited_with_a_past() as (visit, _):
        order(visit)
        export = exports(visit)
        expect(export.get_by_text(WORKING)).to_be_visible(timeout=JOB_MS)
        kill_workers(visit.dev)
        told = export.get_by_text(re.compile(r"An attempt broke off: trying again, attempt \d"))
        expect(told).to_be_visible(timeout=JOB_MS)
        expect(export).to_contain_text("Ready: ", timeout=JOB_MS)
        assert visit.watched.complaints == []


def test_an_export_is_cancelled_and_made_again(visit: Visit) -> None:
    page = visit.watched.page
    with held_workers(visit.dev):
        order(visit)
        first = exports(visit)
        expect(first).to_contain_text("Waiting until a worker is free")
        first.get_by_role("button", name="Cancel").click()
        expect(first).to_contain_text("Cancelled: there is no file.")
        expect(first.get_by_role("button", name="Cancel")).to_have_count(0)
    first.get_by_role("button", name="Make again").click()
    expect(exports(visit)).to_have_count(2)
    expect(exports(visit).nth(0)).to_contain_text("Made again, from one of before.")
    expect(exports(visit).nth(0)).to_contain_text("Ready: 13 rows", timeout=JOB_MS)
    expect(exports(visit).nth(1)).to_contain_text("Made again: see the one that was ordered on")
    # Nobody is asked who one is before a reload.
    page.reload()
    visit.sign_in()
    expect(exports(visit)).to_have_count(2)
    expect(exports(visit).nth(1)).to_contain_text("Cancelled: there is no file.")
    assert visit.watched.complaints == []


def test_a_window_that_is_not_allowed_is_told_of_beside_it_and_nothing_is_ordered(
    visit: Visit,
) -> None:
    page = visit.watched.page
    page.get_by_label("Another window").check()
    since, until = page.get_by_label("From"), page.get_by_label("To", exact=True)
    expect(page.get_by_text("In your time zone, ")).to_be_visible()
    until.fill("2099-01-01T00:00")
    order(visit)
    expect(page.get_by_role("alert")).to_have_text("The window must not end in the future.")
    expect(until).to_have_attribute("aria-invalid", "true")
    until.fill("2026-01-01T00:00")
    expect(page.get_by_role("alert")).to_have_count(0)
    since.fill("2026-01-02T00:00")
    order(visit)
    expect(page.get_by_role("alert")).to_have_text("The window must start before it ends.")
    expect(since).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("You have no exports yet.")).to_be_visible()
    assert visit.watched.complaints == []


def test_an_order_whose_answer_is_lost_can_be_sent_again_and_is_one(visit: Visit) -> None:
    page = visit.watched.page

    def lose(route: Route) -> None:
        """Let an order arrive, and its answer get lost."""
        if "requestExport" not in (route.request.post_data or ""):
            route.continue_()
            return
        route.fetch()
        route.abort()

    page.route("**/graphql", lose)
    order(visit)
    expect(page.get_by_role("alert")).to_contain_text("This may have arrived or not. Press again")
    page.unroute("**/graphql")
    order(visit)
    expect(exports(visit)).to_contain_text("Ready: 13 rows", timeout=JOB_MS)
    order(visit)
    expect(exports(visit)).to_have_count(2)  # one for the two tries, one for the new order


def test_without_a_socket_an_export_is_asked_for_instead(visit: Visit) -> None:
    page = visit.watched.page
    page.route_web_socket("**/graphql", lambda socket: socket.close(code=1011))
    page.get_by_label("Cinemaworld").uncheck()
    page.get_by_label("Compress the file").check()
    order(visit)
    export = exports(visit)
    expect(export).to_contain_text("of Filmworld, compressed.")
    expect(export).to_contain_text("Ready: 6 rows", timeout=JOB_MS)
    expect(page.get_by_role("alert")).to_have_count(0)
    name, content = downloaded(visit, export)
    assert name.endswith(".csv.gz")
    found = {row[:3] for row in rows_of(gzip.decompress(content))}
    assert found == {row[:3] for row in captured_rows() if row[0] == "filmworld"}


class TestOnAPhone:
    @pytest.fixture
    def browser_options(self) -> dict[str, Any]:
        return {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"}

    def test_nothing_is_wider_than_the_screen(self, visit: Visit) -> None:
        page = visit.watched.page
        page.get_by_label("Another window").check()
        page.get_by_label("The last 24 hours").check()
        order(visit)
        expect(exports(visit)).to_contain_text("Ready: 13 rows", timeout=JOB_MS)
        exports(visit).get_by_text("SHA-256").click()
        page.get_by_label("Another window").check()
        visit.shoot("export-phone")
        exports(visit).scroll_into_view_if_needed()
        visit.shoot("export-phone-list")
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert visit.watched.complaints == []
