"""The Chromium of the browser tests. `python -m tests.browser` finds or installs one."""

import shutil
import sys
from pathlib import Path

import click
from playwright.sync_api import sync_playwright

from tests import debian

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MACOS = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")

ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
"""What it is started with: it reaches this machine and nothing else."""

WAY_OUT = (
    "no Chromium found: run `make browser`, or install one so that `chromium` or "
    "`google-chrome` is on the PATH"
)
"""What to do when there is none."""


def find_chromium() -> Path | None:
    """Return a Chromium of this machine, else Playwright's own, else None."""
    on_path = (shutil.which(name) for name in NAMES)
    candidates = [*(Path(found) for found in on_path if found), MACOS]
    return next((path for path in candidates if path.is_file()), None) or _playwrights_own()


def _playwrights_own() -> Path | None:
    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    return path if path.is_file() else None


def _starts(chromium: Path | None) -> bool:
    """Return whether one is there with the libraries that Playwright's does not bring."""
    return chromium is not None and debian.succeeds([str(chromium), "--version"])


def install_chromium() -> Path | None:
    """Install Playwright's Chromium, else Debian's; return what is there then."""
    debian.succeeds([sys.executable, "-m", "playwright", "install", "chromium"])
    if not _starts(find_chromium()):
        debian.install("chromium")
    return find_chromium()


def main() -> None:
    """Print which Chromium the tests will use."""
    chromium = find_chromium()
    if not _starts(chromium):
        chromium = install_chromium()
    if not _starts(chromium):
        raise SystemExit(WAY_OUT)
    click.echo(f"the browser tests use {chromium}")


if __name__ == "__main__":
    main()
