"""What a network corrects of a deconvolution, in the values of the file and in linear light."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from deblurcli.blur import families
from deblurcli.blur.model import blur
from deblurcli.deconvolution.options import DeconvolutionOptions
from deblurcli.deconvolution.sparse import sparse
from deblurcli.deconvolution.wiener import wiener
from deblurcli.estimation.light import decoded, encoded
from deblurcli.pictures.images import Picture, from_float, to_float
from deblurcli.pipeline import restoration as restoring
from deblurcli.pipeline.correction import Averaged, AveragedInLight, Refined, RefinedInLight
from deblurcli.pipeline.restoration import Restoration
from deblurcli.pipeline.sources import Finding

PSF = families.motion(9, 30)
OPTIONS = DeconvolutionOptions(nsr=0.003)


class Satisfied:
    """A refiner that finds nothing to correct in what the Wiener filter carefully restored."""

    halo = 0

    def restore(self, pixels, *others):
        return others[-1]

    def suppress_halos(self, restored, blurred):
        return restored


@pytest.fixture
def shaken(sharp) -> np.ndarray:
    return to_float(from_float(blur(sharp, PSF), np.uint8))


def test_in_light_the_wiener_filter_is_corrected_in_values(shaken):
    seen = decoded(shaken)
    expected = encoded(wiener(seen, PSF, options=OPTIONS))
    np.testing.assert_allclose(RefinedInLight(Satisfied())(seen, PSF, OPTIONS), expected, atol=1e-5)
    both = (expected + encoded(sparse(seen, PSF, OPTIONS))) / 2
    np.testing.assert_allclose(AveragedInLight(Satisfied())(seen, PSF, OPTIONS), both, atol=1e-5)


def test_a_psf_of_any_form_takes_half_of_the_sparse_prior(shaken):
    refined = Refined(Satisfied())(shaken, PSF, OPTIONS)
    expected = (refined + sparse(shaken, PSF, OPTIONS)) / 2
    np.testing.assert_allclose(Averaged(Satisfied())(shaken, PSF, OPTIONS), expected, atol=1e-5)


def of_light(shaken, is_free_form: bool) -> np.ndarray:
    """What is made of a picture whose blur was at work in light."""
    found = Finding(PSF, {}, nsr=0.003, linear_nsr=0.006, is_free_form=is_free_form, is_estimated=True)
    ticks = []
    work = Restoration(
        lambda *_: found, DeconvolutionOptions(), "wiener", Satisfied(), forced=True, progress=ticks.append
    )
    made = to_float(work(Picture(from_float(shaken, np.uint8)), "a").picture.pixels)
    assert sum(ticks) == pytest.approx(1), "in light and in values it is one work"
    assert ticks[0] == pytest.approx(0.5 if is_free_form else 1)
    return made


def test_a_psf_of_any_form_is_undone_a_third_in_each_way(shaken):
    """The refiner in the values of the file, the refiner in light, and the sparse prior in light."""
    in_light, seen = replace(OPTIONS, nsr=0.006), decoded(shaken)
    ways = (
        Refined(Satisfied())(shaken, PSF, OPTIONS),
        encoded(wiener(seen, PSF, options=in_light)),
        encoded(sparse(seen, PSF, in_light)),
    )
    assert np.abs(of_light(shaken, True) - sum(ways) / 3)[12:-12, 12:-12].max() < 2.5 / 255


def test_a_psf_with_a_formula_is_undone_in_light_alone(shaken):
    expected = encoded(wiener(decoded(shaken), PSF, options=replace(OPTIONS, nsr=0.006)))
    assert np.abs(of_light(shaken, False) - expected)[12:-12, 12:-12].max() < 2.5 / 255


def test_light_and_large_pictures_have_refiners_of_their_own(shaken, monkeypatch):
    monkeypatch.setattr(restoring, "LARGE", 1)
    found = Finding(PSF, {}, nsr=0.003, linear_nsr=0.006, is_estimated=True)
    asked = []

    class Noting(Satisfied):
        def restore(self, pixels, *others):
            asked.append(self)
            return super().restore(pixels, *others)

    usual, quicker, lit = Noting(), Noting(), Noting()
    cases = (
        (found, {lit}),
        (replace(found, linear_nsr=None), {quicker}),
        (replace(found, is_free_form=True), {lit, quicker}),
    )
    for told, expected in cases:
        asked.clear()
        own = {"refiner_of_large": quicker, "refiner_of_light": lit}
        work = Restoration(lambda *_, told=told: told, OPTIONS, "wiener", usual, forced=True, **own)
        work(Picture(from_float(shaken, np.uint8)), "a")
        assert set(asked) == expected
