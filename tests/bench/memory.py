"""Peak memory of whole runs of the command: ``python -m tests.bench.memory``.

One picture of 100 megapixels, one of a blurred photograph repeated, and 500 against 50,000 small files.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import skimage.data

from deblurcli.pictures import images
from deblurcli.pictures.images import Picture

DEBLUR = ("deblur", "--model", "faces")
WIENER = ("wiener", "--psf", "motion:length=15,angle=20")


def peak(*arguments: str) -> float:
    """Peak memory in MB of one run of the tool."""
    code = (
        "import resource, subprocess, sys;"
        "subprocess.run([sys.executable, '-m', 'deblurcli', *sys.argv[1:]], check=True);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True, text=True)
    return int(done.stdout.split()[-1]) / 1024


def large(place: Path) -> None:
    """Write a 100-megapixel picture, noise on a gradient."""
    rng = np.random.default_rng(0)
    row = np.linspace(0, 200, 10_000)[None, :, None]
    pixels = np.concatenate([(row + rng.integers(0, 55, (1000, 10_000, 3))).astype(np.uint8) for _ in range(10)])
    images.write_picture(place / "large.jpg", Picture(pixels))


def repeated(place: Path) -> None:
    """Write a 100 megapixels of a photograph repeated, blurred by motion, with noise."""
    tiles = np.tile(skimage.data.coffee(), (25, 17, 1))[:10_000, :10_000]
    images.write_picture(place / "sharp.jpg", Picture(np.ascontiguousarray(tiles)))
    peak("blur", f"{place}/sharp.jpg", f"{place}/repeated.jpg", "--psf", WIENER[2], "--noise", "0.01", "-q")


def main() -> None:
    """Print the peaks."""
    with TemporaryDirectory() as name:
        place = Path(name)
        repeated(place)
        for command in (("deblur",), ("deblur", "--model", "photo")):
            used = peak(*command, f"{place}/repeated.jpg", f"{place}/out.jpg", "-q")
            print(f"100 MP repeated: {' '.join(command)} {used:.0f} MB", flush=True)
        large(place)
        for command in (DEBLUR, WIENER, (*WIENER, "--refine")):
            used = peak(*command, f"{place}/large.jpg", f"{place}/out.jpg", "-q")
            print(f"100 MP JPEG: {' '.join(command)} {used:.0f} MB", flush=True)
        small = np.random.default_rng(0).integers(0, 255, (32, 24, 3), np.uint8)
        data = images.encode(Picture(small), "png")
        for count in (500, 50_000):
            folder = place / str(count)
            for index in range(count):
                target = folder / f"{index % 100:02d}" / f"{index}.png"
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
            print(
                f"{count} files: blur {peak('blur', str(folder), f'{place}/b{count}', '--gaussian', '1', '-q'):.0f} MB"
            )
            shutil.rmtree(place / f"b{count}")
            print(f"{count} files: deblur {peak(*DEBLUR, str(folder), f'{place}/d{count}', '-q'):.0f} MB")


if __name__ == "__main__":
    main()
