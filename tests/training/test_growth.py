"""A network that was grown computes what the smaller one did."""

from dataclasses import replace

import pytest
import torch

from training import networks, recipe
from training.fitting import checkpoint
from training.fitting.checkpoint import CheckpointError
from training.networks.growth import grown
from training.networks.spectral_unet import SpectralUNet

SMALL = {"widths": [8, 12], "blocks": [1, 2], "gains": [8, 8]}
LARGE = {"widths": [12, 16], "blocks": [2, 3], "gains": [8, 8]}


def network(seed, settings):
    torch.manual_seed(seed)
    made = SpectralUNet(**settings)
    for parameter in made.parameters():  # those that begin at zero would hide what is lost
        parameter.data += 0.02 * torch.randn_like(parameter)
    return made


def test_what_is_new_adds_nothing_and_learns():
    small, large = network(1, SMALL), network(2, LARGE)
    inputs = networks.inputs(small, 2, 32, 48)
    assert not torch.allclose(large(*inputs), small(*inputs), atol=1e-2)
    large.load_state_dict(grown(small.state_dict(), large))
    torch.testing.assert_close(large(*inputs), small(*inputs), rtol=0, atol=1e-5)
    large(*inputs).square().mean().backward()
    new = [parameter.grad[8:] for name, parameter in large.named_parameters() if name == "corrected.stem.weight"]
    assert not any(part.any() for part in new)  # nothing looks at them yet
    assert large.corrected.encoder[0][0].second.weight.grad[:8, 8:].any()  # but begins to


def test_nothing_shrinks():
    with pytest.raises(ValueError, match="smaller"):
        grown(network(1, LARGE).state_dict(), network(2, SMALL))


def test_a_run_begins_where_the_smaller_one_ended(tmp_path):
    small = recipe.load("photo")
    small = replace(small, network={"name": "spectral-unet", **SMALL})
    large = replace(small, name="photo-large", network={"name": "spectral-unet", **LARGE})
    smaller = checkpoint.start(small, torch.device("cpu"))
    smaller.network.load_state_dict(network(1, SMALL).state_dict())
    smaller.save(tmp_path / "small.pt")
    folder = checkpoint.grow(large, small, tmp_path, tmp_path / "small.pt")
    begun = checkpoint.resume(large, folder, torch.device("cpu"))
    inputs = networks.inputs(smaller.network, 1, 32, 32)
    torch.testing.assert_close(begun.network(*inputs), smaller.network(*inputs), rtol=0, atol=1e-5)
    assert begun.step == 0
    with pytest.raises(CheckpointError, match="has begun"):
        checkpoint.grow(large, small, tmp_path, tmp_path / "small.pt")
    with pytest.raises(CheckpointError, match="not a larger"):
        checkpoint.grow(replace(small, name="tiny"), large, tmp_path, tmp_path / "none.pt")
