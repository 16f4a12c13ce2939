"""Fixtures of the training tests: little pictures and a recipe that takes seconds.

All of them run on one thread: tensors here are so small that threads, where other work keeps the cores busy, wait for
one another hundreds of times longer than they compute.
"""

import sys
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from deblurcli.pictures import images
from training import recipe

FOLDER_RECIPE = """
name = "little"
description = "a test"

[data]
source = "folder"
path = "photos"
crop = 16
crops = 2
validation = 3
flip = true
round = 0.5
noise = [0.0, 0.02]
jpeg = 0.3
quality = [70, 95]

[[data.blur]]
psf = "random:motion+defocus"
weight = 1

[[data.blur]]
psf = "gaussian:sigma=1"
weight = 1

[network]
name = "residual-unet"
widths = [8, 8]
blocks = [1, 1]

[loss]
charbonnier = 1.0

[optimiser]
name = "adamw"
learning_rate = 1e-3
betas = [0.9, 0.99]
epsilon = 1e-3
weight_decay = 1e-4
clip = 0.1

[rate]
name = "cosine"
warmup = 2

[schedule]
epochs = 2
batch = 5
seed = 3
"""


@pytest.fixture(scope="package", autouse=True)
def one_thread():
    """Torch has one thread in this process, loaded or not yet, and in those that tests start."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


@pytest.fixture
def here(monkeypatch):
    """The evaluation's commands of the tool, run in this process, which has loaded already all that they need."""
    from deblurcli import cli
    from training.evaluation import protocol

    def command(*arguments):
        done = CliRunner().invoke(cli.app, [*arguments, "--quiet"])
        assert done.exit_code == 0, done.output
        return done.stdout

    monkeypatch.setattr(protocol, "_command", command)


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


@pytest.fixture
def little(tmp_path, sharp):
    """A recipe of a folder of pictures of several sizes and kinds; the folder is beside the .toml file."""
    for number in range(12):
        piece = sharp[number * 10 : number * 10 + 30 + number, 20:60]
        images.write(tmp_path / "photos" / f"part{number % 2}" / f"{number}.png", piece)
    images.write(tmp_path / "photos" / "grey.png", sharp[:40, :50].mean(axis=2, keepdims=True))
    path = tmp_path / "little.toml"
    path.write_text(FOLDER_RECIPE)
    return path


@pytest.fixture(scope="session")
def cpu():
    """One process on the CPU."""
    from training.fitting.devices import Devices

    return Devices("cpu").launched()
