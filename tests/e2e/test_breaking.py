"""Shops are broken and healed by hand, on the page, and the page tells of it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.accessibility import serious_findings
from tests.e2e.visiting import HONEST_MS, Visit, visited

NEW_HOPE = "Star Wars: Episode IV - A New Hope"
CERTAIN = "Cheapest at Filmworld, saves $94.00"
UNCERTAIN = re.compile(r"Cheapest so far at Filmworld \(Filmworld answered \d+ s ago\)")
AGED = re.compile(r"\$29\.50, \d+ s old")


@pytest.fixture
def browser_options() -> dict[str, Any]:
    """Return how the browser is set up."""
    return {}


@pytest.fixture
def visit(browser_options: dict[str, Any]) -> Iterator[Visit]:
    """Start simulated shops, a server, and a browser with the panel open and all well."""
    with visited(**browser_options) as visit:
        visit.open()
        expect(visit.card(NEW_HOPE)).to_contain_text(CERTAIN)
        visit.watched.page.get_by_role("button", name="Try breaking it").click()
        expect(visit.watched.page.get_by_text("All shops are well.")).to_be_visible()
        yield visit


@pytest.mark.parametrize(
    "words, told",
    [
        ("fails (500)", "Filmworld (does not answer|failed often)"),
        ("never answers", "Filmworld (took too long to answer|failed often)"),
    ],
)
def test_a_shop_that_is_broken_and_healed_is_told_of_without_a_reload(
    visit: Visit, words: str, told: str
) -> None:
    page, card = visit.watched.page, visit.card(NEW_HOPE)
    page.get_by_label("What Filmworld does").select_option(words)
    expect(card).to_contain_text(UNCERTAIN, timeout=HONEST_MS)
    expect(card).to_contain_text(AGED)
    expect(page.get_by_text("Watch the prices of Filmworld get an age")).to_be_visible()
    banner = page.get_by_text(re.compile(told))
    expect(banner).to_be_visible()
    if "500" in words:
        visit.shoot("breaking")
        assert serious_findings(visit.watched.page) == []
    page.get_by_role("button", name="All well again").click()
    expect(page.get_by_text("All shops are well.")).to_be_visible()
    expect(card).to_contain_text(CERTAIN)
    expect(banner).to_be_hidden()
    assert visit.watched.complaints == []


def test_only_its_list_may_be_broken(visit: Visit) -> None:
    page, card = visit.watched.page, visit.card(NEW_HOPE)
    page.get_by_label("What Filmworld does").select_option("fails (500)")
    page.get_by_label("Which calls of Filmworld").select_option("for its list alone")
    expect(page.get_by_text("while the prices of Filmworld stay")).to_be_visible()
    expect(card).to_contain_text(UNCERTAIN, timeout=HONEST_MS)
    expect(card).to_contain_text("Filmworld$29.50")
    expect(card).not_to_contain_text(AGED)
    assert visit.watched.complaints == []


def test_what_is_done_elsewhere_is_seen_when_the_panel_is_opened(visit: Visit) -> None:
    page = visit.watched.page
    opener = page.get_by_role("button", name="Try breaking it")
    opener.click()
    expect(page.get_by_label("What Filmworld does")).to_be_hidden()
    visit.turn("filmworld", "html")
    opener.click()
    chosen = page.get_by_label("What Filmworld does").locator("option:checked")
    expect(chosen).to_have_text("sends a page instead of data")


class TestOnAPhone:
    @pytest.fixture
    def browser_options(self) -> dict[str, Any]:
        return {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"}

    def test_the_panel_is_not_wider_than_the_screen_and_covers_nothing(self, visit: Visit) -> None:
        page = visit.watched.page
        page.get_by_label("What Filmworld does").select_option("sends a page instead of data")
        expect(visit.card(NEW_HOPE)).to_contain_text(UNCERTAIN, timeout=HONEST_MS)
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        panel = page.get_by_role("region", name="Try breaking it").bounding_box()
        content = page.get_by_role("main").bounding_box()
        assert panel is not None
        assert content is not None
        assert panel["y"] + panel["height"] <= content["y"]
        visit.shoot("phone-breaking")
