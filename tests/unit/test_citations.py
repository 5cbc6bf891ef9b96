"""What the repository cites is in it, or is a public standard."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SIGN = "\N{SECTION SIGN}"
STANDARD = re.compile(rf"(?:RFC [0-9]+|OpenID Connect [A-Z]\w+ 1\.0|Discovery 1\.0)\s+{SIGN}")
OUTSIDE = re.compile(
    rf"{SIGN}|\(design\b|(?:\bthe|'s)\s+brief\b|\bissue #?[0-9]+\b", re.IGNORECASE
)
DOCUMENT = re.compile(r"(?<![\w./:-])[\w./-]*[\w-]\.md\b")
DECISION = re.compile(r"docs/decisions/([0-9]{4})")
SECTION = re.compile(r"docs/semantics\.md,\s+([A-Z]\w+)")


@cache
def tracked() -> dict[str, str]:
    """Return the text of every file that git keeps, by its path; pictures have none."""
    git = shutil.which("git")
    assert git is not None
    listed = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)  # noqa: S603  # ours
    return dict(_texts(listed.stdout.decode().split("\0")))


def _texts(paths: list[str]) -> Iterator[tuple[str, str]]:
    for path in paths:
        file = ROOT / path
        if file.is_file() and b"\0" not in (content := file.read_bytes()):
            yield path, content.decode()


def cites_outside(text: str) -> list[str]:
    """Return what a text cites by section, or by name, that no reader can open."""
    return [found[0] for found in OUTSIDE.finditer(STANDARD.sub("", text))]


def test_no_document_outside_the_repository_is_cited() -> None:
    this = Path(__file__).relative_to(ROOT).as_posix()
    found = {path: cites_outside(text) for path, text in tracked().items() if path != this}
    assert {path: each for path, each in found.items() if each} == {}


@pytest.mark.parametrize(
    "line",
    [
        f'"""Seconds until a question is answered (design {SIGN}4)."""',
        f"    (reliability {SIGN}3.3). `open_max`: exports of one caller",
        f"# as ecosystem {SIGN}2 says",
        f"see {SIGN} 3.5 for why",
        "is not understood (design: kept for 24 h)",
        "## The two questions of the brief's FAQ",
        "Contract B: the API of the project's brief.",
        "# found in issue 12",
    ],
)
def test_a_citation_of_an_outside_document_is_found(line: str) -> None:
    assert cites_outside(line)


@pytest.mark.parametrize(
    "line",
    [
        f"# RFC 6750 {SIGN}2.1",
        f"(Discovery 1.0 {SIGN}4.3)",
        "a brief outage",
        "others issue these",
    ],
)
def test_a_citation_of_a_standard_is_none(line: str) -> None:
    assert not cites_outside(line)


def test_every_document_that_is_named_is_there() -> None:
    named = {(path, name) for path, text in tracked().items() for name in DOCUMENT.findall(text)}
    found = {
        (path, name)
        for path, name in named
        if any(_is_ours(folder / name) for folder in _folders(path))
    }
    assert named - found == set()


def _folders(path: str) -> tuple[Path, ...]:
    return ((ROOT / path).parent, ROOT, ROOT / "docs")


def _is_ours(file: Path) -> bool:
    return file.is_file() and file.resolve().is_relative_to(ROOT)


def test_every_decision_and_section_that_is_named_is_there() -> None:
    decisions = {path.name[:4] for path in (ROOT / "docs" / "decisions").glob("*.md")}
    semantics = (ROOT / "docs" / "semantics.md").read_text(encoding="utf-8")
    sections = set(re.findall(r"^## (\w+)", semantics, re.MULTILINE))
    for path, text in tracked().items():
        assert decisions.issuperset(DECISION.findall(text)), path
        assert sections.issuperset(SECTION.findall(text)), path
