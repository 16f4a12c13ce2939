"""The pictures below a folder."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from deblurcli.choices import MANIFEST_FILE
from deblurcli.errors import PlanError
from deblurcli.pictures import images


def find(folder: Path) -> tuple[list[str], int]:
    """The images below a folder, their paths relative to it, sorted, and how many other files there are.

    An image is what an image's ending says, even if it turns out not to be readable; hidden files, and what
    is no file at all, count as others; the manifest that `blur` wrote does not. Links to folders are followed once.

    Raises PlanError when a folder cannot be listed.
    """
    found, others, seen = [], 0, set()
    _is_new(folder, seen)
    for place, folders, files in os.walk(folder, onerror=_refuse_listing, followlinks=True):
        here = os.path.relpath(place, folder)
        folders[:] = [name for name in folders if not name.startswith(".") and _is_new(Path(place, name), seen)]
        for name in files:
            if _is_picture(place, name):
                found.append(name if here == os.curdir else os.path.join(here, name))  # noqa: PTH118 (many, as texts)
            elif name != MANIFEST_FILE:
                others += 1
    return sorted(found), others


def _refuse_listing(error: OSError) -> None:
    raise PlanError(
        f"{error.filename}: cannot be listed ({error.strerror}); change its permissions or move it away"
    ) from error


def _is_new(folder: Path, seen: set[tuple[int, int]]) -> bool:
    """Whether a folder was not walked before, by whatever name; so loops of links end."""
    with contextlib.suppress(OSError):
        found = folder.stat()
        key = (found.st_dev, found.st_ino)
        if key not in seen:
            seen.add(key)
            return True
    return False


def is_picture_name(name: str) -> bool:
    """Whether a file of this name, or path below a folder, is taken for a picture; hidden ones are not."""
    return name.lower().endswith(images.READ) and not any(part.startswith(".") for part in Path(name).parts)


def _is_picture(folder: str, name: str) -> bool:
    """Whether a file looks like a picture; a dangling link does, a pipe or a device does not."""
    if not is_picture_name(name):
        return False
    path = Path(folder, name)
    return path.is_file() or not path.exists()
