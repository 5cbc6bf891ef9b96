"""Which keys an object may have, and the file that each is on a disk.

One rule for every store, so that what was tried on files works on S3: parts of printable text
between single slashes. A file's name is the part with every other byte than `a-z0-9._-`
percent-encoded, capitals too (a Mac's disk takes `A` and `a` for one name), and folders end in
`+`, so that `a` and `a/b` may both be objects.
"""

from pathlib import Path
from urllib.parse import unquote

from movieql.domain.errors import BadInputError

KEY_BYTES_MAX = 512
"""Bytes of a key in UTF-8; S3 takes 1,024, of which a store's own prefix may use the rest."""

NAME_BYTES_MAX = 240
"""Bytes of one part as a file's name; file systems take 255."""

_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789._-")
_FOLDER = "+"


def checked_key(key: str) -> str:
    """Return the key. Raises BadInputError for what is no key in every store."""
    if not key.isprintable() or len(key.encode()) > KEY_BYTES_MAX:
        raise BadInputError(f"A key is printable text of 1 to {KEY_BYTES_MAX} bytes.")
    for part in key.split("/"):
        if part in {"", ".", ".."} or len(_name(part)) > NAME_BYTES_MAX:
            raise BadInputError(
                "A key is made of parts between single slashes, none of them dots."
            )
    return key


def checked_prefix(prefix: str) -> str:
    """Return what keys may start with, '' included. Raises BadInputError."""
    if not prefix.isprintable() or len(prefix.encode()) > KEY_BYTES_MAX:
        raise BadInputError(f"A prefix is printable text of at most {KEY_BYTES_MAX} bytes.")
    return prefix


def checked_range(start: int, length: int) -> None:
    """Raise BadInputError for bytes that no object has."""
    if start < 0 or length < 0:
        raise BadInputError("A range starts at 0 or later and has no negative length.")


def path_of(folder: Path, key: str) -> Path:
    """Return the file of a key that is checked, below a folder."""
    *folders, name = key.split("/")
    return folder.joinpath(*(_name(part) + _FOLDER for part in folders), _name(name))


def part_of(name: str) -> str | None:
    """Return the part of a key that a file or folder is, `/` after a folder's; None if foreign."""
    part = unquote(name.removesuffix(_FOLDER), errors="replace")
    if not part or _name(part) != name.removesuffix(_FOLDER):
        return None  # an editor's or the system's
    return part + "/" if name.endswith(_FOLDER) else part


def is_plain_name(name: str) -> bool:
    """Say whether an id names a file as it is, in the folder that it is looked for in."""
    return bool(name) and _name(name) == name


def _name(part: str) -> str:
    encoded = part.encode(errors="replace")
    name = "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in encoded)
    return "%2E" + name[1:] if name.startswith(".") else name  # hidden files are not objects
