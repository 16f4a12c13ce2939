"""DeblurGAN: its networks, its critic's penalty, its features, and fits with a critic."""

from dataclasses import replace

import pytest
import torch

from training import export, networks, recipe
from training.fitting import critic as critics
from training.fitting import fit, perceptual
from training.fitting.devices import DeviceError, Devices
from training.networks.deblurgan import PatchCritic
from training.recipe import CriticSettings

CRITIC = CriticSettings({"name": "patch-critic", "width": 4}, 2, 10.0, 0.01, 1e-4, (0.5, 0.999))


class Linear(torch.nn.Module):
    """``s · Σ x`` over each picture, a score for each."""

    def __init__(self, slope):
        super().__init__()
        self.slope = torch.nn.Parameter(torch.tensor(slope))

    def forward(self, x):
        return self.slope * x.sum(dim=(1, 2, 3), keepdim=True)


@pytest.mark.parametrize("slope", [0.0, 0.05, 0.3])
def test_the_gradient_penalty_of_a_linear_critic_is_known(slope):
    """Its gradient is s everywhere, so that its norm is ``s · √(3 · H · W)``, whatever the points."""
    restored, sharp = torch.rand(2, 4, 3, 8, 6)
    found = critics.penalty(Linear(slope), restored, sharp, torch.rand(4, 1, 1, 1))
    assert found.item() == pytest.approx((slope * (3 * 8 * 6) ** 0.5 - 1) ** 2, rel=1e-5)


def test_the_gradient_penalty_changes_the_critic_alone():
    critic, (restored, sharp) = Linear(0.3), torch.rand(2, 4, 3, 8, 6)
    restored.requires_grad_()
    critics.penalty(critic, restored, sharp, torch.rand(4, 1, 1, 1)).backward()
    assert critic.slope.grad.item() > 0 and restored.grad is None


def test_a_critic_learns_to_tell_pictures_apart():
    torch.manual_seed(0)
    critic = critics.start(replace(CRITIC, steps=40, learning_rate=1e-3), 3, torch.device("cpu"))
    sharp = torch.rand(6, 3, 32, 32)
    restored = torch.nn.functional.avg_pool2d(sharp, 5, 1, 2)
    critic.learn(restored, sharp, step=0)
    with torch.no_grad():
        assert critic.network(sharp).mean() > critic.network(restored).mean() + 0.1


def test_the_full_width_has_the_parameters_of_its_layers():
    """Nine blocks of two 3×3 convolutions at 256 channels, 64–128–256 down and up, 7×7 at both ends; with biases."""
    network = networks.build({"name": "deblurgan", "width": 64, "blocks": 9})
    ends = 49 * 3 * 64 + 64 + 49 * 64 * 3 + 3
    down = 9 * 64 * 128 + 128 + 9 * 128 * 256 + 256
    up = 4 * 256 * 128 + 128 + 4 * 128 * 64 + 64
    blocks = 9 * 2 * (9 * 256 * 256 + 256)
    assert sum(networks.parameters(network)) == ends + down + up + blocks
    assert PatchCritic(64)(torch.rand(1, 3, 128, 96)).shape == (1, 1, 14, 10)


@pytest.fixture(scope="module")
def rivals(tiny):
    """A little network with a critic."""
    return replace(tiny, network={"name": "deblurgan", "width": 4, "blocks": 1}, critic=CRITIC)


def test_a_fit_with_a_critic_resumes_exactly(rivals, pictures, cpu, tmp_path):
    whole = fit.fit(rivals, pictures, tmp_path / "whole", epochs=1, fabric=cpu)
    sliced = fit.fit(rivals, pictures, tmp_path / "sliced", epochs=1, minutes=0, fabric=cpu)
    while sliced.step < whole.step:
        sliced = fit.fit(rivals, pictures, tmp_path / "sliced", epochs=1, minutes=0, fabric=cpu)
    for one, other in ((whole.network, sliced.network), (whole.critic.network, sliced.critic.network)):
        for name, weight in one.state_dict().items():
            assert torch.equal(weight, other.state_dict()[name]), name


def test_a_critic_is_not_shared_among_processes(rivals, pictures, tmp_path):
    fabric = Devices("cpu").launched()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(fabric), "world_size", 2)
        with pytest.raises(DeviceError, match="critic"):
            fit.fit(rivals, pictures, tmp_path, fabric=fabric)


def test_features_tell_pictures_apart_and_the_card_says_whose_they_are():
    sharp = torch.rand(2, 3, 32, 24)
    soft = torch.nn.functional.avg_pool2d(sharp, 3, 1, 1).requires_grad_()
    assert perceptual.perceptual(sharp, sharp).item() == 0
    loss = perceptual.perceptual(soft, sharp)
    loss.backward()
    assert loss.item() > 0 and soft.grad.abs().sum() > 0
    about = export._about(recipe.load("deblurgan"), recipe.kept("faces"))
    assert about["perceptual_features"] == perceptual.source()
