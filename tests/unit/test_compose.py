"""What compose.yaml names is there, and each service's settings are accepted as it would."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from click import Group
from click.testing import CliRunner

from movieql.__main__ import main
from movieql.settings.providers import load_providers
from tests.unit.deployed import COMMANDS, accepted, at

ROOT = Path(__file__).parents[2]
FILE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
OURS = {name: each for name, each in SERVICES.items() if each["image"] == "movieql:dev"}
PROVIDERS = ROOT / "compose" / "providers.toml"

KEYS = {
    *("build", "cap_drop", "command", "depends_on", "deploy", "entrypoint", "environment"),
    *("healthcheck", "image", "logging", "networks", "ports", "pull_policy", "read_only"),
    *("restart", "security_opt", "stop_grace_period", "tmpfs", "user", "volumes"),
}
"""Those of the specification that are used: a misspelt one would be none."""

VARIABLE = re.compile(r"(?<!\$)\$\{(\w+):\?[^}]+\}")

each_service = pytest.mark.parametrize("name", sorted(SERVICES))
each_of_ours = pytest.mark.parametrize("name", sorted(OURS))


def secrets() -> dict[str, str]:
    """Return secrets as people make them."""
    program = str(ROOT / "bin" / "compose-secrets")
    made = subprocess.run([program], capture_output=True, check=True, text=True).stdout  # noqa: S603  # ours
    return dict(line.split("=") for line in made.splitlines())


def environ(name: str) -> dict[str, str]:
    """Return a service's environment."""
    made = secrets()
    given = SERVICES[name].get("environment", {})
    return {key: VARIABLE.sub(lambda found: made[found[1]], value) for key, value in given.items()}


def seconds(duration: str) -> float:
    found = re.fullmatch(r"(\d+)s", duration)
    assert found is not None, duration
    return float(found[1])


@each_service
def test_every_key_is_one_of_the_specification(name: str) -> None:
    assert SERVICES[name].keys() <= KEYS
    assert FILE.keys() - {"name", "services", "networks", "volumes"} <= {
        key for key in FILE if key.startswith("x-")
    }


@each_service
def test_every_image_is_ours_or_has_a_version_and_can_be_pinned(name: str) -> None:
    if name in OURS:
        return
    versioned = r"docker\.io/[a-z]+/[a-z-]+:\d+\.\d+\.\d+(-[a-z]+)?"
    found = re.fullmatch(rf"\$\{{([A-Z]+_IMAGE):-{versioned}\}}", SERVICES[name]["image"])
    assert found is not None
    assert found[1] in (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")


def test_the_base_can_be_pinned_and_is_the_dockerfiles_where_it_is_not() -> None:
    arguments = SERVICES["server"]["build"]["args"]
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    default = re.search(r"^ARG BASE=(\S+)$", dockerfile, re.MULTILINE)
    assert default is not None
    assert arguments == {"BASE": f"${{BASE_IMAGE:-{default[1]}}}"}


def test_one_service_builds_what_the_others_use() -> None:
    assert [name for name, each in OURS.items() if "build" in each] == ["server"]
    for name, each in OURS.items():
        assert name == "server" or each["pull_policy"] == "never"


@pytest.mark.parametrize("name", ["server", "worker"])
def test_the_settings_of_each_service_are_accepted(name: str) -> None:
    settings = accepted(environ(name), PROVIDERS.read_text(encoding="utf-8"))
    assert str(settings.providers_file) in str(SERVICES[name]["volumes"])
    grace_s = seconds(SERVICES[name]["stop_grace_period"])
    if name == "server":
        assert grace_s > settings.drain_s + settings.shutdown_s
    else:
        assert grace_s > settings.worker_stop_s


@each_of_ours
def test_every_command_and_its_options_are_ours(name: str) -> None:
    command = SERVICES[name].get("command")
    if command is None:
        assert "entrypoint" in SERVICES[name]
        return
    assert command[0] in COMMANDS
    assert isinstance(main, Group)
    shown = CliRunner().invoke(main, [command[0], "--help"]).output
    for option in (each for each in command[1:] if each.startswith("--")):
        assert option in shown


@each_service
def test_whatever_a_service_names_is_there(name: str) -> None:
    service = SERVICES[name]
    assert set(service["networks"]) <= FILE["networks"].keys()
    for needed, how in service.get("depends_on", {}).items():
        if how["condition"] == "service_healthy":
            assert needed in OURS or "healthcheck" in SERVICES[needed]
        if how["condition"] == "service_completed_successfully":
            assert SERVICES[needed]["restart"] == "no"
    for volume in service.get("volumes", ()):
        source = volume.split(":")[0]
        assert source in FILE["volumes"] or (ROOT / source).exists()


@each_service
def test_nothing_may_more_than_it_has_to(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_only_those_that_people_reach_are_outside() -> None:
    for name, service in SERVICES.items():
        assert ("outside" in service["networks"]) == ("ports" in service), name
    assert FILE["networks"]["inside"] == {"internal": True}


def test_there_are_two_of_each_of_what_may_fail() -> None:
    for name in ("server", "worker"):
        assert at(SERVICES[name], "deploy", "replicas") == 2


def test_the_queue_drops_nothing_and_the_cache_may() -> None:
    assert "--appendonly yes" in SERVICES["queue"]["command"][-1]
    assert "noeviction" in SERVICES["queue"]["command"][-1]
    assert "allkeys-lru" in SERVICES["cache"]["command"][-1]


def test_every_secret_is_made_and_none_has_a_default() -> None:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    named = set(re.findall(r"(?<!\$)\$\{(\w+)", text))
    assert {name for name in named if not name.endswith("_IMAGE")} == set(VARIABLE.findall(text))
    assert secrets().keys() == set(VARIABLE.findall(text))
    assert "/.env\n" in (ROOT / ".gitignore").read_text(encoding="utf-8")


def test_the_shops_are_the_simulated_ones_at_the_ports_that_are_open() -> None:
    (ports,) = SERVICES["simulator"]["ports"]
    assert ports == "127.0.0.1:8001-8003:8001-8003"
    urls = [provider.base_url for provider in load_providers(PROVIDERS)]
    assert urls == [
        "http://simulator:8002/api/cinemaworld",
        "http://simulator:8003/api/filmworld",
    ]


def test_links_to_files_lead_to_the_store_from_inside_and_outside() -> None:
    url = environ("server")["MOVIEQL_STORE_ENDPOINT_URL"]
    host, port = url.removeprefix("http://").split(":")
    assert host.endswith(".localhost")
    assert SERVICES["store"]["networks"]["inside"]["aliases"] == [host]
    assert SERVICES["store"]["ports"] == [f"127.0.0.1:{port}:{port}"]
