"""The Chromium of the browser tests. `python -m tests.browser` finds or installs one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
from playwright.sync_api import sync_playwright

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


def _debians_commands() -> list[list[str]]:
    """Return what installs Debian's package; nothing where we cannot or may not."""
    if shutil.which("apt-get") is None:
        return []
    root: list[str] = []
    if os.geteuid() != 0:
        sudo = shutil.which("sudo")
        if sudo is None or not _succeeds([sudo, "-n", "true"]):
            return []
        root = [sudo, "-n"]
    install = ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"]
    return [[*root, "apt-get", "update"], [*root, *install]]


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, check=False).returncode == 0  # noqa: S603  # ours


def install_chromium() -> Path | None:
    """Install Playwright's Chromium, else Debian's; return what is there then."""
    _succeeds([sys.executable, "-m", "playwright", "install", "chromium"])
    found = find_chromium()
    for command in [] if found else _debians_commands():
        _succeeds(command)
    return found or find_chromium()


def main() -> None:
    """Print which Chromium the tests will use."""
    chromium = find_chromium() or install_chromium()
    if chromium is None:
        raise SystemExit(WAY_OUT)
    click.echo(f"the browser tests use {chromium}")


if __name__ == "__main__":
    main()
