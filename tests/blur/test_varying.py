"""Motion that varies over the picture, against values computed otherwise."""

import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given
from hypothesis import strategies as st

from deblurcli.blur import families
from deblurcli.blur.model import blur
from deblurcli.blur.varying import Layer, exposed, random_poses, warped

STILL = (0.0, 0.0, 0.0, 1.0)


def seen(plane, pose):
    """A plane at one instant, as the formula has it, pixel by pixel."""
    shift_x, shift_y, turn, zoom = pose
    height, width = plane.shape
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    y, x = np.mgrid[:height, :width].astype(float)
    across, down = x - centre_x, y - centre_y
    at_x = centre_x + zoom * (np.cos(turn) * across - np.sin(turn) * down) + shift_x
    at_y = centre_y + zoom * (np.sin(turn) * across + np.cos(turn) * down) + shift_y
    return scipy.ndimage.map_coordinates(plane, [at_y, at_x], order=1, mode="mirror")


def paths(count, instants, seed=0):
    rng = np.random.default_rng(seed)
    return [random_poses(rng, 9, 4, 3, instants) for _ in range(count)]


@pytest.fixture
def layers(sharp):
    image, other = sharp[:60, :81], sharp[60:120, 80:161]
    y, x = np.mgrid[:60, :81]
    near = np.clip(12 - np.hypot(y - 30, x - 25), 0, 1).astype(np.float32)
    edge = np.clip(9 - np.hypot(y - 2, x - 60) / 2, 0, 1).astype(np.float32)
    covers = (None, near, edge)
    return [Layer(*layer) for layer in zip((image, other, other[::-1]), covers, paths(3, 7))]


@given(st.floats(-30, 30), st.floats(-90, 90), st.floats(-3, 3), st.floats(0.5, 2))
def test_a_warped_image_is_that_of_the_formula(shift_x, shift_y, turn, zoom):
    pose = shift_x, shift_y, turn, zoom
    image = np.random.default_rng(0).random((23, 30, 3), dtype=np.float32)
    expected = np.dstack([seen(image[..., channel], pose) for channel in range(3)])
    np.testing.assert_allclose(warped(image, pose), expected, atol=1e-6)
    np.testing.assert_allclose(warped(image[..., 1], pose), expected[..., 1], atol=1e-6)
    window = slice(3, 20), slice(11, 30)
    np.testing.assert_allclose(warped(image, pose, window), expected[window], atol=1e-5)


@pytest.mark.parametrize("is_linear", [False, True])
def test_an_exposure_is_the_mean_of_its_instants(layers, is_linear):
    frames = []
    for instant in range(7):
        frame = np.zeros((60, 81, 3))
        for layer in layers:
            pose = layer.poses[instant]
            light = layer.image.astype(float) ** (2.2 if is_linear else 1)
            cover = np.ones((60, 81)) if layer.cover is None else layer.cover.astype(float)
            for channel in range(3):
                part = seen(light[..., channel] * cover, pose)
                frame[..., channel] = part + (1 - seen(cover, pose)) * frame[..., channel]
        frames.append(frame)
    mean = np.mean(frames, axis=0)
    expected = np.clip(mean, 0, 1) ** (1 / 2.2) if is_linear else mean
    made = exposed(layers, is_linear)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, expected, atol=1e-5)


def test_a_layer_without_a_cover_hides_all_behind_it(layers):
    front = Layer(layers[1].image, None, layers[1].poses)
    np.testing.assert_allclose(exposed([layers[0], front]), exposed([front]), atol=1e-6)


def test_what_has_left_the_picture_is_not_seen(layers):
    back = Layer(layers[0].image, None, np.array([STILL]))
    gone = Layer(layers[1].image, layers[1].cover, np.array([(40.0, 0.0, 0.0, 1.0)]))
    np.testing.assert_array_equal(exposed([back, gone]), back.image)


@pytest.mark.parametrize("is_linear", [False, True])
def test_layers_at_rest_show_the_sharp_picture(layers, is_linear):
    still = [Layer(layer.image, layer.cover, np.array([STILL])) for layer in layers]
    expected = np.zeros_like(layers[0].image)
    for layer in layers:
        cover = 1 if layer.cover is None else layer.cover[..., None]
        power = 2.2 if is_linear else 1
        expected = cover * layer.image**power + (1 - cover) * expected
    np.testing.assert_allclose(exposed(still, is_linear), expected ** (1 / 2.2 if is_linear else 1), atol=2e-6)


def test_a_shifted_camera_blurs_by_the_psf_of_its_path(sharp):
    poses = random_poses(np.random.default_rng(3), 17, 0, 0, 31)
    psf = np.zeros((41, 41))
    for x, y in -poses[:, :2]:  # the scene seen at p + s comes from a psf that has a point at −s
        column, row = int(np.floor(x)), int(np.floor(y))
        for right, down in ((0, 0), (0, 1), (1, 0), (1, 1)):
            weight = abs(1 - right - (x - column)) * abs(1 - down - (y - row))
            psf[20 + row + down, 20 + column + right] += weight / 31
    inside = slice(20, -20), slice(20, -20)
    made = exposed([Layer(sharp, None, poses)])
    np.testing.assert_allclose(made[inside], blur(sharp, psf)[inside], atol=1e-4)
    assert np.abs(made - sharp).max() > 0.2


def test_a_straight_even_path_is_a_motion(sharp):
    poses = np.array([(x, 0, 0, 1) for x in np.arange(-4, 5)], float)
    expected = blur(sharp, families.motion(9, 0))
    np.testing.assert_allclose(exposed([Layer(sharp, None, poses)]), expected, atol=1e-5)


@pytest.mark.parametrize("rotation, zoom", [(12, 0), (0, 20)])
def test_turning_and_zooming_leave_the_centre_sharp_and_blur_the_corners(sharp, rotation, zoom):
    image = sharp[:151, :151]
    made = exposed([Layer(image, None, random_poses(np.random.default_rng(0), 0, rotation, zoom, 31))])
    np.testing.assert_allclose(made[75, 75], image[75, 75], atol=1e-5)
    points = np.zeros((151, 151, 1), np.float32)
    points[75, 75], points[75, 85], points[75, 135] = 1, 1, 1
    made = exposed([Layer(points, None, random_poses(np.random.default_rng(0), 0, rotation, zoom, 31))])
    peaks = [made[75 - 15 : 75 + 16, column - 4 : column + 5].max() for column in (75, 85, 135)]
    assert peaks[0] > peaks[1] > 1.5 * peaks[2]


@given(
    st.integers(0, 999),
    st.floats(0, 60),
    st.floats(0, 20),
    st.floats(0, 20),
    st.integers(1, 40).map(lambda n: 2 * n + 1),
)
def test_a_random_path_is_as_long_as_asked_for_and_still_in_the_middle(seed, length, rotation, zoom, instants):
    poses = random_poses(np.random.default_rng(seed), length, rotation, zoom, instants)
    assert poses.shape == (instants, 4) and tuple(poses[instants // 2]) == STILL
    assert np.hypot(*np.diff(poses[:, :2], axis=0).T).sum() == pytest.approx(length, abs=1e-9)
    assert np.rad2deg(np.ptp(poses[:, 2])) == pytest.approx(rotation, abs=1e-9)
    assert poses[:, 3].max() / poses[:, 3].min() == pytest.approx(1 + zoom / 100)
    for column in (2, 3):
        steps = np.diff(poses[:, column])
        assert (steps >= 0).all() or (steps <= 0).all()


def test_a_path_is_the_same_at_any_number_of_instants():
    few, many = (random_poses(np.random.default_rng(5), 20, 3, 2, instants) for instants in (5, 401))
    np.testing.assert_allclose(few, many[::100], atol=0.2)
    again, other = (
        random_poses(np.random.default_rng(5), 20, 3, 2, 5),
        random_poses(np.random.default_rng(6), 20, 3, 2, 5),
    )
    np.testing.assert_array_equal(few, again)
    assert np.abs(few - other).max() > 1


def test_one_instant_is_the_sharp_picture():
    assert tuple(random_poses(np.random.default_rng(0), 20, 3, 2, 1)[0]) == STILL
