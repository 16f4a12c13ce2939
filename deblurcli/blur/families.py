"""The families of point spread functions, as arrays."""

from __future__ import annotations

import numpy as np

from deblurcli.errors import PSFError

_INSTANTS = 400  # of an exposure to camera shake


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
    return normalised(np.outer(line, line))


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
    return trimmed(normalised(psf.T if steep else psf))


def defocus(radius: float) -> np.ndarray:
    """A lens out of focus: a uniform disc, its rim anti-aliased by sampling each pixel 16 × 16 times.

    radius: of the disc in pixels; larger blurs more, 0.5 blurs nothing.
    """
    reach = int(np.ceil(radius + 0.5))
    fine = (np.arange(16 * (2 * reach + 1)) + 0.5) / 16 - reach - 0.5
    inside = (fine[:, None] ** 2 + fine**2 <= radius**2).astype(float)
    side = 2 * reach + 1
    return trimmed(normalised(inside.reshape(side, 16, side, 16).sum(axis=(1, 3))))


def trajectory(length: float, seed: int) -> np.ndarray:
    """Camera shake: a random smooth path at varying speed, splatted with bilinear weights.

    The velocity is white noise smoothed over a twentieth of the exposure, as inertia does to a hand's tremor; after
    the random motion of G. Boracchi and A. Foi, IEEE Transactions on Image Processing 21, 2012.

    length: of the path in pixels, along all its turns; larger blurs more.
    seed: which path; the same seed at another length gives the same shape.
    """
    from scipy.ndimage import gaussian_filter1d  # takes as long to import as all else that blurring needs

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
    return centred(normalised(psf))


def box(size: float) -> np.ndarray:
    """A uniform square, anti-aliased: an even size has half-weight sides.

    size: side of the square in pixels; larger blurs more, 1 blurs nothing.
    """
    reach = int(np.ceil((size - 1) / 2))
    x = np.arange(-reach, reach + 1)
    line = np.minimum(x + 0.5, size / 2) - np.maximum(x - 0.5, -size / 2)
    return normalised(np.outer(line, line))


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


def centred(psf: np.ndarray) -> np.ndarray:
    """The same PSF ``(K, L)`` in an array of odd sides whose centre is its centroid."""
    for axis in (0, 1):
        psf = _centred_along(psf, axis)
    return trimmed(psf)


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


def normalised(psf: np.ndarray) -> np.ndarray:
    """The PSF, made to sum to 1."""
    return psf / psf.sum()


def trimmed(psf: np.ndarray) -> np.ndarray:
    """Without the outer rows and columns that are zero on both sides; the centre stays the centre."""
    for axis in (0, 1):
        used = np.flatnonzero(psf.sum(axis=1 - axis) > 1e-12)
        margin = min(used[0], psf.shape[axis] - 1 - used[-1])
        psf = np.take(psf, range(margin, psf.shape[axis] - margin), axis=axis)
    return normalised(psf)
