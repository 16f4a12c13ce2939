"""What a run will do, before it does anything: find the files, pair inputs with outputs, refuse what is unsafe."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import overload

from deblurcli.batch.places import Inputs, is_batch
from deblurcli.choices import MANIFEST_FILE
from deblurcli.errors import PlanError
from deblurcli.pictures import images, inputs
from deblurcli.pictures.storage import STANDARD, name_of


@dataclass(frozen=True)
class Options:
    """What the batch commands share.

    format: key of `images.FORMATS` to write; None keeps each input's own.
    quality: 1 to 100 for lossy formats; None takes the format's default.
    workers: files in work at a time; 0 takes as many as there are CPUs.
    skip_existing: leave inputs alone whose output exists.
    redo: keys of jobs to do even so.
    in_place: let outputs replace their own inputs.
    overwrite: let the output of one picture, named as a file, replace another picture.
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
    redo: frozenset[str] = frozenset()
    in_place: bool = False
    overwrite: bool = False
    dry_run: bool = False
    report: Path | None = None
    shard: tuple[int, int] = (1, 1)
    max_pixels: int = images.MAX_PIXELS
    strip: bool = False
    background: tuple[int, int, int] | None = None


DEFAULTS = Options()


@dataclass(frozen=True)
class Job:
    """One file to work on and where the result goes.

    key: the input's path below the input folder, with /; its name, or "-", where there is no folder.
    """

    source: Path
    target: Path
    key: str

    @property
    def name(self) -> str:
        """What messages call the job."""
        return name_of(self.source)


@dataclass(frozen=True)
class Jobs(Sequence[Job]):
    """The jobs of a folder: names are kept, paths are made when a job is asked for.

    names: of the inputs, relative to `source`. form: key of `images.FORMATS` to write; None keeps each input's own.
    """

    source: Path
    target: Path
    names: Sequence[str]
    form: str | None = None

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, index: int) -> Job: ...
    @overload
    def __getitem__(self, index: slice) -> Jobs: ...
    def __getitem__(self, index: int | slice) -> Job | Jobs:
        """A job, or the jobs of a slice."""
        if isinstance(index, slice):
            return replace(self, names=self.names[index])
        name = self.names[index]
        return Job(self.source / name, self.target / _renamed(Path(name), self.form), Path(name).as_posix())

    def folders(self) -> set[Path]:
        """The folders that the outputs lie in."""
        return {self.target / part for part in {os.path.dirname(name) for name in self.names}}  # noqa: PTH120 (quick)


@dataclass(frozen=True)
class Plan:
    """All jobs of a run, the folder the outputs lie in, and how many other files the input folder holds.

    elsewhere: how many pictures are in other shards.
    """

    jobs: Sequence[Job]
    root: Path = STANDARD
    others: int = 0
    elsewhere: int = 0

    def name(self, job: Job) -> str:
        """An output's path below the output folder, with /."""
        return "-" if job.target == STANDARD else job.target.relative_to(self.root).as_posix()

    def folders(self) -> set[Path]:
        """The folders that the outputs lie in."""
        return self.jobs.folders() if isinstance(self.jobs, Jobs) else {job.target.parent for job in self.jobs}


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


@contextlib.contextmanager
def paths_checked() -> Iterator[None]:
    """Make the system's complaints about a path ours."""
    try:
        yield
    except OSError as error:
        name = error.filename or "the current folder"
        raise PlanError(f"{name}: cannot be used ({error.strerror}); check the path and its permissions") from error


@paths_checked()
def plan(source: Inputs, target: Path, options: Options = DEFAULTS) -> Plan:
    """Pair every input with its output before any work.

    source, target: a file, a folder or `STANDARD`. A folder is taken with all below it, and mirrored. Of several
    pictures, the outputs lie side by side in the folder `target`.

    Raises PlanError when an input is missing or holds no image, when a folder has no output folder, when two inputs
    would share an output, when an output would replace an input without `in_place`, or when one that is named as a
    file would replace another picture without `overwrite`.
    """
    if options.format not in (None, *images.FORMATS):
        raise PlanError(
            f"--format {options.format}: this OpenCV cannot write it; choose one of {', '.join(images.FORMATS)}"
        )
    if isinstance(source, tuple):
        made = _plan_several(source, target, options)
    elif source == STANDARD:
        made = _plan_one(_piped_job(target, options))
    elif source.is_dir():
        made = _plan_folder(source, target, options)
    elif source.exists():
        made = _plan_one(_file_job(source, target, options))
    else:
        raise _missing(source)
    if made.root != STANDARD:
        _check(made.jobs, options)
    if isinstance(source, Path) and not source.is_dir():
        _check_named(source, target, options)
    jobs = _shard(made.jobs, options.shard)
    return replace(made, jobs=jobs, elsewhere=len(made.jobs) - len(jobs))


def _missing(path: Path, also: str = "") -> PlanError:
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


@paths_checked()
def sources(source: Inputs) -> Plan:
    """The pictures of a file, a folder or `STANDARD`, or several pictures, to be read and no more.

    Raises PlanError when a path is missing or holds no image.
    """
    if isinstance(source, tuple):
        _check_several(source)
        return Plan([Job(each, STANDARD, each.name) for each in source])
    if source != STANDARD and source.is_dir():
        return _plan_folder(source, STANDARD, Options(in_place=True))
    if source != STANDARD and not source.exists():
        raise _missing(source)
    return Plan([Job(source, STANDARD, source.name)])


def folder_of(source: Inputs) -> Path:
    """The folder of the pictures, or a picture in it; PlanError when several pictures lie in several folders."""
    if isinstance(source, Path):
        return source
    if len({real(each.parent) for each in source}) > 1:
        raise PlanError(f"{source[0]}, …: lie in several folders; a manifest is for the pictures of one folder")
    return source[0].parent


def check_distinct(source: Inputs) -> None:
    """PlanError when several pictures that are named share a name, so that files called after them would clash."""
    counts = Counter(each.name for each in source) if isinstance(source, tuple) else Counter()
    for name, count in counts.items():
        if count > 1:
            raise PlanError(f"{name}: {count} inputs have this name; take them one folder at a time")


def _check_several(given: Sequence[Path]) -> None:
    """Refuse what is no file among several pictures."""
    for path in given:
        if path == STANDARD:
            raise PlanError("standard input cannot be one of several inputs; name files only")
        if path.is_dir():
            raise PlanError(f"{path}: is a folder among several inputs; name pictures only, or one folder")
        if not path.exists():
            raise _missing(path, ", and put names with spaces in quotes")


def _shard(jobs: Sequence[Job], shard: tuple[int, int]) -> Sequence[Job]:
    """The I-th of N parts: a hash of the path below the input folder decides, on any machine."""
    if shard[1] == 1:
        return jobs
    if isinstance(jobs, Jobs):
        return replace(jobs, names=[name for name in jobs.names if _is_in_shard(Path(name).as_posix(), shard)])
    return [job for job in jobs if _is_in_shard(job.key, shard)]


def _is_in_shard(name: str, shard: tuple[int, int]) -> bool:
    number = int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()[:8], "big")
    return number % shard[1] == shard[0] - 1


def _plan_several(given: Sequence[Path], folder: Path, options: Options) -> Plan:
    _check_several(given)
    if folder == STANDARD or (folder.exists() and not folder.is_dir()):
        raise PlanError(f"{folder}: is no folder; several pictures need an output folder, named last")
    return Plan([Job(each, folder / _renamed(Path(each.name), options.format), each.name) for each in given], folder)


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


def _plan_folder(source: Path, target: Path, options: Options) -> Plan:
    folder = check_folders(source, target, options)
    found, others = find(source)
    if not found:
        raise PlanError(f"{source}: no images in this folder; they end in {', '.join(images.READ)}")
    return Plan(Jobs(source, folder, found, options.format), folder, others)


def _piped_job(target: Path, options: Options) -> Job:
    if options.in_place:
        raise PlanError("standard input cannot be replaced in place; name a file or a folder")
    if target == STANDARD:
        return Job(STANDARD, target, str(STANDARD))
    if target.is_dir():
        raise PlanError(f"{target}: is a folder; name a file in it for the picture from standard input")
    return Job(STANDARD, _fitting(target, options), str(STANDARD))


def _fitting(target: Path, options: Options) -> Path:
    """An output file's path, its ending checked against the format that was asked for."""
    form = images.format_of(target)
    if options.format not in (None, form):
        raise PlanError(
            f"{target}: the file extension means {form}, but --format says {options.format}; leave one of them out"
        )
    return target


def _plan_one(job: Job) -> Plan:
    return Plan([job], STANDARD if job.target == STANDARD else job.target.parent)


def _file_job(source: Path, target: Path, options: Options) -> Job:
    if target == STANDARD:
        return Job(source, _renamed(source, options.format) if options.in_place else target, source.name)
    if target.is_dir() or not target.suffix:
        return Job(source, target / _renamed(Path(source.name), options.format), source.name)
    return Job(source, _fitting(target, options), source.name)


def _renamed(path: Path, form: str | None) -> Path:
    """The path with the ending of the chosen format; its own where it already fits, or can be written."""
    if form is None and path.suffix.lower() in inputs.SUFFIXES:
        form = inputs.WRITTEN_AS
    if form is None or path.suffix.lower() in images.FORMATS[form].suffixes:
        return path
    return path.with_suffix(images.FORMATS[form].suffixes[0])


def _check(jobs: Sequence[Job], options: Options) -> None:
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


def _check_named(source: Path, target: Path, options: Options) -> None:
    """Refuse to replace a picture that is named as the output of another one, as a slip easily does."""
    if target == STANDARD or not target.is_file() or options.overwrite or options.skip_existing:
        return
    if source == STANDARD or not is_same(source, target):  # it may replace itself, see `_check`
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
