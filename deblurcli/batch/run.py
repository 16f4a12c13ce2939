"""Run one function over many files and tell how each went.

Nothing here prints, and nothing here knows what is done to a picture.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import Generic, Protocol, TypeVar

from deblurcli import parallel
from deblurcli.batch import manifest as manifests
from deblurcli.batch import phases, planning
from deblurcli.batch.jobs import DEFAULTS, Job, Options
from deblurcli.batch.places import Inputs
from deblurcli.batch.record import (
    DONE,
    FAILED,
    PLANNED,
    SKIPPED,
    JobT,
    Outcome,
    Pictures,
    ResultT,
    Written,
    check,
    opened,
    recorded,
)
from deblurcli.errors import DeblurError, PlanError
from deblurcli.pictures import hidden, images, inputs, metadata, storage
from deblurcli.pictures.images import Picture
from deblurcli.pictures.processed import Processed
from deblurcli.pictures.storage import STANDARD


class Named(Protocol):
    """A job that messages can call by a name."""

    @property
    def name(self) -> str:
        """What messages call it."""
        ...


NamedT = TypeVar("NamedT", bound=Named)


@dataclass(frozen=True)
class Batch(Generic[JobT, ResultT]):
    """A run under way: how many outcomes will come, the outcomes as they come, and how many files are left alone.

    total: None where nobody knows. elsewhere: how many pictures are in other shards.
    """

    total: int | None
    outcomes: Iterator[Outcome[JobT, ResultT]]
    others: int = 0
    elsewhere: int = 0


Work = Callable[[Picture, str], Processed]  # from a picture and its job's key
Runner = Callable[[Sequence[Job], Work, Options], Pictures]


@dataclass(frozen=True)
class Plain:
    """A function from picture to picture as `Work`, with nothing to tell; it can be sent if the function can."""

    function: Callable[[Picture], Picture]

    def __call__(self, picture: Picture, key: str) -> Processed:
        return Processed(self.function(picture))


def transform(
    source: Inputs,
    target: Path,
    function: Work,
    options: Options = DEFAULTS,
    about: dict[str, str] | None = None,
    runner: Runner | None = None,
    manifest: Path | None = None,
) -> Batch[Job, Written]:
    """Apply a function to every picture of `source` and write the results to `target`; see `planning.plan`.

    about: what the report says of every picture besides how it went, such as the model.
    runner: does the jobs; `locally` when left out.
    manifest: file for what the function tells of every picture written; see `manifest`. Outputs that it does not
        list are made anew, also with `skip_existing`.
    """
    runner = runner or locally
    made = planning.plan(source, target, options)
    if options.report is not None and options.report == manifest:
        raise PlanError(f"{manifest}: is given as --report and as --manifest; name two different files")
    if options.report is not None:
        check(options.report, made.root)
    known = manifests.opened(manifest) if manifest is not None else {}
    if manifest is not None and options.skip_existing:
        options = replace(options, redo=frozenset(job.key for job in made.jobs if made.name(job) not in known))
    if options.dry_run:
        return Batch(len(made.jobs), (_planned(job, options) for job in made.jobs), made.others, made.elsewhere)
    if made.root != STANDARD:
        prepare(made.root, made.folders())
    outcomes = runner(made.jobs, function, options)
    if manifest is not None:  # a dry run has ended above
        outcomes = _listed(outcomes, manifest, made.name)
    if options.report is not None:
        outcomes = recorded(outcomes, opened(options.report), about or {})
    return Batch(len(made.jobs), outcomes, made.others, made.elsewhere)


def locally(jobs: Sequence[Job], function: Work, options: Options) -> Pictures:
    """Do every job on threads of this process; the runner `transform` takes unless it is given another."""
    return run(jobs, lambda job: _apply(function, job, options), options.workers)


def in_turn(jobs: Sequence[Job], function: Work, options: Options) -> list[Outcome[Job, Written]]:
    """Do every job in this thread, one after the other."""
    with parallel.calm_libraries(1):
        return [_timed(lambda job: _apply(function, job, options), job) for job in jobs]


def _planned(job: Job, options: Options) -> Outcome[Job, Written]:
    return Outcome(job, SKIPPED if _is_done(job, options) else PLANNED)


def _is_done(job: Job, options: Options) -> bool:
    """Whether a job can be left alone."""
    wanted = options.skip_existing and job.key not in options.redo
    return wanted and job.target != STANDARD and job.target.is_file()


def _listed(outcomes: Pictures, manifest: Path, name: Callable[[Job], str]) -> Pictures:
    """The outcomes, the fields of each picture written to the manifest as it comes."""
    with manifests.Writer(manifest) as writer:
        for outcome in outcomes:
            if outcome.result is not None:
                writer.add({"path": name(outcome.job), **outcome.result.record()})
            yield outcome


def prepare(root: Path, folders: set[Path]) -> None:
    """Make the output folder if need be, try a file in it, and clear away what killed runs left behind.

    Raises PlanError when nothing can be written there.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=root):
            pass
    except OSError as error:
        raise PlanError(f"{root}: cannot be written to ({error.strerror}); choose another output folder") from error
    for folder in folders:
        storage.sweep(folder)


def _apply(function: Work, job: Job, options: Options) -> Outcome[Job, Written]:
    """Read, transform and write one picture."""
    if _is_done(job, options):
        return Outcome(job, SKIPPED)
    with phases.phase(phases.READ):
        data = storage.read_bytes(job.source)
        picture = images.decode(data, job.name, options.max_pixels)
    form = _format(job, picture, options)
    original = storage.Original.of(job.source, data) if _may_copy(picture.format, form, options) else None
    del data
    with named(job.name), phases.phase(phases.WORK):
        made = hidden.uncovered(function(hidden.covered(picture), job.key), picture)
    if original is not None and not made.picture.equals(picture):
        original = None
    del picture  # a large one need not stay in memory while the result is encoded
    with phases.phase(phases.WRITE):
        lost = None if original is not None and _copied(original, job) else _written(made.picture, job, form, options)
    note = "; ".join(filter(None, (made.note, lost)))
    return Outcome(job, DONE, result=Written(*made.picture.size, made.fields, note))


def _written(picture: Picture, job: Job, form: str, options: Options) -> str:
    """Encode and write a picture; what is lost of its metadata in that."""
    result = _dressed(picture, form, options)
    storage.write_bytes(job.target, images.encode(result, form, options.quality, str(job.target)), job.source)
    return metadata.lost(result.metadata, form)


def _may_copy(own: str, form: str, options: Options) -> bool:
    """Whether a picture that is left alone may keep its file's bytes, as nothing asks for other ones.

    own: the input's format. form: the output's.
    """
    is_recoded = options.quality is not None and images.FORMATS[form].quality is not None
    return own == form and not options.strip and not is_recoded


def _copied(original: storage.Original, job: Job) -> bool:
    """Give the output the input's bytes, and touch nothing where it is the input; whether that was possible."""
    if _is_own_output(job):
        return True
    data = original.read()
    if data is not None:
        storage.write_bytes(job.target, data, job.source)
    return data is not None


def _is_own_output(job: Job) -> bool:
    """Whether a job's output is its input."""
    with contextlib.suppress(OSError):  # no output yet, or no input any more
        return STANDARD not in (job.source, job.target) and job.source.samefile(job.target)
    return False


def _dressed(picture: Picture, form: str, options: Options) -> Picture:
    """The picture as it is to be written: without metadata or transparency where that was asked for."""
    if options.strip:
        picture = picture.without_metadata()
    if options.background is not None and not images.FORMATS[form].alpha:
        picture = picture.on(options.background)
    return picture


def _format(job: Job, picture: Picture, options: Options) -> str:
    """What to write: as the output's name says, as asked for, or as the input was."""
    if job.target.suffix.lower() in images.SUFFIXES:
        return images.format_of(job.target)
    own = picture.format if picture.format in images.FORMATS else inputs.WRITTEN_AS
    return options.format or own


def run(
    jobs: Sequence[NamedT], work: Callable[[NamedT], Outcome[NamedT, ResultT]], workers: int = 0
) -> Iterator[Outcome[NamedT, ResultT]]:
    """Do every job on worker threads and yield the outcomes as they come.

    jobs: whatever `work` takes; each failure is an Outcome and stops no other.
    work: from a job to its outcome; a DeblurError it raises becomes a failed outcome.
    workers: threads; 0 takes as many as there are CPUs.

    A worker takes the next job when it is free, so memory does not grow with their number. At
    KeyboardInterrupt the jobs in work are finished and yielded, no further ones begun, and it is raised again;
    a single job is done in this thread, and dropped.
    """
    workers = workers or parallel.cpus()
    if len(jobs) == 1:  # in the main thread, so that an interrupt reaches it while it waits for standard input
        with parallel.calm_libraries(1), parallel.alone(workers):
            outcome = _timed(work, jobs[0])
        yield outcome
        return
    with parallel.calm_libraries(workers):
        yield from parallel.as_done(lambda job: _timed(work, job), jobs, workers)


def _timed(work: Callable[[NamedT], Outcome[NamedT, ResultT]], job: NamedT) -> Outcome[NamedT, ResultT]:
    """An outcome with its seconds; our own errors become failed outcomes."""
    begun = time.perf_counter()
    with phases.timed() as seconds:
        try:
            outcome = work(job)
        except DeblurError as error:
            outcome = Outcome(job, FAILED, error=str(error))
        except MemoryError:
            said = f"{job.name}: not enough memory; use fewer --workers or a smaller picture"
            outcome = Outcome(job, FAILED, error=said)
    return replace(outcome, seconds=time.perf_counter() - begun, phases=seconds)


def inspect(
    source: Inputs,
    function: Callable[[Picture, str], ResultT],
    workers: int = 0,
    max_pixels: int = images.MAX_PIXELS,
) -> Batch[Job, ResultT]:
    """Apply a function to every picture of `source` and its key."""
    made = planning.sources(source)

    def work(job: Job) -> Outcome[Job, ResultT]:
        picture = images.read_picture(job.source, max_pixels)
        with named(job.name):
            return Outcome(job, DONE, result=function(hidden.covered(picture), job.key))

    return Batch(len(made.jobs), run(made.jobs, work, workers), made.others)


@contextlib.contextmanager
def named(name: str) -> Iterator[None]:
    """Put a file's name before the message of our own errors."""
    try:
        yield
    except DeblurError as error:
        raise type(error)(f"{name}: {error}") from error
