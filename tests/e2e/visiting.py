"""The pages of `movieql dev` as a person has them open, in a browser that reaches nothing else."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Locator, expect
from playwright.sync_api import TimeoutError as NotYetError

from tests.e2e.watching import Watched, watched_page
from tests.servers import Started, started

SCREENSHOTS = Path(__file__).parent / "screenshots"
"""Where pictures of pages go; those in docs/images are copies of some."""

HONEST_MS = 5_000
"""Longest time in which a page has to tell of a shop that broke or healed."""

PATIENCE_MS = 10_000
"""Longest wait for anything else: the machine may be busy."""


@dataclass
class Visit:
    """The client open in a browser, and what stands behind it.

    `dev`: the process; `knobs`: address of the simulator's knobs; `password`: of the user `dev`.
    """

    dev: Started
    watched: Watched
    url: str
    knobs: str
    password: str

    def open(self, path: str = "/") -> None:
        """Open a page."""
        self.watched.page.goto(self.url + path)

    def turn(self, shop: str, mode: str) -> None:
        """Let a shop do something else from now on."""
        body = json.dumps({"mode": mode}).encode()
        urlopen(Request(f"{self.knobs}/{shop}", body, method="PUT")).close()  # noqa: S310  # ours

    def sign_in(self) -> None:
        """Fill in the form that asks who one is."""
        page = self.watched.page
        page.get_by_label("Name", exact=True).fill("dev")
        page.get_by_label("Password").fill(self.password)
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_text("Signed in as dev")).to_be_visible()

    def card(self, title: str) -> Locator:
        """Return the card of a movie."""
        return self.watched.page.get_by_role("article", name=title, exact=True)

    @property
    def titles(self) -> Locator:
        """Return the headings of the cards, in their order."""
        return self.watched.page.get_by_role("article").get_by_role("heading")

    def refresh_until_told(self, words: str) -> None:
        """Press Refresh, as often as a person might, until the page says these words."""
        page = self.watched.page
        told = page.get_by_text(words).first
        for _ in range(HONEST_MS // 1_000):
            page.get_by_role("button", name="Refresh", exact=True).click()
            with suppress(NotYetError):
                told.wait_for(timeout=1_000)
                return
        pytest.fail(f"the page never said: {words}")

    def shoot(self, name: str) -> None:
        """Keep a picture of the page."""
        SCREENSHOTS.mkdir(exist_ok=True)
        self.watched.page.screenshot(path=SCREENSHOTS / f"client-{name}.png")


@contextmanager
def visited(*args: str, **options: Any) -> Iterator[Visit]:
    """Start `movieql dev` with `args`, and a browser that has not opened a page of it yet.

    `options` are Playwright's of a page. At the end nothing but this machine was asked.
    """
    expect.set_options(timeout=PATIENCE_MS)
    shown = {"viewport": {"width": 1280, "height": 800}} | options
    with (
        started("dev", "--port", "0", "--simulator-port", "0", *args, ready="Ctrl-C") as dev,
        watched_page(PATIENCE_MS, **shown) as watched,
    ):
        (url, *_) = re.findall(r"movieql is ready:\s+(http://\S+)", dev.output)
        (knobs, *_) = re.findall(r"(http://\S+/knobs)/", dev.output)
        (password, *_) = re.findall(r"password (\S+),", dev.output)
        yield Visit(dev, watched, url, knobs, password)
        assert watched.hosts == {"127.0.0.1"}
