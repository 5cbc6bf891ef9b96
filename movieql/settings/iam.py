"""Settings of a Redis that is signed in to by IAM: both names, TLS, and no password."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field

IamName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
"""A user id, or the id of a replication group; ElastiCache compares them in small letters."""


def check_iam(place: str, url: str | None, user: str | None, name: str | None) -> None:
    """Raise ValueError for what does not fit together; `place` is QUEUE or CACHE."""
    if user is None and name is None:
        return
    if user is None or name is None:
        raise ValueError(
            f"set both MOVIEQL_{place}_IAM_USER and MOVIEQL_{place}_IAM_NAME, or neither"
        )
    parts = urlsplit(url or "")
    if parts.scheme != "rediss":
        raise ValueError(
            f"MOVIEQL_{place}_IAM_USER needs a MOVIEQL_{place}_URL that starts with rediss://: "
            "ElastiCache takes tokens over TLS only"
        )
    if parts.username is not None or parts.password is not None:
        raise ValueError(
            f"MOVIEQL_{place}_URL must have no user and no password where "
            f"MOVIEQL_{place}_IAM_USER signs in"
        )
