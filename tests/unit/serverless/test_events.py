"""The events of a function."""

import sys

import pytest
from starlette.applications import Starlette

from movieql.domain.errors import SettingsError
from movieql.serverless.events import answering


def test_where_mangum_is_missing_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mangum.handlers", None)
    with pytest.raises(SettingsError, match=r"pip install movieql\[lambda\]"):
        answering(Starlette())
