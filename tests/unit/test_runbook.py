"""Whoever is woken by an alarm finds what to do; the documents say of AWS what there is."""

import re
import tomllib
from pathlib import Path

from movieql.settings.providers import parse_providers

ROOT = Path(__file__).parents[2]
TERRAFORM = ROOT / "terraform"
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
ALARMS = TERRAFORM / "modules" / "watch" / "alarms.tf"


def alarms() -> list[str]:
    """Return the names of alarms, as Terraform has them: the keys of one map."""
    text = ALARMS.read_text(encoding="utf-8")
    return re.findall(r'^    "([a-z-]+)" = merge\(', text, re.MULTILINE)


def sections(document: str) -> list[str]:
    """Return the headings of a document's sections."""
    return re.findall(r"^## (.+)$", document, re.MULTILINE)


def test_every_alarm_has_a_section_and_every_section_an_alarm() -> None:
    assert len(alarms()) >= 10
    assert sections(RUNBOOK) == alarms()


def test_every_alarm_has_a_row_that_leads_to_its_section() -> None:
    rows = re.findall(r"^\| \[([a-z-]+)\]\(#([a-z-]+)\) \| .+ \| .+ \|$", RUNBOOK, re.MULTILINE)
    assert rows == [(name, name) for name in alarms()]


def test_there_are_no_alarms_but_those_of_the_map() -> None:
    resources = [
        path
        for path in TERRAFORM.rglob("*.tf")
        if 'resource "aws_cloudwatch_metric_alarm"' in path.read_text(encoding="utf-8")
    ]
    assert resources == [ALARMS]
    text = ALARMS.read_text(encoding="utf-8")
    assert text.count("aws_cloudwatch_metric_alarm") == 1
    assert "for_each = local.alarms" in text


def test_every_link_within_the_runbook_leads_to_a_section() -> None:
    assert set(re.findall(r"\]\(#([^)]+)\)", RUNBOOK)) <= set(sections(RUNBOOK))


def test_every_variable_of_terraform_has_a_row_and_every_row_a_variable() -> None:
    declared = [
        name
        for path in sorted(TERRAFORM.glob("variables*.tf"))
        for name in re.findall(r'^variable "(\w+)"', path.read_text("utf-8"), re.MULTILINE)
    ]
    text = (ROOT / "docs" / "aws.md").read_text(encoding="utf-8")
    table = text.split("## Variables")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == declared


def test_the_example_has_shops_whose_tokens_are_among_its_secrets() -> None:
    example = (TERRAFORM / "example.tfvars").read_text(encoding="utf-8")
    shops = example.split("<<-TOML\n")[1].split("\nTOML\n")[0]
    secrets = set(re.findall(r"^  ([A-Z_]+) +=", example.split("secrets = {")[1], re.MULTILINE))
    for provider in parse_providers(tomllib.loads(shops)):
        provider.contract(dict.fromkeys(secrets, "a token"))
