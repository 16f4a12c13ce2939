"""What a run will do, before it does anything: pair inputs with outputs, refuse what is unsafe."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from deblurcli.batch import refusals
from deblurcli.batch.finding import find
from deblurcli.batch.jobs import DEFAULTS, Job, Jobs, Options, Plan, renamed
from deblurcli.batch.places import Inputs
from deblurcli.errors import PlanError
from deblurcli.pictures import images
from deblurcli.pictures.storage import STANDARD


@refusals.paths_checked()
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
        raise refusals.missing(source)
    if made.root != STANDARD:
        refusals.check_outputs(made.jobs, options)
    if isinstance(source, Path) and not source.is_dir():
        refusals.check_named(source, target, options)
    jobs = _shard(made.jobs, options.shard)
    return replace(made, jobs=jobs, elsewhere=len(made.jobs) - len(jobs))


@refusals.paths_checked()
def sources(source: Inputs) -> Plan:
    """The pictures of a file, a folder or `STANDARD`, or several pictures, to be read and no more.

    Raises PlanError when a path is missing or holds no image.
    """
    if isinstance(source, tuple):
        refusals.check_several(source)
        return Plan([Job(each, STANDARD, each.name) for each in source])
    if source != STANDARD and source.is_dir():
        return _plan_folder(source, STANDARD, Options(in_place=True))
    if source != STANDARD and not source.exists():
        raise refusals.missing(source)
    return Plan([Job(source, STANDARD, source.name)])


def folder_of(source: Inputs) -> Path:
    """The folder of the pictures, or a picture in it; PlanError when several pictures lie in several folders."""
    if isinstance(source, Path):
        return source
    if len({refusals.real(each.parent) for each in source}) > 1:
        raise PlanError(f"{source[0]}, …: lie in several folders; a manifest is for the pictures of one folder")
    return source[0].parent


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
    refusals.check_several(given)
    if folder == STANDARD or (folder.exists() and not folder.is_dir()):
        raise PlanError(f"{folder}: is no folder; several pictures need an output folder, named last")
    return Plan([Job(each, folder / renamed(Path(each.name), options.format), each.name) for each in given], folder)


def _plan_folder(source: Path, target: Path, options: Options) -> Plan:
    folder = refusals.check_folders(source, target, options)
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
        return Job(source, renamed(source, options.format) if options.in_place else target, source.name)
    if target.is_dir() or not target.suffix:
        return Job(source, target / renamed(Path(source.name), options.format), source.name)
    return Job(source, _fitting(target, options), source.name)
