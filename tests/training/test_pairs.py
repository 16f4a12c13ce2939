"""Training pairs and the order of the batches."""

import numpy as np
import torch

from deblurcli import psf
from deblurcli.blur import blur
from training import data, recipe
from training.pairs import Batches, Pairs


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
    for ours, theirs in zip(data.fitting_split(paper, 7606), data.split(7606)):
        np.testing.assert_array_equal(ours, theirs)
    pairs = Pairs(pictures, paper)
    for index in range(6):
        torch.testing.assert_close(pairs[0, index], pairs[5, index], rtol=0, atol=0)
