"""The dashboard shows every metric there is, and none that there is not."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.test_docs import METRIC_PREFIXES, ROOT, metric_names

DASHBOARD = ROOT / "docs" / "grafana" / "movieql.json"
COLUMNS = 24
_NAME = re.compile(rf"\b(?:{'|'.join(METRIC_PREFIXES)})\w+")


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return found


def expressions() -> Iterator[tuple[str, str]]:
    """Yield each expression with its panel's title."""
    for panel in panels():
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def asked_for(expression: str) -> set[str]:
    """Return the metrics in an expression; a histogram's parts are its own."""
    return {
        re.sub(r"_seconds_(bucket|sum|count)$", "_seconds", name)
        for name in _NAME.findall(expression)
    }


def test_every_metric_is_on_a_panel_and_every_panel_shows_what_there_is() -> None:
    shown = set().union(*(asked_for(expression) for _, expression in expressions()))
    assert shown == set(metric_names())


@pytest.mark.parametrize("title, expression", list(expressions()))
def test_an_expression_fits_its_metrics(title: str, expression: str) -> None:
    kinds = metric_names()
    for name in asked_for(expression):
        is_rate = f"rate({name}" in expression or f"increase({name}" in expression
        assert is_rate == (kinds[name] == "counter") or kinds[name] == "histogram", title
        assert (f"{name}_bucket" in expression) == (kinds[name] == "histogram"), title
    assert 'job=~"$job"' in expression
    for opening, closing in ("()", "{}", "[]"):
        assert expression.count(opening) == expression.count(closing), title


def test_panels_are_told_apart_and_lie_beside_each_other() -> None:
    assert len({panel["id"] for panel in panels()}) == len(panels())
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < COLUMNS
        taken |= cells


def test_every_panel_says_what_it_shows() -> None:
    for panel in panels():
        assert panel["type"] == "row" or panel["description"].endswith("."), panel["title"]
