"""The options of the methods of deconvolution."""

from __future__ import annotations

from dataclasses import dataclass

from deblurcli.choices import ITERATIONS
from deblurcli.pictures.noise import NSR

_LEAST_NOISE = 1e-5
_NOISE_FLOOR_RATIO, _NOISE_FLOOR_RATIO_OF_JPEG = 1.0, 100.0  # chosen on a few photographs


@dataclass(frozen=True)
class DeconvolutionOptions:
    """Options of the methods of deconvolution.

    nsr: noise-to-signal ratio of variances, 1e-12 to 1000; larger is smoother and rings less; None estimates it.
    iterations: of Richardson–Lucy, 1 or more; more is sharper and noisier.
    least_noise: standard deviation that an estimate of the noise does not go below, such as that of rounding.
    compressed: the picture went through JPEG or the like, whose noise is not white; ignored when nsr is given.

    Raises ValueError when a number is out of range.
    """

    nsr: float | None = None
    iterations: int = ITERATIONS
    least_noise: float = _LEAST_NOISE
    compressed: bool = False

    def __post_init__(self) -> None:
        if self.nsr is not None and not NSR[0] <= self.nsr <= NSR[1]:
            raise ValueError(f"nsr is {self.nsr}; it must be from {NSR[0]:g} to {NSR[1]:g}")
        if self.iterations < 1:
            raise ValueError(f"iterations are {self.iterations}; give 1 or more")

    @property
    def noise_floor_ratio(self) -> float:
        """How many times the noise a signal must be to be taken for one; see `prior.fit_prior`."""
        if self.nsr is not None:
            return 0.0
        return _NOISE_FLOOR_RATIO_OF_JPEG if self.compressed else _NOISE_FLOOR_RATIO


DEFAULTS = DeconvolutionOptions()
