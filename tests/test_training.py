"""The training subproject, on small pictures and a handful of steps."""

import hashlib
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from deblurcli import images, metrics, models, psf
from deblurcli.blur import blur
from deblurcli.images import Picture
from deblurcli.session import Session
from training import data, evaluate, export, fit, losses, measures, networks, rates, recipe
from training.recipe import RecipeError

SPLIT_SHA256 = "5b0588ffea5a73f1e58480548806c796c215c43811b91652d8d2461fecb4c41a"


@pytest.fixture(scope="module")
def faces_recipe():
    return recipe.load("faces")


@pytest.fixture(scope="module")
def tiny(faces_recipe):
    """The faces recipe on a network, batch and split that take seconds."""
    return replace(
        faces_recipe,
        data=replace(faces_recipe.data, validation=2),
        network={"name": "residual-unet", "widths": [8, 8], "blocks": [1, 1]},
        rate={"name": "cosine", "warmup": 2},
        schedule=replace(faces_recipe.schedule, epochs=4, batch=3),
    )


@pytest.fixture(scope="module")
def pictures(sharp):
    """Twelve little pictures, float32 (12, 32, 24, 3)."""
    corners = [(row, column) for row in range(0, 224, 60) for column in range(0, 160, 50)][:12]
    return np.stack([sharp[row : row + 32, column : column + 24] for row, column in corners])


def test_the_split_is_the_paper_s():
    train, test = data.split(7606)
    assert (len(train), len(test)) == (6084, 1522) and not set(train) & set(test)
    assert hashlib.sha256(np.sort(test).astype("<u4").tobytes()).hexdigest() == SPLIT_SHA256


def test_nothing_is_fitted_on_or_watched_with_the_test_split(faces_recipe):
    _, test = data.split(7606)
    fitting, watching = data.fitting_split(faces_recipe, 7606)
    assert len(watching) == faces_recipe.data.validation
    assert not set(test) & {*fitting, *watching} and not set(fitting) & set(watching)


def test_every_recipe_loads_and_builds():
    for path in recipe.FOLDER.glob("*.toml"):
        loaded = recipe.load(path.stem)
        assert loaded.name == path.stem
        assert networks.build(loaded.network).multiple_of >= 1
        assert set(loaded.loss) <= set(losses.LOSSES)


@pytest.mark.parametrize("text", ["", "name = 3", "nonsense", "[data]\nsource='lfw'"])
def test_a_wrong_recipe_is_refused_by_name(tmp_path, text):
    path = tmp_path / "r.toml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=r"r\.toml"):
        recipe.load(str(path))
    with pytest.raises(RecipeError, match="faces"):
        recipe.load("nope")


def test_the_faces_network_has_the_parameters_its_card_says(faces_recipe):
    network = networks.build(faces_recipe.network)
    assert sum(parameter.numel() for parameter in network.parameters()) == models.find("faces").card["parameters"]


@pytest.mark.parametrize("size", [(8, 8), (16, 40), (128, 96)])
def test_the_network_keeps_the_shape_and_starts_as_the_identity(faces_recipe, size):
    torch.manual_seed(0)
    batch = torch.rand(2, 3, *size)
    with torch.no_grad():
        torch.testing.assert_close(networks.build(faces_recipe.network)(batch), batch)


def test_pairs_are_a_pure_function_of_the_key(faces_recipe, pictures):
    first, again = data.Pairs(pictures, faces_recipe), data.Pairs(pictures, faces_recipe)
    for key in [(0, 1), (3, 7)]:
        for one, other in zip(first[key], again[key]):
            torch.testing.assert_close(one, other, rtol=0, atol=0)
    assert not torch.equal(first[0, 1][0], first[1, 1][0]) or not torch.equal(first[0, 2][0], first[1, 2][0])


def test_pairs_hold_the_recipe_s_blurs_flips_and_rounding(faces_recipe, pictures):
    arrays = [psf.parse(entry.psf).array() for entry in faces_recipe.data.blur]
    pairs, seen = data.Pairs(pictures, faces_recipe), set()
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
    whole = list(data.Batches(10, 3, seed=1, start=0, stop=9))
    for epoch in range(3):
        shown = [key for batch in whole[3 * epoch : 3 * epoch + 3] for key in batch]
        assert len({index for _, index in shown}) == 9 and {each for each, _ in shown} == {epoch}
    for start in range(9):
        assert list(data.Batches(10, 3, seed=1, start=start, stop=9)) == whole[start:]


def test_losses_have_their_closed_forms():
    sharp = torch.zeros(1, 3, 8, 8)
    restored = torch.full_like(sharp, 0.3)
    assert losses.mse(restored, sharp).item() == pytest.approx(0.09)
    assert losses.charbonnier(restored, sharp).item() == pytest.approx((0.09 + 1e-6) ** 0.5)
    # a constant has one coefficient that is not zero, 8 · 0.3, among 8 × 5
    assert losses.fourier(restored, sharp).item() == pytest.approx(8 * 0.3 / 40, rel=1e-5)
    both = losses.weighted({"mse": 2.0, "fourier": 0.5})(restored, sharp).item()
    assert both == pytest.approx(2 * 0.09 + 0.5 * 8 * 0.3 / 40, rel=1e-5)


def test_a_cosine_warms_up_and_falls_to_zero():
    cosine = rates.build({"name": "cosine", "warmup": 100}, 1e-3)
    values = [cosine.at(step, 1000) for step in range(1001)]
    assert values[0] < values[50] < max(values) == pytest.approx(1e-3)
    assert values[-1] == pytest.approx(0)
    assert values[100:] == sorted(values[100:], reverse=True)


def test_a_plateau_falls_as_keras_s_does():
    """Three epochs without a gain of 0.1: a fifth of the rate, never below the minimum."""
    settings = {"name": "plateau", "factor": 0.2, "patience": 3, "minimum": 0.01, "least": 0.1}
    plateau, heard = rates.build(settings, 1.0), []
    for loss in [1.0, 0.95, 0.92, 0.91, 0.5, 0.5, 0.5, 0.5, 0.45, 0.44, 0.43, 0.1]:
        plateau.heard(loss)
        heard.append(plateau.at(0, 1))
    assert heard == pytest.approx([1, 1, 1, 0.2, 0.2, 0.2, 0.2, 0.04, 0.04, 0.04, 0.01, 0.01])


def test_a_fit_stops_after_its_patience_and_not_without_one():
    patient, endless = rates.Stop(2), rates.Stop(0)
    heard = []
    for loss in (3.0, 2.0, 2.5, 2.0):
        heard.append((patient.heard(loss), patient.over))
        endless.heard(loss)
    assert heard == [(True, False), (True, False), (False, False), (False, True)] and not endless.over


def test_one_batch_can_be_overfitted(tiny, pictures):
    torch.manual_seed(0)
    network = networks.build({"name": "residual-unet", "widths": [16, 16], "blocks": [1, 1]})
    pairs = data.Pairs(pictures, replace(tiny, data=replace(tiny.data, round=0.0)))
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
    assert np.isnan(fit.validate(whole.network, losses.mse, data.Pairs(pictures[:0], small))).all()


def test_the_paper_watches_its_test_split_and_blurs_each_picture_once(pictures):
    paper = recipe.load("paper-motion")
    for ours, theirs in zip(data.fitting_split(paper, 7606), data.split(7606)):
        np.testing.assert_array_equal(ours, theirs)
    pairs = data.Pairs(pictures, paper)
    for index in range(6):
        torch.testing.assert_close(pairs[0, index], pairs[5, index], rtol=0, atol=0)


def test_the_paper_s_networks_have_the_parameters_keras_counts():
    for name, trainable, kept in (("paper-gaussian", 949_475, 1_408), ("srcnn-motion", 20_099, 0)):
        network = networks.build(recipe.load(name).network)
        buffers = {key: value for key, value in network.named_buffers() if "num_batches" not in key}
        assert sum(parameter.numel() for parameter in network.parameters()) == trainable
        assert sum(value.numel() for value in buffers.values()) == kept


def test_batch_norm_is_keras_s():
    """One channel, mean 2 and variance 1: y = (x − 2) / √(1 + 1e-3); running mean 0.99 · 0 + 0.01 · 2."""
    norm = networks.paper_unet.batch_norm(1)
    batch = torch.tensor([1.0, 3.0] * 8).reshape(4, 1, 2, 2)
    torch.testing.assert_close(norm(batch), (batch - 2) / (1 + 1e-3) ** 0.5)
    assert norm.running_mean.item() == pytest.approx(0.02)
    # torch keeps the sample variance, 16/15 here; Keras 3 the population's: a part in N · H · W apart
    assert norm.running_var.item() == pytest.approx(0.99 + 0.01 * 16 / 15)
    norm.eval()
    torch.testing.assert_close(norm(batch), (batch - 0.02) / (norm.running_var + 1e-3) ** 0.5)


def test_keras_s_start_is_uniform_within_its_limit():
    torch.manual_seed(0)
    network = networks.build(recipe.load("paper-gaussian").network)
    weight = network.bottom[0].weight
    limit = (6 / (9 * (128 + 256))) ** 0.5
    assert 0.99 * limit < weight.abs().max().item() <= limit
    assert weight.std().item() == pytest.approx(limit / 3**0.5, rel=0.01)
    assert not network.bottom[0].bias.any()


def test_measures_agree_with_the_tool_s_metrics(pictures):
    restored = np.stack([blur(picture, psf.parse("gaussian:1").array()) for picture in pictures])
    stacks = (torch.stack([data.to_tensor(image) for image in stack]) for stack in (restored, pictures))
    measured = measures.measure(*stacks).numpy()
    for row, image, truth in zip(measured, restored, pictures):
        scores = metrics.score(image, truth)
        assert row == pytest.approx([scores[name] for name in measures.MEASURES], abs=2e-5, rel=2e-5)


def test_a_fit_needs_a_batch(tiny, pictures, tmp_path):
    with pytest.raises(RecipeError, match="fewer than a batch"):
        fit.fit(tiny, pictures[:4], tmp_path)


def test_an_exported_network_computes_what_the_fitted_one_does(tiny, pictures, tmp_path):
    many = np.concatenate([pictures, pictures[:, ::-1]])
    fit.fit(tiny, many, tmp_path / "runs" / tiny.name, epochs=1)
    path = export.export(tiny, tmp_path / "runs", tmp_path / "weights", "a test", many)
    found = models.find(str(path))
    assert found.card["parity"] <= export.PARITY and found.multiple_of == 4
    assert found.card["sha256"] == models.sha256(path) and found.card["images_seen"] == 15
    session = Session(path)
    for size in [(4, 4), (12, 40), (100, 60)]:
        assert session.run(np.zeros((1, 3, *size), np.float32)).shape == (1, 3, *size)


def test_a_network_that_differs_is_not_exported(tiny, tmp_path):
    network, other = networks.build(tiny.network).eval(), networks.build(tiny.network).eval()
    torch.nn.init.constant_(other.head.bias, 0.01)
    export.to_onnx(other, tmp_path / "x.onnx")
    with pytest.raises(export.ParityError, match="differs from torch"):
        export.parity(network, tmp_path / "x.onnx")


def test_evaluation_scores_both_protocols(pictures, identity):
    scores = evaluate.evaluate(str(identity), pictures[:4])
    for protocol in ("float", "8-bit"):
        for kind in ("gaussian", "motion"):
            stage = scores[protocol][kind]
            assert stage["restored"]["psnr"] == pytest.approx(stage["blurred"]["psnr"], abs=1e-3)
            assert 10 < stage["blurred"]["psnr"] < 45
    assert scores["float"]["gaussian"]["blurred"]["psnr"] == pytest.approx(
        scores["8-bit"]["gaussian"]["blurred"]["psnr"], abs=0.2
    )


def test_motion_directions_are_drawn_evenly_and_always_the_same():
    drawn = data.protocol_psfs("motion", 1522)
    assert drawn == data.protocol_psfs("motion", 1522)
    assert all(abs(drawn.count(spec) / 1522 - 1 / 3) < 0.05 for spec in data.MOTIONS)


def test_faces_are_cropped_and_resized_as_the_paper_does(tmp_path):
    """A data folder as scikit-learn lays it out, with made-up people, read and checked by hand."""
    home, rng = tmp_path / "lfw_home", np.random.default_rng(0)
    stored = {}
    for person in ("Ann_One", "Bea_Two"):
        for number in range(1, 4):
            path = home / "lfw_funneled" / person / f"{person}_{number:04d}.png"
            stored[path] = cv2.resize(rng.integers(0, 255, (25, 25, 3), np.uint8), (250, 250))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_suffix(".jpg").write_bytes(images.encode(Picture(stored[path]), "jpeg", 95))
            stored[path] = images.read(path.with_suffix(".jpg"))
    for name in ("pairs.txt", "pairsDevTrain.txt", "pairsDevTest.txt"):
        (home / name).write_text("")
    loaded = data.faces(tmp_path)
    assert loaded.shape == (6, 128, 96, 3) and loaded.dtype == np.float32
    expected = [cv2.resize(face[70:195, 78:172], data.SIZE, interpolation=cv2.INTER_AREA) for face in stored.values()]
    for face in loaded:
        assert min(np.abs(face - candidate).max() for candidate in expected) < 0.02
