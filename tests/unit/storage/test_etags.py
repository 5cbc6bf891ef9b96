"""Versions of files, and when they are trusted without reading."""

from pathlib import Path

from movieql.storage.etags import ETags


def version(etags: ETags, path: Path) -> tuple[str, bool]:
    """Return a file's version, and whether it was read for it."""
    with path.open("rb") as file:
        return etags.of_open(file), file.tell() > 0


def written(path: Path, body: bytes) -> Path:
    draft = path.with_suffix(".draft")
    draft.write_bytes(body)
    draft.rename(path)
    return path


def test_a_file_that_did_not_change_for_long_is_read_once(tmp_path: Path) -> None:
    etags, path = ETags(settled_ns=0), written(tmp_path / "file", b"body")
    etag, was_read = version(etags, path)
    assert was_read
    assert version(etags, path) == (etag, False)


def test_a_file_that_just_changed_is_read_each_time(tmp_path: Path) -> None:
    etags, path = ETags(), written(tmp_path / "file", b"body")
    etag, _ = version(etags, path)
    assert version(etags, path) == (etag, True)


def test_another_content_is_another_version_at_once(tmp_path: Path) -> None:
    etags, path = ETags(), tmp_path / "file"
    seen = {version(etags, written(path, b"%03d" % number))[0] for number in range(200)}
    assert len(seen) == 200


def test_the_version_of_what_is_there_is_read_and_not_remembered(tmp_path: Path) -> None:
    etags, path = ETags(settled_ns=0), written(tmp_path / "file", b"body")
    etag, _ = version(etags, path)
    assert etags.of(path) == etag
    path.write_bytes(b"edit")
    assert etags.of(path) != etag
    path.unlink()
    assert etags.of(path) is None


def test_no_more_is_remembered_than_allowed(tmp_path: Path) -> None:
    etags = ETags(entries_max=2, settled_ns=0)
    paths = [written(tmp_path / name, name.encode()) for name in "abc"]
    for path in paths:
        version(etags, path)
    assert [version(etags, path)[1] for path in reversed(paths)] == [False, False, True]
