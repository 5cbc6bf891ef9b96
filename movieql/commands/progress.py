"""What a person sees while a command waits: a bar on a terminal, else a line for each change."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from movieql.commands.records import ExportRecord

_LINES_EVERY_PERCENT = 10


class Progress(Protocol):
    """Told how far a command is."""

    def work(self, record: ExportRecord) -> None:
        """Show how far the server is with an export."""
        ...

    def download(self, done_bytes: int, total_bytes: int) -> None:
        """Show how far the download is."""
        ...

    def note(self, text: str) -> None:
        """Show a sentence; the one that was shown last is not shown again."""
        ...


@contextmanager
def shown(stream: TextIO) -> Iterator[Progress]:
    """Show progress on a stream until the block ends."""
    console = Console(file=stream)
    if not console.is_terminal:
        yield Lines(stream)
        return
    with bars_on(console) as bars:
        yield Drawn(bars)


def bars_on(console: Console) -> Bars:
    """Return the bar, which goes away when it ends."""
    return Bars(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )


class Lines:
    """Progress as plain lines."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last = ""

    def work(self, record: ExportRecord) -> None:
        """See `Progress`."""
        counted = f", {record.done} of {record.total} offers" if record.total else ""
        self.note(f"{record.id} is {record.status.value}{counted}")

    def download(self, done_bytes: int, total_bytes: int) -> None:
        """See `Progress`; a line for each tenth."""
        percent = done_bytes * 100 // max(total_bytes, 1)
        tenth = percent // _LINES_EVERY_PERCENT * _LINES_EVERY_PERCENT
        self.note(f"downloaded {tenth} % of {total_bytes} bytes")

    def note(self, text: str) -> None:
        """See `Progress`."""
        if text != self._last:
            self._last = text
            self._stream.write(f"{text}\n")
            self._stream.flush()


class Drawn:
    """Progress as a bar."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._task = bars.add_task("asking", total=None)
        self._last = ""

    def work(self, record: ExportRecord) -> None:
        """See `Progress`."""
        self._bars.update(
            self._task,
            description=f"{record.id} {record.status.value}",
            completed=record.done,
            total=record.total or None,
        )

    def download(self, done_bytes: int, total_bytes: int) -> None:
        """See `Progress`."""
        self._bars.update(
            self._task, description="downloading", completed=done_bytes, total=total_bytes
        )

    def note(self, text: str) -> None:
        """See `Progress`."""
        if text != self._last:
            self._last = text
            self._bars.console.print(escape(text), highlight=False)
