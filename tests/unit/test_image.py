"""What the image promises, read from its files; `make image` builds it and tries it."""

import http.server
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from image import healthcheck

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
CONTEXT = {
    line.removeprefix("!")
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    if line.startswith("!")
}


@pytest.mark.parametrize(
    "arguments, port",
    [
        ("python3 /opt/movieql/bin/movieql serve", 8000),
        ("python3 /opt/movieql/bin/movieql serve --port 9000", 9000),
        ("python3 /opt/movieql/bin/movieql serve --port=9000 --host ::", 9000),
        ("python3 /opt/movieql/bin/movieql worker --processes 2", None),
        ("python3 /opt/movieql/bin/movieql simulate --port 9000", None),
    ],
)
def test_only_a_server_is_asked_and_where_it_listens(arguments: str, port: int | None) -> None:
    assert healthcheck.port_of(arguments.split(), "8000") == port


@contextmanager
def answering(status: int) -> Iterator[int]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        yield server.server_port
        thread.join()


def test_a_server_that_answers_is_healthy_and_no_other() -> None:
    with answering(200) as port:
        assert healthcheck.asked(port) is None
    with answering(500) as port:
        assert healthcheck.asked(port) == "status 500"
    assert "refused" in str(healthcheck.asked(port))


def test_a_worker_is_healthy_while_it_runs_and_a_server_only_when_it_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = tmp_path / "cmdline"
    monkeypatch.setattr(healthcheck, "COMMAND", command)
    command.write_bytes(b"python3\0movieql\0worker\0")
    assert healthcheck.main() == 0
    monkeypatch.setenv("MOVIEQL_PORT", "1")
    command.write_bytes(b"python3\0movieql\0serve\0")
    assert healthcheck.main() == 1
    with answering(200) as port:
        command.write_bytes(f"python3\0movieql\0serve\0--port\0{port}\0".encode())
        assert healthcheck.main() == 0


def test_everything_that_is_copied_is_let_into_the_build() -> None:
    copied = {
        source.rstrip("/")
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    }
    for source in copied:
        assert (ROOT / source).exists(), source
        assert {source, source.split("/", maxsplit=1)[0]} & CONTEXT, source


def test_it_is_nobody_in_particular_and_runs_our_command() -> None:
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    assert "\nUSER 10001:10001\n" in final
    assert '\nENTRYPOINT ["movieql"]\nCMD ["serve"]\n' in final


def test_every_dependency_is_installed_by_its_hash() -> None:
    for line in re.findall(r"pip install [^\n]+", DOCKERFILE):
        assert "--require-hashes" in line or line.endswith("--no-deps dist/movieql-*.whl \\"), line


def test_nothing_of_the_image_has_a_secret_in_it() -> None:
    for name in re.findall(r"^(?:ARG|ENV|  )\s*([A-Z_]+)[= ]", DOCKERFILE, re.MULTILINE):
        assert not re.search("TOKEN|SECRET|PASSWORD|KEY", name), name
