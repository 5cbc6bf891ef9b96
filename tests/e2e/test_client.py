"""The client in a real browser that can reach nothing but this machine."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.accessibility import serious_findings
from tests.e2e.visiting import HONEST_MS, Visit, visited

CHEAPEST = {
    "Star Wars: Episode I - The Phantom Menace": "Cheapest at Filmworld, saves $122,443.00",
    "Star Wars: Episode II - Attack of the Clones": "Cheapest at Cinemaworld, saves $1,237.00",
    "Star Wars: Episode III - Revenge of the Sith": "Cheapest at Cinemaworld, saves $4.40",
    "Star Wars: Episode IV - A New Hope": "Cheapest at Filmworld, saves $94.00",
    "Star Wars: Episode V - The Empire Strikes Back": "Cheapest at Cinemaworld, saves $1,281.50",
    "Star Wars: Episode VI - Return of the Jedi": "Cheapest at Filmworld, saves $184.00",
    "Star Wars: The Force Awakens": "Only at Cinemaworld",
}
"""Every movie of the captured shops, by title, and what is right to say of it."""

NEW_HOPE = "Star Wars: Episode IV - A New Hope"


@pytest.fixture
def browser_options() -> dict[str, Any]:
    """Return how the browser is set up."""
    return {}


@pytest.fixture
def visit(browser_options: dict[str, Any]) -> Iterator[Visit]:
    """Start simulated shops, a server, and a browser that has not opened the page yet."""
    with visited(**browser_options) as visit:
        yield visit


def test_every_movie_is_shown_with_the_right_cheapest_shop(visit: Visit) -> None:
    visit.open()
    expect(visit.titles).to_have_count(len(CHEAPEST))
    for title, verdict in CHEAPEST.items():
        expect(visit.card(title)).to_contain_text(verdict)
    expect(visit.card(NEW_HOPE)).to_contain_text("Cinemaworld$123.50Filmworld$29.50")
    expect(visit.card("Star Wars: The Force Awakens")).to_contain_text("Filmworldnot sold here")
    visit.shoot("light")
    assert serious_findings(visit.watched.page) == []
    visit.watched.page.emulate_media(color_scheme="dark")
    visit.shoot("dark")
    visit.watched.page.get_by_text("Filter", exact=True).click()
    assert serious_findings(visit.watched.page) == []
    assert visit.watched.complaints == []


def test_movies_are_searched_and_ordered(visit: Visit) -> None:
    visit.open()
    page = visit.watched.page
    page.get_by_label("Order").select_option("Price, lowest first")
    expect(visit.titles.first).to_contain_text("Attack of the Clones")
    expect(visit.titles.last).to_contain_text("The Phantom Menace")
    page.get_by_label("Search by title").press_sequentially("jedi")
    expect(visit.titles).to_have_text(["Star Wars: Episode VI - Return of the Jedi 1983"])
    expect(page.get_by_role("status")).to_have_text("1 movie, prices in AUD")
    page.get_by_label("Search by title").fill("casablanca")
    expect(page.get_by_role("status")).to_have_text("No movie is called “casablanca”")
    page.get_by_label("Search by title").fill("")
    expect(visit.titles).to_have_count(len(CHEAPEST))
    assert visit.watched.complaints == []


def test_a_query_goes_by_its_hash_once_it_is_known(visit: Visit) -> None:
    visit.open()
    expect(visit.titles).to_have_count(len(CHEAPEST))
    with visit.watched.page.expect_request(re.compile("sha256Hash")) as asked:
        visit.watched.page.get_by_label("Search by title").fill("hope")
    assert asked.value.method == "GET"
    assert "nodes" not in asked.value.url
    expect(visit.titles).to_have_count(1)


def test_a_shop_that_never_answered_is_told_of_and_comes_in_place(visit: Visit) -> None:
    visit.turn("filmworld", "hang")
    visit.open()
    card = visit.card(NEW_HOPE)
    told = "Cheapest so far at Cinemaworld (Filmworld has not answered)"
    expect(card).to_contain_text(told, timeout=HONEST_MS)
    expect(card).to_contain_text(re.compile("Filmworld(retry)?no answer yet"))
    expect(card).not_to_contain_text("$0")
    banner = visit.watched.page.get_by_text("Filmworld took too long to answer.")
    expect(banner).to_be_visible()
    visit.shoot("shop-down-cold")
    visit.turn("filmworld", "ok")
    expect(card).to_contain_text(CHEAPEST[NEW_HOPE])
    expect(banner).to_be_hidden()
    assert visit.watched.complaints == []


def test_a_shop_that_breaks_later_leaves_prices_with_their_age(visit: Visit) -> None:
    visit.open()
    card = visit.card(NEW_HOPE)
    expect(card).to_contain_text(CHEAPEST[NEW_HOPE])
    visit.turn("filmworld", "500")
    visit.refresh_until_told("Filmworld does not answer.")
    expect(card).to_contain_text(re.compile(r"\$29\.50, \d+ s old"))
    expect(card).to_contain_text(
        re.compile(r"Cheapest so far at Filmworld \(Filmworld answered \d+ s ago\)")
    )
    visit.shoot("shop-down-warm")
    assert serious_findings(visit.watched.page) == []
    visit.turn("filmworld", "ok")
    expect(card).to_contain_text(CHEAPEST[NEW_HOPE], timeout=HONEST_MS)
    expect(card.get_by_role("button")).to_have_count(0)
    assert visit.watched.complaints == []


def test_late_prices_do_not_move_what_is_pointed_at(visit: Visit) -> None:
    visit.turn("filmworld", "hang")
    visit.open()
    page = visit.watched.page
    page.get_by_label("Order").select_option("Price, lowest first")
    card = visit.card(NEW_HOPE)
    expect(card).to_contain_text("Cheapest so far")
    card.hover()
    before = (visit.titles.all_inner_texts(), card.bounding_box())
    card.get_by_role("button", name="retry Filmworld").click()  # it will be gone
    visit.turn("filmworld", "ok")
    expect(card).to_contain_text(CHEAPEST[NEW_HOPE])
    assert (visit.titles.all_inner_texts(), card.bounding_box()) == before
    page.get_by_label("Search by title").hover()
    expect(visit.titles.nth(1)).to_contain_text("The Empire Strikes Back")
    expect(visit.titles.nth(2)).to_contain_text("A New Hope")


def test_a_poster_that_does_not_load_is_drawn(visit: Visit) -> None:
    visit.turn("cinemaworld", "500")  # its posters load, some of filmworld's do not
    visit.open()
    expect(visit.titles).to_have_count(len(CHEAPEST) - 1)
    expect(visit.watched.page.locator("svg[data-placeholder]").first).to_be_visible()
    assert all("/posters/" in complaint for complaint in visit.watched.complaints)


def test_a_server_that_is_gone_leaves_what_there_was(visit: Visit) -> None:
    visit.open()
    page = visit.watched.page
    expect(visit.titles).to_have_count(len(CHEAPEST))
    page.route("**/graphql*", lambda route: route.abort())
    page.get_by_role("button", name="Refresh", exact=True).click()
    told = page.get_by_text("movieql does not answer.")
    expect(told).to_be_visible()
    expect(visit.titles).to_have_count(len(CHEAPEST))
    page.unroute("**/graphql*")
    expect(told).to_be_hidden(timeout=HONEST_MS)
    expect(visit.card(NEW_HOPE)).to_contain_text(CHEAPEST[NEW_HOPE])


class TestOnAPhone:
    @pytest.fixture
    def browser_options(self) -> dict[str, Any]:
        return {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"}

    def test_nothing_is_wider_than_the_screen(self, visit: Visit) -> None:
        visit.open()
        expect(visit.titles).to_have_count(len(CHEAPEST))
        visit.shoot("phone")
        visit.turn("filmworld", "500")
        visit.refresh_until_told("Filmworld does not answer.")
        visit.shoot("phone-shop-down")
        page = visit.watched.page
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert serious_findings(page) == []


def test_whoever_wants_no_motion_gets_none(visit: Visit) -> None:
    visit.watched.page.emulate_media(reduced_motion="reduce")
    visit.open()
    expect(visit.titles).to_have_count(len(CHEAPEST))
    moving = "document.getAnimations().length"
    assert visit.watched.page.evaluate(moving) == 0


@pytest.mark.parametrize("width", [360, 768, 1280, 1920])
def test_the_page_fits_every_width(visit: Visit, width: int) -> None:
    visit.watched.page.set_viewport_size({"width": width, "height": 900})
    visit.open()
    expect(visit.titles).to_have_count(len(CHEAPEST))
    assert visit.watched.page.evaluate("document.documentElement.scrollWidth") == width


def test_the_keyboard_reaches_everything_in_order_and_shows_where_it_is(visit: Visit) -> None:
    visit.open()
    page = visit.watched.page
    expect(visit.titles).to_have_count(len(CHEAPEST))
    expect(page.get_by_role("button", name="Try breaking it")).to_be_visible()
    reached: list[str] = []
    while not reached or reached[-1] != "Refresh":
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        reached.append(page.evaluate("document.activeElement.innerText.split('\\n')[0]"))
    skip, *pages, _search, order, filters, _refresh = reached
    assert (skip, order, filters) == ("Skip to content", "Title", "Filter")
    assert pages[:2] == ["movieql", "Movies"]
    assert pages[-2:] == ["GraphiQL", "Try breaking it"]


def test_a_search_is_in_the_address_so_it_can_be_shared_and_gone_back_to(visit: Visit) -> None:
    visit.open()
    page = visit.watched.page
    page.get_by_label("Search by title").fill("episode")
    page.get_by_text("Filter", exact=True).click()
    page.get_by_label("From year").fill("1980")
    page.get_by_label("Shop").select_option("Only Filmworld")
    page.get_by_label("Price up to").fill("100")
    jedi = "Star Wars: Episode VI - Return of the Jedi 1983"
    expect(visit.titles).to_have_text([jedi])
    expect(page.get_by_role("status")).to_have_text("1 movie, prices in AUD")
    page.reload()
    expect(visit.titles).to_have_text([jedi])
    page.get_by_text("Filter (3 on)").click()
    page.get_by_label("From year").fill("2001")
    expect(page.get_by_role("status")).to_have_text("No movie called “episode” passes the filter")
    page.get_by_role("button", name="Clear filters").click()
    expect(visit.titles).to_have_count(6)
    assert visit.watched.complaints == []


def test_more_movies_come_with_scrolling() -> None:
    with visited("--movies", "80") as visit:
        visit.open()
        expect(visit.titles).to_have_count(24)
        page = visit.watched.page
        page.mouse.wheel(0, 20_000)
        expect(visit.titles).to_have_count(48)
        page.get_by_role("button", name="Show more movies").press("Enter")
        expect(visit.titles).to_have_count(72)
        names = visit.titles.all_inner_texts()
        assert len(set(names)) == len(names)
        assert visit.watched.complaints == []
