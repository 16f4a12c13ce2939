"""A network that was made for a few blurs, used where a picture shows that it went through one of them.

What it makes of such a picture is blurred again. For the right blur that gives the picture back, but for rounding: what
the blur lets through is all there is in the picture. Sharp pictures, and those of most other blurs, hold what the blur
would have taken away, and do not come back. The power spectrum must not speak for another blur either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from deblurcli.blur.psf import PSFSpec, parse
from deblurcli.choices import AUTO
from deblurcli.estimation import families, whittle
from deblurcli.inference.models import card
from deblurcli.inference.restorer import deferred
from deblurcli.pictures import power_spectrum
from deblurcli.pictures.images import Picture, to_float
from deblurcli.pictures.luma import central_luma

FACES = "faces"
MOST_PIXELS, LEAST_SIDE = 128 * 128, 48  # of pictures that it is tried on: about the 128 × 96 of those it learnt from
# The largest root mean square, in steps of 8 bits, of what is left when the result is blurred again by the right PSF.
# 160 training faces with the right PSF: up to 0.29 and 0.64. 240 faces and small photographs, sharp or slightly soft
# (sigma up to 1): from 0.67. Of 560 with other blurs, this and `_MOST_LAG` let 19 through, besides Gaussians of 1.8 and
# more, where it gains as well, and motions that differ by a shift of half a pixel alone, which no picture shows.
_TOLERANCES = {"gaussian": 0.30, "paper-motion": 0.65}
_MOST_LAG = 0.12  # per frequency seen: how far its blur may lie behind the likeliest one; up to 0.11 where it is right


@dataclass(frozen=True)
class Special:
    """What the network of a specialist made of a picture, and the blur that it undid."""

    network: str
    picture: Picture
    spec: PSFSpec


@dataclass(frozen=True)
class Specialist:
    """A network and the blurs that it was made for; call it with a picture.

    name: of the network. specs: of the blurs, each of a family of `_TOLERANCES`.
    """

    network: Callable[[Picture], Picture]
    name: str
    specs: tuple[PSFSpec, ...]

    def __call__(self, picture: Picture) -> Special | None:
        """What it makes of the picture where this shows one of its blurs; None where not, or where it is too large."""
        if picture.size[0] * picture.size[1] > MOST_PIXELS or min(picture.size) < LEAST_SIDE:
            return None
        restored = self.network(picture)
        left = [_left(restored, picture, spec.array()) for spec in self.specs]
        spec = self.specs[int(np.argmin(left))]
        if min(left) > _TOLERANCES[spec.family] or _lag(picture, spec.array()) > _MOST_LAG:
            return None
        return Special(self.name, restored, spec)


def _left(restored: Picture, blurred: Picture, psf: np.ndarray) -> float:
    """What blurring again leaves, root mean square in steps of 8 bits, away from the borders."""
    again = cv2.filter2D(to_float(restored.pixels), -1, psf[::-1, ::-1].astype(np.float32))
    margin = max(psf.shape)
    height, width = blurred.pixels.shape[:2]
    left = again.reshape(blurred.pixels.shape) - to_float(blurred.pixels)
    return 255 * float(np.sqrt(np.square(left[margin : height - margin, margin : width - margin]).mean()))


def _lag(picture: Picture, psf: np.ndarray) -> float:
    """How far a PSF lies behind the likeliest family in explaining the power spectrum, per frequency seen."""
    search = families.search(central_luma(picture.pixels))
    fit = whittle.fit_known(search.spectrum, power_spectrum.power_of(psf, search.spectrum))
    return -fit.lead(search.fits[search.best][0])


def faces(provider: str = AUTO, workers: int | None = None) -> Specialist:
    """The network for the paper's blurs of faces.

    provider: a key of `session.PROVIDERS`, or "auto". workers: as for `restorer.deferred`.

    Raises ModelError when the network is not there.
    """
    specs = tuple(parse(each["psf"]) for each in card(FACES).get("blur", []))
    return Specialist(deferred(FACES, provider, workers=workers), FACES, specs)
