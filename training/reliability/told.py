"""Blurs, and what an estimate may say of them: the truth, something a little wrong, or another blur altogether."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from deblurcli.blur import psf
from deblurcli.blur.psf import PSFSpec
from deblurcli.estimation import psf_shape
from training.data.degradation import mistaken, strayed
from training.data.found import FoundPSFs

_FOUND, _LONGER = 0.75, 15  # share of shakes that were found in pictures; pixels from which on they may be enlarged
_TIMES = 1.0, 1.0, 1.0, 1.4, 2.0
_ALIKE = 0.5, 1.6  # times as long as asked for, that a shake may be
_TRIES = 6
_RIGHT, _OTHER = 0.75, 0.9  # share told nearly right, and that or as another of the families; the rest as a shake
_SMALL = 8  # pixels: the longest that is told of a sharp picture


@dataclass(frozen=True)
class Told:
    """A PSF ``(K, L)`` as an estimate gives it, and its specification where it has a formula."""

    psf: np.ndarray
    spec: PSFSpec | None = None

    def smaller(self, times: float) -> Told:
        """The same in a picture so many times smaller."""
        if self.spec is None:
            return Told(_scaled(self.psf, 1 / times))
        values = ((name, value if name == "angle" else float(value) / times) for name, value in self.spec.values)
        return _named(replace(self.spec, values=tuple(values)))


def shake(length: float, rng: np.random.Generator) -> tuple[np.ndarray, Told]:
    """A PSF of camera shake about so many pixels long, and what is told of it."""
    if rng.random() < _FOUND:
        true, found = _found(length, rng)
        times = rng.choice(_TIMES) if length > _LONGER else 1.0
        return _scaled(true, times), Told(_scaled(found, times))
    spec = psf.parse(f"trajectory:{max(length, 3):.1f},seed={rng.integers(10**6)}")
    return spec.array(), Told(mistaken(spec, rng)) if rng.random() < _RIGHT else _named(_any(length, rng))


def family(length: float, rng: np.random.Generator) -> tuple[np.ndarray, Told]:
    """A blur with a formula about so many pixels long, and what is told of it."""
    spec, share = _any(length, rng), rng.random()
    if share < _RIGHT:
        return spec.array(), _named(strayed(spec, rng))
    return spec.array(), _named(_any(length, rng)) if share < _OTHER else Told(_found(length, rng)[1])


def anything(length: float, rng: np.random.Generator) -> Told:
    """What may be told of a picture that no PSF blurred."""
    return _named(_any(length, rng)) if rng.random() < 0.5 else Told(_found(length, rng)[1])


def of_sharp(length: float, rng: np.random.Generator) -> Told:
    """What may be told of a sharp picture."""
    return anything(min(length, _SMALL), rng)


def _scaled(kernel: np.ndarray, times: float) -> np.ndarray:
    """A PSF ``(K, L)`` so many times as large; where it lies stays as it is if that is once."""
    if times == 1:
        return kernel
    square = psf_shape.framed(kernel, max(kernel.shape))
    return psf_shape.resized(square, psf_shape.odd(max(3, times * len(square))))


def _named(spec: PSFSpec) -> Told:
    return Told(spec.array(), spec)


def _any(length: float, rng: np.random.Generator) -> PSFSpec:
    """One of the families, about so many pixels long."""
    specs = (
        f"motion:length={max(2, length):.1f},angle={rng.uniform(0, 180):.0f}",
        f"gaussian:sigma={max(0.55, length / 7):.2f}",
        f"defocus:radius={max(1.1, length / 3.2):.2f}",
    )
    return psf.parse(specs[rng.integers(3)])


def _found(length: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A PSF of about that length and the one that an estimate found in its place, of several tries."""
    least, most = _ALIKE
    pair = FoundPSFs.kept().draw(rng)
    for _ in range(_TRIES):
        if least < max(pair.psf.shape) / max(length, 5) < most:
            break
        pair = FoundPSFs.kept().draw(rng)
    return pair.psf, pair.given
