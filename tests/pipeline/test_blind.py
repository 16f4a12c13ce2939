"""The network that is given nothing but the picture, at the size at which it does most."""

import cv2
import numpy as np
import pytest
import skimage.data

from deblurcli.blur.model import blur
from deblurcli.blur.psf import parse
from deblurcli.inference import reliability
from deblurcli.inference.restorer import restorer
from deblurcli.pictures.images import Picture, from_float, to_float
from deblurcli.pipeline import blind
from deblurcli.pipeline.blind import Blind, Look

ASTRONAUT = skimage.data.astronaut()


@pytest.fixture(scope="module")
def photo():
    return restorer("photo", workers=1)


def out_of_focus(radius: float) -> np.ndarray:
    return from_float(blur(to_float(ASTRONAUT), parse(f"defocus:radius={radius}").array()), np.uint8)


def psnr(pixels: np.ndarray) -> float:
    difference = pixels.astype(float) - ASTRONAUT
    return float(20 * np.log10(255 / np.sqrt(np.square(difference[16:-16, 16:-16]).mean())))


def test_a_wide_blur_is_restored_in_the_picture_made_smaller_and_better_there(photo):
    blurred = out_of_focus(10)
    work = Blind(photo)
    assert work.best(blurred).times == 2
    made = work(Picture(blurred)).pixels
    assert made.shape == blurred.shape and made.dtype == np.uint8
    assert psnr(made) > psnr(photo.restore(blurred)) + 0.5 and psnr(made) > psnr(blurred) + 1.5


def test_a_narrow_blur_is_restored_in_the_picture_as_it_is(photo):
    blurred = out_of_focus(2)
    work = Blind(photo)
    best = work.best(blurred)
    assert best is None or best.times == 1
    np.testing.assert_array_equal(work(Picture(blurred)).pixels, photo.restore(blurred))


class Brighter:
    """A network that adds a sixteenth of white, and notes the sizes that it sees."""

    def __init__(self):
        self.seen = []

    def restore(self, pixels, *, progress=lambda share: None):
        self.seen.append(pixels.shape[:2])
        return from_float(np.clip(to_float(pixels) + 1 / 16, 0, 1), pixels.dtype)

    def __call__(self, picture, progress=lambda share: None):
        return picture.with_pixels(self.restore(picture.pixels))


def all_of(share: float):
    """A `reliability.shares` that tells the same of every cell."""
    return lambda blurred, restored: np.full([-(-length // 16) for length in blurred.shape[:2]], share, np.float32)


def look(times: int) -> Look:
    """One at a part of a picture."""
    return Look(times, False, np.zeros((1, 1, 1)), np.zeros((1, 1, 1)), (slice(0, 1), slice(0, 1)))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(611, 403, 3), (530, 771, 1)])
def test_what_changes_in_the_smaller_picture_changes_in_all_of_it(monkeypatch, dtype, shape):
    """Also in the rows and columns that are left over, and across the strips that are written together."""
    monkeypatch.setattr(reliability, "shares", all_of(0.5))
    monkeypatch.setattr(Blind, "best", lambda self, pixels: look(4))
    monkeypatch.setattr(blind, "_STRIP", 32)
    pixels = np.full(shape, np.iinfo(dtype).max // 2, dtype)
    made = Blind(Brighter())(Picture(pixels)).pixels
    assert made.shape == shape and made.dtype == dtype
    change = (made.astype(float) - pixels) / np.iinfo(dtype).max
    np.testing.assert_allclose(change, 1 / 32, atol=0.5 / 255 + 1e-4)


def test_a_change_is_brought_back_to_where_it_was_seen(monkeypatch):
    """A ramp of brightness added by the network lies at the same place at full size."""
    monkeypatch.setattr(reliability, "shares", all_of(1))
    monkeypatch.setattr(Blind, "best", lambda self, pixels: look(2))
    across = np.linspace(0, 0.25, 600, dtype=np.float32)[None, :, None].repeat(400, axis=0)

    class Ramp(Brighter):
        def restore(self, pixels, *, progress=lambda share: None):
            ramp = cv2.resize(across, (300, 200), interpolation=cv2.INTER_AREA)[..., None]
            return from_float(to_float(pixels) + ramp, pixels.dtype)

    pixels = np.full((400, 600, 1), 20000, np.uint16)
    made = Blind(Ramp())(Picture(pixels)).pixels
    np.testing.assert_allclose((made / 65535 - 20000 / 65535)[:, 2:-2], across[:, 2:-2], atol=1e-4)


def test_a_size_at_which_the_picture_is_sharp_is_not_tried():
    network = Brighter()
    small = cv2.resize(ASTRONAUT, (256, 256), interpolation=cv2.INTER_AREA)
    once_soft = cv2.resize(small, (512, 512), interpolation=cv2.INTER_CUBIC)
    assert Blind(network).best(once_soft) is None
    Blind(network)(Picture(once_soft))
    assert network.seen == [(512, 512)], "once, at its own size"


def test_a_picture_that_is_looked_at_as_a_whole_is_not_restored_twice():
    """As a whole are looked at those of up to 663,552 pixels."""
    for length, runs in ((512, 1), (1296, 1), (1297, 2)):
        network = Brighter()
        pixels = cv2.resize(out_of_focus(10), (length, 512), interpolation=cv2.INTER_CUBIC)
        Blind(network)(Picture(pixels))
        assert len(network.seen) == 2 + runs, "at half and a quarter of its size as well"


@pytest.mark.parametrize("shape", [(20, 3, 3), (1, 1, 1), (255, 300, 3)])
def test_small_pictures_are_restored_as_they_are(shape):
    network = Brighter()
    made = Blind(network)(Picture(np.full(shape, 100, np.uint8)))
    assert network.seen == [shape[:2]] and made.pixels.shape == shape


def test_reduced_is_the_mean_of_squares_and_drops_what_is_left_over():
    pixels = np.random.default_rng(0).integers(0, 256, (10, 13, 3), dtype=np.uint8)
    wanted = pixels[:8, :12].reshape(2, 4, 3, 4, 3).mean(axis=(1, 3)) / 255
    np.testing.assert_allclose(blind.reduced(pixels, 4) / 65535, wanted, atol=1e-5)
