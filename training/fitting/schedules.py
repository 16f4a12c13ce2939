"""Learning rates over a fit, and when to end it: tables of small states that a checkpoint holds."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass


@dataclass
class Cosine:
    """Linear warm-up over `warmup` steps, then half a cosine down to zero."""

    peak: float
    warmup: int = 0

    def at(self, step: int, steps: int) -> float:
        """The rate of a step, of `steps` in all."""
        if step < self.warmup:
            return self.peak * (step + 1) / self.warmup
        progress = (step - self.warmup) / max(steps - self.warmup, 1)
        return self.peak * 0.5 * (1 + math.cos(math.pi * min(progress, 1)))

    def heard(self, loss: float) -> None:
        """An epoch is over; the schedule does not mind."""


@dataclass
class Plateau:
    """Keras's ReduceLROnPlateau: times `factor` after `patience` epochs that were not better by `least`.

    least: what a loss must fall by to count as better; Keras's default is 1e-4, a lot for a mean squared error.
    """

    current: float
    factor: float
    patience: int
    minimum: float
    least: float = 1e-4
    best: float = math.inf
    waited: int = 0

    def at(self, step: int, steps: int) -> float:
        """The rate of any step until an epoch is heard of."""
        return self.current

    def heard(self, loss: float) -> None:
        """An epoch is over; this is its validation loss."""
        if loss < self.best - self.least:
            self.best, self.waited = loss, 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            self.current, self.waited = max(self.current * self.factor, self.minimum), 0


@dataclass
class Stop:
    """Keras's EarlyStopping: over after `patience` epochs without a lower loss; 0 never stops."""

    patience: int = 0
    best: float = math.inf
    waited: int = 0

    def heard(self, loss: float) -> bool:
        """Whether this epoch's validation loss is the lowest so far."""
        better = loss < self.best
        self.best, self.waited = (loss, 0) if better else (self.best, self.waited + 1)
        return better

    @property
    def over(self) -> bool:
        """Whether the fit should end."""
        return 0 < self.patience <= self.waited


LearningRate = Cosine | Plateau
SCHEDULES: dict[str, type[LearningRate]] = {"cosine": Cosine, "plateau": Plateau}


def build(settings: dict, learning_rate: float) -> LearningRate:
    """The schedule that a recipe's ``[rate]`` table describes, beginning at or peaking at `learning_rate`.

    Raises KeyError for a name that is not in `SCHEDULES`, TypeError for settings that the schedule does not have.
    """
    own = {key: value for key, value in settings.items() if key != "name"}
    return SCHEDULES[settings["name"]](learning_rate, **own)


def state(part: LearningRate | Stop) -> dict:
    """What a checkpoint keeps of a schedule or a stop."""
    return asdict(part)


def restore(part: LearningRate | Stop, kept: dict) -> None:
    """Go on from what a checkpoint kept."""
    for name, value in kept.items():
        setattr(part, name, value)
