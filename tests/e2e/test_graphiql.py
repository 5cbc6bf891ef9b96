"""GraphiQL in a real browser that can reach nothing but this machine."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, WebSocket, expect

from tests.e2e.visiting import SCREENSHOTS, Visit, visited

PATIENCE_MS = 20_000
"""Longest wait for something to appear: the bundle is large and the machine may be busy."""


@pytest.fixture
def visit() -> Iterator[Visit]:
    """Start everything, and open GraphiQL."""
    with visited(viewport={"width": 1400, "height": 900}) as visit:
        expect.set_options(timeout=PATIENCE_MS)
        page = visit.watched.page
        page.set_default_timeout(PATIENCE_MS)
        visit.open("/graphql")
        page.locator(".graphiql-query-editor .view-line").nth(6).wait_for()
        yield visit


def run(page: Page) -> None:
    page.get_by_role("button", name="Execute query").click()


def told(page: Page, text: str) -> None:
    """Wait until a line of the result has a text."""
    expect(page.locator(".result-window .view-line").filter(has_text=text).first).to_be_visible()


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()
    editor = page.locator(".graphiql-query-editor .view-line")
    expect(editor.filter(has_text=f" {name}(").first).to_be_visible()


def fill_in(page: Page, editor: str, content: object) -> None:
    """Replace what is in the editor of variables or headers."""
    page.get_by_role("button", name=editor, exact=True).click()
    shown = page.locator(".graphiql-editor-tool .graphiql-editor:not(.hidden)")
    shown.locator(".view-lines").click()
    page.keyboard.press("ControlOrMeta+A")
    # Pasted: at what is typed, the editor adds brackets and quotes of its own.
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("text => navigator.clipboard.writeText(text)", json.dumps(content))
    page.keyboard.press("ControlOrMeta+V")


def sign_in(visit: Visit) -> str:
    """Sign in by the bar above GraphiQL, and return the token."""
    page = visit.watched.page
    page.get_by_text("Sign in", exact=True).first.click()
    with page.expect_response("**/login") as answered:
        visit.sign_in()
    token: str = answered.value.json()["access_token"]
    return token


def test_graphiql_runs_the_first_question_offline(visit: Visit) -> None:
    page = visit.watched.page
    expect(page.get_by_role("tab").first).to_contain_text("CheapestMovies")
    run(page)
    told(page, '"totalCount": 7')
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "graphiql.png")
    page.get_by_role("button", name="Show GraphiQL Explorer").click()
    expect(page.locator(".graphiql-explorer-root")).to_contain_text("movies")
    page.get_by_role("link", name="All movies").click()
    expect(visit.titles).to_have_count(7)
    assert visit.watched.complaints == []


def test_an_export_is_ordered_and_followed_by_who_signed_in(visit: Visit) -> None:
    page = visit.watched.page
    run(page)  # an export tells what was seen before it was asked for
    told(page, '"complete": true')
    token = sign_in(visit)
    open_tab(page, "RequestExport")
    with page.expect_response("**/graphql") as answered:
        run(page)
    export = answered.value.json()["data"]["requestExport"]["export"]["id"]
    told(page, export)
    open_tab(page, "ExportProgress")
    fill_in(page, "Variables", {"id": export})
    frames: list[str] = []
    page.on("websocket", lambda socket: listen(socket, frames))
    run(page)
    told(page, '"status": "READY"')
    assert any('"READY"' in frame for frame in frames)
    kept = page.evaluate("JSON.stringify([{ ...localStorage }, { ...sessionStorage }])")
    assert "RequestExport" in kept
    assert token not in kept
    page.get_by_role("button", name="Sign out").click()
    run(page)
    told(page, "UNAUTHENTICATED")
    assert visit.watched.complaints == []


def test_a_token_by_hand_counts_more_than_the_session(visit: Visit) -> None:
    page = visit.watched.page
    token = sign_in(visit)
    fill_in(page, "Headers", {"authorization": "Bearer by-hand"})
    with page.expect_request("**/graphql") as asked:
        run(page)
    assert asked.value.headers["authorization"] == "Bearer by-hand"
    told(page, "UNAUTHENTICATED")
    expect(page.get_by_text("Signed in as dev")).to_be_visible()
    fill_in(page, "Headers", {})
    with page.expect_request("**/graphql") as asked:
        run(page)
    assert asked.value.headers["authorization"] == f"Bearer {token}"
    told(page, '"totalCount": 7')
    kept = page.evaluate("JSON.stringify({ ...localStorage })")
    assert "by-hand" not in kept


def listen(socket: WebSocket, frames: list[str]) -> None:
    """Note what the server sends."""
    socket.on("framereceived", lambda frame: frames.append(str(frame)))
