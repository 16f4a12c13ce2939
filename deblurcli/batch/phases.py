"""Where the time of a picture goes: what its thread is at, and for how long.

Whoever does a part of the work says so by `phase`; a phase inside another one stops the clock of that. Threads that
help with one picture need not say anything, as their time passes within the phase that waits for them.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

READ, FIND, WORK, WRITE = PHASES = ("read", "find", "work", "write")

Seconds = dict[str, float]  # by phase


class _Clock(threading.local):
    """The seconds of this thread's picture; names: the phases that have begun, the innermost last."""

    def __init__(self) -> None:
        self.seconds: Seconds = {}
        self._names: list[str] = []
        self._since = 0.0

    def _turn(self) -> None:
        """Add what has passed to the innermost phase."""
        now = time.perf_counter()
        if self._names:
            name = self._names[-1]
            self.seconds[name] = self.seconds.get(name, 0.0) + now - self._since
        self._since = now

    def begin(self, name: str) -> None:
        """A phase, inside those that have begun."""
        self._turn()
        self._names.append(name)

    def end(self) -> None:
        """The innermost phase is over."""
        self._turn()
        self._names.pop()


_clock = _Clock()


@contextlib.contextmanager
def phase(name: str) -> Iterator[None]:
    """While this lasts, this thread's time counts for a phase of `PHASES`."""
    _clock.begin(name)
    try:
        yield
    finally:
        _clock.end()


@contextlib.contextmanager
def timed() -> Iterator[Seconds]:
    """The seconds of every phase in this thread, complete when this ends."""
    _clock.seconds = seconds = {}
    yield seconds
