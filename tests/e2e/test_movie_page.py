"""The page of one movie: what shops ask, what they asked, and what is told of it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.accessibility import serious_findings
from tests.e2e.past_prices import write_past_prices
from tests.e2e.visiting import HONEST_MS, Visit, visited

NEW_HOPE = "Star Wars: Episode IV - A New Hope"
PAGE = "/movie/tt0076759"


@pytest.fixture
def visit(tmp_path: Path) -> Iterator[Visit]:
    """Start everything, with prices of earlier days."""
    prices = {
        "cinemaworld/cw0076759": ["125.5", "119", "119", "123.5"],
        "filmworld/fw0076759": ["44.5", "39", "27.25", "33", "29.5"],
    }
    write_past_prices(tmp_path, datetime.now(UTC), prices)
    with visited("--data", str(tmp_path)) as visit:
        yield visit


def test_a_card_leads_to_all_that_is_known_of_a_movie_and_back(visit: Visit) -> None:
    visit.open()
    page = visit.watched.page
    page.get_by_label("Search by title").fill("hope")
    visit.card(NEW_HOPE).get_by_role("link", name=NEW_HOPE).click()
    expect(page).to_have_title(f"{NEW_HOPE} · movieql")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{NEW_HOPE} 1977")
    expect(page.locator("main")).to_be_focused()
    expect(page.get_by_text("Cheapest at Filmworld, saves $94.00")).to_be_visible()
    rows = page.get_by_role("row")
    expect(rows.nth(1)).to_contain_text(re.compile(r"Cinemaworld\$123\.50\d+ s ago"))
    expect(rows.nth(2)).to_contain_text(re.compile(r"Filmworld\$29\.50 cheapest\d+ s ago"))
    expect(page.get_by_text("George Lucas", exact=True).first).to_be_visible()
    expect(page.get_by_text("2 h 1 min")).to_be_visible()
    expect(page.get_by_text("Lowest: $27.25 at Filmworld, seen from")).to_be_visible()
    page.get_by_text("prices seen").click()
    expect(page.get_by_text("$125.50 at Cinemaworld")).to_be_visible()
    page.get_by_text("prices seen").click()
    page.evaluate("scrollTo(0, 0)")
    visit.shoot("movie")
    assert serious_findings(page) == []
    page.go_back()
    expect(page.get_by_label("Search by title")).to_have_value("hope")
    expect(visit.titles).to_have_count(1)
    assert visit.watched.complaints == []


def test_a_shop_that_is_down_is_told_of_on_the_page_of_a_movie(visit: Visit) -> None:
    visit.turn("filmworld", "hang")
    visit.open(PAGE)
    page = visit.watched.page
    told = "Cheapest so far at Cinemaworld (Filmworld has not answered)"
    expect(page.get_by_text(told)).to_be_visible(timeout=HONEST_MS)
    expect(page.get_by_text("Filmworld took too long to answer.")).to_be_visible()
    expect(page.get_by_role("row").nth(2)).to_contain_text("no answer yet")
    visit.turn("filmworld", "ok")
    expect(page.get_by_text("Cheapest at Filmworld, saves $94.00")).to_be_visible()
    assert visit.watched.complaints == []


def test_an_address_of_no_movie_says_so_only_when_every_shop_was_asked(visit: Visit) -> None:
    visit.turn("filmworld", "500")
    assert status_of(visit, "/movie/tt9999999") == 200
    page = visit.watched.page
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Title not known yet"))
    visit.turn("filmworld", "ok")
    expect(page.get_by_role("heading", level=1)).to_have_text("No such movie")
    assert visit.watched.complaints == []


def test_a_movie_starts_with_what_the_list_said_while_a_shop_hangs(visit: Visit) -> None:
    visit.open()
    page = visit.watched.page
    expect(visit.card(NEW_HOPE)).to_contain_text("saves $94.00")
    page.route("**/graphql*", lambda _: None)  # neither answered nor refused
    visit.card(NEW_HOPE).get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{NEW_HOPE} 1977")
    expect(page.get_by_text("Cheapest at Filmworld, saves $94.00")).to_be_visible()
    expect(page.get_by_role("row").nth(2)).to_contain_text("$29.50 cheapest")
    expect(page.get_by_text("Last known; waiting for an update")).to_be_visible()
    expect(page.get_by_text("Asking the shops…")).to_be_visible()
    expect(page.locator("main img")).to_be_visible()
    visit.shoot("movie-awaited")
    assert serious_findings(page) == []
    page.unroute("**/graphql*")
    page.route("**/graphql*", lambda route: route.abort())
    page.reload()
    expect(page.get_by_text("movieql does not answer.")).to_be_visible()
    page.unroute("**/graphql*")
    expect(page.get_by_text("George Lucas", exact=True).first).to_be_visible()


def test_a_movie_offline_has_what_the_list_said(visit: Visit) -> None:
    visit.open()
    page = visit.watched.page
    expect(visit.card(NEW_HOPE)).to_contain_text("saves $94.00")
    page.context.set_offline(True)
    visit.card(NEW_HOPE).get_by_role("link").click()
    expect(page.get_by_text("movieql does not answer.")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{NEW_HOPE} 1977")
    expect(page.get_by_role("row").nth(2)).to_contain_text(
        re.compile(r"\$29\.50 cheapest\d+ s ago")
    )
    expect(page.get_by_text("Last known; waiting for an update")).to_be_visible()
    expect(page.get_by_text("Not known yet.")).to_be_visible()
    visit.shoot("movie-offline")
    page.context.set_offline(False)
    expect(page.get_by_text("George Lucas", exact=True).first).to_be_visible()


def status_of(visit: Visit, path: str) -> int:
    """Open a page; return the HTTP status of what the server sent for it."""
    response = visit.watched.page.goto(visit.url + path)
    assert response is not None
    return response.status


def test_what_there_is_not_is_told_by_the_status_and_by_the_page(visit: Visit) -> None:
    heading = visit.watched.page.get_by_role("heading", level=1)
    assert status_of(visit, "/movie/tt9999999") == 404
    expect(heading).to_have_text("No such movie")
    assert status_of(visit, "/movie/a%2Fb%3F") == 404
    expect(heading).to_have_text("No such movie")
    for path in ("/nonsense", "/exports/", "/Exports", "/movie/a/b", "/movie/%ff", "/api/nothing"):
        assert status_of(visit, path) == 404
        expect(heading).to_have_text("There is no such page")
    visit.shoot("no-such-page")
    assert status_of(visit, PAGE) == 200
    expect(heading).to_have_text(f"{NEW_HOPE} 1977")


def test_nothing_is_wider_than_a_phone(visit: Visit) -> None:
    page = visit.watched.page
    page.set_viewport_size({"width": 360, "height": 740})
    visit.open(PAGE)
    expect(page.get_by_text("Cheapest at Filmworld")).to_be_visible()
    visit.shoot("movie-phone")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    visit.turn("cinemaworld", "500")
    visit.turn("filmworld", "500")
    expect(page.get_by_role("row").nth(1)).to_contain_text("3 s ago")  # then nothing is fresh
    page.reload()
    expect(page.get_by_role("button", name="refresh")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert serious_findings(page) == []
