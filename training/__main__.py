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
DataHome = Annotated[
    Path | None,
    typer.Option(help="scikit-learn's data folder, its default when left out; or where a recipe's data.path begins."),
]
Packed = Annotated[Path | None, typer.Option("--pack", help="Take the pictures from this file; see pack.")]
Runs = Annotated[Path, typer.Option(help="Folder of the runs' checkpoints and logs, one folder each.")]
Accelerator = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
DeviceCount = Annotated[int, typer.Option(min=1, help="How many of them, on each machine; each batch is shared.")]
Precision = Annotated[str, typer.Option(help="32-true or bf16-mixed.")]
Threads = Annotated[int, typer.Option(min=0, help="CPU threads; 0 leaves it to torch.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Do not begin with the checkpoint kept beside the recipe.")]
Weights = Annotated[Path, typer.Option(help="Folder of the .onnx files and their cards.")]


@app.callback()
def training() -> None:
    """Train, evaluate and export the networks deblurcli runs."""


@app.command()
def fit(
    name: Name,
    data_home: DataHome = None,
    pack: Packed = None,
    runs: Runs = Path("runs"),
    epochs: Annotated[int | None, typer.Option(min=1, help="Length of the schedule in place of the recipe's.")] = None,
    minutes: Annotated[float, typer.Option(min=0, help="Stop after so many minutes; a later call goes on.")] = math.inf,
    accelerator: Accelerator = "auto",
    devices: DeviceCount = 1,
    nodes: Annotated[int, typer.Option(min=1, help="Machines; start this command on each, by torchrun or SLURM.")] = 1,
    precision: Precision = "32-true",
    threads: Threads = 0,
    workers: Annotated[
        int | None,
        typer.Option(min=0, help="Processes that make training pairs; by default none on the CPU, some for a GPU."),
    ] = None,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Write the logs for TensorBoard too.")] = False,
    fresh: Fresh = False,
) -> None:
    """Fit a recipe's network, going on from its checkpoint, or from the one kept beside the recipe."""
    import torch

    from training.data import sources
    from training.fitting import fit as fitting
    from training.fitting.devices import Devices

    if threads:
        torch.set_num_threads(threads)
    chosen = recipes.load(name)
    fabric = Devices(accelerator, devices, nodes, precision).launched()
    pictures = sources.load(chosen, data_home, pack)
    kept = None if fresh else recipes.kept(name)
    folder = runs / chosen.name
    checkpoint = fitting.fit(chosen, pictures, folder, epochs, minutes, fabric, workers, kept, tensorboard)
    if fabric.is_global_zero:
        typer.echo(f"{chosen.name}: step {checkpoint.step}, {checkpoint.seconds / 60:.1f} minutes; {folder}", err=True)


@app.command()
def keep(
    name: Name,
    runs: Runs = Path("runs"),
    slim: Annotated[
        bool, typer.Option("--slim", help="The weights alone, in half precision: small, and gone on from not exactly.")
    ] = False,
) -> None:
    """Keep a run beside its recipe, with the optimiser's state, so that others can go on from it exactly."""
    from training.fitting import checkpoint

    checkpoint.keep(recipes.load(name), runs, recipes.kept(name), slim)
    typer.echo(recipes.kept(name))


@app.command()
def grow(
    name: Name,
    source: Annotated[str, typer.Option(metavar="RECIPE", help="Of the smaller network, whose kept run is taken.")],
    runs: Runs = Path("runs"),
) -> None:
    """Begin a run of a larger network where a smaller one of the same form ended: it computes the same at first."""
    from training.fitting import checkpoint

    folder = checkpoint.grow(recipes.load(name), recipes.load(source), runs, recipes.kept(source))
    typer.echo(folder)


@app.command("data")
def check(
    name: Name,
    data_home: DataHome = None,
    pack: Packed = None,
    seconds: Annotated[
        float, typer.Option(min=0, help="Make pairs for so long on each of the ways to make them, and count them.")
    ] = 0,
    accelerator: Accelerator = "auto",
) -> None:
    """Check a recipe's data: numbers of pictures, their sizes, and a SHA-256 of the split."""
    import json

    from training.data import sources

    chosen = recipes.load(name)
    pictures = sources.load(chosen, data_home, pack)
    found = sources.check(chosen, pictures)
    if seconds:
        from training.fitting import supplies
        from training.fitting.devices import Devices

        found["pairs"] = supplies.rate(chosen, pictures, Devices(accelerator).launched(), seconds)
    typer.echo(json.dumps(found, indent=2, ensure_ascii=False))


@app.command()
def pack(
    name: Name,
    out: Annotated[Path, typer.Argument(metavar="FILE", help="The pack to write, one .npy file.")],
    data_home: DataHome = None,
) -> None:
    """Pack a recipe's pictures into one file, 8 bits, to carry to another machine and map into memory there."""
    from training.data import packs, sources

    chosen = recipes.load(name)
    packs.write(out, sources.SOURCES[chosen.data.source].packable(chosen, data_home))
    typer.echo(out)


@app.command()
def psfs(
    name: Name,
    minutes: Annotated[float, typer.Option(min=0, help="How long to search; about ten PSFs are found in a minute.")],
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Beside the recipes when left out.")] = None,
    data_home: DataHome = None,
    pack: Packed = None,
    seed: Annotated[int, typer.Option(help="Another one blurs other photographs, by other shake.")] = 0,
) -> None:
    """Shake a recipe's photographs and keep the PSFs found in them, for recipes with data.found."""
    from training.data import found, sources

    chosen = recipes.load(name)
    pairs = list(found.gather(sources.load(chosen, data_home, pack), chosen, minutes, seed))
    found.write(out or found.KEPT, pairs)
    typer.echo(f"{len(pairs)} PSFs; {out or found.KEPT}")


@app.command()
def reliability(
    name: Name,
    hardware: Annotated[str, typer.Option(help="What it is fitted on, for its card.")],
    helper: Annotated[str, typer.Option(help="Which network: reliability, or preference.")] = "reliability",
    gather: Annotated[
        float, typer.Option(metavar="MINUTES", min=0, help="How long to make and restore pictures.")
    ] = 15,
    minutes: Annotated[float, typer.Option(min=0.01, help="How long to fit.")] = 12,
    data_home: DataHome = None,
    pack: Packed = None,
    weights: Weights = Path("weights"),
    seed: Annotated[int, typer.Option(help="Another one makes other pictures.")] = 0,
) -> None:
    """Fit a network that tells how much of what a recipe's network changes is right, or of what a PSF restores."""
    from training import export as exporting
    from training.data import sources
    from training.reliability import fit, restorations, scenes

    chosen = recipes.load(name)
    restored = restorations.known(helper)(chosen.name)
    drawn = scenes.Scenes(sources.load(chosen, data_home, pack), chosen, seed)
    examples = list(fit.gather(drawn, restored, gather))
    about = {
        "data": f"photographs and drawings of the recipe {chosen.name}, not its faces",
        "network": chosen.name,
        "minutes": minutes,
        "hardware": hardware,
        "licence": exporting.LICENCES[chosen.data.source],
    }
    typer.echo(fit.export(fit.fit(examples, minutes, seed), examples, weights, about, helper))


@app.command()
def export(
    name: Name,
    hardware: Annotated[str, typer.Option(help="What the network was trained on, for its card.")],
    data_home: DataHome = None,
    pack: Packed = None,
    runs: Runs = Path("runs"),
    weights: Weights = Path("weights"),
) -> None:
    """Export a network to ONNX, check it against torch and write its card; the run need not be over."""
    from training import export as exporting
    from training.data import sources

    chosen = recipes.load(name)
    pictures = sources.load(chosen, data_home, pack)
    typer.echo(exporting.export(chosen, runs, weights, hardware, pictures, recipes.kept(name)))


@app.command()
def evaluate(
    model: Annotated[str, typer.Argument(metavar="NAME|FILE.onnx", help="A bundled model or an .onnx file.")],
    data_home: DataHome = None,
    pack: Packed = None,
    card: Annotated[bool, typer.Option("--card", help="Write what was measured into the model's card too.")] = False,
    scores: Annotated[bool, typer.Option("--scores/--no-scores", help="Score the paper's test pictures.")] = True,
    speed: Annotated[
        bool, typer.Option("--speed", help="Time it beside the paper's U-Net, on one core, and measure its memory.")
    ] = False,
    photographs: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Sharp photographs, none trained on: measure it there, under nine blurs."),
    ] = None,
    count: Annotated[int | None, typer.Option(min=1, help="Photographs to take, evenly; all when left out.")] = None,
    beside: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METHOD",
            help="Measure on the photographs also: unsharp, wiener, sparse, 'wiener, wrong', 'wiener, auto', deblur, "
            "'photo, ensemble'; repeatable.",
        ),
    ] = None,
) -> None:
    """Score an exported network: on the paper's test split, in float and through 8-bit files, and on photographs."""
    import json

    from training.data import sources
    from training.evaluation import photographs as comparing
    from training.evaluation import protocol as evaluation
    from training.evaluation import speed as timing

    found, measured = evaluation.carded(model, card), {}
    if scores:
        pictures = sources.load(recipes.load("paper-gaussian"), data_home, pack)
        measured["scores"] = evaluation.evaluate(model, sources.test_pictures(pictures))
    if speed:
        measured["speed"], measured["memory"] = timing.relative(found.path), timing.memory(found.path)
    if photographs is not None:
        methods = {**comparing.chosen(beside or []), **comparing.of_model(found)}
        files = comparing.pictures(photographs, count)
        gains, kept = comparing.measured(files, methods), comparing.left(files, methods)
        measured["photographs"] = comparing.carded(gains, kept, len(files))
    typer.echo(json.dumps(measured, indent=2, ensure_ascii=False))
    if card:
        evaluation.note(found, measured)


@app.command()
def batch(
    names: Annotated[list[str], typer.Argument(metavar="RECIPE…", help="Recipes, in the order of their turns.")],
    minutes: Annotated[float, typer.Option(min=0, help="For all of it; shared by those that are not over yet.")],
    out: Annotated[Path, typer.Option(help="Folder of all that is made; the same command goes on from it.")],
    data_home: DataHome = None,
    accelerator: Accelerator = "auto",
    devices: DeviceCount = 1,
    precision: Precision = "32-true",
    threads: Threads = 0,
    fresh: Fresh = False,
    hardware: Annotated[str, typer.Option(help="For the cards; what this machine is when left out.")] = "",
) -> None:
    """Fit, export and score a queue of recipes inside a time budget; a failure costs the others nothing."""
    from training.fitting.devices import described
    from training.queue import Queue

    fitting = ["--accelerator", accelerator, "--devices", str(devices), "--precision", precision]
    fitting += ["--threads", str(threads), *(["--fresh"] if fresh else [])]
    results = Queue(names, minutes, out, data_home, fitting, hardware or described()).run()
    for result in results:
        typer.echo(f"{result.recipe}: {result.state}, {result.epochs:g} epochs {result.psnr or ''} {result.reason}")
    raise typer.Exit(any(result.state == "failed" for result in results))


@app.command()
def figures(
    out: Annotated[Path, typer.Option(help="Folder of the figures, PNG and SVG.")] = Path("figures"),
    pictures: Annotated[
        str, typer.Option(metavar="FOLDER|lfw", help="Pictures to show; public-domain ones when left out.")
    ] = "",
    data_home: DataHome = None,
    pack: Packed = None,
    runs: Runs = Path("runs"),
    weights: Weights = Path("weights"),
) -> None:
    """Make the paper's seven figures anew, and one of all models.

    Pictures of lfw carry no open licence and are not for publishing.
    """
    from training import figures as drawing
    from training.figures import strips

    if pictures == "lfw":
        from training.data import sources

        faces = sources.load(recipes.load("paper-gaussian"), data_home, pack)
        shown = list(sources.test_pictures(faces, strips.SHOWN))
    else:
        shown = strips.folder_pictures(Path(pictures) if pictures else strips.HERE)
    for path in drawing.make(drawing.Sources(shown, weights, runs), out):
        typer.echo(path)


@app.command()
def table(
    weights: Weights = Path("weights"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of Markdown.")] = False,
    speed: Annotated[bool, typer.Option("--speed/--no-speed", help="Time all models now, in one run.")] = True,
    photographs: Annotated[bool, typer.Option("--photographs", help="The gains on photographs instead.")] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Write all tables into their places in the documents, timing nothing.")
    ] = False,
) -> None:
    """Print what the cards say of every trained model, and how fast each is here."""
    import json

    from training.evaluation import speed as timing
    from training.evaluation import table as tables

    if write:
        return tables.write(tables.documented(weights))
    if photographs:
        return typer.echo(tables.documented(weights)["photographs"])
    found = tables.rows(weights)
    timed = [row["model"] for row in found if speed and row["layers"] == 1]  # others do not take a picture alone
    paths = [weights / f"{name}.onnx" for name in timed]
    measured = dict(zip(timed, timing.throughputs(paths))) if speed else None
    if not as_json:
        return typer.echo(tables.markdown(found, measured), nl=False)
    for row in found:
        row["megapixels_per_second"] = (measured or {}).get(row["model"])
    typer.echo(json.dumps(found, indent=2, ensure_ascii=False))


def main() -> None:
    """Run the command line; our own errors become one line and exit code 2."""
    try:
        app()
    except DeblurError as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
