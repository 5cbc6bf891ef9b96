"""Signed links to files: who has one may download one object until the link's time is up.

The query carries everything; the signature is HMAC-SHA256 over all of it, so that a link is good
at any server that has the secret, and for nothing else than what it was made for.
"""

import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote, urlencode

from movieql.domain.errors import BadInputError, ForbiddenError, SettingsError
from movieql.storage.keys import checked_key

LIFETIME_S_MAX = 900
"""Seconds that a link may live: 15 minutes (docs/semantics.md, Exports)."""

SECRET_BYTES_MIN = 32
"""Bytes of a signing secret at least (docs/semantics.md, Access)."""

PATH = "/files"
"""Where links point to, below the server's own URL."""

_FIELDS = ("key", "expires", "filename", "type", "signature")
_EXPIRES = re.compile(r"[0-9]{1,12}", re.ASCII)
_CONTENT_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]+(; ?charset=[a-z0-9-]+)?", re.ASCII)
_FILENAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", re.ASCII)


class LinkRefusedError(ForbiddenError):
    """The link is not one of ours, or its time is up: ask for a new one."""


@dataclass(frozen=True, slots=True)
class OpenedLink:
    """What a good link is for: an object, the name it is saved under, and its media type."""

    key: str
    filename: str
    content_type: str

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers that the download must carry."""
        return {
            "content-type": self.content_type,
            "content-disposition": attachment(self.filename),
            "cache-control": "private, no-store",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
        }


@dataclass(frozen=True, slots=True)
class LinkSigner:
    """Makes links below `base_url` (no slash at its end) and opens them again.

    `secret`: 32 bytes or more, the same in every process; `now`: the time of day in UTC.
    """

    secret: bytes = field(repr=False)
    base_url: str
    now: Callable[[], datetime]

    def __post_init__(self) -> None:
        if len(self.secret) < SECRET_BYTES_MIN:
            raise SettingsError(
                f"The secret that signs links needs {SECRET_BYTES_MIN} bytes or more."
            )

    def sign(self, key: str, lifetime_s: int, filename: str, content_type: str) -> str:
        """Return the URL. Raises BadInputError for what a link must not say."""
        checked_link(lifetime_s, filename, content_type)
        expires = str(int(self.now().timestamp()) + lifetime_s)
        fields = (checked_key(key), expires, filename, content_type)
        query = dict(zip(_FIELDS, (*fields, self._signature(fields)), strict=True))
        return f"{self.base_url}{PATH}?{urlencode(query, quote_via=quote)}"

    def opened(self, query: Mapping[str, str]) -> OpenedLink:
        """Return what a link's query is for. Raises LinkRefusedError if tampered or expired."""
        key, expires, filename, content_type, signature = (query.get(name, "") for name in _FIELDS)
        expected = self._signature((key, expires, filename, content_type))
        good = hmac.compare_digest(expected.encode(), signature.encode(errors="replace"))
        if not good or not _EXPIRES.fullmatch(expires):
            raise LinkRefusedError
        if int(expires) <= self.now().timestamp():
            raise LinkRefusedError("The link's time is up: ask for a new one.")
        return OpenedLink(key, filename, content_type)

    def _signature(self, fields: tuple[str, str, str, str]) -> str:
        # Each field is encoded, so that no two different links sign the same text.
        text = "\n".join(quote(each, safe="", errors="replace") for each in ("link 1", *fields))
        return hmac.digest(self.secret, text.encode(), "sha256").hex()


def checked_link(lifetime_s: int, filename: str, content_type: str) -> None:
    """Raise BadInputError for a lifetime or a name that no store's link may have."""
    if not 0 < lifetime_s <= LIFETIME_S_MAX:
        raise BadInputError(f"A link lives 1 to {LIFETIME_S_MAX} seconds.")
    if not _FILENAME.fullmatch(filename):
        raise BadInputError("A file to download is named in letters, digits, dots and dashes.")
    if not _CONTENT_TYPE.fullmatch(content_type):
        raise BadInputError("A file to download needs a media type, such as text/csv.")


def attachment(filename: str) -> str:
    """Return the Content-Disposition that lets a browser save a file and never show it."""
    return f'attachment; filename="{filename}"'
