"""Object stores for tests, and servers that speak S3: on free ports, with faults if asked for.

moto compares versions on PutObject and checks no signature; ministack checks signatures and
expiry. moto's own server once let two of eight racers win, so requests are taken one by one.
"""

import io
import os
import random
import signal
import socket
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Final

import pytest
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from movieql.clock import SystemClock
from movieql.ports import Clock
from movieql.storage.files import FileStore
from movieql.storage.links import LinkSigner
from movieql.storage.s3 import S3Store
from movieql.storage.s3_client import make_client
from tests.servers import ROOT

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from mypy_boto3_s3 import S3Client

REGION: Final = "eu-west-1"
ACCESS_KEY = "test"
SECRET_KEY = "test"  # noqa: S105  # opens only servers of tests

S3_PART_BYTES = 5 * 1024 * 1024
"""The smallest part that S3 takes."""

LINK_SECRET = b"a secret of tests, of some length"
FILES_URL = "http://localhost:8000"

MINISTACK = ROOT / ".venv-ministack" / "bin" / "ministack"

_START_S = 20.0
_POLL_S = 0.02
_BUCKETS = count()
_SLOW_DOWN = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>slow</Message></Error>"


@dataclass
class Faults:
    """What goes wrong, drawn from `seed` per request; shares are of 1 and may be changed.

    `refused_share`: 503, not executed; `lost_share`: executed, and the connection cut before
    the answer; `down`: every connection cut, nothing executed. `counts` counts what happened.
    """

    seed: int = 0
    refused_share: float = 0.0
    lost_share: float = 0.0
    down: bool = False
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)

    def draw(self) -> str:
        """Return what happens to the next request: `down`, `refused`, `lost` or `ok`."""
        drawn = self._rng.random()
        outcome = "ok"
        if self.down:
            outcome = "down"
        elif drawn < self.refused_share:
            outcome = "refused"
        elif drawn < self.refused_share + self.lost_share:
            outcome = "lost"
        self.counts[outcome] += 1
        return outcome


@dataclass(frozen=True)
class S3Server:
    """A server with a bucket of its own; `faults` may be changed while it runs."""

    endpoint_url: str
    bucket: str
    faults: Faults


class _Quiet(MotoRequestHandler):
    """Does not log every request, nor that a connection was cut on purpose."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002  # werkzeug's name
        """Log nothing."""


class _OneByOne:
    """Lets requests through one by one, with faults."""

    def __init__(self, app: "WSGIApplication") -> None:
        self.faults = Faults()
        self._app = app
        self._lock = Lock()

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer a request."""
        length = int(environ.get("CONTENT_LENGTH") or 0)
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(length))
        with self._lock:
            outcome = self.faults.draw()
            if outcome == "refused":
                start_response("503 Slow Down", [("Content-Type", "application/xml")])
                return [_SLOW_DOWN]
            answer = [] if outcome == "down" else [self._answered(environ, start_response)]
        if outcome in {"down", "lost"}:
            _cut(environ["werkzeug.socket"])
            raise ConnectionAbortedError  # the server lets it be
        return answer

    def _answered(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> bytes:
        chunks: Any = self._app(environ, start_response)
        try:
            return b"".join(chunks)
        finally:
            getattr(chunks, "close", lambda: None)()


@contextmanager
def moto(faults: Faults | None = None) -> Iterator[S3Server]:
    """Run moto in a thread; any process may use it. Its objects end with the block."""
    one_by_one = _OneByOne(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, one_by_one, threaded=True, request_handler=_Quiet)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        bucket = _made_bucket(url)
        one_by_one.faults = faults or Faults()
        yield S3Server(url, bucket, one_by_one.faults)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def ministack() -> Iterator[S3Server]:
    """Run ministack in a process; it keeps everything in memory."""
    assert MINISTACK.exists(), "ministack is not installed: `make ministack`"
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="movieql-test-") as folder:
        output = Path(folder) / "output"
        with output.open("wb") as sink:
            process = subprocess.Popen(  # noqa: S603  # our own virtual environment
                [str(MINISTACK)], env=_ministack_env(folder, port), stdout=sink, stderr=sink
            )
            try:
                _wait_for(port, process, output)
                url = f"http://127.0.0.1:{port}"
                yield S3Server(url, _made_bucket(url), Faults())
            finally:
                process.send_signal(signal.SIGKILL)
                process.wait()


@asynccontextmanager
async def s3_store(
    server: S3Server, clock: Clock | None = None, prefix: str = "", **options: Any
) -> AsyncIterator[S3Store]:
    """Open a store over a server's bucket; `options` are the store's own."""
    client = keyed_client(
        endpoint_url=server.endpoint_url,
        attempts_max=options.pop("attempts_max", 3),
        read_timeout_s=options.pop("read_timeout_s", 10.0),
    )
    store = S3Store(
        client,
        bucket=options.pop("bucket", server.bucket),
        clock=clock or SystemClock(),
        rng=random.Random(0),
        prefix=prefix,
        **{"part_bytes_min": S3_PART_BYTES, **options},
    )
    try:
        yield store
    finally:
        await store.aclose()


@asynccontextmanager
async def file_store(
    root: Path, clock: Clock | None = None, **options: Any
) -> AsyncIterator[FileStore]:
    """Open a store over a folder; `options` are the store's own."""
    clock = clock or SystemClock()
    signer = LinkSigner(LINK_SECRET, FILES_URL, clock.now)
    chosen = {"call_timeout_s": 30.0, "threads_max": 10, **options}
    store = FileStore(root, clock=clock, sign_link=signer.sign, **chosen)
    try:
        yield store
    finally:
        await store.aclose()


def keyed_client(key: str = ACCESS_KEY, secret: str = SECRET_KEY, **options: Any) -> "S3Client":
    """Return a client with keys of its own; it reads them from the environment once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", key)
        patch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        return make_client(region=REGION, **options)


def _made_bucket(endpoint_url: str) -> str:
    bucket = f"movieql-{os.getpid()}-{next(_BUCKETS)}"  # moto's memory is the process's
    client = keyed_client(endpoint_url=endpoint_url)
    client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    client.close()
    return bucket


def _cut(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


def _ministack_env(folder: str, port: int) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": folder,
        "TMPDIR": folder,
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "SERVICES": "s3",
    }


def _wait_for(port: int, process: "subprocess.Popen[bytes]", output: Path) -> None:
    given_up_s = time.monotonic() + _START_S
    while True:
        assert process.poll() is None, output.read_text()
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert time.monotonic() < given_up_s, output.read_text()
        time.sleep(_POLL_S)
