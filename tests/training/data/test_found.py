"""PSFs of camera shake as they are found, beside the true ones."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import ndimage

from deblurcli.blur import psf
from deblurcli.estimation.estimate import GENERAL
from deblurcli.estimation.noise_to_signal import LEAST_NSR
from deblurcli.estimation.psf_shape import framed
from deblurcli.pictures import images
from tests.conftest import DATA
from training import recipe
from training.data import examples, found
from training.data.found import FoundPSF, FoundPSFs
from training.data.sources import fitting_split

SHAKE = psf.parse("trajectory:length=14,seed=3").array()


def moved(array: np.ndarray, shift: tuple[float, float], margin: int = 4) -> np.ndarray:
    return ndimage.shift(np.pad(array, margin), shift, order=1)


@pytest.mark.parametrize("shift", [(0, 0), (2, -3), (0.5, -1.75)])
def test_a_true_psf_is_moved_to_where_the_found_one_lies(shift):
    there = moved(SHAKE, shift)
    onto = found._moved_onto(SHAKE, there)
    assert onto.sum() == pytest.approx(1) and all(side % 2 for side in onto.shape)
    side = max(*onto.shape, *there.shape)
    both = [framed(array, side) for array in (onto, there)]
    np.testing.assert_allclose(*both, atol=1e-6)


def test_psfs_are_kept_as_they_were_but_for_their_steps(tmp_path):
    pairs = [FoundPSF(SHAKE, moved(SHAKE, (1, 0))), FoundPSF(np.eye(5) / 5, np.ones((3, 7)) / 21)]
    found.write(tmp_path / "pairs.npz", pairs)
    for kept, pair in zip(FoundPSFs.kept(tmp_path / "pairs.npz").pairs, pairs, strict=True):
        np.testing.assert_allclose(kept.true, pair.true, atol=pair.true.max() / 4000)
        np.testing.assert_allclose(kept.found, pair.found, atol=pair.found.max() / 4000)


def test_both_psfs_are_turned_and_mirrored_alike():
    pairs, rng = FoundPSFs([FoundPSF(SHAKE, 2 * SHAKE)]), np.random.default_rng(0)
    drawn = [pairs.draw(rng) for _ in range(64)]
    assert all(np.array_equal(2 * each.psf, each.given) for each in drawn)
    assert len({(each.psf.shape, each.psf.tobytes()) for each in drawn}) == 8
    assert not any(each.exact for each in drawn) and {each.least_nsr for each in drawn} == {LEAST_NSR[GENERAL]}


def test_a_share_of_the_pairs_is_told_a_found_psf(monkeypatch):
    """What blurs a lone light is the true PSF; what the Wiener filter is given is the found one."""
    refine = recipe.load("refine")
    chosen = replace(
        refine, data=replace(refine.data, crop=96, found=1.0, linear=0.0, noise=(0.0, 0.0), jpeg=0.0, drawings=0)
    )
    line, row = np.zeros((3, 3)), np.ones((1, 9)) / 9
    line[1, 1] = 1  # no blur at all is found, where a motion was
    monkeypatch.setattr(FoundPSFs, "kept", lambda: FoundPSFs([FoundPSF(row, line)]))
    night = np.zeros((96, 96, 3), np.uint8)
    night[48, 48] = 255
    inputs, sharp = examples.pairs([night], chosen)[0, 0]
    blurred, _, careful = inputs.numpy().reshape(3, 3, 96, 96)
    assert np.count_nonzero(blurred[0]) == 9 and blurred[0].max() == pytest.approx(28 / 255)
    np.testing.assert_allclose(careful, blurred, atol=0.04)  # the filter smooths a little
    assert sharp.max() == 1


def test_only_what_is_found_with_certainty_in_photographs_fitted_on_is_kept(monkeypatch):
    refine = recipe.load("refine")
    chosen = replace(refine, data=replace(refine.data, drawings=2, validation=1))
    photographs = [images.read_picture(DATA / "sharp" / f"{name}.png").pixels for name in ("astronaut", "cat")]
    pictures = [*photographs, *(np.full((320, 320, 3), 128, np.uint8) for _ in range(2))]
    fitted = [photographs[index] for index in fitting_split(chosen, 4)[0] if index < 2]
    answers = iter(SimpleNamespace(psf=SHAKE, sure=sure) for sure in (False, True, False, True))

    def searched(picture, family):
        assert family == GENERAL and picture.dtype == np.uint8
        cut = [np.subtract(sorted(whole.shape[:2]), sorted(picture.shape[:2])) for whole in fitted]
        assert any(across == down >= 2 for across, down in cut), "a border of the same width all around is gone"
        return next(answers)

    monkeypatch.setattr(found, "estimate", searched)
    monkeypatch.setattr(found, "trusted", lambda each: each.sure)
    pairs = found.gather(pictures, chosen, 1.0, 0)
    kept = [next(pairs) for _ in range(2)]
    assert not list(answers)
    assert all(each.true.sum() == pytest.approx(1) for each in kept)
    for each in kept:
        np.testing.assert_allclose(each.found, SHAKE, rtol=1e-12)
