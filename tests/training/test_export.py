"""Export to ONNX."""

from copy import deepcopy
from functools import cache

import numpy as np
import pytest
import torch

from deblurcli.inference import models
from deblurcli.inference.restorer import Restorer
from deblurcli.inference.session import Session
from training import export, networks
from training.fitting import fit


def test_an_exported_network_computes_what_the_fitted_one_does(tiny, pictures, cpu, tmp_path):
    many = np.concatenate([pictures, pictures[:, ::-1]])
    fit.fit(tiny, many, tmp_path / "runs" / tiny.name, epochs=1, fabric=cpu)
    path = export.export(tiny, tmp_path / "runs", tmp_path / "weights", "a test", many)
    found = models.find(str(path))
    assert found.card["parity"] <= export.PARITY and found.multiple_of == 4
    assert found.card["sha256"] == models.sha256(path) and found.card["images_seen"] == 15
    folder = networks.__file__.rpartition("/")[0]
    assert folder.encode() not in path.read_bytes(), "no stack traces of the machine it was made on"
    session = Session(path)
    for size in [(4, 4), (12, 40), (100, 60)]:
        assert session.run(np.zeros((1, 3, *size), np.float32)).shape == (1, 3, *size)


SMALL = {
    "deblurgan": {"width": 4, "blocks": 1},
    "amsa-unet": {"widths": [8, 8], "blocks": [1, 1]},
    "fusion-unet": {"widths": [4, 8], "dilations": [1, 2]},
    "dense-unet": {"widths": [4, 8], "growth": 4, "depth": 3},
    "nafnet": {"widths": [4, 8], "blocks": [1, 1]},
    "paper-unet": {"widths": [4, 8]},
    "residual-unet": {"widths": [4, 8], "blocks": [1, 1], "layers": 3},
    "spectral-unet": {"widths": [4, 8], "blocks": [1, 1], "gains": [4, 8]},
    "srcnn": {"sides": [3, 1, 3], "widths": [4, 4]},
}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A small network by its name, no part of which is without effect, and its ONNX file; each exported once."""
    folder = tmp_path_factory.mktemp("exported")

    @cache
    def made(name):
        torch.manual_seed(0)
        network = networks.build({"name": name, **SMALL[name]}).eval()
        for parameter in network.parameters():
            if not parameter.any():
                torch.nn.init.normal_(parameter, std=0.1)
        export.to_onnx(network, folder / f"{name}.onnx")
        return network, folder / f"{name}.onnx"

    return made


@pytest.mark.parametrize("name", networks.NETWORKS)
def test_every_network_can_be_exported(name, exported):
    network, path = exported(name)
    assert export.parity(network, path) <= export.PARITY
    session = Session(path, layers=network.layers)
    made = Restorer(session, network.multiple_of, halo=None, needs_spectrum=session.needs_spectrum)
    odd = np.random.default_rng(0).random((37, 23, 3), np.float32)
    assert made.restore(*[odd] * network.layers).shape == odd.shape


def test_a_network_that_differs_is_not_exported(exported):
    network, path = exported("residual-unet")
    other = deepcopy(network)
    other.head.bias.data += 0.01
    with pytest.raises(export.ParityError, match="differs from torch"):
        export.parity(other, path)
