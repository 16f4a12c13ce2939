"""How large PSFs are, how alike, and at another size."""

import numpy as np
import pytest

from deblurcli.blur import families
from deblurcli.estimation import psf_shape
from deblurcli.estimation.psf_shape import alike


def test_psfs_are_alike_wherever_they_lie_and_whatever_surrounds_them():
    one, other = families.motion(9, 30), families.motion(9, 120)
    assert alike(one, np.pad(one, ((4, 0), (0, 2)))) == pytest.approx(1)
    assert alike(one, other) == pytest.approx(alike(other, one)) and 0 < alike(one, other) < 0.6


def test_a_psf_of_a_larger_picture_is_as_much_wider_and_lies_in_the_middle():
    wider = psf_shape.enlarged(np.pad(families.motion(9, 0), ((4, 4), (0, 0))), 3)
    assert wider.shape == (27, 27) and wider.sum() == pytest.approx(1)
    assert alike(wider, families.motion(27, 0)) > 0.5 and psf_shape.extent(wider) + 2 >= 27
    np.testing.assert_allclose(wider, wider[::-1, ::-1], atol=1e-6)


def test_a_psf_is_framed_about_its_centre():
    line = families.motion(5, 0)
    framed = psf_shape.framed(line, 7)
    assert framed.shape == (7, 7) and psf_shape.extent(framed) == 5
    np.testing.assert_allclose(framed[3, 1:6], line.ravel())
    np.testing.assert_allclose(psf_shape.framed(line, 3)[1], 1 / 3)
