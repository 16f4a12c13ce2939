"""Fits of a handful of steps."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from deblurcli import metrics, psf
from deblurcli.blur import blur
from training import fit, losses, measures, networks, recipe
from training.pairs import Pairs, to_tensor
from training.recipe import RecipeError


def test_one_batch_can_be_overfitted(tiny, pictures):
    torch.manual_seed(0)
    network = networks.build({"name": "residual-unet", "widths": [16, 16], "blocks": [1, 1]})
    pairs = Pairs(pictures, replace(tiny, data=replace(tiny.data, round=0.0)))
    blurred, sharp = (torch.stack(part) for part in zip(pairs[0, 0], pairs[0, 1]))
    optimiser = torch.optim.Adam(network.parameters(), 5e-3)
    for _ in range(250):
        loss = losses.mse(network(blurred), sharp)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 1e-3 < losses.mse(blurred, sharp).item() * 2


def test_a_resumed_fit_is_the_uninterrupted_one_bit_for_bit(tiny, pictures, tmp_path):
    many = np.concatenate([pictures, pictures[:, ::-1]])
    whole = fit.fit(tiny, many, tmp_path / "whole")
    sliced = fit.fit(tiny, many, tmp_path / "sliced", minutes=0)
    assert 0 < sliced.step < whole.step
    while sliced.step < whole.step:
        sliced = fit.fit(tiny, many, tmp_path / "sliced", minutes=0.001)
    assert sliced.step == whole.step
    for name, weight in whole.network.state_dict().items():
        torch.testing.assert_close(sliced.network.state_dict()[name], weight, rtol=0, atol=0)
    for name, columns in ((fit.LOG, fit.COLUMNS), (fit.EPOCHS, fit.EPOCH_COLUMNS)):
        log, again = ((tmp_path / run / name).read_text().splitlines() for run in ("whole", "sliced"))
        assert log[0] == again[0] == ",".join(columns) and len(log) == 1 + 4
    without_minutes = [[row.split(",")[:1] + row.split(",")[2:] for row in rows[1:]] for rows in (log, again)]
    assert without_minutes[0] == without_minutes[1]


def test_the_paper_s_protocol_keeps_the_best_epoch_and_resumes(pictures, tmp_path):
    paper = recipe.load("paper-motion")
    small = replace(
        paper,
        network={"name": "paper-unet", "widths": [4, 8]},
        schedule=replace(paper.schedule, epochs=30, batch=3, patience=2),
        optimiser=replace(paper.optimiser, learning_rate=0.1),
        rate={**paper.rate, "patience": 1},
    )
    whole = fit.fit(small, pictures, tmp_path / "whole")
    sliced = fit.fit(small, pictures, tmp_path / "sliced", minutes=0)
    while sliced.step < whole.step:
        sliced = fit.fit(small, pictures, tmp_path / "sliced", minutes=0)
    again = fit.fit(small, pictures, tmp_path / "whole")
    rows = [row.split(",") for row in (tmp_path / "whole" / fit.EPOCHS).read_text().splitlines()]
    heard = [float(row[rows[0].index("validation_loss")]) for row in rows[1:]]
    assert again.step == whole.step == 3 * len(heard) < 3 * 30
    assert whole.best_step == 3 * (int(np.argmin(heard)) + 1) == whole.step - 3 * 2
    for weights in (sliced.chosen()[0], again.chosen()[0]):
        for name, weight in whole.best.items():
            torch.testing.assert_close(weights[name], weight, rtol=0, atol=0)
    assert np.isnan(fit.validate(whole.network, losses.mse, Pairs(pictures[:0], small))).all()


def test_measures_agree_with_the_tool_s_metrics(pictures):
    restored = np.stack([blur(picture, psf.parse("gaussian:1").array()) for picture in pictures])
    stacks = (torch.stack([to_tensor(image) for image in stack]) for stack in (restored, pictures))
    measured = measures.measure(*stacks).numpy()
    for row, image, truth in zip(measured, restored, pictures):
        scores = metrics.score(image, truth)
        assert row == pytest.approx([scores[name] for name in measures.MEASURES], abs=2e-5, rel=2e-5)


def test_a_fit_needs_a_batch(tiny, pictures, tmp_path):
    with pytest.raises(RecipeError, match="fewer than a batch"):
        fit.fit(tiny, pictures[:4], tmp_path)
