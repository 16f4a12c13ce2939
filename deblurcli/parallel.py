"""Threads: how many, and running a function over many items without holding them all."""

from __future__ import annotations

import contextlib
import math
import os
import queue
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def cpus() -> int:
    """How many CPUs this process may use, by its affinity and the quota of its control group; 1 or more."""
    present = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(present, math.ceil(_quota())))


def _quota(root: Path = Path("/")) -> float:
    """CPUs' worth of time that Linux control groups, as containers and cluster jobs set them, leave a process."""
    return min(
        (share for folder in _control_groups(root) for share in _shares(folder)), default=float(os.cpu_count() or 1)
    )


def _control_groups(root: Path) -> Iterator[Path]:
    """The folders of this process's control groups and of those above them, of both versions."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers in ("", "cpu", "cpu,cpuacct"):
            mounted = root / "sys/fs/cgroup" / controllers
            own = mounted / path.lstrip("/")
            yield own
            yield from (folder for folder in own.parents if folder.is_relative_to(mounted))


def _shares(folder: Path) -> Iterator[float]:
    """The quota a control group sets, as a number of CPUs; nothing where it sets none."""
    for names in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):
        with contextlib.suppress(OSError, ValueError):  # another version's, or "max": no quota
            quota, period = map(int, " ".join((folder / name).read_text() for name in names).split())
            if quota > 0 < period:
                yield quota / period


_own = threading.local()


def spare() -> int:
    """How many threads the function that runs in this thread may use itself: 1, unless `alone` says otherwise."""
    return getattr(_own, "threads", 1)


@contextlib.contextmanager
def alone(threads: int) -> Iterator[None]:
    """While this lasts, what runs in this thread is all there is to do, and may use that many threads."""
    _own.threads = threads
    try:
        yield
    finally:
        _own.threads = 1


class _Calm:
    """How many runs want libraries calm, and what lets these use their own threads again."""

    def __init__(self) -> None:
        self._guard, self._wanted, self._end = threading.Lock(), 0, contextlib.ExitStack()

    def begin(self, workers: int) -> None:
        """One run more; the first calms the libraries down."""
        with self._guard:
            self._wanted += 1
            if self._wanted == 1:
                _calm_down(self._end, workers)

    def end(self) -> None:
        """One run less; the last lets them use their own threads again."""
        with self._guard:
            self._wanted -= 1
            if not self._wanted:
                self._end.close()


def _calm_down(end: contextlib.ExitStack, workers: int) -> None:
    import cv2
    from threadpoolctl import threadpool_limits

    end.enter_context(threadpool_limits(1, "blas"))
    end.callback(cv2.setNumThreads, cv2.getNumThreads())
    if workers > 1:
        cv2.setNumThreads(1)


_calm = _Calm()


@contextlib.contextmanager
def calm_libraries(workers: int) -> Iterator[None]:
    """While this lasts, libraries keep to the threads they are called in; of several at a time the first decides.

    BLAS does so always: its own threads wait busily between small products, and cost half of all CPU seconds. OpenCV
    does where several workers share the CPUs.
    """
    _calm.begin(workers)
    try:
        yield
    finally:
        _calm.end()


def in_order(pool: Executor, function: Callable[[Item], Result], items: Iterable[Item], ahead: int) -> Iterator[Result]:
    """Results in the order of the items, at most `ahead` of them begun and not yet taken."""
    left = iter(items)
    begun = deque(pool.submit(function, item) for item in islice(left, ahead))
    try:
        while begun:
            result = begun.popleft().result()
            begun.extend(pool.submit(function, item) for item in islice(left, 1))
            yield result
    finally:
        for future in begun:
            future.cancel()


def spread(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Results in the order of the items, as from `map`; on several threads where this one may use them, see `spare`."""
    threads = spare()
    if threads == 1:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(threads) as pool:
        yield from in_order(pool, function, items, threads + 1)


def as_done(function: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """Results as they come from as many threads as `workers`, each taking the next item when it is free.

    Threads wait when twice their number of results is not yet taken. What `function` raises is raised here. At
    Ctrl-C, or when this is closed early, no further item is begun; the results of those in work are waited for and,
    at the former, yielded before KeyboardInterrupt is raised. At a second Ctrl-C nothing is waited for.
    """
    crew = _Crew(function, iter(items), workers)
    with Interrupt(crew.dismiss):
        crew.start()
        try:
            while (outcome := crew.next_outcome()) is not None:
                yield outcome.get()
        finally:
            crew.dismiss()
            while not Interrupt.is_urgent and crew.next_outcome() is not None:
                pass


_listeners: list[Callable[[int], None]] = []


@contextlib.contextmanager
def interrupts_told(listener: Callable[[int], None]) -> Iterator[None]:
    """While this lasts, a first Ctrl-C that some `Interrupt` notes is told, with how many items are still in work.

    listener: is called in a thread of its own, so that it may print whatever the main thread is at.
    """
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


class Interrupt:
    """While this context lasts, the first Ctrl-C is noted and KeyboardInterrupt raised at the end; a second at once.

    So what is done to a result once it is taken (counting it, listing it) is never cut in two. Where another
    handler than Python's own is set, or in another thread than the main one, all stays as it is.

    is_urgent: whether a second Ctrl-C came since the last outermost context began. What is in work then goes on in its
    threads, which end with the process.
    """

    is_urgent = False

    def __init__(self, heard: Callable[[], int]):
        """`heard` is called at the first Ctrl-C, in the main thread, between any two steps of the program; it returns
        how many items are in work, which will be finished.
        """
        self.noted = False
        self._heard = heard
        self._handling = False

    def __enter__(self) -> Interrupt:
        mine = threading.current_thread() is threading.main_thread()
        self._handling = mine and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if self._handling:
            Interrupt.is_urgent = False
            signal.signal(signal.SIGINT, self._note)
        return self

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.noted:
            Interrupt.is_urgent = True
            raise KeyboardInterrupt
        self.noted = True
        left = self._heard()
        for listener in _listeners:
            threading.Thread(target=listener, args=(left,), daemon=True).start()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._handling:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if self.noted and kind is None:
            raise KeyboardInterrupt


@dataclass(frozen=True)
class _Outcome(Generic[Result]):
    """What a function returned, in a tuple, or what it raised."""

    values: tuple[Result, ...] = ()
    error: BaseException | None = None

    def get(self) -> Result:
        """The value; what was raised is raised again."""
        if self.error is not None:
            raise self.error
        return self.values[0]


class _Crew(Generic[Item, Result]):
    """Threads that take items one by one and put outcomes into one queue."""

    def __init__(self, function: Callable[[Item], Result], items: Iterator[Item], workers: int):
        self._function, self._items, self._guard = function, items, threading.Lock()
        self._dismissed = False
        self._outcomes: queue.Queue[_Outcome[Result] | None] = queue.Queue(2 * workers)
        self._working = workers
        self._in_work: set[int] = set()  # threads that are at an item

    def start(self) -> None:
        """Let the threads begin; they end with the process, as what is in work may be given up."""
        for _ in range(self._working):
            threading.Thread(target=self._work, daemon=True).start()

    def dismiss(self) -> int:
        """Begin no further item; how many are in work."""
        self._dismissed = True
        return len(self._in_work)

    def next_outcome(self) -> _Outcome[Result] | None:
        """The next outcome; None when all threads have ended."""
        while self._working:
            outcome = self._outcomes.get()
            if outcome is not None:
                return outcome
            self._working -= 1
        return None

    def _work(self) -> None:
        while (item := self._take()) is not None:
            self._outcomes.put(self._outcome(item[0]))
        self._outcomes.put(None)

    def _take(self) -> tuple[Item] | None:
        """The next item in a tuple; None when there is none, or the crew is dismissed."""
        with self._guard:
            return None if self._dismissed else next(((item,) for item in self._items), None)

    def _outcome(self, item: Item) -> _Outcome[Result]:
        self._in_work.add(threading.get_ident())
        try:
            return _Outcome((self._function(item),))
        except BaseException as error:  # raised again where the results are taken
            return _Outcome(error=error)
        finally:
            self._in_work.discard(threading.get_ident())
