"""What the documents promise is what the code has."""

import inspect
import re
from pathlib import Path

import pytest
from prometheus_client import Counter, Gauge, Histogram

from movieql.api.errors import ERROR_CODES
from movieql.domain.movies import SourceErrorCode
from movieql.settings import ENVIRONMENT_PREFIX, Settings
from movieql.settings.providers import ROW_FIELDS, ProviderSettings
from movieql.web.bodies import BAD_REQUEST
from movieql.web.telemetry import Metrics, make_logger

LINES_OF_A_FIELD = 6
METRIC_PREFIXES = ("movieql_", "process_", "python_")
ROOT = Path(__file__).parents[2]


def metric_names() -> dict[str, str]:
    """Return the type of every metric of a server by its name in Prometheus."""
    families = Metrics(make_logger("info", "json")).registry.collect()
    return {
        f"{family.name}_total" if family.type == "counter" else family.name: family.type
        for family in families
    }


def rows(document: str) -> dict[str, list[str]]:
    """Return the cells of every table row that starts with a name in code style, by that name."""
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    cells = (re.split(r"\s*\|\s*", line)[1:-1] for line in text.splitlines() if line[:3] == "| `")
    return {row[0].strip("`"): row[1:] for row in cells}


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_has_a_row_with_its_default(name: str) -> None:
    row = rows("settings.md")[f"{ENVIRONMENT_PREFIX}{name.upper()}"]
    default = Settings.model_fields[name].default
    assert row[0].strip("`") == _shown(default)


def _shown(default: object) -> str:
    if default is None or isinstance(default, bool):
        return str(default).lower()
    return f"{default:g}" if isinstance(default, float) else str(default)


def test_no_row_names_a_setting_that_does_not_exist() -> None:
    named = {row for row in rows("settings.md") if row.startswith(ENVIRONMENT_PREFIX)}
    assert named == {f"{ENVIRONMENT_PREFIX}{name.upper()}" for name in Settings.model_fields}


def test_every_setting_has_a_docstring() -> None:
    source = inspect.getsource(Settings)
    for name in Settings.model_fields:
        field = source.index(f"\n    {name}: ")
        assert source[field:].split('\n    """', 1)[0].count("\n    ") <= LINES_OF_A_FIELD, name


@pytest.mark.parametrize("name", sorted(ProviderSettings.model_fields))
def test_every_key_of_a_provider_has_a_row(name: str) -> None:
    assert name in rows("settings.md")


def test_every_field_that_a_provider_can_tell_is_named() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("Fields: "))
    assert set(re.findall(r"`(\w+)`", line)) == ROW_FIELDS


@pytest.mark.parametrize("code", sorted({*ERROR_CODES, BAD_REQUEST, *SourceErrorCode}))
def test_every_error_code_has_a_row(code: str) -> None:
    assert code in rows("operations.md")


def test_every_metric_has_a_row_and_every_row_a_metric() -> None:
    told = {row for row in rows("operations.md") if row.startswith(METRIC_PREFIXES)}
    assert told == set(metric_names())


def test_every_metric_has_a_row_with_its_labels() -> None:
    told = rows("operations.md")
    for metric in vars(Metrics(make_logger("info", "json"))).values():
        if isinstance(metric, Counter | Gauge | Histogram):
            name = next(iter(metric.describe())).name
            labels = ", ".join(metric._labelnames)  # noqa: SLF001  # there is no other way
            assert (told.get(name) or told[f"{name}_total"])[0] == labels, name


def test_the_two_commands_stand_in_the_first_twenty_lines_of_the_readme() -> None:
    first = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:20]
    assert any(line.startswith("make run") for line in first)
    assert any(line.startswith("make test") for line in first)


@pytest.mark.parametrize(
    "document", sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/**/*.md"))
)
def test_no_link_to_a_file_leads_nowhere(document: str) -> None:
    page = ROOT / document
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target
