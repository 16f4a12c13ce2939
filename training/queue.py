"""A queue of recipes inside a time budget: each is fitted, exported and scored, all in one folder.

    OUT/packs/    the pictures, made once
    OUT/runs/     checkpoints and logs: the same command goes on from them
    OUT/weights/  .onnx files and their cards
    OUT/batch.json  what became of each recipe

Every step is a process of its own, so that one that fails, or takes the accelerator's memory, takes nothing with it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from training import recipe
from training.recipe import Recipe

SCORING = 2.0  # minutes that exporting and scoring a network is taken to need until one was timed
REPORT = "batch.json"
REASON = 400  # characters of a failed step's last words


@dataclass
class Result:
    """What became of a recipe.

    state: "over" for a schedule that is, "goes on" for one that another call goes on with, "waits" for one that got
        no time, "failed".
    """

    recipe: str
    state: str = "waits"
    epochs: float = 0.0
    minutes: float = 0.0
    psnr: dict[str, float] = field(default_factory=dict)
    reason: str = ""


class StepError(Exception):
    """A step whose process failed."""


@dataclass
class Queue:
    """Which recipes to work through, and with what.

    names: of recipes, or their .toml files, in the order of their turns.
    minutes: for all of it, scoring too; what a recipe leaves goes to those after it.
    fitting: further options of the ``fit`` command.
    hardware: for the cards.
    """

    names: Sequence[str]
    minutes: float
    out: Path
    data_home: Path | None = None
    fitting: Sequence[str] = ()
    hardware: str = ""
    scoring: float = SCORING

    def run(self) -> list[Result]:
        """Give every recipe its turn; a failure is reported and costs the others nothing."""
        recipes = {name: recipe.load(name) for name in self.names}
        deadline, results = time.monotonic() + 60 * self.minutes, []
        for turn, (name, chosen) in enumerate(recipes.items()):
            share = (deadline - time.monotonic()) / 60 / (len(recipes) - turn)
            results.append(Result(chosen.name))
            try:
                self._turn(name, chosen, share, results[-1])
            except StepError as error:
                results[-1].state, results[-1].reason = "failed", str(error)
            self._report(results)
        return results

    def _turn(self, name: str, chosen: Recipe, share: float, result: Result) -> None:
        """Fit for the recipe's share of the time, export, score; a finished recipe is left as it is."""
        path = self.out / "weights" / f"{chosen.name}.json"
        card = _read(path) if path.is_file() else None
        is_scored = card is not None and ("scores" in card or chosen.data.source != "lfw")
        if card is None or not (card["schedule_over"] and is_scored):
            if share <= self.scoring:
                return
            self._make(name, chosen, share)
            card = _read(path)
        result.state = "over" if card["schedule_over"] else "goes on"
        result.epochs, result.minutes = card["epochs"], card["minutes"]
        scores = card.get("scores", {}).get("float", {})
        result.psnr = {kind: round(scores[kind]["restored"]["psnr"], 2) for kind in scores}

    def _make(self, name: str, chosen: Recipe, share: float) -> None:
        """Fit, export and score, each as a process; what scoring took is kept in mind for the recipes to come."""
        pack = ["--pack", str(self._pack(name, chosen))]
        runs, weights = ["--runs", str(self.out / "runs")], str(self.out / "weights")
        self._step("fit", name, *pack, *runs, "--minutes", f"{share - self.scoring:.3f}", *self.fitting)
        begun = time.monotonic()
        self._step("export", name, *pack, *runs, "--weights", weights, "--hardware", self.hardware)
        if chosen.data.source == "lfw":
            self._step("evaluate", f"{weights}/{chosen.name}.onnx", *pack, "--card")
        self.scoring = max(self.scoring, (time.monotonic() - begun) / 60)

    def _pack(self, name: str, chosen: Recipe) -> Path:
        """The pack of the recipe's pictures, made unless it is there."""
        source = chosen.data.source
        path = self.out / "packs" / f"{source if source == 'lfw' else chosen.name}.npy"
        if not path.is_file():
            home = ["--data-home", str(self.data_home)] if self.data_home else []
            self._step("pack", name, str(path), *home)
        return path

    def _step(self, *arguments: str) -> None:
        """Run a command of the training; its messages go where ours go. StepError when it fails."""
        command = [sys.executable, "-m", "training", *arguments]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
            said = ""
            for line in process.stderr or ():
                sys.stderr.write(line)
                said = (said + line)[-REASON:]
        if process.returncode:
            raise StepError(f"{arguments[0]} exited {process.returncode}: {said.strip()}")

    def _report(self, results: Sequence[Result]) -> None:
        self.out.mkdir(parents=True, exist_ok=True)
        report = json.dumps([asdict(result) for result in results], indent=2, ensure_ascii=False)
        (self.out / REPORT).write_text(report + "\n", encoding="utf-8")


def _read(card: Path) -> dict:
    return json.loads(card.read_text(encoding="utf-8"))
