"""Lines dealt out to buckets through one scratch file, so that memory does not grow with them."""

from collections.abc import Callable, Iterator
from typing import BinaryIO, TypeAlias

OpenScratch: TypeAlias = Callable[[], BinaryIO]
"""Opens an empty file that is gone when it is closed: `tempfile.TemporaryFile`, `io.BytesIO`."""

BLOCK_BYTES = 16 * 1024
"""Of a bucket, kept in memory until written."""


class Dealt:
    """Lines in `buckets` buckets; add all of them, then read bucket by bucket; close it.

    `count` and `size_bytes`: of what was added.
    """

    def __init__(self, open_scratch: OpenScratch, buckets: int) -> None:
        self._file = open_scratch()
        self._open = [bytearray() for _ in range(buckets)]
        self._blocks: list[list[tuple[int, int]]] = [[] for _ in range(buckets)]
        self._written_bytes = 0
        self.size_bytes = 0
        self.count = 0

    def __len__(self) -> int:
        return len(self._open)

    def add(self, bucket: int, line: bytes) -> None:
        """Put a line, which has no newline in it, into a bucket."""
        block = self._open[bucket]
        block += line
        block += b"\n"
        self.count += 1
        self.size_bytes += len(line) + 1
        if len(block) >= BLOCK_BYTES:
            self._write(bucket)

    def lines(self, bucket: int) -> Iterator[bytes]:
        """Return a bucket's lines in the order in which they were added."""
        for offset, length in self._blocks[bucket]:
            self._file.seek(offset)
            yield from self._file.read(length).splitlines()
        yield from bytes(self._open[bucket]).splitlines()

    def close(self) -> None:
        """Give the file and all lines up; twice does no harm."""
        self._file.close()
        self._open, self._blocks = [], []

    def _write(self, bucket: int) -> None:
        block = self._open[bucket]
        self._file.seek(self._written_bytes)
        self._file.write(block)
        self._blocks[bucket].append((self._written_bytes, len(block)))
        self._written_bytes += len(block)
        self._open[bucket] = bytearray()
