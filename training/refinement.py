"""What `refine` learns from: a blurred picture, what the Wiener filter makes of it twice, and the sharp one."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset

from deblurcli import deconvolve, estimate, images, noise
from training.degradation import MARGIN, Degradation, Sample, degrade

LEAST_SCALE = 0.5  # of a picture before a piece is cut from it: smaller is sharper
_ROUNDING = noise.rounding_noise(np.dtype(np.uint8))


def restored(sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    """The Wiener filter's answers as the tool would give them: more careful where the PSF is not exact."""
    ratio = None if sample.exact else min(estimate.PRUDENCE * noise.noise_to_signal(sample.blurred, _ROUNDING), 1.0)
    settings = deconvolve.Settings(nsr=ratio, least_noise=_ROUNDING, compressed=sample.compressed)
    return deconvolve.wiener_twice(sample.blurred, sample.told, settings)


class Refinements(Dataset):
    """Inputs ``(9, S, S)``, blurred, boldly and carefully restored, and sharp pictures ``(3, S, S)``, made on the fly.

    An item is a pure function of seed, epoch and index, keys being ``(epoch, index)``.

    files: of sharp pictures, each at least ``S + 2 · MARGIN`` pixels a side. side: S, a multiple of 8.
    """

    def __init__(self, files: list[Path], side: int, seed: int, degradation: Degradation):
        self.files, self.side, self.seed, self.degradation = files, side, seed, degradation

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, key: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
        epoch, index = key
        rng = np.random.default_rng([self.seed, epoch, index])
        sample = degrade(piece(images.read(self.files[index]), self.side + 2 * MARGIN, rng), self.degradation, rng)
        careful, bold = restored(sample)
        layers = np.concatenate([sample.blurred, bold, careful], axis=2)
        return tuple(torch.from_numpy(np.ascontiguousarray(part.transpose(2, 0, 1))) for part in (layers, sample.sharp))


def piece(image: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """A square cut out of an image at random, after it is reduced, turned and mirrored at random; float32."""
    image = image if image.shape[2] == 3 else np.repeat(image, 3, axis=2)
    least = max(LEAST_SCALE, side / min(image.shape[:2]))
    scale = rng.uniform(min(least, 1.0), 1.0)
    height, width = (max(side, round(scale * length)) for length in image.shape[:2])
    image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
    cut = np.rot90(image[top : top + side, left : left + side], rng.integers(4))
    return np.ascontiguousarray(cut[:, :: rng.choice([-1, 1])])
