"""Camera shake with rotation, made by computer: ``python -m tests.bench.shake rotation``.

Forty pictures of at least 0.7 megapixels. No training photograph is that large (the largest has 0.62), so they are the
9 sharp frames of the pairs in `motion`, these mirrored, and 22 validation photographs of BSDS500 that go on as their
own mirror images. `trajectories` moves each along a random path: shifts of 5 to 15 pixels, a roll of at most 1° that
moves the corners at least 5 pixels farther than the middle, and a zoom of up to 0.3 %. Then come noise of 0.5 % and
rounding to 8 bits. The path is also followed without roll and zoom, where one PSF is right for all of a picture.

The sharp picture lies at the middle of its path. PSNR is the largest over shifts, without a border of 23 pixels.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from deblurcli.pictures import images
from tests.bench.shake import markdown, tool, trajectories
from tests.bench.shake.alignment import aligned_psnr
from tests.bench.shake.options import Options
from tests.bench.shake.trajectories import Path

COUNT, MEGAPIXELS = 40, 0.7
SEED, NOISE = 2026, 0.005
SHIFT, ROLL, ZOOM = (5, 15), (0.3, 1.0), (0, 0.003)  # extents in pixels, in degrees, as a share
VARIATION = 5.0  # pixels that the path of a corner differs from that of the middle, at least
MARGIN = 24  # pixels that are cut off, so that the scene goes on behind the border
CASES: dict[str, Callable[[Path], Path]] = {
    "rotation": lambda path: path,
    "shift only": lambda path: replace(path, roll=np.zeros_like(path.roll), zoom=np.zeros_like(path.zoom)),
}
HEADS = ("roll", "shift", "varies by", "blurred", "--rotation", "deblur", "gain")


@dataclass(frozen=True)
class Trial:
    """A picture in one of the `CASES`: sharp float32 in [0, 1], blurred in 8 bits, and the path between them."""

    sharp: np.ndarray
    blurred: np.ndarray
    path: Path


@dataclass(frozen=True)
class Scores:
    """PSNR in dB; `rolled`: by ``deblur --rotation``."""

    blurred: float
    rolled: float
    deblur: float

    @property
    def gain(self) -> float:
        """What `deblur` adds."""
        return self.deblur - self.blurred


def main(options: Options) -> None:
    """Print the table and the summary of both cases."""
    trials = _trials(options)
    seen = {name: trial.blurred for name, trial in trials.items()}
    restored, rolled = tool.deblurred(seen), tool.deblurred(seen, "--rotation")
    scores = {
        name: Scores(
            aligned_psnr(trial.blurred, trial.sharp),
            aligned_psnr(rolled[name].pixels, trial.sharp),
            aligned_psnr(restored[name].pixels, trial.sharp),
        )
        for name, trial in trials.items()
    }
    rows = [[name, *_moved(trial), *_cells(scores[name]), *restored[name].told] for name, trial in trials.items()]
    print(markdown.table(["picture", *HEADS, *tool.TOLD], rows) + "\n")
    heads = ["mean of", *HEADS[3:], "worse than blurred", "worst gain", "better with --rotation"]
    print(markdown.table(heads, [_summary(case, scores) for case in CASES]))


def sharp_pictures(options: Options) -> dict[str, np.ndarray]:
    """Forty sharp pictures, or the first of them, float32 ``(H, W, 3)``, by name."""
    frames = sorted((options.data / "motion" / "sharp").glob("*.png"))
    photographs = sorted((options.data / "natural" / "val").glob("*.jpg"))
    plain = {path.stem: path for path in frames}
    chosen = [*plain.items(), *((f"{name} mirrored", path) for name, path in plain.items())]
    chosen += [(path.stem, path) for path in photographs[: COUNT - len(chosen)]]
    found = {}
    for name, path in options.some(chosen):
        picture = images.read(path)
        found[name] = continued(picture[:, ::-1] if name.endswith("mirrored") else picture)
    return found


def continued(picture: np.ndarray) -> np.ndarray:
    """A picture of at least `MEGAPIXELS`, after `MARGIN` is cut off, that goes on as its mirror image on all sides."""
    smallest = MEGAPIXELS * 1e6
    height, width = picture.shape[:2]
    for down, right in ((0, 0), (0, 1), (1, 0), (1, 1), (1, 2), (2, 2)):
        tall, wide = height + down * (height - 1), width + right * (width - 1)
        if (tall - 2 * MARGIN) * (wide - 2 * MARGIN) >= smallest:
            grown = np.pad(picture, ((0, tall - height), (0, wide - width), (0, 0)), mode="reflect")
            return np.ascontiguousarray(grown)
    raise ValueError(f"a picture of {width} × {height} is too small; take larger ones")


def _trials(options: Options) -> dict[str, Trial]:
    """Every picture in both cases, by their names."""
    trials = {}
    for index, (name, sharp) in enumerate(sharp_pictures(options).items()):
        random = np.random.default_rng([SEED, index])
        inner = sharp[MARGIN:-MARGIN, MARGIN:-MARGIN]
        path = _path(random, (inner.shape[0], inner.shape[1]))
        for case, change in CASES.items():
            moved = trajectories.blurred(sharp, change(path), MARGIN)
            noisy = moved + np.float32(NOISE) * random.standard_normal(moved.shape, np.float32)
            trials[f"{name}, {case}"] = Trial(inner, images.from_float(noisy, np.uint8), change(path))
        print(f"  {name} moved", file=sys.stderr, flush=True)
    return trials


def _path(random: np.random.Generator, size: tuple[int, int]) -> Path:
    """A random path whose roll moves the corners of a picture of that size far enough."""
    least = 1.001 * VARIATION / (np.hypot(size[0] - 1, size[1] - 1) / 2)
    roll = random.uniform(max(np.radians(ROLL[0]), least), np.radians(ROLL[1]))
    path = trajectories.drawn(random, size, random.uniform(*SHIFT), roll, random.uniform(*ZOOM))
    assert path.variation(size) >= VARIATION
    return path


def _moved(trial: Trial) -> list[str]:
    """How a picture was moved, for the table."""
    path, size = trial.path, (trial.blurred.shape[0], trial.blurred.shape[1])
    shift = max(np.ptp(path.down), np.ptp(path.right))
    return [f"{np.degrees(np.ptp(path.roll)):.2f}°", f"{shift:.1f} px", f"{path.variation(size):.1f} px"]


def _cells(scores: Scores) -> list[str]:
    values = (scores.blurred, scores.rolled, scores.deblur)
    return [*map(markdown.decibels, values), markdown.gain(scores.gain)]


def _summary(case: str, scores: dict[str, Scores]) -> list[str]:
    some = [each for name, each in scores.items() if name.endswith(case)]
    mean = Scores(
        float(np.mean([each.blurred for each in some])),
        float(np.mean([each.rolled for each in some])),
        float(np.mean([each.deblur for each in some])),
    )
    gains = np.array([each.gain for each in some])
    better = np.array([each.deblur < each.rolled for each in some])
    worse = markdown.share(gains < 0), markdown.gain(gains.min()), markdown.share(better)
    return [f"{case}, {len(some)} pictures", *_cells(mean), *worse]
