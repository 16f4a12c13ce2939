"""The forms of a blurred picture that the reliability networks compare."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import numpy as np

from deblurcli.deconvolution.options import DeconvolutionOptions
from deblurcli.errors import DeblurError
from deblurcli.estimation.estimate import Estimate, estimate, from_psf
from deblurcli.inference.reliability import NAME, PREFERENCE
from deblurcli.inference.restorer import refiner, restorer
from deblurcli.pictures.images import Picture, from_float, to_float
from deblurcli.pipeline.blind import Blind
from deblurcli.pipeline.restoration import restoration
from deblurcli.pipeline.sources import guessed
from training.reliability.scenes import Scene

Forms = Callable[[Scene], Sequence[np.ndarray]]
_LARGEST = 0.45  # of a picture's smaller side, that a PSF may be


def by_network(network: str) -> Forms:
    """What a network makes of a picture, float32 ``(H, W, 3)`` in [0, 1]."""
    restored = restorer(network, workers=1)
    return lambda scene: (restored.restore(scene.blurred),)


def with_psf(network: str) -> Forms:
    """What a network makes of a picture, and what a PSF does, right or wrong; nothing where there is none.

    The PSF is by turns the likeliest that is found in the picture and what is told of it; see `told`.
    """
    blind, turns = Blind(restorer(network, workers=1)), cycle((_found, _told))
    work = restoration("auto", DeconvolutionOptions(), "wiener", Path(), refiner=refiner(workers=1), forced=True)

    def forms(scene: Scene) -> Sequence[np.ndarray]:
        picture = Picture(from_float(scene.blurred, np.uint8))
        finding = guessed(picture, next(turns)(scene, picture), forced=True)
        if finding.psf is None or max(finding.psf.shape) > _LARGEST * min(picture.pixels.shape[:2]):
            return ()
        made = replace(work, source=lambda *_: finding)(picture, "")
        return [to_float(each.pixels) for each in (blind(picture), made.picture)]

    return forms


def _found(_: Scene, picture: Picture) -> Estimate:
    return estimate(picture.pixels)


def _told(scene: Scene, picture: Picture) -> Estimate:
    return from_psf(picture.pixels, scene.told.psf, scene.told.spec)


_OF = {NAME: by_network, PREFERENCE: with_psf}


def known(helper: str) -> Callable[[str], Forms]:
    """What such a network compares, by the name of the one that restores; DeblurError when there is none such."""
    if helper not in _OF:
        raise DeblurError(f"{helper}: no such network; choose one of {', '.join(_OF)}")
    return _OF[helper]
