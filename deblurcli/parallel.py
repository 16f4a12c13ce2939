"""Threads: how many, and running a function over many items without holding them all."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def cpus() -> int:
    """How many CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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


def as_done(pool: Executor, function: Callable[[Item], Result], items: Iterable[Item], ahead: int) -> Iterator[Result]:
    """Results as they come, at most `ahead` items begun at a time.

    At KeyboardInterrupt no further item is begun, the results of those in work are yielded, and it is
    raised again. An early exit drops what is not in work.
    """
    left = iter(items)
    begun: set[Future[Result]] = {pool.submit(function, item) for item in islice(left, ahead)}
    interrupted = None
    try:
        while begun:
            try:
                finished, begun = wait(begun, return_when=FIRST_COMPLETED)
            except KeyboardInterrupt as interrupt:
                if interrupted:
                    raise
                interrupted = interrupt
                begun = {future for future in begun if not future.cancel()}
                continue
            if not interrupted:
                begun |= {pool.submit(function, item) for item in islice(left, len(finished))}
            for future in finished:
                yield future.result()
    finally:
        for future in begun:
            future.cancel()
    if interrupted:
        raise interrupted
