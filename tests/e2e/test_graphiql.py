"""GraphiQL in a real browser that can reach nothing but this machine."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.browser import ARGS, WAY_OUT, find_chromium
from tests.servers import started

SCREENSHOTS = Path(__file__).parent / "screenshots"
PATIENCE_MS = 20_000
"""Longest wait for something to appear: the bundle is large and the machine may be busy."""


@dataclass
class Watched:
    """A page, and everything it asked for and complained about."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    hosts: set[str | None] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Start to watch."""
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console",
            lambda told: self.complaints.append(told.text) if told.type == "error" else None,
        )
        self.page.on("requestfailed", lambda request: self.complaints.append(request.url))
        self.page.on("request", lambda request: self._note(request.url))
        self.page.on(
            "response",
            lambda reply: (
                self.complaints.append(f"{reply.status} {reply.url}")
                if reply.status >= 400
                else None
            ),
        )

    def _note(self, url: str) -> None:
        if urlsplit(url).scheme in {"http", "https", "ws", "wss"}:
            self.hosts.add(urlsplit(url).hostname)


@pytest.fixture
def watched() -> Iterator[Watched]:
    """Open a page of a fresh browser."""
    chromium = find_chromium()
    if chromium is None:
        pytest.fail(WAY_OUT)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGS))
        try:
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            page.set_default_timeout(PATIENCE_MS)
            yield Watched(page)
        finally:
            browser.close()


def test_graphiql_runs_the_first_question_offline(watched: Watched) -> None:
    expect.set_options(timeout=PATIENCE_MS)
    page = watched.page
    with started("dev", "--port", "0", "--simulator-port", "0", ready="Ctrl-C") as dev:
        (url, *_) = re.findall(r"movieql is ready:\s+(http://\S+)", dev.output)
        page.goto(f"{url}/graphql")
        page.locator(".graphiql-query-editor .view-line").nth(6).wait_for()
        expect(page.locator(".graphiql-tab").first).to_contain_text("CheapestMovies")
        page.locator("button.graphiql-execute-button").click()
        result = page.locator(".result-window .view-line").filter(has_text="totalCount")
        expect(result.first).to_contain_text('"totalCount": 7')
        page.get_by_role("button", name="Show GraphiQL Explorer").click()
        page.locator(".graphiql-explorer-root").wait_for()
        expect(page.locator(".graphiql-explorer-root")).to_contain_text("movies")
        SCREENSHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SCREENSHOTS / "graphiql.png")
    assert watched.complaints == []
    assert watched.hosts == {"127.0.0.1"}
