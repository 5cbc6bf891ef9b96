"""What S3 and botocore say when something fails, as errors of ours."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from movieql.domain.errors import (
    MovieqlError,
    PreconditionFailedError,
    StoreError,
    UploadGoneError,
)

PRECONDITION_FAILED = frozenset({"PreconditionFailed", "412"})
"""Codes for an object that is another version, or is there or not against expectation."""

CONFLICT = frozenset({"ConditionalRequestConflict", "409"})
"""Codes for a conditional write that met another one at work: nothing was decided."""

MISSING = frozenset({"NoSuchKey", "404"})
"""Codes for no such object; HEAD has no body that could name it."""

UNCHANGED = frozenset({"304", "NotModified"})
"""Codes for an object that still is the version that was named."""

OUT_OF_RANGE = frozenset({"InvalidRange", "416"})
"""Codes for a range behind the end."""

UPLOAD_GONE = frozenset({"NoSuchUpload"})
"""Codes for an upload that was completed or aborted."""

_PRINTABLE = re.compile(r"[A-Za-z0-9.]{1,64}", re.ASCII)

Failure = ClientError | BotoCoreError
"""What botocore raises: a refusal by the server, or a call that got no good answer."""


def code_of(failure: Failure) -> str:
    """Return the server's code, or the name of the failure where no server answered."""
    if not isinstance(failure, ClientError):
        return type(failure).__name__
    code = str(failure.response.get("Error", {}).get("Code", ""))
    return code if _PRINTABLE.fullmatch(code) else "unknown"


class UndecidedError(StoreError):
    """The object store could not decide between writes at the same time: try again."""


@contextmanager
def explained() -> Iterator[None]:
    """Raise what botocore raises as an error of ours, without addresses and secrets."""
    try:
        yield
    except (ClientError, BotoCoreError) as failure:
        raise _error(code_of(failure)) from failure


def _error(code: str) -> MovieqlError:
    if code in PRECONDITION_FAILED:
        return PreconditionFailedError()
    if code in CONFLICT:
        return UndecidedError()
    if code in UPLOAD_GONE:
        return UploadGoneError()
    return StoreError(f"The object store failed: {code}.")
