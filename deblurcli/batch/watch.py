"""The same work on pictures as they come into a folder, until Ctrl-C. The only code that imports watchdog.

What the system tells of files makes this quick. The folder is also listed now and then, so that nothing is missed: not
in a burst of more files than the system tells of, not on a network folder of which it tells nothing.
"""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from deblurcli import parallel
from deblurcli.batch import finding, refusals, run
from deblurcli.batch.jobs import Job, Jobs, Options
from deblurcli.batch.record import FAILED, Outcome, Pictures, Written, check, opened, recorded
from deblurcli.batch.run import Batch, Work
from deblurcli.errors import PlanError

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent

# Seconds that a file must have stayed as it is to be taken for complete, by the last that was heard of it.
PATIENCE = {
    "closed": 0.3,
    "moved": 0.3,
    "created": 2.0,
    "modified": 10.0 if sys.platform == "linux" else 2.0,  # Linux tells when a file is closed
    "listed": 2.0,
}
TICK = 0.1  # seconds between two looks at what is not complete
RELIST = 5.0  # seconds between two listings of the folder, and at least so many times what a listing takes:
_LISTINGS = 20

Stamp = tuple[int, int, int]  # size, time of the last change, number of a file


def transform(
    source: Path, target: Path, function: Work, options: Options, about: dict[str, str] | None = None
) -> Batch[Job, Written]:
    """Apply a function to every picture of a folder that has no output yet, then to each that comes or changes.

    Arguments as for `run.transform`. A picture is taken once it is complete; see `PATIENCE`. Ctrl-C ends this well:
    those in work are finished; a second one raises KeyboardInterrupt.

    Raises PlanError as `run.transform` does, and when the package watchdog is missing.
    """
    _check_installed()
    root = refusals.check_folders(source, target, options)
    if options.report is not None:
        check(options.report, root)
    arrivals = _Arrivals(source, root, options.format)
    run.prepare(root, arrivals.skip_done())
    outcomes = _outcomes(arrivals, function, replace(options, skip_existing=False))
    if options.report is not None:
        outcomes = recorded(outcomes, opened(options.report), about or {})
    return Batch(None, outcomes)


def _check_installed() -> None:
    try:
        import watchdog  # noqa: F401
    except ImportError as error:
        raise PlanError("--watch needs the package watchdog; install deblurcli[watch]") from error


def _outcomes(arrivals: _Arrivals, function: Work, options: Options) -> Pictures:
    """What became of each picture, until Ctrl-C."""

    def work(job: Job) -> Outcome[Job, Written]:
        try:
            return arrivals.clash(job) or run.in_turn([job], function, options)[0]
        except BaseException:
            arrivals.stop.set()
            raise
        finally:
            arrivals.release(job)

    workers = options.workers or parallel.cpus()
    ended, done = False, parallel.as_done(work, arrivals, workers)
    try:
        with parallel.calm_libraries(workers), parallel.Interrupt(arrivals.end):
            for outcome in done:
                if outcome.status != FAILED or outcome.job.source.exists():  # else it was renamed before it was read
                    yield outcome
            ended = True
    except KeyboardInterrupt:
        if not ended:
            raise
    finally:
        arrivals.stop.set()  # before `done` is closed, which waits for its threads
    if arrivals.error is not None:
        raise arrivals.error


@dataclass
class _Candidate:
    """A picture that may not be complete yet: what was last heard of it, and since when it is as it is."""

    heard: str
    stamp: Stamp | None = None
    since: float = 0.0


@dataclass
class _Arrivals:
    """The jobs of a folder, each as its picture is complete; iterating ends when `stop` is set.

    taken: the stamps of pictures that were handed on, or are to be left. outputs: which picture an output is of, in
    lower case. error: what ended the iteration, where that was no wish.
    """

    source: Path
    root: Path
    form: str | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None
    taken: dict[str, Stamp] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    _heard: queue.SimpleQueue[tuple[str, str]] = field(default_factory=queue.SimpleQueue)
    _candidates: dict[str, _Candidate] = field(default_factory=dict)
    _in_work: set[str] = field(default_factory=set)

    def skip_done(self) -> set[Path]:
        """Leave pictures whose output exists as they are; the folders of all outputs."""
        names, _ = finding.find(self.source)
        jobs = Jobs(self.source, self.root, names, self.form)
        for name, job in zip(names, jobs):
            stamp = _stamp(job.source)
            if stamp is not None and job.target.is_file():
                self.taken[name] = stamp
                self.clash(job)
        return {self.root, *jobs.folders()}

    def end(self) -> int:
        """Hand on no further picture; how many are in work."""
        self.stop.set()
        return len(self._in_work)

    def release(self, job: Job) -> None:
        """Tell that a job is done, so that its picture may come again."""
        self._in_work.discard(_name(job.source, self.source))

    def clash(self, job: Job) -> Outcome[Job, Written] | None:
        """The failure of a job whose output is another picture's already; None for all others."""
        first = self.outputs.setdefault(str(job.target).casefold(), job.key)
        if first == job.key or not (self.source / first).exists():
            return None
        return Outcome(job, FAILED, error=f"{job.name}: {job.target} is already the output of {first}; rename it")

    def __iter__(self) -> Iterator[Job]:
        try:
            with self._listening():
                yield from self._jobs()
        except Exception as error:  # raised where the outcomes are taken, as this runs in any thread
            self.error = error

    @contextlib.contextmanager
    def _listening(self) -> Iterator[None]:
        """While this lasts, the system tells of files in the folder; where it will not, listing must do."""
        from watchdog.events import FileSystemEventHandler
        from watchdog.observers import Observer

        handler, observer = FileSystemEventHandler(), Observer()
        handler.on_any_event = self._hear
        observer.schedule(handler, str(self.source), recursive=True)
        try:
            observer.start()
        except OSError:  # too many folders are watched
            yield
            return
        try:
            yield
        finally:
            observer.stop()
            observer.join()

    def _hear(self, event: FileSystemEvent) -> None:
        if event.event_type in PATIENCE and not event.is_directory:
            path = event.dest_path if event.event_type == "moved" else event.src_path
            name = _name(os.fsdecode(path), self.source)
            if finding.is_picture_name(name):
                self._heard.put((name, event.event_type))

    def _jobs(self) -> Iterator[Job]:
        """Complete pictures, as long as nobody stops this."""
        relist = 0.0
        while not self.stop.is_set():
            now = time.monotonic()
            if now >= relist:
                self._list()
                relist = time.monotonic() + max(RELIST, _LISTINGS * (time.monotonic() - now))
            while not self._heard.empty():
                name, heard = self._heard.get()
                self._candidates.setdefault(name, _Candidate(heard)).heard = heard
            for name in sorted(self._candidates):
                if self._is_complete(name) and not self.stop.is_set():
                    yield self._job(name)
            self.stop.wait(TICK)

    def _list(self) -> None:
        """Look for pictures that nothing was heard of."""
        for name in finding.find(self.source)[0]:
            stamp = _stamp(self.source / name)
            if stamp is not None and name not in self._candidates and self.taken.get(name) != stamp:
                self._candidates[name] = _Candidate("listed", stamp, time.monotonic())

    def _is_complete(self, name: str) -> bool:
        """Whether a picture can be taken; what is gone, or was taken as it is, is no candidate any more."""
        candidate, stamp, now = self._candidates[name], _stamp(self.source / name), time.monotonic()
        if stamp is None or stamp == self.taken.get(name):
            del self._candidates[name]
            return False
        if stamp != candidate.stamp:
            candidate.stamp, candidate.since = stamp, now
        heard = candidate.heard if stamp[0] else "modified"  # what is empty is hardly complete
        return now - candidate.since >= PATIENCE[heard] and name not in self._in_work

    def _job(self, name: str) -> Job:
        """The job of a picture, which is no candidate any more."""
        job = Jobs(self.source, self.root, [name], self.form)[0]
        self.taken[name] = self._candidates.pop(name).stamp or (0, 0, 0)
        self._in_work.add(name)
        return job


def _stamp(path: Path) -> Stamp | None:
    """What changes when a file does; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino


def _name(path: str | Path, folder: Path) -> str:
    """A path below a folder."""
    return os.path.relpath(path, folder)
