"""What the page says at every moment of a search whose answers take their time."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import expect

from tests.e2e.accessibility import serious_findings
from tests.e2e.visiting import Visit, visited

LATENCY_MS = 2_500
KEY_MS = 120

READING_MS = 50_000
"""Longest time in which 6,000 prices of simulated shops are read; a quiet machine needs 12 s."""

_WATCHED = """
(() => {
  const ask = window.fetch;
  window.fetch = async (...args) => {
    const answer = await ask(...args);
    const url = args[0]?.url ?? String(args[0]);
    if (url.includes("graphql")) await new Promise((on) => setTimeout(on, window.latencyMs ?? 0));
    return answer;
  };
  window.moments = [];
  let last = "";
  const look = () => {
    const list = document.querySelector("ul[aria-label=Movies]");
    const moment = JSON.stringify([
      document.querySelector("[type=search]")?.value ?? "",
      document.querySelector("main [role=status]")?.textContent ?? "",
      list?.ariaBusy === "true",
      [...document.querySelectorAll("article")].map((card) => card.ariaLabel),
    ]);
    if (moment !== last) window.moments.push(last = moment);
  };
  const look_always = () => { look(); requestAnimationFrame(look_always); };
  document.addEventListener("DOMContentLoaded", () => {
    look_always();
    const everything = { subtree: true, childList: true, characterData: true, attributes: true };
    new MutationObserver(look).observe(document, everything);
    document.addEventListener("input", look);
  });
})();
"""
"""Delays every answer by `latencyMs`, and notes what the page says on each change and frame."""

_HEARD = """
window.said = new Set();
const everything = { subtree: true, childList: true, characterData: true };
new MutationObserver(() => {
  for (const each of document.querySelectorAll("p")) window.said.add(each.textContent);
}).observe(document, everything);
"""
"""Notes every paragraph that ever stood on the page."""

_CHEAPEST = """query Cheapest {
  movies(first: 24, orderBy: { field: PRICE }) {
    nodes { title }
    sources { detailsKnown }
  }
}"""


@dataclass(frozen=True, slots=True)
class Moment:
    """What the page said: what stood in the search box, the status, and the cards below."""

    typed: str
    said: str
    is_busy: bool
    titles: list[str]

    @property
    def is_honest(self) -> bool:
        """Return whether nothing is said of one search that is only so of another."""
        if self.is_busy or self.said.startswith(("Searching", "Asking")):
            return self.said.startswith(("Searching", "Asking"))
        if self.said.startswith("No movie is called"):
            return not self.titles and self.said == f"No movie is called “{self.typed}”"
        count, _, _ = self.said.partition(" movie")
        shown = len(self.titles)
        fits = all(self.typed.casefold() in title.casefold() for title in self.titles)
        return fits and (int(count) == shown or int(count) > shown >= 24)  # a page


@contextmanager
def watching(*args: str) -> Iterator[Visit]:
    """Open the list, with every answer from now on late."""
    with visited(*args) as visit:
        page = visit.watched.page
        page.add_init_script(_WATCHED)
        visit.open()
        expect(visit.titles.first).to_be_visible()
        page.evaluate(f"() => {{ window.latencyMs = {LATENCY_MS}; window.moments = []; }}")
        yield visit


def moments(visit: Visit) -> list[Moment]:
    """Return all that the page said since it was watched."""
    return [Moment(*json.loads(each)) for each in visit.watched.page.evaluate("moments")]


def entered(visit: Visit, text: str) -> None:
    """Type into the search box as a person does, a key at a time, over what is there."""
    box = visit.watched.page.get_by_label("Search by title")
    box.select_text()
    box.press_sequentially(text, delay=KEY_MS)


def test_no_search_is_told_of_by_the_answer_to_another() -> None:
    with watching() as visit:
        status = visit.watched.page.locator("main").get_by_role("status").first
        entered(visit, "zzz")
        expect(status).to_have_text("No movie is called “zzz”")
        entered(visit, "hope")
        expect(status).to_have_text("Searching for “hope”…")
        visit.shoot("searching")
        expect(status).to_have_text("1 movie, prices in AUD")
        entered(visit, "sith")
        expect(status).to_have_text("Searching for “sith”…")
        expect(visit.titles).to_have_text("Star Wars: Episode III - Revenge of the Sith 2005")
        said = moments(visit)
        assert [each for each in said if not each.is_honest] == []
        assert not any("“hope”" in each.said and "No movie" in each.said for each in said)


def test_a_list_of_thousands_is_not_said_to_be_empty_while_it_is_searched() -> None:
    with watching("--movies", "3000") as visit:
        status = visit.watched.page.locator("main").get_by_role("status").first
        entered(visit, "zzz")
        expect(status).to_have_text("No movie is called “zzz”")
        entered(visit, "harbour")
        expect(status).to_have_text(re.compile(r"^\d+ movies"))
        visit.watched.page.get_by_label("Order").select_option("Year, newest first")
        expect(status).to_have_text("Searching for “harbour”…")
        expect(status).to_have_text(re.compile(r"^\d+ movies"))
        said = moments(visit)
        assert [each for each in said if not each.is_honest] == []
        assert not any("No movie" in each.said and each.typed[:1] == "h" for each in said)


def test_shops_that_are_left_out_are_not_said_to_be_silent() -> None:
    with watching() as visit:
        page = visit.watched.page
        page.get_by_text("Filter", exact=True).click()
        page.get_by_label("Shop").select_option("Only Filmworld")
        card = visit.card("Star Wars: Episode IV - A New Hope")
        expect(card).to_contain_text("Cheapest so far at Filmworld (Cinemaworld was not asked)")
        page.get_by_label("Shop").select_option("Every shop")
        expect(page.get_by_role("status").first).to_have_text("7 movies, prices in AUD")
        expect(card).to_contain_text("Cinemaworld$123.50Filmworld$29.50", timeout=1_000)


def test_the_first_order_by_price_of_thousands_shows_how_far_it_is_and_no_trouble() -> None:
    with visited("--movies", "3000") as visit:
        page = visit.watched.page
        page.add_init_script(_HEARD)
        visit.open("/?order=Price%2C+lowest+first")
        reading = page.get_by_text(re.compile(r"world: still reading prices, [\d,]+ of 3,000\.$"))
        expect(reading.first).to_be_visible()
        expect(visit.titles).to_have_count(24)
        visit.shoot("reading-prices")
        assert serious_findings(page) == []
        expect(reading).to_have_count(0, timeout=READING_MS)
        answer = page.request.post(f"{visit.url}/graphql", data={"query": _CHEAPEST}).json()
        movies = answer["data"]["movies"]
        assert [each["detailsKnown"] for each in movies["sources"]] == [3_000, 3_000, None]
        expect(visit.titles).to_contain_text([each["title"] for each in movies["nodes"]])
        prices = re.compile(r"^\$([\d.]+)", re.MULTILINE)
        cards = page.get_by_role("article").all_inner_texts()
        lowest = [min(map(float, prices.findall(card))) for card in cards]
        assert lowest == sorted(lowest)
        status = page.locator("main").get_by_role("status").first
        expect(status).to_have_text(re.compile(r"^3,\d{3} movies, prices in AUD$"))
        said = page.evaluate("[...said]")
        assert not [each for each in said if re.search("too long|[Nn]o movies|retry", each)]
        assert any("still reading prices" in each for each in said)
        assert visit.watched.complaints == []
