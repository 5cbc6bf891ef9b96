from xml.etree import ElementTree as ET

from hypothesis import given, strategies

from movieql.dev.posters import draw


def texts(svg: str) -> list[str]:
    root = ET.fromstring(svg)  # noqa: S314 - our own drawing
    return [node.text or "" for node in root.iter("{http://www.w3.org/2000/svg}text")]


def test_a_poster_shows_title_and_year() -> None:
    assert texts(draw("Return of the Jedi", "1983")) == ["Return of the", "Jedi", "1983"]


def test_the_same_movie_always_gets_the_same_poster_and_another_one_another() -> None:
    assert draw("A", "1999") == draw("A", "1999")
    assert draw("A", "1999") != draw("A", "2000")


def test_markup_in_a_title_is_text() -> None:
    svg = draw('<script>alert("1")</script>', "1999")
    assert "<script" not in svg
    assert "".join(texts(svg)).startswith("<script>alert")


def test_a_long_title_ends_before_the_year() -> None:
    assert len(texts(draw("word " * 500, "1999"))) == 7


@given(strategies.text(), strategies.text())
def test_any_title_and_year_make_well_formed_xml(title: str, year: str) -> None:
    texts(draw(title, year))
