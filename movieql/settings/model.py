"""What all settings have in common: strict, frozen, with bounds, and errors that name the row."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

Seconds = Annotated[float, Field(gt=0, le=604_800)]
"""More than nothing, at most a week."""

Bytes = Annotated[int, Field(ge=1, le=10_000_000_000)]
"""At least one byte, at most ten gigabytes."""

Count = Annotated[int, Field(ge=1, le=10_000_000)]
"""At least one, and a bound that a typing error would pass."""


def _with_possible_port(url: str) -> str:
    _ = urlsplit(url).port  # ValueError says what a port may be
    return url


Url = Annotated[str, AfterValidator(_with_possible_port)]
"""An address that no client refuses only when it is used."""


class SettingsModel(BaseModel):
    """Unknown names are errors: a misspelt setting must not be silently without effect."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def told(error: ValidationError, prefix: str) -> str:
    """Return every wrong setting with what is wrong about it, in one line."""
    lines = []
    for each in error.errors(include_url=False, include_input=False):
        place = ".".join(str(part) for part in each["loc"])
        name = prefix + place.upper() if prefix else place
        lines.append(f"{name}: {each['msg']}" if each["loc"] else each["msg"])
    return "; ".join(lines) + "; see docs/settings.md"
