"""A PSF of any form from a blurred picture alone, by turns: sharp edges from the picture, the PSF from the edges.

From coarse to fine, the picture restored so far is denoised and its edges are steepened by a shock filter; only
its strong gradients are kept. The PSF is the one, nowhere negative, that blurs these gradients most nearly into
the picture's own::

    min over k ≥ 0 of  Σ ‖k ∗ ∇s − ∇b‖²  +  β ‖k‖²

and the picture is restored with it by the Wiener filter.

Source: S. Cho and S. Lee, Fast motion deblurring, ACM Transactions on Graphics 28(5), 2009; the constraint is kept
exactly here, by accelerated projected gradients on the normal equations (A. Beck and M. Teboulle, SIAM Journal on
Imaging Sciences 2, 2009).
"""

from __future__ import annotations

import cv2
import numpy as np
import scipy.fft
import scipy.ndimage

from deblurcli.blur.families import centred
from deblurcli.deconvolution.wiener import wiener
from deblurcli.errors import PSFError

_STEP = np.sqrt(2)  # from one level of the pyramid to the next
_SMALLEST = 5  # side of the PSF at the coarsest level
_ROUNDS = 5  # per level
_EDGES = 2.0  # gradients kept in each direction: this times the root of the picture's pixels times the PSF's
_WEIGHT = 0.02  # of ‖k‖², as a share of the gradients' energy
_FAINT = 0.05  # of the largest value: fainter pixels of a PSF are nothing
_STRAY = 0.1  # of the sum: lighter islands of a PSF are nothing
_RATIO = 5e-3  # noise-to-signal ratio of the restorations in between
_MOST = 400  # pixels a side that are looked at
_PACE = 20  # pixels from one part that may be looked at to the next


def find(luma: np.ndarray, size: int = 31) -> np.ndarray:
    """The PSF, ``(K, L)`` with odd sides, that blurred a picture.

    luma: ``(H, W)``, float32 in [0, 1]; `part` of it is looked at.
    size: side of the largest PSF to consider, odd and at most a third of the picture's; larger takes longer and
        finds more that is not there.

    Raises PSFError when the size is even, below 3 or too large.
    """
    if size % 2 == 0 or not 3 <= size <= min(luma.shape) // 3:
        raise PSFError(f"cannot look for a PSF of {size} pixels; give an odd size from 3 to {min(luma.shape) // 3}")
    blurred = part(luma)
    psf = np.zeros((_SMALLEST, _SMALLEST))
    psf[_SMALLEST // 2, _SMALLEST // 2 - 1 : _SMALLEST // 2 + 2] = 1 / 3
    for side in _sides(size):
        level = _shrunk(blurred, side / size)
        psf = _resized(psf, side)
        for turn in range(_ROUNDS):
            edges = _edges(_restored(level, psf), side, 0.8**turn)
            psf = _cleaned(_solve(edges, level, side))
    return psf


def alike(one: np.ndarray, other: np.ndarray) -> float:
    """The normalised correlation of two PSFs, at the shift where it is largest; 1 when they are the same."""
    shape = [a + b for a, b in zip(one.shape, other.shape)]
    product = np.fft.rfft2(one, shape) * np.conj(np.fft.rfft2(other, shape))
    return float(np.fft.irfft2(product, shape).max() / np.linalg.norm(one) / np.linalg.norm(other))


def enlarged(psf: np.ndarray, times: float) -> np.ndarray:
    """The PSF ``(K, L)`` of a picture as that of the same picture so many times larger."""
    scaled = cv2.resize(psf, None, fx=times, fy=times, interpolation=cv2.INTER_LINEAR)
    return centred(scaled / scaled.sum())


def part(luma: np.ndarray) -> np.ndarray:
    """The part of a picture's luma that is looked at: the 400 × 400 pixels with the strongest gradients."""
    height, width = (min(length, _MOST) for length in luma.shape)
    strength = cv2.boxFilter(np.hypot(*_gradients(luma)), cv2.CV_32F, (width, height), anchor=(0, 0))
    inside = strength[: luma.shape[0] - height + 1 : _PACE, : luma.shape[1] - width + 1 : _PACE]
    top, left = (_PACE * index for index in np.unravel_index(inside.argmax(), inside.shape))
    return np.ascontiguousarray(luma[top : top + height, left : left + width])


def _sides(size: int) -> list[int]:
    """Sides of the PSF from the coarsest level to the finest, all odd."""
    levels = max(0, int(np.ceil(np.log(size / _SMALLEST) / np.log(_STEP))))
    return [2 * int(size / _STEP**level / 2) + 1 for level in range(levels, 0, -1)] + [size]


def _shrunk(picture: np.ndarray, scale: float) -> np.ndarray:
    height, width = (max(8, round(length * scale)) for length in picture.shape)
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def _resized(psf: np.ndarray, side: int) -> np.ndarray:
    """A PSF of one level as that of the next."""
    return _framed(enlarged(psf, _STEP), side)


def _framed(psf: np.ndarray, side: int) -> np.ndarray:
    """A PSF cut or padded about its centre to a square."""
    margins = [(side - length) // 2 for length in psf.shape]
    padded = np.pad(psf, [(max(margin, 0),) * 2 for margin in margins])
    rows, columns = (slice(max(-margin, 0), max(-margin, 0) + side) for margin in margins)
    return padded[rows, columns] / padded[rows, columns].sum()


def _restored(blurred: np.ndarray, psf: np.ndarray) -> np.ndarray:
    return wiener(blurred[..., None], psf, _RATIO)[..., 0]


def _gradients(picture: np.ndarray) -> np.ndarray:
    """Forward differences along the rows and down the columns, ``(2, H, W)``, 0 at the far ends."""
    right = np.diff(picture, axis=1, append=picture[:, -1:])
    return np.stack([right, np.diff(picture, axis=0, append=picture[-1:])])


def _edges(restored: np.ndarray, side: int, share: float) -> np.ndarray:
    """The gradients, ``(2, H, W)``, of the strongest edges of a picture after steepening; all else is 0.

    share: of the usual threshold; smaller keeps more.
    """
    smooth = cv2.bilateralFilter(restored, 5, 0.1, 2.0)
    for _ in range(2):
        smooth = _shocked(smooth)
    gradients = _gradients(smooth)
    strength = np.hypot(*gradients)
    wanted = int(_EDGES * np.sqrt(strength.size) * side)
    sector = np.floor((np.arctan2(gradients[1], gradients[0]) % np.pi) / (np.pi / 4)).astype(int) % 4
    levels = [np.sort(strength[sector == each])[-wanted // 4 :][:1] for each in range(4)]
    threshold = share * min((level[0] for level in levels if level.size), default=0.0)
    margin = side // 2 + 1
    kept = (strength > threshold) & (strength > 0)
    kept[:margin], kept[-margin:], kept[:, :margin], kept[:, -margin:] = False, False, False, False
    return gradients * kept


def _shocked(picture: np.ndarray) -> np.ndarray:
    """One step of a shock filter, ``s − sign(Δs) |∇s|``, after slight smoothing."""
    smooth = cv2.GaussianBlur(picture, (0, 0), 1.0)
    slope = np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0) / 8, cv2.Sobel(smooth, cv2.CV_32F, 0, 1) / 8)
    return np.clip(smooth - np.sign(cv2.Laplacian(smooth, cv2.CV_32F, ksize=3)) * slope, 0, 1)


def _solve(edges: np.ndarray, blurred: np.ndarray, side: int, rounds: int = 150) -> np.ndarray:
    """The PSF ``(side, side)``, nowhere negative, that best blurs the edges into the picture's gradients."""
    shape = [scipy.fft.next_fast_len(length + side, real=True) for length in blurred.shape]
    sharp, seen = (scipy.fft.rfft2(part, s=shape) for part in (edges, _gradients(blurred)))
    matched = scipy.fft.irfft2((np.conj(sharp) * seen).sum(0), s=shape)
    energy = scipy.fft.irfft2((np.abs(sharp) ** 2).sum(0), s=shape)
    wide = _around(energy, side - 1)
    scale = max(energy[0, 0], 1e-12)
    padded = scipy.fft.next_fast_len(3 * side, real=True)
    operator = scipy.fft.rfft2(np.roll(np.pad(wide / scale, (0, padded - len(wide))), (1 - side, 1 - side), (0, 1)))
    target = _around(matched, side // 2) / scale
    return _nonnegative(operator, target, padded, rounds)


def _around(periodic: np.ndarray, reach: int) -> np.ndarray:
    """The values of a periodic array from −reach to reach about its origin."""
    index = np.arange(-reach, reach + 1)
    return periodic[np.ix_(index, index)]


def _nonnegative(operator: np.ndarray, target: np.ndarray, padded: int, rounds: int) -> np.ndarray:
    """Accelerated projected gradients for ``min ½ kᵀ(A + β)k − tᵀk`` over k ≥ 0; A is a convolution."""
    side, step = len(target), 1 / (np.abs(operator).max() + _WEIGHT)
    psf = ahead = np.maximum(target, 0)
    momentum = 1.0
    for _ in range(rounds):
        spread = scipy.fft.irfft2(scipy.fft.rfft2(ahead, s=(padded, padded)) * operator, s=(padded, padded))
        moved = np.maximum(ahead - step * (spread[:side, :side] + _WEIGHT * ahead - target), 0)
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        psf, ahead, momentum = moved, moved + (momentum - 1) / following * (moved - psf), following
    return psf


def _cleaned(psf: np.ndarray) -> np.ndarray:
    """A PSF without faint pixels and stray islands, centred, of the same side; a single point when nothing is left."""
    side = len(psf)
    kept = np.where(psf >= _FAINT * psf.max(), psf, 0)
    islands, count = scipy.ndimage.label(kept, np.ones((3, 3)))
    weights = scipy.ndimage.sum_labels(kept, islands, np.arange(count + 1))
    kept[weights[islands] < _STRAY * kept.sum()] = 0
    if kept.sum() <= 0:
        kept[side // 2, side // 2] = 1
    return _framed(centred(kept / kept.sum()), side)
