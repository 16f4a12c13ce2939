"""Blur, deblur and score pictures: what the command line does, as functions on arrays.

Names are loaded when they are first used, so that importing the package costs nothing.

>>> import numpy as np, deblurcli
>>> sharp = np.kron(np.random.default_rng(0).random((8, 8, 3), dtype=np.float32), np.ones((12, 12, 1), np.float32))
>>> psf = deblurcli.parse_psf("motion:length=8,angle=30").array()
>>> blurred = deblurcli.blur_image(sharp, psf)
>>> restored = deblurcli.wiener(blurred, psf)
>>> scores = deblurcli.score_images(restored, sharp)
>>> scores["psnr"] > deblurcli.score_images(blurred, sharp)["psnr"]
True
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deblurcli.blur.model import blur as blur_image
    from deblurcli.blur.psf import PSFSpec
    from deblurcli.blur.psf import parse as parse_psf
    from deblurcli.deconvolution.options import DeconvolutionOptions
    from deblurcli.deconvolution.richardson_lucy import richardson_lucy
    from deblurcli.deconvolution.sparse import sparse
    from deblurcli.deconvolution.wiener import wiener
    from deblurcli.errors import (
        ClusterError,
        DeblurError,
        GateError,
        ImageError,
        ModelError,
        PlanError,
        ProviderError,
        PSFError,
    )
    from deblurcli.estimation.estimate import Estimate, is_sharp, trusted
    from deblurcli.estimation.estimate import estimate as estimate_psf
    from deblurcli.estimation.noise_to_signal import noise_to_signal
    from deblurcli.estimation.refit import adjusted as adjust_psf
    from deblurcli.inference.restorer import Restorer, restorer
    from deblurcli.metrics.table import score as score_images
    from deblurcli.pictures.images import read as read_image
    from deblurcli.pictures.images import write as write_image
    from deblurcli.reports.side_by_side import show

# Where each name is defined: a module, and its name there where that is another.
_HOMES = {
    "ClusterError": "errors",
    "DeblurError": "errors",
    "DeconvolutionOptions": "deconvolution.options",
    "Estimate": "estimation.estimate",
    "GateError": "errors",
    "ImageError": "errors",
    "ModelError": "errors",
    "PSFError": "errors",
    "PSFSpec": "blur.psf",
    "PlanError": "errors",
    "ProviderError": "errors",
    "Restorer": "inference.restorer",
    "adjust_psf": "estimation.refit:adjusted",
    "blur_image": "blur.model:blur",
    "estimate_psf": "estimation.estimate:estimate",
    "is_sharp": "estimation.estimate",
    "noise_to_signal": "estimation.noise_to_signal",
    "parse_psf": "blur.psf:parse",
    "read_image": "pictures.images:read",
    "restorer": "inference.restorer",
    "richardson_lucy": "deconvolution.richardson_lucy",
    "score_images": "metrics.table:score",
    "show": "reports.side_by_side",
    "sparse": "deconvolution.sparse",
    "trusted": "estimation.estimate",
    "wiener": "deconvolution.wiener",
    "write_image": "pictures.images:write",
}

__all__ = [
    "ClusterError",
    "DeblurError",
    "DeconvolutionOptions",
    "Estimate",
    "GateError",
    "ImageError",
    "ModelError",
    "PSFError",
    "PSFSpec",
    "PlanError",
    "ProviderError",
    "Restorer",
    "adjust_psf",
    "blur_image",
    "estimate_psf",
    "is_sharp",
    "noise_to_signal",
    "parse_psf",
    "read_image",
    "restorer",
    "richardson_lucy",
    "score_images",
    "show",
    "sparse",
    "trusted",
    "wiener",
    "write_image",
]

if not TYPE_CHECKING:  # a type checker that saw it would let any name pass

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module 'deblurcli' has no attribute '{name}'")
        module, _, attribute = _HOMES[name].partition(":")
        return getattr(import_module(f"deblurcli.{module}"), attribute or name)


def __dir__() -> list[str]:
    return __all__
