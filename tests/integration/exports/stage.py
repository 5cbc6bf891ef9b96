"""What exports need, for real: a Valkey, a store that fails where it is told to, a server."""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from moto.core.responses import ActionResult
from moto.s3 import responses
from moto.s3.models import S3Backend

from movieql.dev.valkey import PrivateValkey
from movieql.ports import ObjectStore
from movieql.services.export_archive import DATA
from tests.e2e.stand_in import s3_env
from tests.integration.exports.seeding import SHOPS, Past, made_past, put_past
from tests.object_store import Faults, moto, s3_store
from tests.servers import JWT_SECRET, providers_file, started

SLOW_S = 0.02
"""Of a request to a slow store, in seconds: about what S3 takes."""


_WRITING_S = 0.5  # after an upload began it may be taken for one that goes on


@dataclass
class Writes:
    """What was written to the store, as the store itself saw it.

    `puts` counts by key what was stored; `begun` has when every upload was begun, by its key, and
    `took_s` how long those took that became files.
    """

    puts: Counter[str] = field(default_factory=Counter)
    begun: dict[str, float] = field(default_factory=dict)
    took_s: dict[str, float] = field(default_factory=dict)

    @property
    def under_way(self) -> bool:
        """Say whether somebody writes a file just now, as far as can be seen."""
        since_s = time.monotonic() - _WRITING_S
        return any(
            begun_s > since_s and key not in self.took_s for key, begun_s in self.begun.items()
        )

    @property
    def executions(self) -> int:
        """Return how many jobs came as far as to write; what follows the last dash is a try."""
        return len({key.rpartition("-")[0] for key in self.begun if key.startswith(DATA)})


@contextmanager
def watched_writes() -> Iterator[Writes]:
    """Note what moto, in this process, stores."""
    writes = Writes()
    put, begin = S3Backend.put_object, S3Backend.create_multipart_upload
    began = datetime.now(UTC).isoformat()

    def noted_put(self: S3Backend, bucket: str, key: str, *args: Any, **named: Any) -> Any:
        writes.puts[key] += 1
        if key in writes.begun:
            writes.took_s[key] = time.monotonic() - writes.begun[key]
        return put(self, bucket, key, *args, **named)

    def noted_begin(self: S3Backend, bucket: str, key: str, *args: Any, **named: Any) -> Any:
        writes.begun[key] = time.monotonic()
        return begin(self, bucket, key, *args, **named)

    def dated(result: object) -> ActionResult:
        # moto says of every upload that it was begun in 2010, and any janitor would abort it.
        if isinstance(result, dict):
            for each in result.get("Uploads", ()):
                each["Initiated"] = began
        return ActionResult(result)

    with (
        patch.object(responses, "ActionResult", dated),
        patch.object(S3Backend, "put_object", noted_put),
        patch.object(S3Backend, "create_multipart_upload", noted_begin),
    ):
        yield writes


class SlowFaults(Faults):
    """A store that also takes its time, `SLOW_S` a request on average, one after the other."""

    def draw(self) -> str:
        """Wait, then draw."""
        time.sleep(self._delays.expovariate(1.0 / SLOW_S))
        return super().draw()

    def __post_init__(self) -> None:
        super().__post_init__()
        self._delays = Random(self.seed)


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that is there; `env` is for workers, `url` of the server."""

    past: Past
    valkey: PrivateValkey
    faults: Faults
    store: ObjectStore
    writes: Writes
    env: dict[str, str]
    url: str


@asynccontextmanager
async def staged(faults: Faults, bulk_movies: int) -> AsyncIterator[Stage]:
    """Have it all, with observations of which `bulk_movies` have long titles."""
    past = made_past(datetime.now(UTC), bulk_movies)
    async with AsyncExitStack() as stack:
        # Not tmp_path: the path of a unix socket has about 100 characters.
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="movieql-")))
        valkey = PrivateValkey(home / "valkey")
        stack.callback(valkey.kill)
        valkey.start()
        server = stack.enter_context(moto(faults))
        writes = stack.enter_context(watched_writes())
        store = await stack.enter_async_context(s3_store(server))
        await put_past(store, past)
        env = _environment(home, valkey) | s3_env(server.endpoint_url, server.bucket)
        serve = started("serve", "--port", "0", env=env, ready='"url":"http')
        serving = await asyncio.to_thread(serve.__enter__)  # the store is in this process
        stack.push_async_callback(asyncio.to_thread, serve.__exit__, None, None, None)
        yield Stage(past, valkey, faults, store, writes, env, serving.url)


def _environment(folder: Path, valkey: PrivateValkey) -> dict[str, str]:
    """Return what server and workers are set to: as they come, but for room for one caller.

    No shop answers: what is exported was seen before.
    """
    dead = dict.fromkeys(SHOPS, "http://127.0.0.1:9")
    return {
        "MOVIEQL_PROVIDERS_FILE": str(providers_file(folder, dead)),
        "CINEMAWORLD_TOKEN": "none",
        "FILMWORLD_TOKEN": "none",
        "MOVIEQL_QUEUE_URL": valkey.url,
        "MOVIEQL_JWT_SECRET": JWT_SECRET,
        "MOVIEQL_REQUESTS_PER_MINUTE": "10000000",
        "MOVIEQL_COST_PER_MINUTE": "10000000",
        "MOVIEQL_EXPORTS_OPEN_MAX": "1000",
        "MOVIEQL_STORE_PART_BYTES": str(5 * 1024**2),
        # Of yesterday, whose observations are the test's: how many days depends on the hour.
        "MOVIEQL_DAILY_EXPORT": "false",
    }
