"""How much of the bare network's speed is left end to end: ``python -m tests.bench.throughput FOLDER``.

FOLDER holds pictures. A bare loop runs the session on the very windows the tool would cut from them, already
in memory, on as many threads; the tool reads, restores and writes the files. Both in one process, in turn.
"""

from __future__ import annotations

import statistics
import sys
import time
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from deblurcli import parallel
from deblurcli.batch import record, run
from deblurcli.inference.restorer import Restorer, restorer
from deblurcli.pictures import images

ROUNDS = 3
MOST_WINDOWS = 200  # kept in memory at a time


def windows(restore: Restorer, path: Path) -> list[np.ndarray]:
    """The batches the network gets for one picture."""
    pixels = images.read_picture(path).pixels
    height, width, _ = pixels.shape
    return [restore._batch([pixels], window) for window in product(restore._spans(height), restore._spans(width))]


def bare(restore: Restorer, batches: list[np.ndarray], workers: int) -> float:
    """Seconds the session alone takes for all batches."""
    begun = time.perf_counter()
    for _ in parallel.as_done(restore.session.run, batches, workers):
        pass
    return time.perf_counter() - begun


def tool(restore: Restorer, folder: Path) -> float:
    """Seconds the tool takes for all files."""
    with TemporaryDirectory() as target:
        begun = time.perf_counter()
        for outcome in run.transform(folder, Path(target), run.Plain(restore)).outcomes:
            assert outcome.status == record.DONE, outcome.error
        return time.perf_counter() - begun


def main(folder: Path) -> None:
    """Print the seconds of both and the ratio, round by round."""
    restore, workers = restorer("faces"), parallel.cpus()
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in images.SUFFIXES)
    ratios = []
    for _ in range(ROUNDS):
        alone = 0.0
        waiting: list[np.ndarray] = []
        for index, path in enumerate(files):
            waiting += windows(restore, path)
            if len(waiting) >= MOST_WINDOWS or index == len(files) - 1:
                alone += bare(restore, waiting, workers)
                waiting = []
        whole = tool(restore, folder)
        ratios.append(alone / whole)
        print(f"bare {alone:.2f} s, tool {whole:.2f} s, {len(files) / whole:.2f} files/s, ratio {ratios[-1]:.3f}")
    print(f"median ratio {statistics.median(ratios):.3f} on {len(files)} files, {workers} CPUs")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
