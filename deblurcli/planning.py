"""What a run will do, before it does anything: find the files, pair inputs with outputs, refuse what is unsafe."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from deblurcli import images
from deblurcli.errors import PlanError
from deblurcli.storage import STANDARD, name_of


@dataclass(frozen=True)
class Options:
    """What the batch commands share.

    format: key of `images.FORMATS` to write; None keeps each input's own.
    quality: 1 to 100 for lossy formats; None takes the format's default.
    workers: files in work at a time; 0 takes as many as there are CPUs.
    skip_existing: leave inputs alone whose output exists.
    in_place: let outputs replace their own inputs.
    dry_run: plan everything, write nothing.
    report: file for a line of JSON per picture; None writes none.
    shard: (I, N) takes the I-th of N parts of the pictures, I from 1 to N.
    max_pixels: larger pictures are refused before they are decoded.
    strip: leave metadata out of the outputs.
    background: RGB from 0 to 255 to put behind transparency where the output's format has none.
    """

    format: str | None = None
    quality: int | None = None
    workers: int = 0
    skip_existing: bool = False
    in_place: bool = False
    dry_run: bool = False
    report: Path | None = None
    shard: tuple[int, int] = (1, 1)
    max_pixels: int = images.MAX_PIXELS
    strip: bool = False
    background: tuple[int, int, int] | None = None


DEFAULTS = Options()


@dataclass(frozen=True)
class Job:
    """One file to work on and where the result goes."""

    source: Path
    target: Path

    @property
    def name(self) -> str:
        """What messages call the job."""
        return name_of(self.source)


@dataclass(frozen=True)
class Pair:
    """A restored picture and the sharp one it is held against; None is a missing partner."""

    name: str
    restored: Path | None
    sharp: Path | None


@dataclass(frozen=True)
class Plan:
    """All jobs of a run, the folder the outputs lie in, and how many other files the input folder holds."""

    jobs: list[Job]
    root: Path = STANDARD
    others: int = 0


def find(folder: Path) -> tuple[list[Path], int]:
    """The images below a folder, sorted, relative to it, and how many other files there are.

    An image is what an image's ending says, even if it turns out not to be readable; hidden files, and what
    is no file at all, count as others. Links to folders are followed once.

    Raises PlanError when a folder cannot be listed.
    """
    found, others, seen = [], 0, set()
    _is_new(folder, seen)
    for place, folders, files in os.walk(folder, onerror=_refuse_listing, followlinks=True):
        here = Path(place).relative_to(folder)
        folders[:] = [name for name in folders if not name.startswith(".") and _is_new(Path(place, name), seen)]
        for name in files:
            if _is_picture(Path(place, name)):
                found.append(here / name)
            else:
                others += 1
    return sorted(found), others


def _refuse_listing(error: OSError) -> None:
    raise PlanError(f"{error.filename}: cannot be listed ({error.strerror}); allow it or move it away") from error


def _is_new(folder: Path, seen: set[tuple[int, int]]) -> bool:
    """Whether a folder was not walked before, by whatever name; so loops of links end."""
    with contextlib.suppress(OSError):
        found = folder.stat()
        key = (found.st_dev, found.st_ino)
        if key not in seen:
            seen.add(key)
            return True
    return False


def _is_picture(path: Path) -> bool:
    """Whether a path looks like a picture; a dangling link does, a pipe or a device does not."""
    if path.name.startswith(".") or path.suffix.lower() not in images.SUFFIXES:
        return False
    return path.is_file() or not path.exists()


@contextlib.contextmanager
def _paths_checked() -> Iterator[None]:
    """Make the system's complaints about a path ours."""
    try:
        yield
    except OSError as error:
        name = error.filename or "the current folder"
        raise PlanError(f"{name}: cannot be used ({error.strerror}); check the path and its permissions") from error


@_paths_checked()
def plan(source: Path, target: Path, options: Options = DEFAULTS) -> Plan:
    """Pair every input with its output before any work.

    source, target: a file, a folder or `STANDARD`. A folder is taken with all below it, and mirrored.

    Raises PlanError when the input is missing or holds no image, when a folder has no output folder, when
    two inputs would share an output, or when an output would replace an input without `in_place`.
    """
    if options.format not in (None, *images.FORMATS):
        raise PlanError(f"--format {options.format}: not in this OpenCV; choose one of {', '.join(images.FORMATS)}")
    if source == STANDARD:
        made = _plan_one(_piped_job(target, options))
    elif source.is_dir():
        made = _plan_folder(source, target, options)
    elif source.exists():
        made = _plan_one(_file_job(source, target, options))
    else:
        raise PlanError(f"{source}: no such file or folder; check the path")
    _check([job for job in made.jobs if job.target != STANDARD], options)
    return replace(made, jobs=[job for job in made.jobs if _is_in_shard(job, source, options.shard)])


def _is_in_shard(job: Job, source: Path, shard: tuple[int, int]) -> bool:
    """Whether a job is in the I-th of N parts: a hash of its path below the input folder decides, on any machine."""
    path = job.source.relative_to(source).as_posix() if job.source != source else job.source.name
    number = int.from_bytes(hashlib.sha256(path.encode("utf-8", "surrogateescape")).digest()[:8], "big")
    return number % shard[1] == shard[0] - 1


def _plan_folder(source: Path, target: Path, options: Options) -> Plan:
    if target == STANDARD and not options.in_place:
        raise PlanError(f"{source}: is a folder; name an output folder after it, or give --in-place")
    folder = source if target == STANDARD else target
    if folder.exists() and not folder.is_dir():
        raise PlanError(f"{folder}: is a file, but {source} is a folder; name an output folder")
    same = _real(folder) == _real(source)
    if same and not options.in_place:
        raise PlanError(f"{source}: the outputs would replace the inputs; give --in-place or another output folder")
    if not same and Path(_real(folder)).is_relative_to(_real(source)):
        raise PlanError(f"{folder}: the output folder lies inside the input folder {source}; choose one outside")
    found, others = find(source)
    if not found:
        raise PlanError(f"{source}: no images in this folder; they end in {', '.join(images.SUFFIXES)}")
    return Plan([Job(source / path, folder / _renamed(path, options)) for path in found], folder, others)


def _piped_job(target: Path, options: Options) -> Job:
    if options.in_place:
        raise PlanError("standard input cannot be replaced in place; name a file or a folder")
    if target == STANDARD:
        return Job(STANDARD, target)
    if target.is_dir():
        raise PlanError(f"{target}: is a folder; name a file in it for the picture from standard input")
    return Job(STANDARD, _fitting(target, options))


def _fitting(target: Path, options: Options) -> Path:
    """An output file's path, its ending checked against the format that was asked for."""
    form = images.format_of(target)
    if options.format not in (None, form):
        raise PlanError(f"{target}: the ending says {form}, --format says {options.format}; leave one of them out")
    return target


def _plan_one(job: Job) -> Plan:
    return Plan([job], STANDARD if job.target == STANDARD else job.target.parent)


def _file_job(source: Path, target: Path, options: Options) -> Job:
    if target == STANDARD:
        return Job(source, _renamed(source, options) if options.in_place else target)
    if target.is_dir() or not target.suffix:
        return Job(source, target / _renamed(Path(source.name), options))
    return Job(source, _fitting(target, options))


def _renamed(path: Path, options: Options) -> Path:
    """The path with the ending of the chosen format; its own where it already fits."""
    if options.format is None or path.suffix.lower() in images.FORMATS[options.format].suffixes:
        return path
    return path.with_suffix(images.FORMATS[options.format].suffixes[0])


def _check(jobs: list[Job], options: Options) -> None:
    """Refuse shared outputs, also where case does not count, and outputs that are inputs."""
    places = [_real(job.target) for job in jobs]
    counts = Counter(place.casefold() for place in places)
    shared = [f"{job.source} → {job.target}" for job, place in zip(jobs, places) if counts[place.casefold()] > 1]
    if shared:
        listed = "; ".join(shared[:6]) + (f" and {len(shared) - 6} more" if len(shared) > 6 else "")
        raise PlanError(f"{len(shared)} inputs share an output, rename them or choose another --format: {listed}")
    sources = {_real(job.source): job.source for job in jobs if job.source != STANDARD}
    for job, place in zip(jobs, places):
        replaced = sources.get(place, job.source)
        if replaced != job.source:
            raise PlanError(
                f"{replaced}: the output {job.target} would replace this other input; choose another output"
            )
        if not options.in_place and job.source != STANDARD and _is_same(job.source, job.target):
            raise PlanError(f"{job.source}: the output would replace the input; give --in-place or another output")


def _real(path: Path) -> str:
    """The path without links; of a loop of links, as far as it can be followed."""
    return os.path.realpath(path)


def _is_same(source: Path, target: Path) -> bool:
    return target.exists() and source.samefile(target)


@_paths_checked()
def pairs(restored: Path, sharp: Path) -> list[Pair]:
    """Pair restored pictures with sharp ones by relative path, blind to the ending.

    restored, sharp: two files or two folders; one file may be `STANDARD`. Two files are a pair whatever
    their names are; in folders the partner of a picture may be missing.

    Raises PlanError when a path is missing, a file is held against a folder, or a folder has no images.
    """
    for path in (restored, sharp):
        if path != STANDARD and not path.exists():
            raise PlanError(f"{path}: no such file or folder; check the path")
    if restored == sharp == STANDARD:
        raise PlanError("both pictures cannot come from standard input; name at least one of them")
    if restored.is_dir() != sharp.is_dir():
        raise PlanError(f"{restored} and {sharp}: one is a folder and one is not; give two of a kind")
    if not restored.is_dir():
        return [Pair(name_of(restored), restored, sharp)]
    left, right = _by_stem(restored), _by_stem(sharp)
    return [Pair(stem, left.get(stem), right.get(stem)) for stem in sorted(left.keys() | right.keys())]


def _by_stem(folder: Path) -> dict[str, Path]:
    """The images below a folder by their relative path without its ending."""
    found, _ = find(folder)
    if not found:
        raise PlanError(f"{folder}: no images in this folder; they end in {', '.join(images.SUFFIXES)}")
    stems = Counter(path.with_suffix("").as_posix() for path in found)
    double = [str(path) for path in found if stems[path.with_suffix("").as_posix()] > 1]
    if double:
        raise PlanError(f"{folder}: {', '.join(double[:6])} share a name; rename or remove all but one")
    return {path.with_suffix("").as_posix(): folder / path for path in found}
