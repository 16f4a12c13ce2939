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

_HOMES = {
    "DeblurError": "errors",
    "GateError": "errors",
    "ImageError": "errors",
    "ModelError": "errors",
    "PSFError": "errors",
    "PlanError": "errors",
    "ProviderError": "errors",
    "adjust_psf": "estimation.refit:adjusted",
    "blur_image": "blur.model:blur",
    "estimate_psf": "estimation.estimate:estimate",
    "noise_to_signal": "pictures.noise",
    "parse_psf": "blur.psf:parse",
    "read_image": "pictures.images:read",
    "restorer": "inference.restorer",
    "score_images": "metrics.table:score",
    "sparse": "deconvolution.sparse",
    "wiener": "deconvolution.wiener",
    "write_image": "pictures.images:write",
}

__all__ = [
    "DeblurError",
    "GateError",
    "ImageError",
    "ModelError",
    "PSFError",
    "PlanError",
    "ProviderError",
    "adjust_psf",
    "blur_image",
    "estimate_psf",
    "noise_to_signal",
    "parse_psf",
    "read_image",
    "restorer",
    "score_images",
    "sparse",
    "wiener",
    "write_image",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'deblurcli' has no attribute '{name}'")
    module, _, attribute = _HOMES[name].partition(":")
    return getattr(import_module(f"deblurcli.{module}"), attribute or name)


def __dir__() -> list[str]:
    return __all__
