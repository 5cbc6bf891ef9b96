"""A page of a browser, with everything it asked for and complained about."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, sync_playwright

from tests.browser import ARGS, WAY_OUT, find_chromium


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
            lambda told: (
                self.complaints.append(f"{told.text} {told.location.get('url', '')}")
                if told.type in {"error", "warning"}
                else None
            ),
        )
        self.page.on("request", lambda request: self._note(request.url))

    def _note(self, url: str) -> None:
        if urlsplit(url).scheme in {"http", "https", "ws", "wss"}:
            self.hosts.add(urlsplit(url).hostname)


@contextmanager
def watched_page(patience_ms: float, **options: Any) -> Iterator[Watched]:
    """Open a page of a fresh browser; `options` are Playwright's of a page."""
    chromium = find_chromium()
    assert chromium is not None, WAY_OUT
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGS))
        try:
            page = browser.new_page(**options)
            page.set_default_timeout(patience_ms)
            yield Watched(page)
        finally:
            browser.close()
