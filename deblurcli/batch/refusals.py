"""What is refused before any work: places that are missing or clash, and outputs that would replace what must stay."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

from deblurcli.batch.jobs import Job, Options
from deblurcli.batch.places import Inputs, is_batch
from deblurcli.errors import PlanError
from deblurcli.pictures.storage import STANDARD


@contextlib.contextmanager
def paths_checked() -> Iterator[None]:
    """Make the system's complaints about a path ours."""
    try:
        yield
    except OSError as error:
        name = error.filename or "the current folder"
        raise PlanError(f"{name}: cannot be used ({error.strerror}); check the path and its permissions") from error


def missing(path: Path, also: str = "") -> PlanError:
    """The error to raise for a path where nothing is; `also`: what the remedy is besides."""
    return PlanError(f"{path}: no such file or folder; check the path{also}")


@paths_checked()
def check_beside(path: Path, source: Inputs, target: Path = STANDARD) -> None:
    """Refuse a place for something beside the pictures, such as a PSF, where a picture is or would be looked for.

    Raises PlanError when the path is an input or the output, or lies in a folder of either.
    """
    place = real(path)
    to_be = target if is_batch(source) or not target.suffix else STANDARD  # a folder, whether or not it is there yet
    given = source if isinstance(source, tuple) else (source,)
    for other, what in (*((each, "input") for each in given), (target, "output")):
        is_folder = other.is_dir() or other == to_be
        if other != STANDARD and (place == real(other) or (is_folder and Path(place).is_relative_to(real(other)))):
            raise PlanError(f"{path}: is the {what} or lies in its folder {other}; name a place elsewhere")


def check_distinct(source: Inputs) -> None:
    """PlanError when several pictures that are named share a name, so that files called after them would clash."""
    counts = Counter(each.name for each in source) if isinstance(source, tuple) else Counter()
    for name, count in counts.items():
        if count > 1:
            raise PlanError(f"{name}: {count} inputs have this name; take them one folder at a time")


def check_several(given: Sequence[Path]) -> None:
    """Refuse what is no file among several pictures."""
    for path in given:
        if path == STANDARD:
            raise PlanError("standard input cannot be one of several inputs; name files only")
        if path.is_dir():
            raise PlanError(f"{path}: is a folder among several inputs; name pictures only, or one folder")
        if not path.exists():
            raise missing(path, ", and put names with spaces in quotes")


@paths_checked()
def check_folders(source: Path, target: Path, options: Options) -> Path:
    """The folder of the outputs of a folder, which need not be there yet.

    Raises PlanError when the input is no folder, when there is no output folder, or when one of them lies in the other
    and must not.
    """
    if not source.is_dir():
        raise PlanError(f"{source}: is no folder; name the folder that pictures will come into")
    if target == STANDARD and not options.in_place:
        raise PlanError(f"{source}: is a folder; name an output folder after it, or give --in-place")
    folder = source if target == STANDARD else target
    if folder.exists() and not folder.is_dir():
        raise PlanError(f"{folder}: is a file, but {source} is a folder; name an output folder")
    same = real(folder) == real(source)
    if same and not options.in_place:
        raise PlanError(f"{source}: the outputs would replace the inputs; give --in-place or another output folder")
    if not same and Path(real(folder)).is_relative_to(real(source)):
        raise PlanError(f"{folder}: the output folder lies inside the input folder {source}; choose one outside")
    return folder


def check_outputs(jobs: Sequence[Job], options: Options) -> None:
    """Refuse shared outputs, also where case does not count, and outputs that are inputs.

    Hashes decide first, which take little memory; names are gathered only when something is wrong.
    """
    real_folder = cache(real)
    if len({hash(_place(job.target, real_folder).casefold()) for job in jobs}) < len(jobs):
        _refuse_shared(jobs, [_place(job.target, real_folder).casefold() for job in jobs])
    sources = {hash(_place(job.source, real_folder)) for job in jobs if job.source != STANDARD}
    for job in jobs:
        place = _place(job.target, real_folder)
        if hash(place) in sources and place != _place(job.source, real_folder):
            replaced = next(other.source for other in jobs if _place(other.source, real_folder) == place)
            raise PlanError(
                f"{replaced}: the output {job.target} would replace this other input; choose another output"
            )
        if not options.in_place and job.source != STANDARD and is_same(job.source, job.target):
            raise PlanError(f"{job.source}: the output would replace the input; give --in-place or another output")


def check_named(source: Path, target: Path, options: Options) -> None:
    """Refuse to replace a picture that is named as the output of another one, as a slip easily does."""
    if target == STANDARD or not target.is_file() or options.overwrite or options.skip_existing:
        return
    if source == STANDARD or not is_same(source, target):  # it may replace itself, see `check_outputs`
        raise PlanError(
            f"{target}: is there already; name another output or a folder, or give --overwrite to replace this picture"
        )


def _refuse_shared(jobs: Sequence[Job], places: list[str]) -> None:
    counts = Counter(places)
    shared = [f"{job.source} → {job.target}" for job, place in zip(jobs, places) if counts[place] > 1]
    if shared:
        listed = "; ".join(shared[:6]) + (f" and {len(shared) - 6} more" if len(shared) > 6 else "")
        raise PlanError(f"{len(shared)} inputs share an output, rename them or choose another --format: {listed}")


def _place(path: Path, real: Callable[[str], str]) -> str:
    """The path without links; of a loop of links, as far as it can be followed. `real` does it for a folder."""
    return real(str(path)) if path.is_symlink() else os.path.join(real(str(path.parent)), path.name)  # noqa: PTH118


def real(path: str | Path) -> str:
    """A path without links, as a text."""
    return os.path.realpath(path)


def is_same(source: Path, target: Path) -> bool:
    """Whether two paths lead to one file that is there."""
    return target.exists() and source.samefile(target)
