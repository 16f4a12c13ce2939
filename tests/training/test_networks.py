"""The networks, and Keras's ways in them."""

import pytest
import torch

from deblurcli import models
from training import networks, recipe


def test_the_faces_network_has_the_parameters_its_card_says(faces_recipe):
    network = networks.build(faces_recipe.network)
    assert sum(parameter.numel() for parameter in network.parameters()) == models.find("faces").card["parameters"]


@pytest.mark.parametrize("size", [(8, 8), (16, 40), (128, 96)])
def test_the_network_keeps_the_shape_and_starts_as_the_identity(faces_recipe, size):
    torch.manual_seed(0)
    batch = torch.rand(2, 3, *size)
    with torch.no_grad():
        torch.testing.assert_close(networks.build(faces_recipe.network)(batch), batch)


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
