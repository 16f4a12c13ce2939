"""``python -m training``: fit networks to recipes, evaluate and export them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from deblurcli.errors import DeblurError
from training import recipe as recipes

app = typer.Typer(no_args_is_help=True, add_completion=False)

Name = Annotated[str, typer.Argument(metavar="RECIPE", help="Name of a recipe in training/recipes, or a .toml file.")]
DataHome = Annotated[Path | None, typer.Option(help="scikit-learn's data folder; its default when left out.")]
Runs = Annotated[Path, typer.Option(help="Folder of the runs' checkpoints and logs, one folder each.")]


@app.callback()
def training() -> None:
    """Train, evaluate and export the networks deblurcli runs."""


@app.command()
def fit(
    name: Name,
    data_home: DataHome = None,
    runs: Runs = Path("runs"),
    epochs: Annotated[int | None, typer.Option(min=1, help="Length of the schedule in place of the recipe's.")] = None,
    minutes: Annotated[float, typer.Option(min=0, help="Stop after so many minutes; a later call goes on.")] = math.inf,
    threads: Annotated[int, typer.Option(min=0, help="CPU threads; 0 leaves it to torch.")] = 0,
    workers: Annotated[int, typer.Option(min=0, help="Processes that make training pairs.")] = 0,
) -> None:
    """Fit a recipe's network, going on from its checkpoint when there is one."""
    import torch

    from training import data
    from training import fit as fitting

    if threads:
        torch.set_num_threads(threads)
    chosen = recipes.load(name)
    run = fitting.fit(chosen, data.faces(data_home), runs / chosen.name, epochs, minutes, workers)
    typer.echo(f"{chosen.name}: step {run.step}, {run.seconds / 60:.1f} minutes; {runs / chosen.name}", err=True)


@app.command()
def export(
    name: Name,
    hardware: Annotated[str, typer.Option(help="What the network was trained on, for its card.")],
    data_home: DataHome = None,
    runs: Runs = Path("runs"),
    weights: Annotated[Path, typer.Option(help="Folder of the .onnx file and its card.")] = Path("weights"),
) -> None:
    """Export a fitted network to ONNX, check it against torch and write its card."""
    from training import data
    from training import export as exporting

    chosen = recipes.load(name)
    images = data.faces(data_home)
    fitting, _ = data.fitting_split(chosen, len(images))
    typer.echo(exporting.export(chosen, runs, weights, hardware, images[fitting]))


@app.command()
def evaluate(
    model: Annotated[str, typer.Argument(metavar="NAME|FILE.onnx", help="A bundled model or an .onnx file.")],
    data_home: DataHome = None,
    card: Annotated[bool, typer.Option("--card", help="Write the scores into the model's card too.")] = False,
) -> None:
    """Score an exported network on the paper's test split, in float and through 8-bit files."""
    import json

    from deblurcli import models
    from training import data
    from training import evaluate as evaluation
    from training.export import write_card

    images = data.faces(data_home)
    _, test = data.split(len(images))
    scores = evaluation.evaluate(model, images[test])
    typer.echo(json.dumps(scores, indent=2))
    if card:
        found = models.find(model)
        if not found.card:
            raise DeblurError(f"{found.path}: has no card to write the scores into; export it with training export")
        write_card(found.path.with_suffix(".json"), {**found.card, "scores": scores})


@app.command()
def photographs(
    folder: Annotated[Path, typer.Argument(help="Sharp photographs, none of which was trained on.")],
    refine: Annotated[str, typer.Option(metavar="NAME|FILE.onnx", help="The refining network.")] = "refine",
    count: Annotated[int | None, typer.Option(min=1, help="How many to take, evenly; all when left out.")] = None,
    method: Annotated[list[str] | None, typer.Option(help="Only methods that begin so; may be repeated.")] = None,
) -> None:
    """Compare means of restoration on photographs with eight blurs and none: a table of gains."""
    import numpy as np

    from deblurcli import planning
    from training import photographs as comparing

    names, _ = planning.find(folder)
    if not names:
        raise DeblurError(f"{folder}: holds no pictures; name a folder of photographs")
    taken = np.linspace(0, len(names) - 1, count or len(names)).astype(int)
    chosen = comparing.methods(refine)
    kept = tuple(method or ("",))
    chosen = {name: each for name, each in chosen.items() if name.startswith(("unsharp", *kept))}
    typer.echo(comparing.table(comparing.measured([folder / names[index] for index in taken], chosen)))


def main() -> None:
    """Run the command line; our own errors become one line and exit code 2."""
    try:
        app()
    except DeblurError as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
