"""How an object is cut into parts, the same for every store."""

from movieql.domain.errors import StoreError

PARTS_MAX = 10_000
"""Parts of an upload; S3 takes no more."""


class PartCount:
    """Numbers the parts of an upload, from 1, and refuses what S3 would refuse at its end."""

    def __init__(self, part_bytes_min: int) -> None:
        self._part_bytes_min = part_bytes_min
        self._short = False
        self.last = 0

    def next(self, part: bytes) -> int:
        """Return the number of the next part. Raises StoreError."""
        if self._short:
            raise StoreError(
                f"Only the last part may have less than {self._part_bytes_min} bytes."
            )
        if self.last == PARTS_MAX:
            raise StoreError(f"An upload has {PARTS_MAX} parts at most.")
        self._short = len(part) < self._part_bytes_min
        self.last += 1
        return self.last
