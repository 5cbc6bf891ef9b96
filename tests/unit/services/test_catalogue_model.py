"""The catalogue against everything that a store, other writers and time may do, in any order.

Each upsert writes a field of its own, so the file's history tells which took place, when, and how
often; a delete takes all the fields of an entry.
"""

import asyncio
import json
import random
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from movieql.domain.catalogue import CatalogueEntry, parse
from movieql.domain.errors import CatalogueConflictError, MovieqlError, StoreError
from movieql.memory import VirtualClock
from movieql.services.catalogue import Catalogue, Written
from tests.unit.services.stores import ScriptedStore

PROCESSES = 3
NAMES = ("Alien", "ALIEN", "Heat")
NAMES_ST = st.sampled_from(NAMES)
WHO_ST = st.integers(0, PROCESSES - 1)
FATES_ST = st.sampled_from(["ok", "ok", "ok", "ok", "refused", "lost", "refused again", "late"])


@dataclass
class Operation:
    """A write: the field of an upsert (None: a delete), and how long the history was before."""

    name: str
    field: str | None
    work: "asyncio.Task[Written]"
    started: int
    if_version: str | None

    @property
    def outcome(self) -> str:
        error = self.work.exception()
        if error is None:
            return "done"
        return "unknown" if isinstance(error, StoreError) and "may have" in str(error) else "not"


class CatalogueMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = VirtualClock()
        self.store = ScriptedStore()
        self.operations: list[Operation] = []
        self.processes: list[Catalogue] = []

    def run(self, doing: Awaitable[Any]) -> Any:
        async def done() -> Any:
            return await doing

        return self.loop.run_until_complete(done())

    @initialize()
    def open(self) -> None:
        self.store.held = True
        for number in range(PROCESSES):
            self.processes.append(
                Catalogue(
                    self.store.port,
                    key="movies.json",
                    clock=self.clock,
                    rng=random.Random(number),
                    new_write_id=lambda number=number: f"w{number}",  # type: ignore[misc]  # bound
                    tries_max=3,
                )
            )

    def known(self, name: str) -> CatalogueEntry | None:
        return parse(self.store.body).find(name, 1979)

    @rule(who=WHO_ST, name=NAMES_ST, conditional=st.booleans(), by_file=st.booleans())
    def upsert(self, who: int, name: str, conditional: bool, by_file: bool) -> None:  # noqa: FBT001
        field = f"n{len(self.operations)}"
        self.start(who, name, field, conditional=conditional, by_file=by_file)

    @rule(who=WHO_ST, name=NAMES_ST, conditional=st.booleans())
    def delete(self, who: int, name: str, conditional: bool) -> None:  # noqa: FBT001
        self.start(who, name, None, conditional=conditional, by_file=False)

    def start(
        self, who: int, name: str, field: str | None, *, conditional: bool, by_file: bool
    ) -> None:
        entry = self.known(name) if conditional else None
        given: dict[str, Any] = {"if_version": entry.version if entry else None}
        given["if_file"] = self.store.etag if by_file else None
        process = self.processes[who]
        change = (
            process.delete(name, 1979, **given)
            if field is None
            else process.upsert(name, 1979, {field: 1}, **given)
        )
        started = len(self.store.history)
        work = self.loop.create_task(change)
        self.operations.append(Operation(name, field, work, started, given["if_version"]))
        self.run(self.clock.settle())

    @rule(which=st.integers(0, 5), fate=FATES_ST)
    def answer(self, which: int, fate: Any) -> None:
        if self.store.pending:
            call = self.store.pending.pop(which % len(self.store.pending))
            call.fate.set_result(fate)
            self.run(self.clock.settle())

    @rule(which=st.integers(0, 5))
    def arrive_late(self, which: int) -> None:
        if self.store.late:
            call = self.store.late.pop(which % len(self.store.late))
            try:
                call.execute()
            except MovieqlError:
                return

    @rule(delay_s=st.sampled_from([0.01, 0.1, 1.0]))
    def wait(self, delay_s: float) -> None:
        self.run(self.clock.advance(delay_s))

    @invariant()
    def every_version_of_the_file_is_sound(self) -> None:
        parse(self.store.body)  # which refuses a movie that is there twice

    @invariant()
    def every_write_took_place_as_its_caller_was_told(self) -> None:
        deleted = self.deletions()
        for operation in self.operations:
            if operation.work.done() and operation.field is not None:
                self.check_upsert(operation, deleted)

    def deletions(self) -> list[Operation]:
        return [each for each in self.operations if each.field is None]

    def appearances(self, field: str) -> list[int]:
        """Return the places in the history at which a field appears."""
        there = [body is not None and f'"{field}"' in body.decode() for body in self.store.history]
        return [at for at in range(1, len(there)) if there[at] and not there[at - 1]]

    def check_upsert(self, operation: Operation, deletions: list[Operation]) -> None:
        appeared = self.appearances(operation.field or "")
        assert len(appeared) <= 1, "written twice"
        if operation.outcome == "not":
            assert not appeared, "written, and its caller was told that it was not"
        if operation.outcome == "done" and not appeared:
            # It may have been deleted in the same flush.
            assert any(
                not each.work.done()
                or each.outcome == "unknown"
                or (
                    each.outcome == "done"
                    and each.work.result().entry is not None
                    and operation.field in each.work.result().entry.fields  # type: ignore[union-attr]
                )
                for each in deletions
            ), "lost"
        if appeared:
            assert appeared[0] >= operation.started

    def teardown(self) -> None:
        self.store.held = False
        for call in self.store.pending:
            call.fate.set_result("ok")
        self.store.pending.clear()
        for _ in range(100):
            self.run(self.clock.advance(1.0))
        for operation in self.operations:
            assert operation.work.done()
            error = operation.work.exception()
            assert error is None or isinstance(error, MovieqlError)
        self.every_write_took_place_as_its_caller_was_told()
        self.check_deletions()
        for process in self.processes:
            self.run(process.aclose())
        self.loop.close()

    def check_deletions(self) -> None:
        """Every loss of a field is a deletion that somebody was told of, or may have happened."""
        losses = 0
        for before, after in zip(self.store.history, self.store.history[1:], strict=False):
            for name in ("Alien", "Heat"):
                losses += bool(fields(before, name) - fields(after, name))
        done = [each.work.result() for each in self.deletions() if each.outcome == "done"]
        unknown = sum(each.outcome == "unknown" for each in self.deletions())
        assert losses <= sum(each.entry is not None for each in done) + unknown
        conflicts = [
            each
            for each in self.operations
            if isinstance(each.work.exception(), CatalogueConflictError)
        ]
        for each in conflicts:
            assert each.outcome == "not"


def fields(body: bytes | None, name: str) -> set[str]:
    """Return the names of an entry's fields in a version of the file."""
    entries = [] if body is None else json.loads(body)
    named = [each for each in entries if each.get("name", "").casefold() == name.casefold()]
    return {key for each in named for key in each} - {"name", "year", "_movieql"}


TestCatalogueModel = CatalogueMachine.TestCase
