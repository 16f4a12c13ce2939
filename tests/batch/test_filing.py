"""Files that are put into folders: whole, never over another one, never lost."""

import os
from pathlib import Path

import pytest

from deblurcli.batch import filing
from deblurcli.errors import ImageError


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "in" / "a.png"
    path.parent.mkdir()
    path.write_bytes(b"one")
    os.utime(path, (1000, 2000))
    return path


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(params=["same disk", "other disk"])
def disk(request, monkeypatch):
    """With and without hard links, which two disks cannot share."""
    if request.param == "other disk":

        def refuse(*_):
            raise OSError(18, "Invalid cross-device link")

        monkeypatch.setattr(os, "link", refuse)


def test_a_copy_has_the_bytes_and_the_times(picture, tmp_path):
    filing.copy(picture, tmp_path / "out" / "sub" / "a.png")
    assert files(tmp_path) == {"in/a.png": b"one", "out/sub/a.png": b"one"}
    assert (tmp_path / "out" / "sub" / "a.png").stat().st_mtime == 2000
    filing.copy(picture, tmp_path / "out" / "sub" / "a.png")  # once more: it lies there already


def test_a_file_that_moves_is_gone_where_it_was(picture, tmp_path, disk):
    filing.move(picture, tmp_path / "out" / "a.png")
    assert files(tmp_path) == {"out/a.png": b"one"} and (tmp_path / "out" / "a.png").stat().st_mtime == 2000


@pytest.mark.parametrize("put", [filing.copy, filing.move])
def test_another_file_is_never_replaced(picture, tmp_path, put, disk):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").write_bytes(b"another")
    with pytest.raises(ImageError, match="rename one of them"):
        put(picture, tmp_path / "out" / "a.png")
    assert files(tmp_path) == {"in/a.png": b"one", "out/a.png": b"another"}


def test_a_file_is_not_moved_onto_itself(picture, tmp_path, disk):
    with pytest.raises(ImageError, match="exists already"):
        filing.move(picture, picture)
    assert files(tmp_path) == {"in/a.png": b"one"}


@pytest.mark.parametrize("put", [filing.copy, filing.move])
def test_nothing_is_left_half_done(picture, tmp_path, put, disk, monkeypatch):
    monkeypatch.setattr(Path, "unlink" if put is filing.move else "replace", _refusing(picture))
    with pytest.raises(ImageError):
        put(picture, tmp_path / "out" / "a.png")
    monkeypatch.undo()
    assert files(tmp_path) == {"in/a.png": b"one"}


def _refusing(picture):
    """A method of paths that the disk refuses for a picture, or for what is to replace something."""
    kept = Path.unlink

    def refuse(self, *arguments, **rest):
        if self == picture or arguments:
            raise OSError(28, "No space left on device")
        return kept(self, **rest)

    return refuse


def test_a_link_is_not_moved(picture, tmp_path):
    (tmp_path / "link.png").symlink_to(picture)
    with pytest.raises(ImageError, match="is a link"):
        filing.move(tmp_path / "link.png", tmp_path / "out" / "a.png")
    filing.copy(tmp_path / "link.png", tmp_path / "out" / "a.png")
    assert (tmp_path / "out" / "a.png").read_bytes() == b"one" and not (tmp_path / "out" / "a.png").is_symlink()
