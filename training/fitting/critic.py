"""A critic that learns to tell restored pictures from sharp ones, beside the network that restores: WGAN-GP.

Source: I. Gulrajani, F. Ahmed, M. Arjovsky, V. Dumoulin and A. Courville, Improved Training of Wasserstein GANs,
NeurIPS 2017.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from training.networks.deblurgan import PatchCritic
from training.recipe import CriticSettings


def penalty(critic: nn.Module, restored: torch.Tensor, sharp: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """Mean of ``(|∇ critic(x)| − 1)²`` at points x on the way from restored to sharp pictures.

    restored, sharp: ``(N, 3, H, W)``. shares: how far on the way, ``(N, 1, 1, 1)``, 0 to 1.
    """
    between = (restored + shares * (sharp - restored)).detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(between).mean(dim=(1, 2, 3)).sum(), between, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - 1).square().mean()


CRITICS: dict[str, Callable[..., nn.Module]] = {"patch-critic": PatchCritic}


@dataclass
class Critic:
    """A critic with its optimiser; a checkpoint holds the state of both."""

    network: nn.Module
    optimiser: torch.optim.Optimizer
    settings: CriticSettings
    seed: int

    def learn(self, restored: torch.Tensor, sharp: torch.Tensor, step: int) -> float:
        """So many steps of the critic on a batch as the recipe says; the last loss of it, 0 where there are none.

        restored, sharp: ``(N, 3, H, W)``, of the network and of the data; no gradient goes back into the former.
        The points of the penalty are drawn by the seed and the step of the fit, so that resuming changes nothing.
        """
        restored, draw = restored.detach(), torch.Generator().manual_seed(self.seed * 1_000_003 + step)
        loss = torch.zeros(())
        for _ in range(self.settings.steps):
            shares = torch.rand(len(sharp), 1, 1, 1, generator=draw).to(sharp.device)
            loss = self.network(restored).mean() - self.network(sharp).mean()
            loss = loss + self.settings.penalty * penalty(self.network, restored, sharp, shares)
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()
            self.optimiser.step()
        return float(loss.detach())

    def loss(self, restored: torch.Tensor) -> torch.Tensor:
        """What the restoring network is to make small: minus the critic's score, times its weight."""
        return -self.settings.weight * self.network(restored).mean()

    def state(self) -> dict:
        """For a checkpoint."""
        return {"network": self.network.state_dict(), "optimiser": self.optimiser.state_dict()}

    def restore(self, kept: dict) -> None:
        """Go on from a checkpoint."""
        self.network.load_state_dict(kept["network"])
        self.optimiser.load_state_dict(kept["optimiser"])


def start(settings: CriticSettings | None, seed: int, device: torch.device) -> Critic | None:
    """A fresh critic as a recipe describes it; None where it describes none."""
    if settings is None:
        return None
    own = {key: value for key, value in settings.network.items() if key != "name"}
    network = CRITICS[settings.network["name"]](**own).to(device)
    optimiser = torch.optim.Adam(network.parameters(), settings.learning_rate, settings.betas)
    return Critic(network, optimiser, settings, seed)
