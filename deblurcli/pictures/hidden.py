"""Hidden colours: what a file holds where a picture is fully transparent, which nobody sees and nothing may mix in."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from deblurcli.pictures.images import Picture
from deblurcli.pictures.processed import Processed


def covered(picture: Picture) -> Picture:
    """The picture, each hidden colour replaced by that of the nearest pixel that is not fully transparent.

    Without alpha, or with nothing hidden, or all, it is the same picture.
    """
    if picture.alpha is None:
        return picture
    hidden = picture.alpha == 0
    if not hidden.any() or hidden.all():
        return picture
    _, nearest = cv2.distanceTransformWithLabels(
        hidden.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    colours = np.empty((nearest.max() + 1, picture.pixels.shape[2]), picture.pixels.dtype)
    colours[nearest[~hidden]] = picture.pixels[~hidden]
    return picture.with_pixels(np.where(hidden[..., None], colours[nearest], picture.pixels))


def uncovered(made: Processed, picture: Picture) -> Processed:
    """What became of a covered picture, with the hidden colours as they were in the picture itself."""
    if picture.alpha is None or made.picture.size != picture.size:
        return made
    hidden = picture.alpha == 0
    if not hidden.any():
        return made
    pixels = np.where(hidden[..., None], picture.pixels, made.picture.pixels)
    return replace(made, picture=made.picture.with_pixels(pixels))
