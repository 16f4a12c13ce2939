"""Point spread functions: the grammar ``family:field=value,...`` and the families behind it.

A *psf* is a float64 array ``(K, L)`` with odd sides, nowhere negative, that sums to 1 and has its
centroid at the centre of the array, so that blurring with it shifts nothing. The one exception is the
family ``paper-motion``, which keeps the off-centre kernels of the paper for its reproduction.

Angles are in degrees, counted counter-clockwise from the horizontal as one sees the picture (y up):
0 is horizontal, 90 vertical, 45 rises to the right, 135 falls to the right.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter1d

from deblurcli import images
from deblurcli.errors import PSFError
from deblurcli.storage import read_bytes, write_bytes

LARGEST_SIDE = 1023
_INSTANTS = 400  # of an exposure to camera shake
DIRECTIONS = {"horizontal": 0.0, "vertical": 90.0, "diagonal": 135.0, "antidiagonal": 45.0}


def gaussian(sigma: float, size: int = 0) -> np.ndarray:
    """Isotropic Gaussian, sampled at pixel centres and normalised.

    ``h(x, y) ∝ exp(-(x² + y²) / 2σ²)``

    sigma: standard deviation in pixels; larger blurs more.
    size: side of the array in pixels, odd; 0 takes four standard deviations each way.
    """
    size = size or 2 * int(np.ceil(4 * sigma)) + 1
    if size % 2 == 0:
        raise PSFError(f"psf gaussian: size={size} is even; give an odd size, {size - 1} or {size + 1}")
    x = np.arange(size) - size // 2
    line = np.exp(-(x**2) / (2 * sigma**2))
    return _normalised(np.outer(line, line))


def motion(length: float, angle: float) -> np.ndarray:
    """Uniform motion along a straight line, anti-aliased.

    Each pixel along the line's longer axis gets the share of the line that passes over it, divided
    between its two neighbours across: an even length along an axis has half-weight ends, an odd one
    has none, and the centroid is the centre at any angle.

    length: of the line in pixels; larger blurs more, 1 along an axis blurs nothing.
    angle: degrees counter-clockwise from the horizontal.
    """
    across = length * np.cos(np.deg2rad(angle)), -length * np.sin(np.deg2rad(angle))
    steep = abs(across[1]) > abs(across[0])
    run, rise = (across[1], across[0]) if steep else across
    reach = abs(run) / 2
    radius = int(np.ceil(max(reach - 0.5, 0))) + 1
    column = np.arange(-radius, radius + 1)
    start, stop = np.maximum(column - 0.5, -reach), np.minimum(column + 0.5, reach)
    share, middle = np.maximum(stop - start, 0), (start + stop) / 2 * (rise / run)
    row = np.floor(middle).astype(int)
    kept = share > 0
    psf = np.zeros((2 * radius + 1, 2 * radius + 1))
    for offset, part in ((0, 1 - (middle - row)), (1, middle - row)):
        np.add.at(psf, (row[kept] + offset + radius, column[kept] + radius), (share * part)[kept])
    return _trimmed(_normalised(psf.T if steep else psf))


def defocus(radius: float) -> np.ndarray:
    """A lens out of focus: a uniform disc, its rim anti-aliased by sampling each pixel 16 × 16 times.

    radius: of the disc in pixels; larger blurs more, 0.5 blurs nothing.
    """
    reach = int(np.ceil(radius + 0.5))
    fine = (np.arange(16 * (2 * reach + 1)) + 0.5) / 16 - reach - 0.5
    inside = (fine[:, None] ** 2 + fine**2 <= radius**2).astype(float)
    side = 2 * reach + 1
    return _trimmed(_normalised(inside.reshape(side, 16, side, 16).sum(axis=(1, 3))))


def trajectory(length: float, seed: int) -> np.ndarray:
    """Camera shake: a random smooth path at varying speed, splatted with bilinear weights.

    The velocity is white noise smoothed over a twentieth of the exposure, as inertia does to a hand's tremor; after
    the random motion of G. Boracchi and A. Foi, IEEE Transactions on Image Processing 21, 2012.

    length: of the path in pixels, along all its turns; larger blurs more.
    seed: which path; the same seed at another length gives the same shape.
    """
    white = np.random.default_rng(seed).standard_normal((2, _INSTANTS))
    velocity = gaussian_filter1d(white, _INSTANTS / 20, axis=1, mode="reflect")
    path = np.cumsum(velocity, axis=1)
    path *= length / np.hypot(*np.diff(path)).sum()
    path -= path.mean(axis=1, keepdims=True)
    reach = int(np.ceil(np.abs(path).max())) + 1
    whole, part = np.divmod(path + reach, 1)
    psf = np.zeros((2 * reach + 1, 2 * reach + 1))
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        weight = np.abs(1 - row - part[0]) * np.abs(1 - column - part[1])
        np.add.at(psf, (whole[0].astype(int) + row, whole[1].astype(int) + column), weight)
    return centred(_normalised(psf))


def box(size: float) -> np.ndarray:
    """A uniform square, anti-aliased: an even size has half-weight sides.

    size: side of the square in pixels; larger blurs more, 1 blurs nothing.
    """
    reach = int(np.ceil((size - 1) / 2))
    x = np.arange(-reach, reach + 1)
    line = np.minimum(x + 0.5, size / 2) - np.maximum(x - 0.5, -size / 2)
    return _normalised(np.outer(line, line))


def paper_motion(direction: str) -> np.ndarray:
    """The off-centre 8 × 8 motion kernels of the paper, in a 9 × 9 array about OpenCV's anchor (4, 4).

    They shift the picture by half a pixel along the motion, and the horizontal and vertical ones by
    one pixel across it as well. They exist to reproduce the paper; use ``motion`` for anything else.

    direction: horizontal (row 3 of the kernel filled), vertical (column 3) or diagonal.
    """
    kernel = np.zeros((9, 9))
    line = np.arange(8)
    kernel[{"horizontal": (3, line), "vertical": (line, 3), "diagonal": (line, line)}[direction]] = 1 / 8
    return kernel[::-1, ::-1].copy()


def from_file(path: str, centre: str = "yes") -> np.ndarray:
    """A PSF from a .npy array ``(K, L)`` or a grey image, normalised to sum 1.

    path: of the file, at most 1023 a side; a colour image is averaged to grey.
    centre: "yes" moves the centroid to the centre of the array (by whole pixels, the rest by linear
        interpolation); "no" takes the array as it is, padded to odd sides at the bottom and right.

    Raises PSFError when the array is not two-dimensional, not finite, negative, empty or too large, and
    ImageError when the file cannot be read.
    """
    array = _load_npy(path) if Path(path).suffix.lower() == ".npy" else images.read(path, LARGEST_SIDE**2).mean(axis=2)
    if array.ndim != 2 or array.size == 0 or max(array.shape) > LARGEST_SIDE:
        raise PSFError(f"psf {path}: shape {array.shape}; a PSF is two-dimensional, 1 to {LARGEST_SIDE} a side")
    if not np.isfinite(array).all() or array.min() < 0 or array.max() == 0:
        raise PSFError(f"psf {path}: values must be finite, nowhere negative and not all zero")
    psf = _normalised(array.astype(np.float64) / array.max())
    return centred(psf) if centre == "yes" else np.pad(psf, [(0, 1 - side % 2) for side in psf.shape])


def _load_npy(path: str) -> np.ndarray:
    try:
        array = np.atleast_1d(np.load(io.BytesIO(read_bytes(path)), allow_pickle=False))
    except (EOFError, ValueError, TypeError, MemoryError) as error:
        raise PSFError(f"psf {path}: not a readable .npy array; save a two-dimensional array of numbers") from error
    if array.dtype.kind not in "fiub":
        raise PSFError(f"psf {path}: holds {array.dtype}; save a two-dimensional array of real numbers")
    return array.astype(np.float64)


def check_name(path: str | Path) -> None:
    """Raise ImageError when a PSF cannot be written to a file of that name; its ending is .npy or a picture's."""
    if Path(path).suffix.lower() != ".npy":
        images.format_of(path)


def write(path: str | Path, psf: np.ndarray) -> None:
    """Write a PSF ``(K, L)`` as a .npy array, or as a grey picture of 16 bits, its largest weight white.

    Raises ImageError when the file cannot be written, or its ending is no format's.
    """
    if Path(path).suffix.lower() == ".npy":
        written = io.BytesIO()
        np.save(written, psf)
        write_bytes(path, written.getvalue())
    else:
        images.write(path, (psf / psf.max()).astype(np.float32)[..., None], depth=16)


def centred(psf: np.ndarray) -> np.ndarray:
    """The same PSF ``(K, L)`` in an array of odd sides whose centre is its centroid."""
    for axis in (0, 1):
        psf = _centred_along(psf, axis)
    return _trimmed(psf)


def _centred_along(psf: np.ndarray, axis: int) -> np.ndarray:
    """Shift along one axis: weight w at position p goes to the two pixels around p − centroid."""
    position = np.arange(psf.shape[axis])
    centroid = float(psf.sum(axis=1 - axis) @ position)
    nearest = round(centroid)
    radius = max(nearest, psf.shape[axis] - 1 - nearest) + 1
    lines = np.moveaxis(psf, axis, 0)
    moved = np.zeros((2 * radius + 1, lines.shape[1]))
    first, rest = radius - nearest, nearest - centroid
    moved[first : first + len(lines)] += lines * (1 - abs(rest))
    if abs(rest) > 1e-9:
        towards = first + (1 if rest > 0 else -1)
        moved[towards : towards + len(lines)] += lines * abs(rest)
    return np.moveaxis(moved, 0, axis)


def checked(psf: np.ndarray) -> np.ndarray:
    """A PSF as the library works on it, float64; PSFError when it is not two-dimensional with odd sides."""
    array = np.asarray(psf, np.float64)
    if array.ndim != 2 or array.shape[0] % 2 == 0 or array.shape[1] % 2 == 0:
        raise PSFError(f"a PSF is an array (K, L) with odd sides, not {array.shape}; pad it, its origin at the centre")
    return array


def _normalised(psf: np.ndarray) -> np.ndarray:
    return psf / psf.sum()


def _trimmed(psf: np.ndarray) -> np.ndarray:
    """Without the outer rows and columns that are zero on both sides; the centre stays the centre."""
    for axis in (0, 1):
        used = np.flatnonzero(psf.sum(axis=1 - axis) > 1e-12)
        margin = min(used[0], psf.shape[axis] - 1 - used[-1])
        psf = np.take(psf, range(margin, psf.shape[axis] - margin), axis=axis)
    return _normalised(psf)


@dataclass(frozen=True)
class Field:
    """One field of a family: a number from `low` to `high`, one of `choices`, or any text.

    names: words understood in place of a number, with the number each stands for.
    """

    name: str
    kind: type
    low: float = 0.0
    high: float = 0.0
    default: float | str | None = None
    choices: tuple[str, ...] = ()
    names: Mapping[str, float] = field(default_factory=dict)

    def read(self, family: str, text: str) -> float | str:
        """The value that `text` gives; PSFError names the field, the value and what is allowed."""
        if self.kind is str:
            if self.choices and text not in self.choices:
                raise PSFError(f"psf {family}: {self.name}={text}; choose one of {', '.join(self.choices)}")
            return text
        try:
            value = self.kind(self.names.get(text, text))
        except ValueError:
            value = np.nan
        if not self.low <= value <= self.high:
            what = "a whole number" if self.kind is int else "a number"
            allowed = ", ".join([f"{what} from {self.low:g} to {self.high:g}", *self.names])
            raise PSFError(f"psf {family}: {self.name}={text}; give {allowed}")
        return value


@dataclass(frozen=True)
class Family:
    """How to make the PSFs of one family, and the fields its specification takes."""

    make: Callable[..., np.ndarray]
    fields: tuple[Field, ...]


PSFS: dict[str, Family] = {
    "gaussian": Family(gaussian, (Field("sigma", float, 0.1, 50), Field("size", int, 0, 401, default=0))),
    "motion": Family(
        motion, (Field("length", float, 1, 500), Field("angle", float, -360, 360, default=0.0, names=DIRECTIONS))
    ),
    "defocus": Family(defocus, (Field("radius", float, 0.5, 200),)),
    "box": Family(box, (Field("size", float, 1, 401),)),
    "trajectory": Family(trajectory, (Field("length", float, 1, 200), Field("seed", int, 0, 2**31 - 1, default=0))),
    "paper-motion": Family(paper_motion, (Field("direction", str, choices=("horizontal", "vertical", "diagonal")),)),
    "file": Family(from_file, (Field("path", str), Field("centre", str, default="yes", choices=("yes", "no")))),
}
FILE_SUFFIXES = (".npy", *images.SUFFIXES)


@dataclass(frozen=True)
class Spec:
    """A parsed PSF specification: which family, and a value for each of its fields."""

    family: str
    values: tuple[tuple[str, float | str], ...]

    def array(self) -> np.ndarray:
        """The PSF itself, float64 ``(K, L)``."""
        return PSFS[self.family].make(**dict(self.values))

    def absolute(self) -> Spec:
        """The same specification, a file's path made absolute, so that it holds in any folder."""
        values = tuple((name, str(Path(value).absolute()) if name == "path" else value) for name, value in self.values)
        return Spec(self.family, values)

    def __str__(self) -> str:
        """The specification without defaults; `parse` of it gives an equal `Spec`, unless a path has a comma."""
        defaults = {field.name: field.default for field in PSFS[self.family].fields}
        given = [f"{name}={_text(value)}" for name, value in self.values if value != defaults[name]]
        return f"{self.family}:{','.join(given)}"


def _text(value: float | str) -> str:
    """A field's value as one would type it."""
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def parse(text: str) -> Spec:
    """Read a specification such as ``motion:length=15,angle=30``, ``file:kernel.png`` or a file's path.

    A family's first field may be given without its name: ``gaussian:2``.

    Raises PSFError that names the family or field at fault, its value and what is allowed.
    """
    named = text.partition(":")[0] in PSFS
    if not named and text.lower().endswith(FILE_SUFFIXES):
        return Spec("file", (("path", text), ("centre", "yes")))
    family, _, rest = text.partition(":")
    if family not in PSFS:
        files = ", ".join(FILE_SUFFIXES)
        raise PSFError(f"psf {text}: no family '{family}'; choose one of {', '.join(PSFS)}, or name a file of {files}")
    fields = PSFS[family].fields
    given = _given(family, rest, fields)
    return Spec(family, tuple((field.name, _value(family, field, given)) for field in fields))


RANDOM = "random"
# What `draw` draws from: the fields of each family, uniform between two bounds.
DRAWN: dict[str, dict[str, tuple[float, float]]] = {
    "gaussian": {"sigma": (0.5, 4)},
    "motion": {"length": (2, 25), "angle": (0, 180)},
    "defocus": {"radius": (1, 6)},
    "trajectory": {"length": (5, 40), "seed": (0, 10**9)},
}


def families(text: str) -> tuple[str, ...]:
    """The families that ``random`` or ``random:FAMILY+FAMILY…`` draws from.

    Raises PSFError when one of them is not in `DRAWN`.
    """
    _, colon, rest = text.partition(":")
    named = tuple(rest.split("+")) if colon else tuple(DRAWN)
    for name in named:
        if name not in DRAWN:
            raise PSFError(f"psf {text}: random draws from {', '.join(DRAWN)}, not '{name}'")
    return named


def draw(named: tuple[str, ...], rng: np.random.Generator) -> Spec:
    """A random specification: a family of those named, then its fields, to two decimals."""
    family = named[rng.integers(len(named))]
    values = {name: rng.uniform(*bounds) for name, bounds in DRAWN[family].items()}
    texts = [f"{name}={int(value) if name == 'seed' else round(value, 2)}" for name, value in values.items()]
    return parse(f"{family}:{','.join(texts)}")


@lru_cache(maxsize=64)
def array(spec: str) -> np.ndarray:
    """The PSF of a specification, float64 ``(K, L)``; kept for the next picture, so not to be written to."""
    return parse(spec).array()


def _given(family: str, rest: str, fields: tuple[Field, ...]) -> dict[str, str]:
    """The raw text of each field named in `rest`."""
    given: dict[str, str] = {}
    for position, part in enumerate(rest.split(",") if rest else ()):
        name, equals, value = part.partition("=")
        if not equals and position == 0:
            name, value = fields[0].name, part
        if name not in {field.name for field in fields}:
            known = ", ".join(field.name for field in fields)
            raise PSFError(f"psf {family}: no field '{name}'; it takes {known}")
        if name in given:
            raise PSFError(f"psf {family}: {name} is given twice; give it once")
        given[name] = value
    return given


def _value(family: str, field: Field, given: dict[str, str]) -> float | str:
    if field.name in given:
        return field.read(family, given[field.name])
    if field.default is None:
        raise PSFError(f"psf {family}: {field.name} is missing; write {family}:{field.name}=…")
    return field.default
