"""The reliability network's subjects, its scenes, its fit and its export."""

from dataclasses import replace

import numpy as np
import pytest
import skimage.data
import torch

from deblurcli.errors import DeblurError
from deblurcli.inference import cards, reliability
from deblurcli.inference.helpers import Helper
from training import recipe as recipes
from training.data.drawings import drawings
from training.reliability import fit, restorations, scenes, subjects
from training.reliability.fit import Example


@pytest.fixture(scope="module")
def recipe():
    """The recipe of `photo`, without faces, for two drawings."""
    chosen = recipes.load("photo")
    return replace(chosen, data=replace(chosen.data, faces=0, drawings=2, validation=1))


@pytest.fixture(scope="module")
def pictures():
    """Three photographs and two drawings."""
    return [skimage.data.coffee(), skimage.data.astronaut(), skimage.data.chelsea(), *drawings(2, seed=1)]


def test_the_same_seed_and_number_give_the_same_scene(pictures, recipe):
    one, other = (scenes.Scenes(pictures, recipe, 3) for _ in range(2))
    other.draw(0)
    for number in (5, 6):
        first, again = one.draw(number), other.draw(number)
        np.testing.assert_array_equal(first.blurred, again.blurred)
        assert first.blurred.shape == first.sharp.shape and first.blurred.dtype == first.sharp.dtype == np.float32
        assert first.sharp.min() >= 0 and first.sharp.max() <= 1


def test_scenes_are_of_all_kinds_and_what_is_sharp_differs_by_noise_alone(pictures, recipe):
    drawn = [scenes.Scenes(pictures, recipe, 0).draw(number) for number in range(24)]
    assert {each.kind for each in drawn} == {"shake", "varying", "other", scenes.SHARP}
    errors = {each.kind: np.square(each.blurred - each.sharp).mean() for each in drawn}
    assert errors[scenes.SHARP] < 0.03**2 and errors[scenes.SHARP] < errors["shake"]


def test_no_scene_is_made_of_a_picture_held_out_or_of_a_face(pictures, recipe):
    fitted = set(subjects.fitting_split(recipe, len(pictures))[0].tolist())
    assert {scenes.Scenes(pictures, recipe, 1).draw(number).picture for number in range(16)} <= fitted


def test_a_pattern_repeats(pictures):
    rng = np.random.default_rng(2)
    sharp = pictures[0][:300, :400].astype(np.float32) / 255
    made = [subjects.repeating(sharp, rng) for _ in range(8)]
    assert all(each.shape == sharp.shape and np.isfinite(each).all() for each in made)

    def most(image):
        """The largest likeness to itself shifted across by 10 pixels and more, 0 to 1."""
        luma = np.diff(image.mean(axis=2), axis=1)
        power = np.fft.irfft2(np.square(np.abs(np.fft.rfft2(luma))))
        return power[0, 10:200].max() / power[0, 0]

    assert np.median([most(each) for each in made]) > most(sharp)


def test_writing_has_ink_and_paper(pictures):
    rng = np.random.default_rng(0)
    page = subjects.written(np.zeros((200, 300, 3), np.float32), rng)
    assert page.shape == (200, 300, 3) and page.max() - page.min() > 0.4


def test_soft_pictures_keep_their_size_and_lose_contrast(pictures):
    sharp = pictures[1].astype(np.float32) / 255
    for seed in range(4):
        soft = subjects.softened(sharp, np.random.default_rng(seed))
        assert (
            soft.shape == sharp.shape and np.abs(np.diff(soft, axis=1)).mean() < np.abs(np.diff(sharp, axis=1)).mean()
        )


def example(picture: int, share: float, waves: float) -> Example:
    """A blurred picture, one that goes a share of the way to the sharp one, and the sharp one.

    waves: strength of ripples that the restored picture has as well.
    """
    rng = np.random.default_rng(picture)
    sharp = rng.uniform(0.3, 0.7, (170, 180)).astype(np.float32)
    blurred = np.full_like(sharp, 0.5)
    ripples = waves * np.sin(np.arange(180) / 2)
    lumas = np.stack([blurred, blurred + share * (sharp - blurred) + ripples, sharp])
    return Example(np.rint(65535 * np.clip(lumas, 0, 1)).astype(np.uint16), picture)


@pytest.mark.parametrize(("share", "waves", "is_kept"), [(0.7, 0.0, True), (0.0, 0.25, False)])
def test_the_fit_learns_to_keep_what_is_right_and_not_what_is_wrong(monkeypatch, share, waves, is_kept):
    monkeypatch.setattr(fit, "_AVERAGE", 0.8)  # so few steps are no long mean
    torch.set_num_threads(1)
    examples = [example(number, share, waves) for number in range(10)]
    before, kept = fit.gains(fit.fit(examples, 2, seed=0, steps=60), examples).mean(axis=0)
    assert (before > 0) == is_kept
    assert kept > before + 1  # decibels


def test_what_is_exported_tells_the_same(tmp_path):
    torch.set_num_threads(1)
    examples = [example(number, 0.5, 0.0) for number in range(6)]
    network = fit.fit(examples, 1, seed=1, steps=2)
    path = fit.export(network, examples, tmp_path, {"data": "a test"})
    card = cards.read(path.with_suffix(".json"))
    assert card["examples"] == 4 and card["data"] == "a test" and card["held_out"]["gain"] > 1
    planes = np.random.default_rng(0).normal(size=(1, 3, 65, 48)).astype(np.float32)
    with torch.no_grad():
        wanted = network(torch.from_numpy(planes)).numpy()
    assert wanted.shape == (1, 1, 5, 3)
    np.testing.assert_allclose(Helper(path)(planes), wanted, atol=1e-4)


def test_the_planes_of_a_batch_are_those_of_the_network_itself():
    rng = np.random.default_rng(4)
    before, after = rng.random((2, 3, 20, 30)).astype(np.float32)
    made = fit._planes(torch.from_numpy(before), torch.from_numpy(after)).numpy()
    np.testing.assert_allclose(made, np.stack([reliability.planes(*pair) for pair in zip(before, after)]), atol=1e-6)


def test_three_forms_are_compared_as_two_are(monkeypatch, tmp_path):
    """What the network prefers is the one form that is right, whichever that is."""
    monkeypatch.setattr(fit, "_AVERAGE", 0.8)
    monkeypatch.setattr(fit, "SIDE", 64)
    monkeypatch.setattr(fit, "_WARMUP", 1)
    torch.set_num_threads(1)
    examples = []
    for number in range(12):
        blurred, nearer, sharp = example(number, 0.6, 0.0).lumas
        rippled = example(number, 0.2, 0.3).lumas[1]
        forms = (nearer, rippled) if number % 2 else (rippled, nearer)
        examples.append(Example(np.stack([blurred, *forms, sharp]), number))
    network = fit.fit(examples, 2, seed=0, steps=120)
    path = fit.export(network, examples, tmp_path, {}, reliability.PREFERENCE)
    card = cards.read(path.with_suffix(".json"))
    assert path.stem == card["name"] == reliability.PREFERENCE and card["description"] == fit.TELLS[path.stem]
    shares = [Helper(path)(reliability.planes(*each.lumas[:3] / np.float32(65535))[None]).mean() for each in examples]
    assert min(shares[0::2]) > max(shares[1::2])


def test_examples_are_gathered_for_so_long(pictures, recipe):
    drawn = scenes.Scenes(pictures, recipe, 0)
    found = list(fit.gather(drawn, lambda scene: (scene.blurred,), 0.02))
    assert found and all(each.lumas.dtype == np.uint16 and len(each.lumas) == 3 for each in found)
    assert all(min(each.lumas.shape[1:]) >= fit.SIDE for each in found)
    np.testing.assert_array_equal(found[0].lumas[0], found[0].lumas[1])
    assert not list(fit.gather(drawn, lambda scene: (), 0.01))


def test_a_psf_is_compared_with_a_network(pictures, recipe):
    drawn = scenes.Scenes(pictures, recipe, 2)
    forms = restorations.known(reliability.PREFERENCE)("photo")
    made = [(each, forms(each)) for each in map(drawn.draw, range(6))]
    compared = [(scene, both) for scene, both in made if both]
    assert compared and all(len(both) == 2 for _, both in compared)
    for scene, both in compared:
        assert all(each.shape == scene.blurred.shape and each.min() >= 0 and each.max() <= 1 for each in both)
    with pytest.raises(DeblurError, match="choose one of reliability, preference"):
        restorations.known("nothing")
