"""The pages of the house catalogue: movies of our own, which several people edit at once."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Page, expect

from movieql.domain.catalogue import entry_id
from tests.e2e.accessibility import serious_findings
from tests.e2e.visiting import Visit, visited

NARROW = 360
"""Pixels of the narrowest screen that the pages are made for."""

MY_PLOT = "A detective and a thief learn that they are the same kind of man."
THEIR_PLOT = "A group of professional bank robbers start to feel the heat from the police."


@pytest.fixture
def visit() -> Iterator[Visit]:
    """Start everything, with an empty catalogue."""
    with visited() as visit:
        yield visit


def rest(visit: Visit, method: str, path: str, body: object = None, token: str = "") -> Any:
    """Return what REST answers."""
    headers = {"content-type": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = Request(visit.url + path, data, headers, method=method)  # noqa: S310  # ours
    with urlopen(request) as answer:  # noqa: S310  # ours
        return json.load(answer)


def somebody_else_writes(visit: Visit, **fields: object) -> None:
    """Write fields of Heat as another client does."""
    put(visit, "Heat/1995", fields)


def put(visit: Visit, movie: str, fields: dict[str, object]) -> None:
    """Write fields of an entry over REST."""
    who = {"username": "dev", "password": visit.password}
    token = rest(visit, "POST", "/login", who)["access_token"]
    rest(visit, "PUT", f"/api/movies/{movie}", fields, token)


def add_heat(visit: Visit) -> Page:
    """Sign in, and add Heat by the form; returns the page, which shows its entry then."""
    page = visit.watched.page
    visit.open("/catalogue/new")
    visit.sign_in()
    page.get_by_label("Title").fill("Heat")
    page.get_by_label("Year").fill("1995")
    page.get_by_label("Genres").fill("Crime, Drama")
    page.get_by_label("Director").fill("M. Mann")
    page.get_by_role("button", name="Add this movie").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Edit Heat")
    expect_told(page, "Added")
    return page


def expect_told(page: Page, words: str) -> None:
    """Wait until the page says what happened."""
    told = page.get_by_role("main").get_by_role("status").filter(has_text=words)
    expect(told).to_be_in_viewport()


def make_conflict(visit: Visit, page: Page) -> None:
    """Change the form of Heat while somebody else writes it, and save."""
    page.get_by_label("Director").fill("Michael Mann")
    page.get_by_label("Plot").fill(MY_PLOT)
    somebody_else_writes(visit, plot=THEIR_PLOT, genre="Crime, Drama, Thriller", studio="Regency")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="Choose what to keep")).to_be_focused()


def test_a_movie_of_our_own_is_added_edited_and_deleted(visit: Visit) -> None:
    visit.open("/")
    page = visit.watched.page
    page.get_by_role("link", name="House catalogue").click()
    expect(page.get_by_text("There is no movie of our own yet.")).to_be_visible()
    visit.shoot("catalogue-empty")
    page = add_heat(visit)
    own_id = entry_id("Heat", 1995)
    assert page.url == f"{visit.url}/catalogue/{quote(own_id)}"
    page.get_by_label("Running time").fill("170")
    page.get_by_label("Released").fill("1995-12-15")
    page.get_by_role("button", name="Save", exact=True).click()
    expect_told(page, "Saved")
    page.reload()
    expect(page.get_by_label("Running time")).to_have_value("170")
    visit.sign_in()
    visit.shoot("catalogue-entry")
    assert serious_findings(page) == []
    assert rest(visit, "GET", "/api/movies") == [
        {
            "name": "Heat",
            "year": 1995,
            "director": "M. Mann",
            "genre": "Crime, Drama",
            "runtime": 170,
            "released": "1995-12-15",
        }
    ]
    page.get_by_role("link", name="House catalogue").click()
    row = page.get_by_role("listitem").filter(has_text="Heat")
    expect(row).to_contain_text("M. Mann")
    expect(page.get_by_text("1 movie of our own")).to_be_visible()
    visit.shoot("catalogue")
    assert serious_findings(page) == []
    row.get_by_role("link", name="Edit Heat (1995)").click()
    page.get_by_role("button", name="Delete this movie").click()
    visit.shoot("catalogue-delete")
    page.get_by_role("button", name="Yes, delete it").click()
    expect(page.get_by_text("“Heat” (1995) is deleted")).to_be_visible()
    expect(page.get_by_text("There is no movie of our own yet.")).to_be_visible()
    assert rest(visit, "GET", "/api/movies") == []
    assert visit.watched.complaints == []


def test_two_people_edit_a_movie_and_nothing_of_either_is_lost(visit: Visit) -> None:
    page = add_heat(visit)
    make_conflict(visit, page)
    genres = page.get_by_role("group", name="Genres")
    expect(genres.get_by_role("radio", name="Theirs")).to_be_checked()
    expect(
        page.get_by_role("group", name="Director").get_by_role("radio", name="Yours")
    ).to_be_checked()
    visit.shoot("conflict")
    assert serious_findings(page) == []
    page.get_by_role("button", name="Save with these").click()
    expect(page.get_by_text("Choose one of both.")).to_be_visible()
    assert rest(visit, "GET", "/api/movies")[0]["director"] == "M. Mann"
    page.get_by_role("group", name="Plot").get_by_role("radio", name="Yours").check()
    page.get_by_role("button", name="Save with these").click()
    expect_told(page, "Saved")
    assert rest(visit, "GET", "/api/movies") == [
        {
            "name": "Heat",
            "year": 1995,
            "director": "Michael Mann",
            "genre": "Crime, Drama, Thriller",
            "plot": MY_PLOT,
            "studio": "Regency",
        }
    ]
    assert visit.watched.complaints == []


def test_movies_whose_names_differ_in_signs_are_asked_about_and_listed_one_by_one(
    visit: Visit,
) -> None:
    others = ["A, B!", "A-B", "a b"]
    for name in others:
        put(visit, f"{quote(name)}/1990", {"plot": name})
    page = visit.watched.page
    visit.open("/catalogue/new")
    visit.sign_in()
    page.get_by_label("Title").fill("a/../b")
    page.get_by_label("Year").fill("1990")
    page.get_by_label("Plot").fill("Dots.")
    page.get_by_role("button", name="Add this movie").click()
    expect(page.get_by_role("heading", name="Is it the same movie?")).to_be_focused()
    for name in others:
        same = page.get_by_role("button", name=f"It is the same: edit “{name}” (1990)", exact=True)
        expect(same).to_be_visible()
    visit.shoot("catalogue-near-duplicate")
    assert serious_findings(page) == []
    assert len(rest(visit, "GET", "/api/movies")) == len(others)
    page.get_by_role("button", name="Add “a/../b” (1990) anyway").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Edit a/../b")

    for left, name in enumerate(["a/../b", *others]):
        page.get_by_role("link", name="House catalogue").click()
        expect(page.get_by_role("link", name="Edit", exact=False)).to_have_count(4 - left)
        page.get_by_role("link", name=f"Edit {name} (1990)", exact=True).click()
        page.get_by_label("Director").fill(name)
        page.get_by_role("button", name="Save", exact=True).click()
        expect_told(page, "Saved")
        page.get_by_role("button", name="Delete this movie").click()
        page.get_by_role("button", name="Yes, delete it").click()
        expect(page.get_by_text(f"“{name}” (1990) is deleted")).to_be_visible()
    assert rest(visit, "GET", "/api/movies") == []
    assert visit.watched.complaints == []


def test_a_movie_that_is_there_under_another_name_is_edited_instead(visit: Visit) -> None:
    put(visit, "Heat%21/1995", {"plot": THEIR_PLOT})
    page = visit.watched.page
    visit.open("/catalogue/new")
    visit.sign_in()
    page.get_by_label("Title").fill("Heat")
    page.get_by_label("Year").fill("1995")
    page.get_by_label("Plot").fill(MY_PLOT)
    page.get_by_role("button", name="Add this movie").click()
    page.get_by_role("button", name="It is the same: edit “Heat!” (1995)").click()
    expect(page.get_by_role("heading", name="Choose what to keep")).to_be_focused()
    page.get_by_role("radio", name="Yours").check()
    page.get_by_role("button", name="Save with these").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Edit Heat!")
    (entry,) = rest(visit, "GET", "/api/movies")
    assert (entry["name"], entry["plot"]) == ("Heat!", MY_PLOT)
    assert visit.watched.complaints == []


def test_an_entry_begins_with_what_the_shops_say_of_the_movie(visit: Visit) -> None:
    visit.open("/catalogue/tt0076759")
    page = visit.watched.page
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Add Star Wars: Episode IV - A New Hope"
    )
    expect(page.get_by_label("Director")).to_have_value("George Lucas")
    expect(page.get_by_label("Running time")).to_have_value("121")
    visit.sign_in()
    page.get_by_label("Rated").fill("U")
    page.get_by_role("button", name="Add this movie").click()
    expect_told(page, "Added")
    page.reload()
    expect(page.get_by_label("Rated")).to_have_value("U")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Edit Star Wars")
    assert visit.watched.complaints == []


def test_a_bad_value_is_told_by_the_server_at_its_field(visit: Visit) -> None:
    page = add_heat(visit)
    poster = page.get_by_label("Poster")
    poster.fill("nonsense")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("A poster is an address of http or https.")).to_be_visible()
    expect(poster).to_be_focused()
    expect(poster).to_have_attribute("aria-invalid", "true")
    visit.shoot("catalogue-fault")
    assert serious_findings(page) == []
    poster.fill("https://example.org/heat.jpg")
    page.get_by_role("button", name="Save", exact=True).click()
    expect_told(page, "Saved")
    assert visit.watched.complaints == []


def test_who_is_not_signed_in_saves_nothing_and_loses_nothing(visit: Visit) -> None:
    somebody_else_writes(visit, director="Michael Mann")
    visit.open("/catalogue/heat_1995")
    page = visit.watched.page
    expect(page.get_by_label("Director")).to_have_value("Michael Mann")
    expect(page.get_by_role("button", name="Save", exact=True)).to_have_count(0)
    expect(page.get_by_role("button", name="Delete this movie")).to_have_count(0)
    page.get_by_label("Awards").fill("None")
    page.get_by_label("Awards").press("Enter")
    assert rest(visit, "GET", "/api/movies")[0].keys() == {"name", "year", "director"}
    visit.shoot("catalogue-signed-out")
    visit.sign_in()
    expect(page.get_by_label("Awards")).to_have_value("None")
    page.get_by_role("button", name="Save", exact=True).click()
    expect_told(page, "Saved")
    assert rest(visit, "GET", "/api/movies")[0]["awards"] == "None"
    assert visit.watched.complaints == []


def test_a_token_that_is_not_valid_costs_nothing_but_another_sign_in(visit: Visit) -> None:
    somebody_else_writes(visit, director="Michael Mann")
    visit.open("/catalogue/heat_1995")
    page = visit.watched.page
    page.get_by_label("Awards").fill("None")
    page.get_by_role("button", name="Use a token instead").click()
    page.get_by_label("Token of your identity provider").fill("nonsense")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("You were signed out:")).to_be_visible()
    expect(page.get_by_label("Awards")).to_have_value("None")
    visit.sign_in()
    page.get_by_role("button", name="Save", exact=True).click()
    expect_told(page, "Saved")


def test_a_server_that_is_gone_takes_nothing_of_the_form_along(visit: Visit) -> None:
    page = add_heat(visit)
    page.get_by_label("Plot").fill(MY_PLOT)
    page.route("**/graphql*", lambda route: route.abort())
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Nobody knows whether it was written")).to_be_visible()
    page.unroute("**/graphql*")
    page.get_by_role("button", name="Load the entry").click()
    expect(page.get_by_text("It was not written.")).to_be_visible()
    expect(page.get_by_label("Plot")).to_have_value(MY_PLOT)
    page.get_by_role("button", name="Save", exact=True).click()
    expect_told(page, "Saved")


def test_a_conflict_can_be_read_on_a_phone(visit: Visit) -> None:
    page = visit.watched.page
    page.set_viewport_size({"width": NARROW, "height": 740})
    page.emulate_media(color_scheme="dark")
    page = add_heat(visit)
    assert page.evaluate("document.documentElement.scrollWidth") == NARROW
    visit.shoot("catalogue-phone")
    make_conflict(visit, page)
    page.get_by_role("group", name="Plot").scroll_into_view_if_needed()
    visit.shoot("conflict-phone")
    assert page.evaluate("document.documentElement.scrollWidth") == NARROW
    assert serious_findings(page) == []
    page.get_by_role("button", name="Discard mine").click()
    expect(page.get_by_label("Plot")).to_have_value(THEIR_PLOT)
    page.get_by_role("link", name="House catalogue").click()
    expect(page.get_by_role("link", name="Edit Heat (1995)")).to_be_visible()
    visit.shoot("catalogue-list-phone")
    assert page.evaluate("document.documentElement.scrollWidth") == NARROW
    assert visit.watched.complaints == []
