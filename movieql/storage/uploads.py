"""Uploads in parts: a folder each, with what it is for and the parts so far."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from movieql.domain.errors import UploadGoneError
from movieql.ports import UnfinishedUpload
from movieql.storage.disk import Drafts
from movieql.storage.keys import is_plain_name

_ABOUT = "upload.json"


class UploadFolders:
    """The folders of uploads; every method blocks."""

    def __init__(self, folder: Path, drafts: Drafts) -> None:
        self._folder = folder
        self._drafts = drafts

    def begin(self, upload: UnfinishedUpload) -> None:
        """Make the folder."""
        about = {"key": upload.key, "started": upload.started.isoformat()}
        with self._drafts.written([json.dumps(about).encode()], upload.started) as draft:
            draft.place(self._folder / upload.upload_id / _ABOUT)

    def add(self, upload: UnfinishedUpload, number: int, part: bytes) -> None:
        """Write a part. Raises UploadGoneError."""
        with self._drafts.written([part], upload.started) as draft:
            try:
                draft.join(self._part(upload.upload_id, number))
            except FileNotFoundError as error:
                raise UploadGoneError from error

    def parts(self, upload: UnfinishedUpload, count: int) -> Sequence[Path]:
        """Return the files of the parts 1 to `count`."""
        return [self._part(upload.upload_id, number) for number in range(1, count + 1)]

    def is_there(self, upload: UnfinishedUpload) -> bool:
        """Say whether nobody completed or aborted it."""
        return (self._folder / upload.upload_id / _ABOUT).exists()

    def discard(self, key: str, upload_id: str) -> None:
        """Remove an upload of this key; none there is well."""
        if not is_plain_name(upload_id):
            return
        found = _about(self._folder / upload_id)
        if found is not None and found.key == key:
            self._drafts.discard(self._folder / upload_id)

    def under(self, prefix: str, limit: int) -> Sequence[UnfinishedUpload]:
        """Return up to `limit` uploads of keys that start with `prefix`, by key."""
        found = sorted(self._all(prefix), key=lambda upload: (upload.key, upload.upload_id))
        return found[: max(limit, 0)]

    def _all(self, prefix: str) -> Iterator[UnfinishedUpload]:
        # Nothing was written yet where the folder itself is missing.
        for folder in self._folder.iterdir() if self._folder.exists() else ():
            upload = _about(folder)
            if upload is not None and upload.key.startswith(prefix):
                yield upload

    def _part(self, upload_id: str, number: int) -> Path:
        return self._folder / upload_id / f"{number:05d}"


def _about(folder: Path) -> UnfinishedUpload | None:
    try:
        about = json.loads((folder / _ABOUT).read_bytes())
    except (FileNotFoundError, NotADirectoryError):  # just begun, or just gone
        return None
    started = datetime.fromisoformat(about["started"]).astimezone(UTC)
    return UnfinishedUpload(about["key"], folder.name, started)
