"""Manifests: a line of JSON for every picture that `blur` made, with the PSF it was blurred with.

A line holds ``path`` (below the manifest's folder, with /), ``psf``, ``noise``, ``jpeg_quality``, ``seed``, ``width``,
``height`` and ``version``. Lines are appended as pictures are done; of several for one path the last counts.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType

from deblurcli.batch.places import Inputs, is_batch
from deblurcli.choices import MANIFEST_FILE
from deblurcli.errors import PlanError
from deblurcli.pictures import images, storage

NAME = MANIFEST_FILE


def beside(path: Path) -> Path:
    """The manifest that belongs to a folder of pictures, or to the folder of a picture."""
    return (path if path.is_dir() or not path.suffix else path.parent) / NAME


def of_outputs(source: Inputs, target: Path, in_place: bool) -> Path | None:
    """The manifest that a run writes unless it is told otherwise: beside the outputs of a folder or several pictures.

    One picture has none, but where its output lies beside a manifest already, which is to stay true.
    """
    place = source if in_place and target == storage.STANDARD and isinstance(source, Path) else target
    if is_batch(source):
        return place / NAME
    there = beside(place)
    return there if place != storage.STANDARD and there.is_file() else None


def read(path: Path) -> dict[str, dict]:
    """The entries of a manifest by the path of their picture.

    Raises PlanError when it cannot be read, or a line is no entry.
    """
    try:
        lines = path.read_bytes().splitlines()  # of text, they would end at more signs than names may hold
    except OSError as error:
        raise PlanError(f"{path}: no manifest could be read ({error.strerror}); name one with --manifest") from error
    entries = {}
    for number, line in enumerate(lines, start=1):
        entry = _entry(line.decode("utf-8", "surrogateescape"))
        if entry is None:
            raise PlanError(f"{path}: line {number} is not a manifest entry; correct or remove it")
        entries[entry["path"]] = entry
    return entries


def opened(path: Path) -> dict[str, dict]:
    """The entries of a manifest to be written to, none if it is new.

    Raises PlanError when the file is something else, or named like a picture.
    """
    if path.suffix.lower() in images.SUFFIXES:
        raise PlanError(f"{path}: has a picture's file extension; choose a name such as {NAME}")
    return read(path) if path.is_file() else {}


def refuse_stale(source: Inputs, target: Path, in_place: bool) -> None:
    """PlanError where a run without a manifest would make the one that is there untrue."""
    there = of_outputs(source, target, in_place)
    if there is not None and there.exists():
        raise PlanError(f"{there}: would no longer describe the outputs; remove it, or leave out --no-manifest")


def _entry(line: str) -> dict | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    sound = isinstance(entry, dict) and isinstance(entry.get("path"), str) and isinstance(entry.get("psf"), str)
    return entry if sound else None


class Writer:
    """Appends entries to a manifest, and in the end leaves one line for each picture.

    Where others have appended as well, as the parts of a sharded run do, all lines are left.
    """

    def __init__(self, path: Path):
        self.path = path
        self._refusal, self._size = "", None

    def __enter__(self) -> Writer:
        """Try the file; PlanError when it cannot be written to."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.open("ab").close()
        except OSError as error:
            raise PlanError(
                f"{self.path}: cannot be written ({error.strerror}); choose another --manifest, or --no-manifest"
            ) from error
        return self

    def add(self, entry: dict) -> None:
        """Append an entry; what the disk refuses is told at the end."""
        data = (storage.as_json({**entry, "version": _version()}) + "\n").encode()
        try:
            with self.path.open("ab") as file:
                before = file.tell()
                file.write(data)
        except OSError as error:
            self._refusal = error.strerror
            return
        expected = before if self._size is None else self._size
        self._size = before + len(data) if before == expected else -1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._refusal and error is None:
            raise PlanError(f"{self.path}: the manifest is not complete ({self._refusal}); the pictures are done")
        if self._size is None:
            self._remove_empty()
        elif self.path.stat().st_size == self._size:
            self._compact()

    def _remove_empty(self) -> None:
        """Leave no manifest of nothing."""
        with contextlib.suppress(OSError):
            if self.path.stat().st_size == 0:
                self.path.unlink()

    def _compact(self) -> None:
        """Leave the last line of each picture."""
        lines = self.path.read_bytes().splitlines(keepends=True)
        last = {_path_in(line): line for line in lines}
        if len(last) < len(lines):
            storage.write_bytes(self.path, b"".join(last.values()))


def _path_in(line: bytes) -> object:
    """What picture a line is about; the line itself where that cannot be told."""
    entry = _entry(line.decode("utf-8", "surrogateescape"))
    return entry["path"] if entry else line


@cache
def _version() -> str:
    try:
        return f"deblurcli {version('deblurcli')}"
    except PackageNotFoundError:
        return "deblurcli"


def groups(entries: dict[str, dict], field: str) -> Callable[[str], str]:
    """A function from a picture's path to the group that a field of its entry puts it in, blind to the ending.

    field: of the entries, or ``family`` for the first word of ``psf``.

    Raises PlanError when no entry has the field, or there is no entry. A picture without one is in the group "?".
    """
    known = {name for entry in entries.values() for name in entry}
    if not entries:
        raise PlanError("the manifest is empty; name the one that blur wrote with --manifest")
    if field != "family" and field not in known:
        raise PlanError(
            f"--group-by {field}: not in the manifest; choose one of {', '.join(sorted(known | {'family'}))}"
        )
    values = {path: _value(entry, field) for path, entry in entries.items()}
    by_stem = {Path(path).with_suffix("").as_posix(): value for path, value in values.items()}
    return lambda path: values.get(path) or by_stem.get(path) or by_stem.get(Path(path).stem, "?")


def _value(entry: dict, field: str) -> str:
    return entry["psf"].partition(":")[0] if field == "family" else str(entry.get(field, "?"))
