"""The keys below a folder, in the order of keys."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from movieql.storage.keys import part_of


def keys_in(folder: Path, prefix: str, after: str | None, above: str = "") -> Iterator[str]:
    """Yield the keys that start with `prefix` and come after `after`; `above`: of the folder.

    Parts sort with the `/` that ends a folder's, which is the order of whole keys and S3's.
    Folders that cannot hold such a key are not opened.
    """
    for part, name in sorted(_parts(folder)):
        key = above + part
        if not part.endswith("/"):
            if key.startswith(prefix) and (after is None or key > after):
                yield key
        elif _may_hold(key, prefix, after):
            yield from keys_in(folder / name, prefix, after, key)


def _may_hold(folder: str, prefix: str, after: str | None) -> bool:
    """Say whether a key that starts with `folder` may be asked for."""
    if not (folder.startswith(prefix) or prefix.startswith(folder)):
        return False
    return after is None or folder > after or after.startswith(folder)


def _parts(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield (part of a key, file name) of what is ours in a folder."""
    with suppress(FileNotFoundError), os.scandir(folder) as entries:  # removed as empty meanwhile
        for entry in entries:
            part = part_of(entry.name)
            if part is not None and entry.is_dir(follow_symlinks=False) == part.endswith("/"):
                yield part, entry.name
