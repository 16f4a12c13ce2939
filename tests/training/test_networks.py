"""The networks, and Keras's ways in them."""

import cv2
import numpy as np
import pytest
import torch

from deblurcli.inference import models
from deblurcli.inference.restorer import Restorer
from training import export, networks, recipe


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


PARAMETERS = {
    "paper-gaussian": 950_883,
    "srcnn-gaussian": 20_099,
    "faces": 1_639_244,
    "photo": 4_146_949,
    "deblurgan": 702_851,
    "deblurgan-full": 11_173_379,
    "nafnet": 715_555,
    "dense-unet": 431_467,
    "fusion-unet": 440_703,
    "amsa-unet": 336_989,
}


class Torch:
    """A session that runs a network in torch."""

    def __init__(self, network):
        self.network = network.eval()

    @torch.no_grad()
    def run(self, *inputs):
        return self.network(*map(torch.tensor, inputs)).numpy()


@pytest.mark.parametrize("name", PARAMETERS)
@pytest.mark.parametrize("size", [(37, 53), (3, 5), (128, 96), (1, 1)])
def test_every_network_keeps_odd_sizes_through_the_padding_it_asks_for(name, size):
    network = networks.build(recipe.load(name).network)
    assert sum(networks.parameters(network)) == PARAMETERS[name]
    restorer = Restorer(Torch(network), network.multiple_of, halo=16, needs_spectrum=network.needs_spectrum)
    image = np.random.default_rng(0).random((*size, 3), np.float32)
    restored = restorer.restore(image)
    assert restored.shape == image.shape and np.isfinite(restored).all()


def test_every_recipe_s_network_is_known_by_its_parameters():
    used = {networks.build(recipe.load(path.stem).network).__class__ for path in recipe.FOLDER.glob("*.toml")}
    assert used == {networks.build(recipe.load(name).network).__class__ for name in PARAMETERS}


def test_multiply_adds_of_a_convolution_are_counted_by_hand():
    """9 · 9 · 3 · 64 + 64 · 32 + 5 · 5 · 32 · 3 for each pixel."""
    network = networks.build(recipe.load("srcnn-gaussian").network)
    assert networks.multiply_adds(network, 8, 8) == 64 * (9 * 9 * 3 * 64 + 64 * 32 + 5 * 5 * 32 * 3)
    paper = networks.build(recipe.load("paper-gaussian").network)
    assert networks.multiply_adds(paper, 128, 96) / 1e9 == pytest.approx(0.94, abs=0.005)


def test_a_dense_block_s_convolutions_see_all_before():
    """Three convolutions of 3×3 from 8, 12 and 16 channels to 4, 4 and 8, with biases."""
    block = networks.dense_unet.DenseBlock(8, growth=4, depth=3)
    assert sum(networks.parameters(block)) == 9 * (8 * 4 + 12 * 4 + 16 * 8) + 4 + 4 + 8
    for parameter in block.convolutions[-1].parameters():
        torch.nn.init.zeros_(parameter)
    x = torch.rand(1, 8, 6, 6)
    assert torch.equal(block(x), x)


def test_a_norm_over_channels_has_no_mean_and_variance_one():
    x = torch.rand(2, 16, 3, 5) * 7 + 2
    y = networks.nafnet.ChannelNorm(16)(x)
    torch.testing.assert_close(y.mean(dim=1), torch.zeros(2, 3, 5), atol=1e-5, rtol=0)
    torch.testing.assert_close(y.var(dim=1, unbiased=False), torch.ones(2, 3, 5), atol=1e-4, rtol=0)
    torch.testing.assert_close(y, torch.nn.functional.layer_norm(x.movedim(1, -1), (16,), eps=1e-6).movedim(-1, 1))


def test_nafnet_s_attention_looks_at_the_whole_picture_and_is_not_cut_into_tiles(tmp_path):
    torch.manual_seed(0)
    network = networks.build({"name": "nafnet", "widths": [4, 8], "blocks": [1, 1]})
    for block in network.modules():
        if isinstance(block, networks.nafnet.Block):
            for share in block.shares:
                torch.nn.init.constant_(share, 0.5)
    image = np.random.default_rng(0).random((60, 60, 3), np.float32)
    whole, tiled = (Restorer(Torch(network), 2, halo, tile=32) for halo in (None, 8))
    changed = image.copy()
    changed[:8, :8] = 1
    corner = (slice(-8, None), slice(-8, None))
    assert np.abs(whole.restore(changed) - whole.restore(image))[corner].max() > 1e-6
    assert np.abs(tiled.restore(changed) - tiled.restore(image))[corner].max() == 0
    assert export.halo(network, tmp_path / "none.onnx", None) is None


def test_patches_are_transformed_as_fft_does():
    part = networks.amsa_unet.Fourier()
    x = torch.rand(2, 3, 16, 24)
    real, imaginary = part.forward_of(x)
    expected = torch.fft.fft2(x[1, 2, 8:, 16:], norm="ortho").flatten()
    torch.testing.assert_close(torch.complex(real[1, 2, 1, 2], imaginary[1, 2, 1, 2]), expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(part.back_of(real, imaginary), x, atol=1e-5, rtol=0)


def test_attention_correlates_queries_and_keys():
    """The product of one transform and the other's conjugate is that of their circular correlation."""
    part = networks.amsa_unet.Fourier()
    query, key = torch.rand(2, 1, 1, 8, 8)
    (a, b), (c, d) = part.forward_of(query), part.forward_of(key)
    found = part.back_of(a * c + b * d, b * c - a * d)[0, 0]
    shifts = [(down, right) for down in range(8) for right in range(8)]
    expected = torch.stack([(query * torch.roll(key, shift, (2, 3))).sum() for shift in shifts]).reshape(8, 8) / 8
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_fusion_brings_all_scales_to_one_size():
    features = [torch.rand(1, 4, 16, 24), torch.rand(1, 6, 8, 12), torch.rand(1, 8, 4, 6)]
    for scale, width in enumerate((4, 6)):
        made = networks.fusion_unet.Fusion([4, 6, 8], scale)(features)
        assert made.shape == (1, width, *features[scale].shape[2:])


@pytest.mark.parametrize("attention, width", [(networks.amsa_unet.Attention, 8), (networks.fusion_unet.Attention, 8)])
def test_attention_keeps_the_shape(attention, width):
    x = torch.rand(2, width, 16, 24)
    made = attention(width)(x)
    assert made.shape == x.shape and torch.isfinite(made).all()


@pytest.mark.parametrize("size", [(112, 80), (16, 16), (128, 192), (64, 2)])
def test_a_filter_s_gains_are_those_of_its_transfer_function(size):
    """A Gaussian's, which is so short that no interpolation of 64 frequencies is seen."""
    down, across = networks.spectral_unet.frequencies(64)
    gains = torch.exp(-2 * (torch.pi * 1.2) ** 2 * (down**2 + across**2)).expand(2, -1, -1)
    planes = np.random.default_rng(0).random((2, *size), np.float32)
    found = networks.spectral_unet.Filter()(torch.tensor(planes), gains).numpy()
    expected = [cv2.GaussianBlur(plane, (0, 0), 1.2, borderType=cv2.BORDER_REFLECT_101) for plane in planes]
    assert min(size) < 8 or np.abs(found - expected).max() < 2e-3
    same = networks.spectral_unet.Filter()(torch.tensor(planes), torch.ones_like(gains)).numpy()
    np.testing.assert_allclose(same, planes, atol=1e-5)


def test_the_gains_of_one_picture_are_its_own():
    torch.manual_seed(0)
    network = networks.build({"name": "spectral-unet", "widths": [4, 8], "blocks": [1, 1], "gains": [4, 8]}).eval()
    torch.nn.init.normal_(network.gains.head.weight, std=0.1)
    torch.nn.init.normal_(network.corrected.head.weight, std=0.1)
    batch, spectra = networks.inputs(network, 2, 32, 48)
    both = network(batch, spectra)
    torch.testing.assert_close(network(batch[1:], spectra[1:]), both[1:])
    assert (network(batch[1:], spectra[:1]) - both[1:]).abs().max() > 1e-3, "the spectrum it is given counts"


def test_the_stem_of_both_pictures_is_one_convolution():
    torch.manual_seed(0)
    network = networks.build({"name": "spectral-unet", "widths": [4, 8], "blocks": [1, 1], "gains": [4, 8]}).eval()
    blurred, change = torch.rand(2, 3, 16, 24), torch.rand(2, 1, 16, 24)
    both = torch.cat([blurred + change, blurred], dim=1)
    expected = network.corrected.stem(torch.nn.functional.pixel_unshuffle(both, 2))
    torch.testing.assert_close(network._stem(torch.cat([blurred, change], dim=1)), expected, atol=1e-5, rtol=1e-5)
