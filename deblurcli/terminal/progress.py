"""A progress bar on stderr while a run goes on: what is in work, how fast it goes, and when it will be over."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.table import Column
from rich.text import Text

from deblurcli import parallel
from deblurcli.batch.record import JobT, Outcome, ResultT
from deblurcli.batch.run import Batch, Work
from deblurcli.pictures.images import Picture
from deblurcli.pictures.processed import Processed
from deblurcli.reports.diagnoses import duration
from deblurcli.terminal.messages import counted, say, stderr

_NAME = 16  # characters of a picture's name that are shown
_SETTLING = 3.0  # seconds before any time is foretold
_WRONG = 0.15, 2.0  # share of the time left and seconds, by which a foretold end may be wrong before it is moved


class Ticker:
    """How far the pictures in work are: give it to what tells of its progress, and `watched` work to the run."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._shares: dict[int, float] = {}  # done of the picture that a thread is at
        self.name = ""  # of the picture that was begun last

    def __call__(self, share: float) -> None:
        """So much more is done of the picture of this thread, or of the only picture where others help with it."""
        with self._guard:
            mine = threading.get_ident()
            owner = mine if mine in self._shares else next(iter(self._shares), None)
            if owner is not None:
                self._shares[owner] = min(self._shares[owner] + share, 1.0)

    @property
    def parts(self) -> float:
        """The shares of all pictures in work, added up."""
        with self._guard:
            return sum(self._shares.values())

    def watched(self, work: Work) -> Work:
        """The same work, each picture announced."""
        return _Watched(work, self)

    @contextlib.contextmanager
    def at(self, name: str) -> Iterator[None]:
        """While this lasts, this thread is at a picture."""
        with self._guard:
            self.name, self._shares[threading.get_ident()] = name, 0.0
        try:
            yield
        finally:
            with self._guard:
                del self._shares[threading.get_ident()]


@dataclass(frozen=True)
class _Watched:
    """Work that a ticker is told of."""

    work: Work
    ticker: Ticker

    def __call__(self, picture: Picture, key: str) -> Processed:
        with self.ticker.at(key):
            return self.work(picture, key)


class _Pace(ProgressColumn):
    """Pictures per second, and the time left.

    The end is foretold from the mean pace so far. It is moved only where that turns out clearly wrong, so that the time
    left counts down and does not jump.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__(Column(no_wrap=True))
        self._now = now
        self._end: float | None = None

    def render(self, task: Task) -> Text:
        """Nothing before there is a pace."""
        elapsed = task.elapsed or 0.0
        if task.completed <= 0 or elapsed < _SETTLING:
            return Text("")
        pace = pictures_per_second(task.completed, elapsed)
        if task.total is None:
            return Text(pace)
        return Text(f"{pace}, {duration(self._left((task.total - task.completed) * elapsed / task.completed))} left")

    def _left(self, left: float) -> float:
        """Seconds left, from what the mean pace says."""
        now = self._now()
        if self._end is None or abs(now + left - self._end) > _WRONG[0] * left + _WRONG[1]:
            self._end = now + left
        return max(self._end - now, 0.0)


def pictures_per_second(pictures: float, seconds: float) -> str:
    """How many pictures are done in a second, or a minute where that is less than one in ten seconds.

    >>> pictures_per_second(24, 10), pictures_per_second(3, 60), pictures_per_second(5000, 10)
    ('2.4 pictures/s', '3.0 pictures/min', '500 pictures/s')
    """
    pace, unit = pictures / max(seconds, 1e-3), "s"
    if pace < 0.1:
        pace, unit = 60 * pace, "min"
    return f"{pace:.0f} pictures/{unit}" if pace >= 10 else f"{pace:.1f} pictures/{unit}"


def follow(
    batch: Batch[JobT, ResultT], title: str, quiet: bool = False, ticker: Ticker | None = None
) -> Iterator[Outcome[JobT, ResultT]]:
    """The outcomes of a batch as they come, with a progress bar on stderr when that is a terminal.

    The first Ctrl-C is answered by what is still to be finished. At its end, good or bad, the batch is closed.
    """
    console = stderr()
    is_shown = not quiet and console.is_terminal
    bar = _Bar(title, batch.total, ticker or Ticker(), console=console, transient=True, disable=not is_shown)
    told = parallel.interrupts_told(lambda left: None if quiet else _acknowledge(title, left))
    try:
        with told, bar:
            for outcome in batch.outcomes:
                bar.done += 1
                yield outcome
    finally:
        close = getattr(batch.outcomes, "close", None)  # a generator's
        if close is not None:
            close()


def _acknowledge(title: str, left: int) -> None:
    say(f"{title}: finishing {counted(left, 'picture')}; Ctrl-C again to stop now")


class _Bar(Progress):
    """The bar of one run, which moves with the parts of pictures, too; done: how many outcomes have come."""

    def __init__(self, title: str, total: int | None, ticker: Ticker, **options: Any) -> None:
        self.done = 0
        self._ticker, self._title = ticker, title
        columns = TextColumn("{task.description}"), BarColumn(12), MofNCompleteColumn(), TimeElapsedColumn(), _Pace()
        super().__init__(*columns, **options)
        self.add_task(title, total=total)

    def get_renderables(self) -> Iterable[RenderableType]:
        """What is drawn, several times a second."""
        name = self._ticker.name
        shown = name if len(name) <= _NAME else "…" + name[1 - _NAME :]
        done = self.done + self._ticker.parts
        for task in self.tasks:  # the only one, once it is there
            self.update(task.id, completed=done, description=escape(f"{self._title} {shown}".rstrip()))
        yield from super().get_renderables()
