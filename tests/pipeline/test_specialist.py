from pathlib import Path

import cv2
import numpy as np
import pytest

from deblurcli.blur.model import blur
from deblurcli.blur.psf import parse
from deblurcli.deconvolution.options import DeconvolutionOptions
from deblurcli.metrics.table import psnr
from deblurcli.pictures.images import Picture
from deblurcli.pipeline import specialist
from deblurcli.pipeline.restoration import restoration

OWN = [
    "gaussian:sigma=2,size=9",
    *(f"paper-motion:direction={way}" for way in ("horizontal", "vertical", "diagonal")),
]


@pytest.fixture(scope="module")
def face(sharp):
    """A face of 128 × 96 pixels, uint8, as soft as those of press photographs."""
    head = (255 * sharp).round().astype(np.uint8)
    return cv2.GaussianBlur(cv2.resize(head[28:168, 48:153], (96, 128), interpolation=cv2.INTER_AREA), (0, 0), 0.8)


@pytest.fixture(scope="module")
def faces():
    return specialist.faces("cpu", workers=1)


def blurred(face, spec):
    soft = blur(face.astype(np.float32) / 255, parse(spec).array())
    return Picture(np.rint(255 * soft).clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize("spec", OWN)
def test_the_blurs_it_was_made_for_are_told_and_undone(spec, face, faces):
    picture = blurred(face, spec)
    special = faces(picture)
    assert special is not None and str(special.spec) == str(parse(spec))
    assert psnr(special.picture.pixels, face) > psnr(picture.pixels, face) + 6


@pytest.mark.parametrize("spec", ["gaussian:sigma=1", "motion:length=12,angle=30", "defocus:radius=2", "box:size=1"])
def test_other_blurs_and_sharp_pictures_are_none_of_its(spec, face, faces):
    assert faces(blurred(face, spec)) is None


def test_noise_and_large_and_tiny_pictures_are_none_of_its(face, faces):
    picture = blurred(face, OWN[0])
    noise = np.random.default_rng(0).normal(0, 2, face.shape)
    assert faces(picture.with_pixels(np.clip(picture.pixels + noise, 0, 255).astype(np.uint8))) is None
    assert faces(Picture(np.tile(picture.pixels, (2, 2, 1)))) is None
    assert faces(picture.with_pixels(np.ascontiguousarray(picture.pixels[:40, :40]))) is None


def test_deblur_lets_it_restore_such_a_picture_and_says_so(face, faces):
    work = restoration("auto", DeconvolutionOptions(), "wiener", Path(), special=faces)
    made = work(blurred(face, OWN[1]), "a")
    assert made.fields["method"] == "faces" and made.fields["psf"] == OWN[1]
    assert made.note == "restored by faces, which was made for its blur"
    assert work(Picture(face), "a").fields["method"] != "faces"


def test_what_it_leaves_is_measured_against_the_blur_of_its_own_result(face):
    """The right restoration leaves rounding; another network's, such as none at all, leaves much."""
    picture = blurred(face, OWN[0])
    spec = parse(OWN[0])
    assert specialist._left(Picture(face), picture, spec.array()) == pytest.approx(12**-0.5, rel=0.05)
    assert specialist._left(picture, picture, spec.array()) > 1
