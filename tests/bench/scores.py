"""Scoring beside a loop over scikit-image: ``python -m tests.bench.scores``, or ``… scores pairs`` for 10,000 pairs.

Pairs of PNG files of 1024 × 1024 and of 128 × 96 are scored by PSNR, SSIM, MAE and MSE: by the tool, end to end as
`deblurcli score` does it, and by a straight loop that reads the files with Pillow and calls skimage.metrics with the
same definitions. On a busy machine the ratio of CPU times says more, for threads share what is left of the CPUs.
``pairs`` scores 500 and 10,000 pairs with a baseline and a page, each in a process of its own, and prints the peak
memory and the size of the page.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import cv2
import numpy as np
from PIL import Image
from skimage import metrics as peer

from deblurcli import parallel
from deblurcli.choices import SCORED
from deblurcli.metrics import table
from deblurcli.pictures import images
from deblurcli.pictures.images import Picture
from deblurcli.reports import scoring

ROUNDS = 5
SIZES = {(1024, 1024): 24, (128, 96): 400}


Result = TypeVar("Result")


def detailed(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Something like a photograph, uint8: noise of every scale."""
    total = np.zeros((*size, 3), np.float32)
    for step in (1, 4, 16, 64):
        small = rng.normal(0, step**0.5, (max(2, size[0] // step), max(2, size[1] // step), 3)).astype(np.float32)
        total += cv2.resize(small, size[::-1], interpolation=cv2.INTER_CUBIC)
    return images.from_float(0.5 + total / 40, np.uint8)


def make(place: Path, size: tuple[int, int], count: int, folders: tuple[str, ...] = ("out", "ref")) -> None:
    """Write so many pictures into each folder, noisy in all but the last."""
    rng = np.random.default_rng(0)
    originals = [detailed(rng, size) for _ in range(min(count, 24))]
    for index in range(count):
        sharp = originals[index % len(originals)]
        for strength, name in enumerate(reversed(folders)):
            noisy = cv2.add(sharp, rng.integers(0, 1 + 12 * strength, sharp.shape, np.uint8))
            images.write_picture(place / name / f"{index // 1000}" / f"{index}.png", Picture(noisy))


def by_the_peer(restored: np.ndarray, sharp: np.ndarray) -> tuple[float, ...]:
    """PSNR, SSIM, MAE and MSE by scikit-image, with the definitions of the convention `tf`."""
    r, s = (image.astype(np.float64) / 255 for image in (restored, sharp))
    ssim = peer.structural_similarity(
        r, s, channel_axis=-1, data_range=1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    psnr, mse = peer.peak_signal_noise_ratio(s, r, data_range=1), peer.mean_squared_error(r, s)
    return float(psnr), float(np.asarray(ssim)), float(np.abs(r - s).mean()), float(mse)


def loop(place: Path) -> list[tuple[float, ...]]:
    """The straight loop over files."""
    names = sorted(path.relative_to(place / "out") for path in (place / "out").rglob("*.png"))
    return [by_the_peer(*(np.asarray(Image.open(place / each / name)) for each in ("out", "ref"))) for name in names]


def tool(place: Path) -> list[tuple[float, ...]]:
    """What `deblurcli score` does."""
    run = scoring.score(place / "out", place / "ref", None, scoring.Options(SCORED))
    results, _ = run.results(run.batch.outcomes)
    assert not results.errors
    return [tuple(row.values[name] for name in SCORED) for row in results.rows]


def seconds(function: Callable[..., Result], *arguments: object) -> tuple[np.ndarray, Result]:
    """How long a call takes by the clock and in CPU time of all threads, and what it gives."""
    begun = np.array([time.perf_counter(), time.process_time()])
    result = function(*arguments)
    return np.array([time.perf_counter(), time.process_time()]) - begun, result


def speed() -> None:
    """Print pairs/s of both, round by round in turn, and the ratios' medians."""
    print(f"{parallel.cpus()} CPUs; PSNR, SSIM, MAE, MSE; medians of {ROUNDS} rounds")
    for size, count in SIZES.items():
        with TemporaryDirectory() as folder:
            place = Path(folder)
            make(place, size, count)
            whole, alone, rates = [], [], []
            pair = [images.read_picture(next((place / name).rglob("0.png"))).pixels for name in ("out", "ref")]
            for _ in range(ROUNDS):
                (slow, expected), (quick, found) = seconds(loop, place), seconds(tool, place)
                assert np.allclose(expected, found, rtol=0, atol=1e-6)
                whole.append(slow / quick)
                rates.append((count / slow[0], count / quick[0]))
                slow, quick = (
                    sum(seconds(each, *pair)[0][1] for _ in range(max(1, count // 20)))
                    for each in (by_the_peer, table.score)
                )
                alone.append(slow / quick)
            peers, ours = (statistics.median(each) for each in zip(*rates))
            clock, cpu = np.median(whole, axis=0)
            print(
                f"{size[1]}×{size[0]}: loop {peers:.1f} pairs/s, tool {ours:.1f} pairs/s, ratio {clock:.2f} "
                f"({np.min(whole, axis=0)[0]:.2f} to {np.max(whole, axis=0)[0]:.2f}); CPU time of a pair {cpu:.2f} "
                f"times less, without files {statistics.median(alone):.2f}"
            )


def pairs() -> None:
    """Print peak memory and the page's size for 500 and for 10,000 pairs with a baseline."""
    with TemporaryDirectory() as folder:
        for count in (500, 10_000):
            place = Path(folder) / str(count)
            make(place, (120, 160), count, ("soft", "out", "ref"))
            line = [sys.executable, "-m", "tests.bench.scores", "one", str(place)]
            done = subprocess.run(line, capture_output=True, text=True, check=True)
            print(f"{count} pairs: {done.stdout.strip()}")


def one(place: Path) -> None:
    """Score a folder with a page, and print the peak memory of this process, the time and the page's size."""
    page = place / "page" / "report.html"
    run = scoring.score(place / "out", place / "ref", place / "soft", scoring.Options(SCORED, html=page))
    took, (results, _) = seconds(run.results, run.batch.outcomes)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size = page.stat().st_size / 1e6
    print(f"peak {peak:.0f} MB, {took[0]:.0f} s, page {size:.1f} MB, {len(results.rows)} scored")


if __name__ == "__main__":
    if sys.argv[1:2] == ["pairs"]:
        pairs()
    elif sys.argv[1:2] == ["one"]:
        one(Path(sys.argv[2]))
    else:
        speed()
