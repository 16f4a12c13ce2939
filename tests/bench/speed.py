"""CPU seconds of whole runs, beside the version before: ``python -m tests.bench.speed FOLDER [BEFORE]``.

FOLDER holds sharp photographs, such as the validation images of BSDS500. BEFORE is a checkout of another version of
this repository; each case is then run by both in turn. A case runs the command line as a user would, start-up
included, on pictures made beforehand; `--model photo` is what a restoration costs that does not look for the blur.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from deblurcli.blur import model
from deblurcli.blur.psf import parse
from deblurcli.pictures import images
from deblurcli.pictures.images import Picture

HERE = Path(__file__).resolve().parents[2]
SIDES = 512, 768  # of the photographs
LARGE = 3000, 4000
COUNT, FEW = 24, 4
MOTION = "motion:length=12,angle=30"
NOISE = 1.0  # standard deviation in steps of 8 bits
_CHILD = """
import json, resource, subprocess, sys, time
begun = time.perf_counter()
code = subprocess.run([sys.executable, *sys.argv[1:]], stdout=subprocess.DEVNULL).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([used.ru_utime + used.ru_stime, time.perf_counter() - begun, used.ru_maxrss / 1024, code]))
"""


@dataclass(frozen=True)
class Cost:
    """CPU seconds and seconds by the clock of one run, and its peak memory in MB."""

    cpu: float
    wall: float
    memory: float


@dataclass(frozen=True)
class Case:
    """What is measured: a command on a folder of pictures that `make` writes."""

    about: str
    command: tuple[str, ...]
    make: Callable[[Path, list[Path]], float]  # writes pictures into a folder, gives their megapixels
    per_megapixel: bool = True


def mirrored(path: Path, sides: tuple[int, int]) -> np.ndarray:
    """A photograph ``(h, w, 3)`` uint8 grown by reflection to a size."""
    pixels = images.read_picture(path).pixels
    height, width = (max(0, wanted - length) for wanted, length in zip(sides, pixels.shape))
    grown = np.pad(pixels, ((0, height), (0, width), (0, 0)), mode="symmetric")
    return np.ascontiguousarray(grown[: sides[0], : sides[1]])


def blurred(pixels: np.ndarray, spec: str, seed: int) -> np.ndarray:
    """An image blurred and made a little noisy, uint8; see `NOISE`."""
    made = 255 * model.blur(images.to_float(pixels), parse(spec).array())
    noise = np.random.default_rng(seed).normal(0, NOISE, made.shape)
    return np.clip(np.rint(made + noise), 0, 255).astype(np.uint8)


def of(spec: str, count: int, sides: tuple[int, int]) -> Callable[[Path, list[Path]], float]:
    """A `Case.make` of so many photographs of a size, blurred by a PSF, or not where it is empty."""

    def make(folder: Path, photographs: list[Path]) -> float:
        for index, path in enumerate(photographs[:: max(1, len(photographs) // count)][:count]):
            pixels = mirrored(path, sides)
            pixels = blurred(pixels, spec or "box:size=1", index)
            images.write_picture(folder / f"{index:02}.png", Picture(pixels))
        return count * sides[0] * sides[1] / 1e6

    return make


_ONE = ("--workers", "1")
CASES: dict[str, Case] = {
    "motion": Case("deblur, 24 moved photographs", ("deblur", *_ONE), of(MOTION, COUNT, SIDES)),
    "sharp": Case("deblur, the same sharp", ("deblur", *_ONE), of("", COUNT, SIDES)),
    "shake": Case("deblur, 6 shaken", ("deblur", *_ONE), of("trajectory:length=25,seed=3", 6, SIDES)),
    "photo": Case("deblur --model photo, 24 moved", ("deblur", "--model", "photo", *_ONE), of(MOTION, COUNT, SIDES)),
    "large": Case("deblur, one of 12 megapixels", ("deblur", *_ONE), of(MOTION, 1, LARGE)),
    "small": Case("deblur, one of 128 × 96", ("deblur", *_ONE), of(MOTION, 1, (96, 128)), per_megapixel=False),
    "wiener": Case("wiener, PSF known, 24", ("wiener", "--psf", MOTION, *_ONE), of(MOTION, COUNT, SIDES)),
    "two": Case("deblur, 24 moved, two workers", ("deblur", "--workers", "2"), of(MOTION, COUNT, SIDES)),
}


def run(checkout: Path, *arguments: str) -> Cost:
    """What the command line of a checkout costs; CalledProcessError when it fails."""
    command = [sys.executable, "-c", _CHILD, "-m", "deblurcli", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PYTHONDONTWRITEBYTECODE"):
        environment.pop(variable, None)
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=checkout, env=environment)
    *cost, code = json.loads(done.stdout.splitlines()[-1])
    if code:
        raise subprocess.CalledProcessError(code, command, done.stdout, done.stderr)
    return Cost(*cost)


def main(folder: Path, before: Path | None, names: list[str]) -> None:
    """Print a table of the cases."""
    for checkout in filter(None, (before, HERE)):  # installed modules are compiled
        subprocess.run([sys.executable, "-m", "compileall", "-q", checkout / "deblurcli"], check=True)
    photographs = sorted(path for path in folder.rglob("*") if path.suffix.lower() in images.SUFFIXES)
    print("| case | version | CPU s | CPU s/MP | wall s | MB |\n|---|---|---|---|---|---|")
    for name in names or CASES:
        case = CASES[name]
        with TemporaryDirectory() as place:
            source = Path(place, "in")
            source.mkdir()
            megapixels = case.make(source, photographs)
            for version, checkout in (("before", before), ("now", HERE)):
                if checkout is None:
                    continue
                cost = run(checkout, *case.command[:1], str(source), f"{place}/{version}", *case.command[1:], "-q")
                share = f"{cost.cpu / megapixels:.2f}" if case.per_megapixel else "–"
                cells = (case.about, version, f"{cost.cpu:.2f}", share, f"{cost.wall:.2f}", f"{cost.memory:.0f}")
                print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    folder, *others = sys.argv[1:]
    before = Path(others[0]) if others and others[0] not in CASES else None
    main(Path(folder), before, [name for name in others if name in CASES])
