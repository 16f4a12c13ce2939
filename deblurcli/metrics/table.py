"""Scores of a restored image against the sharp one, and one score without.

Images are ``(H, W, C)`` of equal shape, floats in [0, 1] or whole numbers, which are taken as shares of their type's
largest; sums are in float64. What a metric is, its unit and its source stand in the table `METRICS`; where others
count differently, a `Convention` reproduces their numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from deblurcli.choices import SCORED
from deblurcli.errors import ImageError
from deblurcli.metrics import gmsd
from deblurcli.metrics import ssim as similarity
from deblurcli.metrics.ssim import GAUSSIAN, UNIFORM, Plane, Window
from deblurcli.pictures.images import checked
from deblurcli.pictures.noise import noise

STUDIO = (65.481, 128.553, 24.966)  # BT.601 luma of R, G, B in [0, 1], on top of 16, from 16 to 235
FULL = (0.299, 0.587, 0.114)  # BT.601 luma from 0 to 1
LAPLACIAN_GAIN = 20  # variance of the Laplacian of noise of variance 1
LEAST_SHARPNESS = -70.0  # dB


@dataclass(frozen=True)
class Convention:
    """How others count: the window of SSIM, and whether samples are rounded to 8 bits first."""

    window: Window = GAUSSIAN
    eight_bits: bool = False


CONVENTIONS: dict[str, Convention] = {
    "tf": Convention(),  # tf.image.ssim
    "skimage": Convention(UNIFORM),  # scikit-image's defaults
    "basicsr": Convention(eight_bits=True),  # BasicSR's calculate_psnr and calculate_ssim
}


@dataclass(frozen=True)
class Pair:
    """Two images of one shape that are held against each other; `sharp` may be missing."""

    restored: np.ndarray
    sharp: np.ndarray | None = None
    convention: Convention = CONVENTIONS["tf"]

    @property
    def both(self) -> tuple[np.ndarray, np.ndarray]:
        """The restored and the sharp image; ImageError where there is no sharp one."""
        if self.sharp is None:
            raise ImageError(f"there is no sharp picture to compare with; name it, or ask for {', '.join(WITHOUT)}")
        return self.restored, self.sharp

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.restored.shape[0], self.restored.shape[1]

    @cached_property
    def errors(self) -> tuple[float, float]:
        """Mean squared and mean absolute error over pixels and channels."""
        restored, sharp = self.both
        if restored.dtype == sharp.dtype == np.uint8:  # in whole numbers, exact and quick
            squares, absolutes = (cv2.norm(restored, sharp, kind) for kind in (cv2.NORM_L2SQR, cv2.NORM_L1))
            return squares / 255**2 / restored.size, absolutes / 255 / restored.size
        return _errors(self.strips(self.samples))

    def strips(self, samples: Callable[[np.ndarray], np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Both images in strips of rows, as `samples` gives them."""
        height = max(1, similarity.STRIP // self.restored[0].size)
        restored, sharp = self.both
        for top in range(0, self.size[0], height):
            rows = np.s_[top : top + height]
            yield samples(restored[rows]), samples(sharp[rows])

    def samples(self, part: np.ndarray) -> np.ndarray:
        """Part of an image as float64 in [0, 1], rounded to 8 bits where the convention says so."""
        unit = part.astype(np.float64) if part.dtype.kind == "f" else part / np.float64(np.iinfo(part.dtype).max)
        return np.rint(unit.clip(0, 1) * 255) / 255 if self.convention.eight_bits and part.dtype != np.uint8 else unit

    def luma(self, part: np.ndarray) -> np.ndarray:
        """BT.601 luma of part of an image from 16/255 to 235/255, as BasicSR takes it; grey is taken as it is."""
        samples = self.samples(part)
        return samples[..., 0] if samples.shape[2] == 1 else (_weighted(samples, STUDIO) + 16) / 255

    def planes(self, channel: int) -> tuple[np.ndarray, np.ndarray]:
        """One channel of both images, whole."""
        restored, sharp = self.both
        return self.samples(restored[..., channel]), self.samples(sharp[..., channel])

    def grey(self) -> list[np.ndarray]:
        """Full-range luma of the images there are, whole."""
        images = [image for image in (self.restored, self.sharp) if image is not None]
        return [
            self.samples(image[..., 0]) if image.shape[2] == 1 else _weighted(self.samples(image), FULL)
            for image in images
        ]


def _weighted(samples: np.ndarray, weights: tuple[float, float, float]) -> np.ndarray:
    """A weighted sum of the channels; without BLAS, whose own threads would get in the way of those over files."""
    return cv2.transform(samples, np.array([weights]))


def _errors(strips: Iterator[tuple[np.ndarray, np.ndarray]]) -> tuple[float, float]:
    """Mean squared and mean absolute difference."""
    squares, absolutes, count = 0.0, 0.0, 0
    for restored, sharp in strips:
        difference = np.subtract(restored, sharp).reshape(len(restored), -1)
        squares += cv2.norm(difference, cv2.NORM_L2SQR)
        absolutes += cv2.norm(difference, cv2.NORM_L1)
        count += difference.size
    return float(squares / count), float(absolutes / count)


def _decibels(error: float) -> float:
    """Peak signal to noise for a peak of 1; infinite where there is no error."""
    return float(-10 * np.log10(error)) if error > 0 else float("inf")


def _ssim(pair: Pair) -> float:
    restored, sharp = pair.both

    def mean(channel: int) -> float:
        return _mean_ssim(
            pair,
            lambda rows: pair.samples(restored[rows, :, channel]),
            lambda rows: pair.samples(sharp[rows, :, channel]),
        )

    return float(np.mean([mean(channel) for channel in range(restored.shape[2])]))


def _ssim_y(pair: Pair) -> float:
    restored, sharp = pair.both
    return _mean_ssim(pair, lambda rows: pair.luma(restored[rows]), lambda rows: pair.luma(sharp[rows]))


def _mean_ssim(pair: Pair, restored: Plane, sharp: Plane) -> float:
    return similarity.ssim(restored, sharp, pair.size, pair.convention.window)[0]


def _ms_ssim(pair: Pair) -> float:
    return float(np.mean([similarity.ms_ssim(*pair.planes(channel)) for channel in range(pair.restored.shape[2])]))


def _gmsd(pair: Pair) -> float:
    restored, sharp = pair.grey()
    return gmsd.gmsd(restored, sharp)


def _sharpness(pair: Pair) -> float:
    """Variance of the Laplacian of luma less what the noise adds to it, in dB."""
    grey = pair.grey()[0].astype(np.float32)
    found = float(cv2.Laplacian(grey, cv2.CV_32F).var(dtype=np.float64))
    structure = found - LAPLACIAN_GAIN * noise(grey[..., None]) ** 2
    return max(10 * float(np.log10(max(structure, 1e-9))), LEAST_SHARPNESS)


@dataclass(frozen=True)
class Metric:
    """A named score.

    compute: from a pair to the score. unit: empty for none. digits: that people read behind the point.
    definition, source: what it is, in a line, and who says so.
    smallest: least side of a picture in pixels; None is that of the convention's window.
    needs_sharp: whether there is a score only against a sharp picture.
    """

    compute: Callable[[Pair], float]
    unit: str
    higher_is_better: bool
    digits: int
    definition: str
    source: str
    smallest: int | None = 1
    needs_sharp: bool = True

    def least_side(self, convention: str = "tf") -> int:
        """The least side a picture may have, in pixels."""
        return self.smallest or CONVENTIONS[convention].window.side

    def text(self, value: float) -> str:
        """A value as people read it, without its unit."""
        if not np.isfinite(value):
            return "–" if np.isnan(value) else "∞" if value > 0 else "−∞"
        return f"{value:.{self.digits}f}"


METRICS: dict[str, Metric] = {
    "psnr": Metric(
        lambda pair: _decibels(pair.errors[0]), "dB", True, 2,
        "−10·log10(MSE), peak 1", "Huynh-Thu and Ghanbari, 2008",
    ),
    "ssim": Metric(
        _ssim, "", True, 4,
        "structural similarity, mean over channels", "Wang, Bovik, Sheikh and Simoncelli, 2004", smallest=None,
    ),
    "mae": Metric(
        lambda pair: pair.errors[1], "", False, 5,
        "mean of absolute differences", "Willmott and Matsuura, 2005",
    ),
    "mse": Metric(lambda pair: pair.errors[0], "", False, 6, "mean of squared differences", "Wang and Bovik, 2009"),
    "ms-ssim": Metric(
        _ms_ssim, "", True, 4,
        "SSIM over five scales, mean over channels", "Wang, Simoncelli and Bovik, 2003", smallest=161,
    ),
    "psnr-y": Metric(
        lambda pair: _decibels(_errors(pair.strips(pair.luma))[0]), "dB", True, 2,
        "PSNR of BT.601 luma, 16 to 235, peak 255", "BasicSR; ITU-R BT.601",
    ),
    "ssim-y": Metric(_ssim_y, "", True, 4, "SSIM of the same luma", "BasicSR; ITU-R BT.601", smallest=None),
    "gmsd": Metric(
        _gmsd, "", False, 4,
        "deviation of the similarity of gradients of luma", "Xue, Zhang, Mou and Bovik, 2014", smallest=4,
    ),
    "sharpness": Metric(
        _sharpness, "dB", True, 2,
        "10·log10(var(Laplacian of luma) − 20·noise²), no REF", "Pech-Pacheco et al., 2000, less the noise's share",
        smallest=4, needs_sharp=False,
    ),
}  # fmt: skip
WITHOUT = ("sharpness",)  # when no metric is named and there is no sharp picture


def score(
    restored: np.ndarray,
    sharp: np.ndarray | None = None,
    names: Sequence[str] | None = None,
    convention: str = "tf",
    crop_border: int = 0,
) -> dict[str, float]:
    """The named scores of one pair, or of one image alone.

    restored, sharp: ``(H, W, 1 or 3)``, float in [0, 1], uint8 or uint16; the two may differ in depth.
    names: keys of `METRICS`; when left out, PSNR, SSIM, MAE and MSE, or `sharpness` where there is no `sharp`.
    convention: key of `CONVENTIONS`. crop_border: pixels to leave out at every side.

    Raises ImageError when one is no image, they differ in shape, hold NaN or are too small, and KeyError for an
    unknown name.

    >>> grey, white = np.full((16, 16, 3), 0.5), np.ones((16, 16, 3))
    >>> score(grey, white, ["mae", "psnr"])
    {'mae': 0.5, 'psnr': 6.020599913279624}
    """
    values, complaints = measure(restored, sharp, names, convention, crop_border)
    if complaints:
        raise ImageError("; ".join(complaints))
    return values


def measure(
    restored: np.ndarray,
    sharp: np.ndarray | None = None,
    names: Sequence[str] | None = None,
    convention: str = "tf",
    crop_border: int = 0,
) -> tuple[dict[str, float], list[str]]:
    """As `score`, but a metric that needs a larger picture is left out, and a line says so."""
    restored = _cropped(checked(restored), crop_border)
    if sharp is not None:
        sharp = _cropped(checked(sharp), crop_border)
        _refuse_unlike(restored, sharp)
    pair = Pair(restored, sharp, CONVENTIONS[convention])
    values, complaints = {}, []
    for name in names or (WITHOUT if sharp is None else SCORED):
        if METRICS[name].needs_sharp and sharp is None:
            raise ImageError(f"{name} needs the sharp picture; name it, or ask for {', '.join(WITHOUT)}")
        least = METRICS[name].least_side(convention)
        if min(pair.size) < least:
            size = f"{pair.size[1]}×{pair.size[0]}"
            complaints.append(f"{name} needs {least} pixels a side, the picture is {size}; leave {name} out")
        else:
            values[name] = METRICS[name].compute(pair)
    return values, complaints


def _cropped(image: np.ndarray, border: int) -> np.ndarray:
    height, width = image.shape[:2]
    if border < 0 or 2 * border >= min(height, width):
        raise ImageError(f"a border of {border} pixels leaves nothing of {width}×{height}; crop less")
    return image[border : height - border, border : width - border]


def _refuse_unlike(restored: np.ndarray, sharp: np.ndarray) -> None:
    """ImageError for images of other sizes or kinds."""
    if restored.shape == sharp.shape:
        return
    kinds = [f"{shape[1]}×{shape[0]} {'grey' if shape[2] == 1 else 'RGB'}" for shape in (restored.shape, sharp.shape)]
    alike = restored.shape[:2] == sharp.shape[:2]
    remedy = "save both as RGB, or both as grey" if alike else "give pictures of one size and kind"
    raise ImageError(f"the pictures differ: {' against '.join(kinds)}; {remedy}")


def mse(restored: np.ndarray, sharp: np.ndarray) -> float:
    """Mean squared error, ``mean((r − s)²)``, over pixels and channels; see `score`."""
    return score(restored, sharp, ("mse",))["mse"]


def mae(restored: np.ndarray, sharp: np.ndarray) -> float:
    """Mean absolute error, ``mean(|r − s|)``, over pixels and channels; see `score`."""
    return score(restored, sharp, ("mae",))["mae"]


def psnr(restored: np.ndarray, sharp: np.ndarray) -> float:
    """Peak signal-to-noise ratio, ``−10 · log10(MSE)`` dB for a peak of 1; infinite for equal images."""
    return score(restored, sharp, ("psnr",))["psnr"]


def ssim(restored: np.ndarray, sharp: np.ndarray) -> float:
    """Structural similarity as TensorFlow's ``tf.image.ssim`` defines it; see `ssim.ssim`.

    An 11 × 11 Gaussian window of σ 1.5, only where the window fits, population covariance, averaged over the
    channels. scikit-image gives the same with ``gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
    data_range=1``; its defaults, the convention ``skimage``, give another number.
    """
    return score(restored, sharp, ("ssim",))["ssim"]
