"""The state of a fit, all of which a checkpoint holds, and where checkpoints lie."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch.optim import swa_utils

from deblurcli.errors import DeblurError
from training import networks
from training.fitting import critic as critics
from training.fitting import logs, metrics, schedules
from training.networks import growth
from training.networks.network import Network
from training.recipe import FOLDER, Recipe

CHECKPOINT = "checkpoint.pt"
LOG = "log.csv"
EPOCHS = "epochs.csv"
OPTIMISERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


class CheckpointError(DeblurError):
    """A checkpoint that is missing, damaged or of another network."""


@dataclass
class Checkpoint:
    """The state of a fit: everything a checkpoint holds.

    batch: pictures that a step takes. seen: those that all steps took, the earlier ones perhaps in other batches.
    sums: of the loss and the metrics over the training pictures of this epoch so far, and their number last.
    best: weights of the epoch with the lowest validation loss, where the recipe asks for them.
    average: running mean of the weights over the last steps, where the recipe asks for it.
    """

    network: Network
    optimiser: torch.optim.Optimizer
    rate: schedules.LearningRate
    stop: schedules.Stop
    batch: int
    step: int = 0
    seen: int = 0
    seconds: float = 0.0
    sums: torch.Tensor = field(default_factory=lambda: torch.zeros(2 + len(metrics.METRICS)))
    best: dict[str, torch.Tensor] | None = None
    best_step: int = 0
    average: dict[str, torch.Tensor] | None = None
    critic: critics.Critic | None = None

    def save(self, path: Path) -> None:
        """Write the checkpoint atomically."""
        state = {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "rate": schedules.state(self.rate),
            "stop": schedules.state(self.stop),
            **{
                name: getattr(self, name)
                for name in ("step", "seen", "seconds", "sums", "best", "best_step", "average")
            },
        }
        if self.critic is not None:
            state["critic"] = self.critic.state()
        _write(state, path)

    def save_slim(self, path: Path) -> None:
        """Write the result's weights alone, in half precision: a sixth of a checkpoint, to go on from, not exactly."""
        weights, step = self.chosen()
        halved = {name: weight.half() if weight.is_floating_point() else weight for name, weight in weights.items()}
        _write({"network": halved, "step": step, "seen": self.seen, "seconds": self.seconds}, path)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint; one without optimiser state starts the optimiser afresh.

        Raises CheckpointError when it is damaged or of another network.
        """
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            self.network.load_state_dict(state.pop("network"))
            if "optimiser" in state:
                _restore(self.optimiser, state.pop("optimiser"))
            critic = state.pop("critic", None)
            if self.critic is not None and critic is not None:
                self.critic.restore(critic)
        except (OSError, EOFError, KeyError, RuntimeError, ValueError, UnpicklingError) as error:
            reason = _first_line(error)
            raise CheckpointError(
                f"{path}: not a checkpoint of this recipe ({reason}); remove it or use its own"
            ) from error
        for part in ("rate", "stop"):
            schedules.restore(getattr(self, part), state.pop(part, {}))
        for name, value in {"seen": self.batch * state["step"], **state}.items():
            setattr(self, name, value)
        device = next(self.network.parameters()).device
        self.sums = self.sums.to(device)
        if self.average is not None:
            self.average = {name: value.to(device) for name, value in self.average.items()}

    def chosen(self) -> tuple[dict[str, torch.Tensor], int]:
        """The weights a recipe's result has, and the step they were reached at."""
        if self.best is not None:
            return self.best, self.best_step
        return (self.network.state_dict() if self.average is None else self.average), self.step

    def averaged(self, share: float) -> None:
        """Let the running mean keep that share of itself, and take the rest from the weights as they are."""
        weights = self.network.state_dict()
        if self.average is None:
            self.average = {name: value.clone() for name, value in weights.items()}
        names = [name for name, value in weights.items() if value.is_floating_point()]
        move = swa_utils.get_ema_multi_avg_fn(share)
        move([self.average[name] for name in names], [weights[name] for name in names], None)


def _restore(optimiser: torch.optim.Optimizer, kept: dict) -> None:
    """Go on from an optimiser's state, whatever device it was kept on: fused is what this one is, not what that was."""
    groups = [{**group, "fused": optimiser.defaults["fused"]} for group in kept["param_groups"]]
    optimiser.load_state_dict({**kept, "param_groups": groups})


def _write(state: dict, path: Path) -> None:
    torch.save(state, path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)


def start(recipe: Recipe, device: torch.device) -> Checkpoint:
    """A fresh run: the network initialised from the recipe's seed."""
    torch.manual_seed(recipe.schedule.seed)
    network = networks.build(recipe.network).to(device)
    network = network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]  # torch's types lack it
    chosen = recipe.optimiser
    optimiser = OPTIMISERS[chosen.name](
        network.parameters(), chosen.learning_rate, chosen.betas, chosen.epsilon, weight_decay=chosen.weight_decay,
        fused=device.type == "cuda" or None,
    )  # fmt: skip
    rate = schedules.build(recipe.rate, chosen.learning_rate)
    checkpoint = Checkpoint(network, optimiser, rate, schedules.Stop(recipe.schedule.patience), recipe.schedule.batch)
    checkpoint.critic = critics.start(recipe.critic, recipe.schedule.seed, device)
    checkpoint.sums = checkpoint.sums.to(device)
    return checkpoint


def resume(recipe: Recipe, folder: Path, device: torch.device, kept: Path | None = None) -> Checkpoint:
    """The run as it was left in `folder`, or else as it was kept, its curve with it; else a fresh one.

    kept: a checkpoint that `keep` wrote, with its curve beside it.
    """
    checkpoint, own = start(recipe, device), folder / CHECKPOINT
    if own.is_file():
        checkpoint.load(own)
    elif kept is not None and kept.is_file():
        checkpoint.load(kept)
        if kept.with_suffix(".csv").is_file():
            shutil.copy(kept.with_suffix(".csv"), folder / EPOCHS)
    return checkpoint


def keep(recipe: Recipe, runs: Path, kept: Path, slim: bool = False) -> None:
    """Keep a run for others: the whole checkpoint, so that `fit` goes on from it exactly, and the curve beside it.

    slim: the weights alone; see `Checkpoint.save_slim`.

    Raises CheckpointError when there is no such run, or its checkpoint is not of this recipe.
    """
    folder = runs / recipe.name
    checkpoint = start(recipe, torch.device("cpu"))
    checkpoint.load(found(recipe, runs))
    (checkpoint.save_slim if slim else checkpoint.save)(kept)
    if (folder / EPOCHS).is_file():
        shutil.copy(folder / EPOCHS, kept.with_suffix(".csv"))


def grow(recipe: Recipe, smaller: Recipe, runs: Path, kept: Path) -> Path:
    """Begin a run with a network that computes what a smaller one does; returns its folder.

    kept: the smaller one's run, as `keep` left it.

    Raises CheckpointError when there is none, when the run has begun already, or the network is no larger one.
    """
    folder = runs / recipe.name
    if (folder / CHECKPOINT).is_file():
        raise CheckpointError(f"{folder / CHECKPOINT}: this run has begun; remove it or name other --runs")
    small, large = (start(each, torch.device("cpu")) for each in (smaller, recipe))
    small.load(found(smaller, runs, kept))
    try:
        large.network.load_state_dict(growth.grown(small.chosen()[0], large.network))
    except ValueError as error:
        raise CheckpointError(f"{recipe.name}: not a larger {smaller.name} ({error})") from error
    folder.mkdir(parents=True, exist_ok=True)
    large.save(folder / CHECKPOINT)
    return folder


def found(recipe: Recipe, runs: Path, kept: Path | None = None) -> Path:
    """The checkpoint of a run, or else the one kept; CheckpointError when there is neither."""
    own = runs / recipe.name / CHECKPOINT
    for path in (own, kept):
        if path is not None and path.is_file():
            return path
    raise CheckpointError(f"{own}: no such checkpoint; run python -m training fit {recipe.name} first")


def curve(name: str, runs: Path) -> list[dict[str, str]]:
    """The epochs of a run, a line each: its own log, or else the one kept beside the recipe; maybe none."""
    return logs.read(runs / name / EPOCHS) or logs.read(FOLDER / f"{name}.csv")


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
