"""Putting files into folders: copied or moved to places where nothing is yet, whole or not at all."""

from __future__ import annotations

import contextlib
import filecmp
import os
import shutil
from pathlib import Path

from deblurcli.errors import ImageError
from deblurcli.pictures import storage


def copy(source: Path, target: Path) -> None:
    """Copy a file with its times and permissions; nothing happens where the same bytes lie there already.

    Raises ImageError when another file lies there, or the disk refuses; nothing is left half done.
    """
    try:
        _copied(source, target)
    except FileExistsError:
        if not _is_same(source, target):
            raise ImageError(f"{source}: not copied, as {target} is another file; rename one of them") from None
    except OSError as error:
        raise ImageError(f"{source}: cannot be copied to {target} ({error.strerror}); choose another place") from error


def move(source: Path, target: Path) -> None:
    """Move a file, also to another disk, where its copy is compared with it first.

    Raises ImageError when something lies there already, the file is a link, or the disk refuses; it is then left where
    it was.
    """
    if source.is_symlink():
        raise ImageError(f"{source}: not moved, as it is a link; copy it, or move the file that it leads to")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source, target)
        except FileExistsError:
            raise
        except OSError:  # another disk, or one without links
            _copied(source, target)
            if not filecmp.cmp(source, target, shallow=False):
                target.unlink()
                raise ImageError(f"{source}: not moved, as its copy came out different; check the disk") from None
        _removed(source, target)
    except FileExistsError:
        raise ImageError(f"{source}: not moved, as {target} exists already; rename one of them") from None
    except OSError as error:
        raise ImageError(f"{source}: cannot be moved to {target} ({error.strerror}); choose another place") from error


def _copied(source: Path, target: Path) -> None:
    """The file's bytes, times and permissions at a place that was free; FileExistsError where it was not."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.open("xb").close()  # nobody else takes the place
    try:
        with source.open("rb") as data, storage.replacing(target) as file:
            shutil.copyfileobj(data, file)
        with contextlib.suppress(OSError):  # a disk without permissions
            shutil.copystat(source, target)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _removed(source: Path, target: Path) -> None:
    """Remove a file that lies elsewhere too; where that is refused, remove the other one."""
    try:
        source.unlink()
    except OSError:
        target.unlink()
        raise


def _is_same(source: Path, target: Path) -> bool:
    """Whether two files hold the same bytes."""
    with contextlib.suppress(OSError):
        return filecmp.cmp(source, target, shallow=False)
    return False
