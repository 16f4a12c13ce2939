"""What a run works on: each file and where its result goes, and what all of them share."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import overload

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
        return Job(self.source / name, self.target / renamed(Path(name), self.form), Path(name).as_posix())

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


def renamed(path: Path, form: str | None) -> Path:
    """The path with the ending of the chosen format; its own where it already fits, or can be written."""
    if form is None and path.suffix.lower() in inputs.SUFFIXES:
        form = inputs.WRITTEN_AS
    if form is None or path.suffix.lower() in images.FORMATS[form].suffixes:
        return path
    return path.with_suffix(images.FORMATS[form].suffixes[0])
