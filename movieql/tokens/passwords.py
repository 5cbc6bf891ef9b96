"""Passwords, kept as argon2id hashes only."""

import base64
import ctypes
import re
import secrets
import sys
from contextlib import suppress

import argon2

PASSWORD_CHARACTERS_MIN = 12
"""Fewest characters of a password that is hashed here."""

PASSWORD_BYTES_MAX = 1024
"""Bytes of a password in UTF-8; more are not read."""

_MEMORY_KIB = 19_456
"""KiB of a check, the minimum of OWASP's Password Storage Cheat Sheet for argon2id: any caller may
make a server check a password, so its memory is in the peak of every server."""

_PASSES = 5
"""Over that memory, above OWASP's minimum of 2: a check takes about 50 ms."""

TEMPLATE = f"$argon2id$v=19$m={_MEMORY_KIB},t={_PASSES},p=1${'A' * 22}${'A' * 43}"
"""The shape and the cost of what `hash_password` makes; no password has this hash."""

_M_MMAP_THRESHOLD = -3
_KEPT_BYTES_MAX = 1024 * 1024

_STRONG_ENOUGH = ((_MEMORY_KIB, 2), (47_104, 1))  # (KiB, passes): OWASP's least for argon2id
_MEMORY_KIB_MAX = 262_144
_PASSES_MAX = 20
_LANES_MAX = 16
_HASH = re.compile(
    r"\$argon2id\$v=19\$m=([0-9]{1,9}),t=([0-9]{1,4}),p=([0-9]{1,4})"
    r"\$([A-Za-z0-9+/]{22,86})\$([A-Za-z0-9+/]{22,86})"
)


def hash_password(password: str) -> str:
    """Return an argon2id hash (RFC 9106) of 19 MiB and 5 passes, as `password_hash` wants it."""
    return argon2.PasswordHasher(_PASSES, _MEMORY_KIB, parallelism=1).hash(password)


def unusable(password: str) -> str | None:
    """Return why a new password is not to be used, or None."""
    if len(password) < PASSWORD_CHARACTERS_MIN:
        return f"A password needs at least {PASSWORD_CHARACTERS_MIN} characters."
    if not is_readable(password):
        return f"A password may have {PASSWORD_BYTES_MAX} bytes, in UTF-8."
    return None


def is_readable(password: str) -> bool:
    """Say whether this can be a password at all: not empty, not too long, whole characters."""
    try:
        return 0 < len(password.encode()) <= PASSWORD_BYTES_MAX
    except UnicodeEncodeError:  # JSON may hold half a character
        return False


def give_memory_back() -> None:
    """Let the memory of a check go back to the system when it ends, for this whole process.

    glibc keeps a freed block of up to 32 MiB for good once one of its size was freed
    (`M_MMAP_THRESHOLD` in mallopt(3)). Where there is no glibc nothing is changed.
    """
    if sys.platform == "linux":
        with suppress(AttributeError):
            ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES_MAX)


def matches(password_hash: str, password: str) -> bool:
    """Say whether the hash is the password's; takes about 50 ms and the hash's memory."""
    try:
        return argon2.PasswordHasher().verify(password_hash, password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


def weakness(password_hash: str) -> str | None:
    """Return what is wrong with a password hash, or None; takes no time."""
    found = _HASH.fullmatch(password_hash)
    if found is None:
        return "it is not an argon2id hash"
    memory_kib, passes, lanes = (int(number) for number in found.groups()[:3])
    if not any(memory_kib >= kib and passes >= least for kib, least in _STRONG_ENOUGH):
        return "it is too cheap to guess (below m=19456,t=2)"
    if memory_kib > _MEMORY_KIB_MAX or passes > _PASSES_MAX or not 1 <= lanes <= _LANES_MAX:
        return f"it is too costly (above m={_MEMORY_KIB_MAX},t={_PASSES_MAX},p={_LANES_MAX})"
    return None


def decoy(password_hash: str) -> str:
    """Return a hash that costs as much to check as this one, and is no password's."""
    *head, salt, digest = password_hash.split("$")
    return "$".join([*head, _random_base64(len(salt)), _random_base64(len(digest))])


def _random_base64(characters: int) -> str:
    octets = characters * 3 // 4
    return base64.b64encode(secrets.token_bytes(octets)).decode().rstrip("=")
