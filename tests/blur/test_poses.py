"""PSFs of a camera that rolls."""

import numpy as np
import pytest

from deblurcli.blur.poses import PoseDensity
from deblurcli.blur.varying import warped


@pytest.fixture
def density() -> PoseDensity:
    shares = np.zeros((3, 5, 5))
    shares[0, 2, 1], shares[1, 2, 2], shares[1, 1, 2], shares[2, 3, 3] = 0.2, 0.3, 0.1, 0.4
    return PoseDensity(np.deg2rad([-1.0, 0.0, 1.0]), shares)


def test_in_the_middle_a_roll_moves_nothing(density):
    np.testing.assert_allclose(density.psf(0, 0), density.density.sum(axis=0)[1:4, 1:4], atol=1e-12)


def test_a_point_is_spread_as_the_poses_move_it(density):
    """Against warping a point, pose by pose, to second order in the roll."""
    scene = np.zeros((201, 201), np.float32)
    x, y = 60, -45
    scene[100 + y, 100 + x] = 1
    seen = np.zeros_like(scene)
    for roll, share in zip(density.rolls, density.density):
        for down, across in zip(*np.nonzero(share)):
            # `warped` says where a seen pixel comes from: the inverse of a counter-clockwise roll, then the shift
            turned = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]]) @ (2 - across, 2 - down)
            seen += share[down, across] * warped(scene, (*turned, roll, 1.0))
    around = seen[100 + y - 4 : 100 + y + 5, 100 + x - 4 : 100 + x + 5]
    np.testing.assert_allclose(density.spread(x, y, 9), around, atol=0.03)


def test_gathered_is_the_adjoint_of_spread(density):
    random = np.random.default_rng(0)
    shares, values = random.random((3, 5, 5)), random.random((11, 11))
    spread = PoseDensity(density.rolls, shares).spread(70, 90, 11)
    assert (spread * values).sum() == pytest.approx((shares * density.gathered(70, 90, values)).sum())


def test_every_psf_sums_to_one_and_has_odd_sides(density):
    for x, y in ((0, 0), (300, -200), (-90, 10.5)):
        psf = density.psf(x, y)
        assert psf.sum() == pytest.approx(1) and psf.min() >= 0
        assert psf.shape[0] == psf.shape[1] and psf.shape[0] % 2 == 1


def test_the_deviation_of_an_even_roll_is_its_extent_over_the_root_of_twelve():
    even = PoseDensity(np.deg2rad(np.linspace(-0.5, 0.5, 101)), np.full((101, 1, 1), 1 / 101))
    assert even.deviation == pytest.approx(np.deg2rad(1.0) / np.sqrt(12), rel=0.02)
