"""The folder of `movieql dev`."""

from pathlib import Path

import pytest

from movieql.dev.data import data_folder
from movieql.domain.errors import SettingsError


def test_the_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    with data_folder(tmp_path / "new" / "one") as folder:
        assert folder.stat().st_mode & 0o777 == 0o700


def test_two_cannot_use_it_at_once(tmp_path: Path) -> None:
    with (
        data_folder(tmp_path),
        pytest.raises(SettingsError, match="--data"),
        data_folder(tmp_path),
    ):
        pass
    with data_folder(tmp_path):  # free again
        pass


def test_what_is_no_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="--data"), data_folder(tmp_path / "file"):
        pass
