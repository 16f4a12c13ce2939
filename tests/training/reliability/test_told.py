"""Blurs, and what an estimate may say of them."""

import numpy as np
import pytest

from deblurcli.blur import psf
from training.reliability import told
from training.reliability.told import Told


def likeness(one, other):
    """The normalised correlation of two PSFs at the best shift."""
    shape = np.add(one.shape, other.shape)
    product = np.fft.rfft2(one, shape) * np.conj(np.fft.rfft2(other, shape))
    return np.fft.irfft2(product, shape).max() / np.linalg.norm(one) / np.linalg.norm(other)


@pytest.mark.parametrize("drawn", [told.shake, told.family])
def test_most_of_what_is_told_is_nearly_right_and_some_is_not(drawn):
    rng = np.random.default_rng(0)
    alike = []
    for _ in range(60):
        true, said = drawn(14, rng)
        assert true.sum() == pytest.approx(1) and said.psf.sum() == pytest.approx(1)
        assert said.psf.min() >= 0 and all(side % 2 for side in said.psf.shape)
        alike.append(likeness(true, said.psf))
    assert np.median(alike) > 0.8 and min(alike) < 0.6


def test_a_specification_gives_the_psf_that_is_told():
    rng = np.random.default_rng(1)
    named = [said for said in (told.anything(10, rng) for _ in range(30)) if said.spec is not None]
    assert len(named) > 5
    for said in named:
        np.testing.assert_array_equal(said.psf, said.spec.array())


def test_of_a_sharp_picture_only_small_blurs_are_told():
    rng = np.random.default_rng(2)
    of_sharp, of_others = ([max(tell(45, rng).psf.shape) for _ in range(40)] for tell in (told.of_sharp, told.anything))
    assert np.mean(of_sharp) < 15 < 30 < np.mean(of_others)


def test_in_a_smaller_picture_the_blur_is_smaller():
    spec = psf.parse("motion:length=24,angle=30")
    smaller = Told(spec.array(), spec).smaller(2)
    assert dict(smaller.spec.values) == {**dict(spec.values), "length": 12}
    bar = np.zeros((9, 21))
    bar[4] = 1 / 21
    narrow = Told(bar).smaller(3).psf
    spread = np.sqrt(narrow.sum(axis=0) @ (np.arange(narrow.shape[1]) - narrow.shape[1] // 2) ** 2)
    assert spread == pytest.approx(np.sqrt((21**2 - 1) / 12) / 3, rel=0.2)
    assert Told(bar).smaller(1).psf is bar
