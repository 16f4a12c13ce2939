"""Training pairs and the order of the batches."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from deblurcli.blur import psf
from deblurcli.blur.model import blur
from deblurcli.pictures.images import to_float
from training import recipe
from training.data import sources
from training.data.pairs import Batches, Pairs, watching


def test_pairs_are_a_pure_function_of_the_key(faces_recipe, pictures):
    first, again = Pairs(pictures, faces_recipe), Pairs(pictures, faces_recipe)
    for key in [(0, 1), (3, 7)]:
        for one, other in zip(first[key], again[key]):
            torch.testing.assert_close(one, other, rtol=0, atol=0)
    assert not torch.equal(first[0, 1][0], first[1, 1][0]) or not torch.equal(first[0, 2][0], first[1, 2][0])


def test_pairs_hold_the_recipe_s_blurs_flips_and_rounding(faces_recipe, pictures):
    arrays = [psf.parse(entry.psf).array() for entry in faces_recipe.data.blur]
    pairs, seen = Pairs(pictures, faces_recipe), set()
    for epoch in range(60):
        blurred, sharp = (part.numpy().transpose(1, 2, 0) for part in pairs[epoch, 0])
        flipped = not np.array_equal(sharp, pictures[0])
        np.testing.assert_array_equal(sharp, pictures[0][:, ::-1] if flipped else pictures[0])
        distances = [np.abs(blur(np.ascontiguousarray(sharp), array) - blurred).max() for array in arrays]
        assert min(distances) <= 0.5 / 255 + 1e-6
        seen.add((int(np.argmin(distances)), flipped, min(distances) > 1e-6))
    assert {blur for blur, _, _ in seen} == {0, 1, 2, 3}
    assert {flipped for _, flipped, _ in seen} == {rounded for _, _, rounded in seen} == {True, False}


def test_batches_show_every_picture_once_an_epoch_and_resume_anywhere():
    whole = list(Batches(10, 3, seed=1, start=0, stop=9))
    for epoch in range(3):
        shown = [key for batch in whole[3 * epoch : 3 * epoch + 3] for key in batch]
        assert len({index for _, index in shown}) == 9 and {each for each, _ in shown} == {epoch}
    for start in range(9):
        assert list(Batches(10, 3, seed=1, start=start, stop=9)) == whole[start:]


def test_the_paper_watches_its_test_split_and_blurs_each_picture_once(pictures):
    paper = recipe.load("paper-motion")
    for ours, theirs in zip(sources.fitting_split(paper, 7606), sources.split(7606)):
        np.testing.assert_array_equal(ours, theirs)
    pairs = Pairs(pictures, paper)
    for index in range(6):
        torch.testing.assert_close(pairs[0, index], pairs[5, index], rtol=0, atol=0)


def test_pieces_are_blurred_with_what_lies_around_them(little, tmp_path):
    """A piece of a blurred picture is the blurred piece, unless noise, JPEG or rounding came after."""
    loaded = recipe.load(str(little))
    clean = replace(loaded.data, noise=(0.0, 0.0), jpeg=0.0, round=0.0, blur=(recipe.Blur("defocus:radius=2.5", 1),))
    photos = sources.load(loaded, tmp_path)
    made = Pairs(photos, replace(loaded, data=clean))
    soft = [blur(image, psf.parse("defocus:radius=2.5").array()) for image in map(to_float, photos)]
    flips = set()
    for index in range(len(made)):
        blurred, sharp = (part.numpy().transpose(1, 2, 0) for part in made[0, index])
        whole, blurry = to_float(photos[index % 13]), soft[index % 13]
        top, left, step = place(whole, sharp)
        expected = blurry[top : top + 16, left : left + 16][:, ::step]
        np.testing.assert_allclose(blurred, expected, atol=1e-5)
        flips.add(step)
    assert flips == {1, -1} and len(made) == 26


def place(whole, piece):
    """Where a piece was cut from a picture, and whether it was mirrored since."""
    for step in (1, -1):
        for top in range(whole.shape[0] - 15):
            for left in range(whole.shape[1] - 15):
                if np.array_equal(whole[top : top + 16, left : left + 16][:, ::step], piece):
                    return top, left, step
    raise AssertionError("not from this picture")


def test_noise_and_jpeg_come_after_the_blur(little, tmp_path):
    loaded = recipe.load(str(little))
    photos = sources.load(loaded, tmp_path)
    still = replace(loaded.data, blur=(recipe.Blur("box:size=1", 1),), round=0.0, flip=False)
    noisy = Pairs(photos, replace(loaded, data=replace(still, jpeg=0.0, noise=(0.02, 0.02))))
    deviations = [float((blurred - sharp).std()) for blurred, sharp in (noisy[0, index] for index in range(26))]
    assert np.mean(deviations) == pytest.approx(0.02, rel=0.05)
    coded = Pairs(photos, replace(loaded, data=replace(still, jpeg=1.0, noise=(0.0, 0.0))))
    for index in range(5):
        blurred, sharp = (part.numpy() for part in coded[0, index])
        assert 0 < np.abs(blurred - sharp).max() < 0.3
        np.testing.assert_allclose(blurred * 255, np.rint(blurred * 255), atol=1e-3)


def test_processes_share_each_batch():
    whole = list(Batches(10, 5, seed=1, start=0, stop=4))
    parts = [list(Batches(10, 5, seed=1, start=0, stop=4, rank=rank, world=2)) for rank in range(2)]
    for batch, first, second in zip(whole, *parts, strict=True):
        assert (len(first), len(second)) == (3, 2) and sorted(first + second) == sorted(batch)
    watched = [key for rank in range(3) for batch in watching(100, 8, rank, 3) for key in batch]
    assert sorted(watched) == [(0, index) for index in range(100)]
