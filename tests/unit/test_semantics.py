"""The numbers in docs/semantics.md are those of the code."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import pytest

from movieql.settings import ENVIRONMENT_PREFIX, Settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "semantics.md").read_text(encoding="utf-8")

HEADER = ["rule", "value", "name", "why"]
TARGET = re.compile(r"\]\([^)]*\)")
"""Where a link leads: the digits in it are no number of ours."""

VALUE = re.compile(r"([0-9][0-9,]*(?:\.[0-9]+)?)(?: (\S+))?", re.ASCII)
UNITS = {
    None: ("count", 1),
    "%": ("share", 0.01),
    "ms": ("time", 0.001),
    "s": ("time", 1),
    "min": ("time", 60),
    "h": ("time", 3_600),
    "days": ("time", 86_400),
    "bytes": ("bytes", 1),
    "MB": ("bytes", 10**6),
    "KiB": ("bytes", 1_024),
    "MiB": ("bytes", 1_024**2),
}
"""What a unit of the document measures, and what one of it is in the smallest."""

WORDS = {
    "s": ("time", 1),
    "days": ("time", 86_400),
    "bytes": ("bytes", 1),
    "share": ("share", 1),
    "jitter": ("share", 1),
}
"""The same for a word in the name of a setting or constant; others are counts."""


@dataclass(frozen=True)
class Row:
    header: list[str]
    cells: list[str]


def table_rows(text: str) -> Iterator[Row]:
    """Return every row of every table, with the header of its table."""
    header: list[str] | None = None
    for line in text.splitlines():
        if not line.startswith("|"):
            header = None
        elif header is None:
            header = _cells(line)
        elif not re.fullmatch(r"[|\s:-]+", line):
            yield Row(header, _cells(line))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def in_code(name: str) -> tuple[str, float]:
    """Return what the default of a setting or a constant measures, and how much it is."""
    value = _value(name)
    if isinstance(value, timedelta):
        return "time", value.total_seconds()
    words = re.split(r"[._]", name.lower())
    measures, one = next((WORDS[word] for word in words if word in WORDS), ("count", 1))
    return measures, float(str(value)) * one


def _value(name: str) -> object:
    if name.startswith(ENVIRONMENT_PREFIX):
        field = name.removeprefix(ENVIRONMENT_PREFIX).lower()
        return Settings.model_fields[field].default
    module, _, attribute = name.rpartition(".")
    owner: object
    try:
        owner = import_module(module)
    except ModuleNotFoundError:
        parent, _, owner_name = module.rpartition(".")
        owner = getattr(import_module(parent), owner_name)
    if inspect.isclass(owner):  # a default of what it is made with
        return inspect.signature(owner).parameters[attribute].default
    return getattr(owner, attribute)


def fault_of(row: Row) -> str | None:
    """Return what is wrong with a row: a number that is not the code's, or cannot be compared."""
    if row.header != HEADER:
        has_number = re.search("[0-9]", TARGET.sub("", " ".join(row.cells)))
        return f"a number in a table that is not {HEADER}" if has_number else None
    rule, shown, name, why = row.cells
    if re.search("[0-9]", TARGET.sub("", f"{rule} {why}")):
        return "a number beside the value"
    value, code = VALUE.fullmatch(shown), re.fullmatch(r"`([\w.]+)`", name)
    if value is None or code is None or value[2] not in UNITS:
        return "no value with a unit, or no one name"
    measures, one = UNITS[value[2]]
    told = float(value[1].replace(",", "")) * one
    measured, held = in_code(code[1])
    is_same = measures == measured and told == pytest.approx(held, rel=1e-9)
    return None if is_same else f"{measures} of {told:g}, in the code {measured} of {held:g}"


def test_every_number_in_a_table_is_that_of_the_code() -> None:
    found = [(" | ".join(row.cells), fault_of(row)) for row in table_rows(TEXT)]
    assert [(row, fault) for row, fault in found if fault is not None] == []


def test_the_document_has_tables_of_numbers() -> None:
    assert sum(row.header == HEADER for row in table_rows(TEXT)) > 50


@pytest.mark.parametrize(
    "cells, fault",
    [
        (["answer", "2.6 s", "`MOVIEQL_BUDGET_S`", ""], "time of 2.6, in the code time of 2.5"),
        (["answer", "2.5", "`MOVIEQL_BUDGET_S`", ""], "count of 2.5, in the code time of 2.5"),
        (["answer", "about 2.5 s", "`MOVIEQL_BUDGET_S`", ""], "no value with a unit"),
        (["answer", "2.5 s", "the budget", ""], "no one name"),
        (["answer", "2.5 s", "`MOVIEQL_BUDGET_S`", "3 attempts"], "a number beside the value"),
        (["answer", "2.5 s", "`MOVIEQL_BUDGET_S`", "[3 of 4](aws.md)"], "a number beside"),
        (["answer after 2.5 s", "2.5 s", "`MOVIEQL_BUDGET_S`", ""], "a number beside the value"),
    ],
)
def test_a_row_that_says_anything_else_is_found(cells: list[str], fault: str) -> None:
    assert fault in (fault_of(Row(HEADER, cells)) or "")


def test_a_number_in_a_table_without_names_is_found() -> None:
    assert fault_of(Row(["field", "example"], ["runtime", "`117 min`"])) is not None
