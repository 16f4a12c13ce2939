import cv2
import numpy as np
import pytest

from deblurcli.blur import families, psf
from deblurcli.blur.model import blur
from deblurcli.inference import dehalo
from deblurcli.pictures import images

BEYOND = 0.02


def step(low=0.2, high=0.8, shape=(96, 128)):
    edge = np.full((*shape, 3), low, np.float32)
    edge[:, shape[1] // 2 :] = high
    return edge


def rung(image, share=0.6):
    """An image with a halo on both sides of each edge."""
    return image + share * (image - cv2.GaussianBlur(image, (0, 0), 4))


@pytest.mark.parametrize("spec", ["gaussian:1.5", "gaussian:4", "motion:20,angle=30", "defocus:5"])
def test_halos_beside_an_edge_are_limited(spec):
    edge = step()
    seen = blur(edge, psf.parse(spec).array())
    ringing = rung(edge)
    limited = dehalo.suppress_halos(ringing, seen, BEYOND)
    assert ringing.max() > 0.9 and ringing.min() < 0.1
    assert limited.max() <= 0.8 + BEYOND and limited.min() >= 0.2 - BEYOND
    assert np.abs(limited - edge).mean() < 0.5 * np.abs(ringing - edge).mean()


@pytest.mark.parametrize("noise", [1 / 255, 2 / 255])
def test_a_little_noise_hides_no_flat_area(noise):
    seen = blur(step(), families.gaussian(2)) + np.float32(noise) * np.random.default_rng(0).standard_normal(
        (96, 128, 3), np.float32
    )
    limited = dehalo.suppress_halos(rung(step()), seen, BEYOND)
    assert limited.max() <= 0.805 + BEYOND and limited.min() >= 0.195 - BEYOND


def test_what_is_within_the_limits_stays_as_it_is():
    edge = step()
    np.testing.assert_array_equal(dehalo.suppress_halos(edge, blur(edge, families.gaussian(2)), BEYOND), edge)


def test_fine_lines_on_paper_get_as_dark_as_they_were():
    page = np.full((96, 128, 3), 230, np.uint8)
    cv2.putText(page, "Deblur", (8, 60), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (25, 25, 25), 2)
    page = images.to_float(page)
    seen = blur(page, families.gaussian(3))
    assert seen.min() > 0.3
    np.testing.assert_allclose(dehalo.suppress_halos(page, seen, BEYOND), page, atol=1e-6)


def test_texture_stays_as_it_is(sharp):
    seen = blur(sharp, families.gaussian(2))
    limited = dehalo.suppress_halos(sharp, seen, BEYOND)
    assert np.mean(limited != sharp) < 0.02 and np.square(limited - sharp).mean() < 1e-5


def dots():
    page = np.full((80, 120, 3), 245 / 255, np.float32)
    page[20:70:30, 20:110:30] = 20 / 255
    return page


def test_what_the_blurred_picture_shows_is_never_forbidden():
    np.testing.assert_array_equal(dehalo.suppress_halos(dots(), dots(), BEYOND), dots())


@pytest.mark.parametrize("spec", ["gaussian:1", "gaussian:2", "motion:12", "defocus:3"])
@pytest.mark.parametrize("inverted", [False, True])
def test_points_on_a_flat_ground_come_back_whole(spec, inverted):
    page = 1 - dots() if inverted else dots()
    limited = dehalo.suppress_halos(page, blur(page, psf.parse(spec).array()), BEYOND)
    assert np.abs(limited - page).max() < 0.02


def test_a_point_beside_an_edge_lifts_no_limit_at_the_edge():
    page = step()
    page[48, 96] = 1.0
    seen = blur(page, families.gaussian(2))
    limited = dehalo.suppress_halos(rung(page), seen, BEYOND)
    assert limited[:20, 50:64].min() >= 0.2 - BEYOND and limited[:20, 64:80].max() <= 0.8 + BEYOND


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (7, 3), (33, 51)])
def test_any_size_is_taken(shape):
    image = np.random.default_rng(0).random((*shape, 3), dtype=np.float32)
    limited = dehalo.suppress_halos(image, image, BEYOND)
    assert limited.shape == image.shape and limited.dtype == np.float32
