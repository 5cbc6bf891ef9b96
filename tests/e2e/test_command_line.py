"""The command line as people use it: real processes."""

import json
import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from movieql.dev.stack import DEV_PROFILE
from movieql.settings import ENVIRONMENT_PREFIX, from_environ
from movieql.web.server import bind
from tests.servers import ROOT, Started, providers_file, ran, started

DEV = ("dev", "--port", "0", "--simulator-port", "0")
READY = "Ctrl-C stops everything."
STOP_S = 4.0
"""The budget of a question, and the ends of server, worker and queue."""

STOPPED = {0, 130}
SOURCES = ["cinemaworld", "filmworld", "house"]


def shell(command: str) -> str:
    """Run a command as people paste it, from the root of the repository."""
    done = subprocess.run(  # noqa: S603  # what we print ourselves
        ["sh", "-c", command],  # noqa: S607  # whatever shell people have
        capture_output=True,
        check=True,
        cwd=ROOT,
        text=True,
        timeout=20,
    )
    return done.stdout


def fetched(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310  # a server of ours
        return json.loads(response.read())


def eventually(happened: Callable[[], bool], within_s: float = 20.0) -> None:
    """Wait until a condition holds; each look at it takes its time."""
    deadline_s = time.monotonic() + within_s
    while not happened():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def filmworld(ask: str) -> dict[str, Any]:
    """Ask as printed, and return what became of filmworld."""
    movies = json.loads(shell(ask))["data"]["movies"]
    assert movies["totalCount"] == 7
    assert [source["provider"]["id"] for source in movies["sources"]] == SOURCES
    sources = {source["provider"]["id"]: source for source in movies["sources"]}
    return dict(sources["filmworld"])


def printed(dev: Started) -> tuple[str, list[str]]:
    """Return the URL and the commands that `dev` prints; one may go on in the next line."""
    (url,) = re.findall(r"movieql is ready:\s+(http://\S+)", dev.output)
    return url, re.findall(r"^\s*(curl .*(?<!\\)(?:\\\n.*)?)$", dev.output, re.MULTILINE)


def test_dev_prints_one_url_and_things_to_try_that_work() -> None:
    with started(*DEV, ready=READY) as dev:
        url, (ask, break_it, heal_it, log_in) = printed(dev)
        assert re.findall(r"^\s+(\d)\. ", dev.output, re.MULTILINE) == ["1", "2", "3", "4"]
        page = shell(f"curl -s -H 'accept: text/html' {url}/graphql")
        assert "<!doctype html>" in page.lower()
        assert filmworld(ask)["status"] == "OK"
        assert json.loads(shell(break_it))["filmworld"]["mode"] == "hang"
        eventually(lambda: filmworld(ask)["error"] is not None)
        assert json.loads(shell(heal_it))["filmworld"]["mode"] == "ok"
        eventually(lambda: filmworld(ask)["status"] == "OK")
        token = json.loads(shell(f"{log_in} -s"))["access_token"]
        write = f"curl -s -X DELETE {url}/api/movies/Heat/1995 -H 'authorization: Bearer {token}'"
        assert json.loads(shell(write))["code"] == "NOT_FOUND"  # so it was allowed to


def test_dev_never_shows_old_data_of_shops_that_are_well() -> None:
    # Old data is served during a refresh only up to an age at which nothing is fresh any more.
    settings = from_environ(
        {f"{ENVIRONMENT_PREFIX}{name}": DEV_PROFILE[name] for name in DEV_PROFILE}
    )
    assert settings.stale_while_refresh_s <= settings.fresh_s * (1 - settings.fresh_jitter)


def test_dev_stops_at_once_on_control_c() -> None:
    with started(*DEV, ready=READY) as dev:
        code, elapsed_s = dev.stop(signal.SIGINT)
        assert code in STOPPED
        assert elapsed_s < STOP_S
        assert "Traceback" not in dev.output


def test_dev_stops_on_control_c_while_a_shop_hangs() -> None:
    with started(*DEV, "--mode", "filmworld=hang", ready=READY) as dev:
        _, (ask, break_it, *_) = printed(dev)
        (control,) = re.findall(r"(http://\S+)/knobs", break_it)
        question = subprocess.Popen(  # noqa: S603  # what we print ourselves
            ["sh", "-c", ask],  # noqa: S607  # whatever shell people have
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        try:
            eventually(lambda: fetched(f"{control}/calls")["total"] >= 2)
            code, elapsed_s = dev.stop(signal.SIGINT)
        finally:
            question.wait(10)
        assert code in STOPPED
        assert elapsed_s < STOP_S
        assert "Traceback" not in dev.output


@pytest.mark.parametrize(
    "command, option",
    [
        (("dev", "--simulator-port", "0", "--port"), "--port"),
        (("dev", "--port", "0", "--simulator-port"), "--simulator-port"),
        (("simulate", "--port"), "--port"),
    ],
    ids=["dev", "the simulator of dev", "simulate"],
)
def test_a_busy_port_is_named_with_the_option_that_changes_it(
    command: tuple[str, ...], option: str
) -> None:
    with bind("127.0.0.1", 0) as busy:
        busy.listen()
        port = str(busy.getsockname()[1])
        done = ran(*command, port)
    assert done.returncode == 1
    assert re.search(rf"port {port} is taken.* with {option}\b", done.stderr)
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "arguments, told",
    [
        (("serve",), "MOVIEQL_PROVIDERS_FILE is not set, nor is MOVIEQL_PROVIDERS"),
        (("worker",), "MOVIEQL_PROVIDERS_FILE or MOVIEQL_PROVIDERS"),
        (("serve", "--port", "99999"), "MOVIEQL_PORT"),
        (("simulate", "--port", "99999"), "--port"),
        (("dev", "--simulator-port", "65535"), "--simulator-port"),
        (("dev", "--mode", "filmworld"), "SHOP=MODE"),
        ((*DEV, "--mode", "filmworld=nonsense"), "allowed: ok, slow, hang"),
        ((*DEV, "--mode", "nobody=hang"), "allowed: cinemaworld, filmworld"),
        ((*DEV, "--movies", "0"), "allowed: 1 to"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_a_mistake_is_told_with_the_way_out(arguments: tuple[str, ...], told: str) -> None:
    done = ran(*arguments)
    assert done.returncode in {1, 2}
    assert told in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_setting_that_is_none_is_named() -> None:
    done = ran("dev", env={"MOVIEQL_BUDGET": "1"})
    assert done.returncode == 1
    assert "MOVIEQL_BUDGET" in done.stderr
    assert "docs/settings.md" in done.stderr


def test_serve_names_the_secret_that_is_missing(tmp_path: Path) -> None:
    path = providers_file(
        tmp_path, dict.fromkeys(("cinemaworld", "filmworld"), "http://127.0.0.1:9")
    )
    done = ran("serve", "--port", "0", env={"MOVIEQL_PROVIDERS_FILE": str(path)})
    assert done.returncode == 1
    assert "CINEMAWORLD_TOKEN is not set" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_serve_answers_over_the_shops_of_simulate(tmp_path: Path, stop: signal.Signals) -> None:
    with started("simulate", "--port", "0", ready="filmworld ") as simulate:
        eventually(lambda: simulate.output.endswith("\n"))
        urls = dict(line.split() for line in simulate.output.splitlines())
        env = {
            "MOVIEQL_PROVIDERS": providers_file(tmp_path, urls).read_text(encoding="utf-8"),
            "CINEMAWORLD_TOKEN": "simulator",
            "FILMWORLD_TOKEN": "simulator",
        }
        with started("serve", "--port", "0", env=env, ready="listening") as server:
            asked = fetched(f"{server.url}/graphql?query=%7Bmovies%7BtotalCount%20complete%7D%7D")
            assert asked == {"data": {"movies": {"totalCount": 7, "complete": True}}}
            code, elapsed_s = server.stop(stop)
            assert code in STOPPED | {-stop}
            assert elapsed_s < STOP_S
            assert "Traceback" not in server.output
        assert fetched(f"{urls['control']}/calls")["total"] == 2
        assert simulate.stop(stop)[0] in STOPPED


def test_simulate_invents_as_many_movies_as_wanted() -> None:
    with started(
        "simulate", "--port", "0", "--movies", "30", "--contract", "b", ready="filmworld "
    ) as it:
        eventually(lambda: it.output.endswith("\n"))
        urls = dict(line.split() for line in it.output.splitlines())
        assert len(fetched(f"{urls['cinemaworld']}/movies")) == 30


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), (), ("dev", "--help")])
def test_help_says_what_there_is(arguments: tuple[str, ...]) -> None:
    done = ran(*arguments)
    shown = done.stdout + done.stderr
    assert "Usage:" in shown
    if "dev" not in arguments:
        for command in ("dev", "serve", "simulate", "schema"):
            assert re.search(rf"^  {command}\b", shown, re.MULTILINE)


def test_schema_prints_the_schema() -> None:
    assert ran("schema").stdout == (ROOT / "schema" / "schema.graphql").read_text(encoding="utf-8")
