"""The paper's figures, from a tiny network, a little log and public-domain pictures."""

from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from deblurcli.pictures import images
from tests.conftest import make_model
from training import figures, networks, recipe
from training.figures import FigureError, Sources, architecture, curves, strips, tradeoff
from training.fitting import checkpoint, fit, logs


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """An identity for one of the networks, two epochs of one curve; the rest is missing."""
    folder = tmp_path_factory.mktemp("sources")
    weights, runs = folder / "weights", folder / "runs"
    weights.mkdir()
    make_model(weights / "paper-gaussian.onnx")
    log = logs.Log(made(runs / "paper-motion") / checkpoint.EPOCHS, fit.EPOCH_COLUMNS, 0)
    log.add([1, "2.0", "1e-4", *[0.5] * 10])
    log.add([5, "4.0", "1e-4", *[0.4] * 8, 29.0, 0.9])
    return Sources(strips.folder_pictures()[:1], weights, runs)


def made(folder):
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(scope="module")
def drawn(sources, tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures")
    return folder, figures.make(sources, folder)


def test_all_figures_are_made_as_png_and_svg(drawn):
    folder, paths = drawn
    assert len(paths) == 16 == len(list(folder.iterdir()))
    assert [name[0] for name in figures.FIGURES] == list("1234567t")
    for path in paths:
        if path.suffix == ".png":
            assert min(images.read(path).shape[:2]) > 300
        else:
            assert ElementTree.parse(path).getroot().tag.endswith("svg")


def test_what_is_missing_is_said(sources):
    shown = strips.rows(sources.pictures, ["gaussian:1"], [strips.network("srcnn-motion", sources.weights)])
    assert shown[0][1][0].image is None and "srcnn-motion.onnx" in shown[0][1][0].note
    figure = figures.FIGURES["4-curves-gaussian"](Sources(sources.pictures, sources.weights, sources.runs / "none"))
    said = " ".join(text.get_text() for text in figure.texts)
    assert "no epoch yet" in said or "epoch" in figure.get_suptitle()  # the second where a curve is kept


def test_scores_stand_over_every_picture_but_the_sharp_one(sources):
    figure = figures.FIGURES["6-gaussian"](sources)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[0].strip() == "original" and "SSIM" not in titles[0]
    assert titles[1].startswith("blurred\nSSIM 0.") and titles[1].endswith("dB")
    assert titles[2].partition("\n")[2] == titles[1].partition("\n")[2]  # the network is the identity


def test_the_architecture_is_read_off_the_network():
    network = networks.build(recipe.load("paper-gaussian").network)
    made = architecture.maps(network, 128, 96)
    assert [one.channels for one in made] == [
        3, 32, 32, 64, 64, 128, 128, 256, 128, 256, 128, 64, 128, 64, 32, 64, 32, 3,
    ]  # fmt: skip
    assert (made[7].height, made[7].width) == (16, 12)
    assert made[1].operation == "convolution 3 × 3, batch normalisation, ReLU"
    assert made[2].operation == "max pooling 2 × 2"
    assert made[9].sources == (8, 5) and made[-1].operation == "convolution 1 × 1, sigmoid"


def test_another_network_is_another_drawing():
    made = architecture.maps(networks.build(recipe.load("srcnn-motion").network), 16, 16)
    assert [(one.operation, one.channels) for one in made] == [
        ("", 3), ("convolution 9 × 9, ReLU", 64), ("convolution 1 × 1, ReLU", 32), ("convolution 5 × 5", 3),
    ]  # fmt: skip
    residual = networks.build({"name": "residual-unet", "widths": [8, 16], "blocks": [1, 1]})
    assert {"sum with the skip", "pixel unshuffle"} <= {one.operation for one in architecture.maps(residual, 16, 16)}


def test_a_curve_is_held_against_the_authors_at_the_same_epochs(sources):
    lines = checkpoint.curve("paper-motion", sources.runs)
    assert curves.lag(lines, curves.AUTHORS["paper-motion"]) == {5: pytest.approx(29.0 - 29.4)}


def test_pictures_are_cut_to_the_faces_shape(tmp_path):
    images.write(tmp_path / "wide.png", np.random.default_rng(0).random((150, 400, 3), np.float32))
    (cut,) = strips.folder_pictures(tmp_path)
    assert cut.shape == (128, 96, 3)
    with pytest.raises(FigureError, match="nowhere"):
        strips.folder_pictures(tmp_path / "nowhere")


def test_the_pictures_that_are_published_are_not_of_the_training_data():
    """The folder's own notes name each picture and its licence."""
    notes = (strips.HERE / "README.md").read_text(encoding="utf-8")
    for path in strips.HERE.glob("*.png"):
        assert f"`{path.stem}`" in notes


def test_a_model_is_a_point_where_both_its_scores_and_its_speed_are_known():
    scores = {"psnr": 40.0}
    row = {"model": "a", "megapixels": 1.5, "gaussian": scores, "motion": {"psnr": 38.0}}
    rows = [row, {**row, "model": "b", "megapixels": None}, {**row, "model": "c", "motion": None}]
    panels = Figure().subplots(1, 2)
    tradeoff.draw(panels, rows)
    assert [[line.get_xydata().tolist() for line in axes.lines] for axes in panels] == [
        [[[1.5, 40.0]]],
        [[[1.5, 38.0]]],
    ]
    assert [text.get_text() for text in panels[0].texts] == ["a"]
