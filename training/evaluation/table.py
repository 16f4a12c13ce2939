"""The tables of every trained model, from the cards; and the places of tables in documents."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from deblurcli.errors import DeblurError
from deblurcli.inference.cards import Card
from deblurcli.inference.cards import read as read_card
from training import networks, recipe
from training.data.sources import SIZE
from training.evaluation import photographs
from training.evaluation.protocol import PROTOCOLS
from training.recipe import RecipeError

TRAINING = Path(__file__).parents[1]
NOTES = TRAINING / "README.md"
MEASURED = TRAINING.parent / "docs" / "measured.md"
SCORES = {"psnr": "{:.2f}", "ssim": "{:.4f}", "mae": "{:.4f}", "mse": "{:.2e}"}
UNKNOWN = "–"
DOCUMENTS = {"table": NOTES, "related": NOTES, "photographs": MEASURED}  # where each table has its place
RELATED = TRAINING / "weights"  # of the related networks, which are not bundled


class TableError(DeblurError):
    """A table that cannot be written."""


def cards(weights: Path) -> dict[str, Card]:
    """The cards in a folder, by model, sorted."""
    return {path.stem: read_card(path) for path in sorted(weights.glob("*.json"))}


def rows(weights: Path) -> list[dict]:
    """What the cards say of every model, sorted by name; None for what a card does not tell.

    Scores are those of the float protocol, as in the paper. GMAC are counted on the recipe's network, at 128 × 96.
    """
    return [_row(name, card) for name, card in cards(weights).items()]


def _row(name: str, card: Card) -> dict:
    protocol = card.get("scores", {}).get("float", {})
    return {
        "model": name,
        "layers": card.get("layers", 1),
        **{kind: protocol.get(kind, {}).get("restored") for kind in PROTOCOLS},
        "parameters": card.get("parameters"),
        "gmac": _gmac(name),
        "speed": card.get("speed", {}).get("ratio"),
        "megapixels": card.get("speed", {}).get("megapixels_per_second"),
        "memory": card.get("memory", {}).get("megabytes"),
        "seen": _seen(card),
        "epochs": card.get("epochs"),
        "schedule_epochs": card.get("schedule_epochs"),
        "schedule_over": card.get("schedule_over", True),
        "hardware": card.get("hardware"),
        "minutes": card.get("minutes"),
    }


def _seen(card: Card) -> float | None:
    """Training pictures in a second."""
    minutes = card.get("minutes")
    return card["images_seen"] / (60 * minutes) if minutes and "images_seen" in card else None


def _gmac(name: str) -> float | None:
    """Thousands of millions of multiply-accumulates for one face; None for a model without a recipe here."""
    try:
        network = networks.build(recipe.load(name).network)
    except RecipeError:
        return None
    width, height = SIZE
    return round(networks.multiply_adds(network, height, width) / 1e9, 3)


def _scores(scores: Mapping[str, float] | None) -> str:
    return " / ".join(form.format(scores[name]) for name, form in SCORES.items()) if scores else UNKNOWN


def _epochs(row: Mapping) -> str:
    if row["schedule_over"]:
        return f"{row['epochs']:g}"
    return f"{row['epochs']:g} of {row['schedule_epochs']}, not over"


COLUMNS: dict[str, Callable[[Mapping], str]] = {
    "model": lambda row: f"`{row['model']}`",
    "Gaussian: PSNR / SSIM / MAE / MSE": lambda row: _scores(row["gaussian"]),
    "motion: PSNR / SSIM / MAE / MSE": lambda row: _scores(row["motion"]),
    "parameters": lambda row: f"{row['parameters']:,}",
    "GMAC": lambda row: f"{row['gmac']:.2f}",
    "speed": lambda row: f"{row['speed']:.2f} ×",
    "MP/s": lambda row: f"{row['megapixels']:.2f}",
    "peak MB": lambda row: f"{row['memory']:.0f}",
    "epochs": _epochs,
    "minutes": lambda row: f"{row['minutes']:g}",
    "pictures/s": lambda row: f"{row['seen']:.1f}",
    "hardware": lambda row: row["hardware"],
}
NEEDS = {"speed": "speed", "MP/s": "megapixels", "peak MB": "memory", "pictures/s": "seen", "GMAC": "gmac",
         "parameters": "parameters", "epochs": "epochs", "minutes": "minutes", "hardware": "hardware"}  # fmt: skip


def markdown(table: Sequence[Mapping], measured: Mapping[str, float] | None = None) -> str:
    """The rows as a table in Markdown.

    measured: megapixels per second by model, taken now; a column of their own, beside the cards' speed.
    """
    titles = list(COLUMNS)
    lines = [[_cell(title, row) for title in titles] for row in table]
    if measured is not None:
        titles.append("MP/s here, now")
        speeds = [measured.get(row["model"]) for row in table]
        lines = [[*line, UNKNOWN if speed is None else f"{speed:.2f}"] for line, speed in zip(lines, speeds)]
    return "\n".join(f"| {' | '.join(line)} |" for line in [titles, ["---"] * len(titles), *lines]) + "\n"


def _cell(title: str, row: Mapping) -> str:
    needed = NEEDS.get(title)
    return UNKNOWN if needed and row[needed] is None else COLUMNS[title](row)


def placed(text: str, name: str, table: str) -> str:
    """A document with a table between the markers of that name; TableError when it has none."""
    place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
    if not place.search(text):
        raise TableError(f"no place for it; put <!-- {name} --> and <!-- end of {name} --> on lines of their own")
    return place.sub(lambda found: found[1] + table.rstrip("\n") + "\n" + found[2], text)


def write(tables: Mapping[str, str], documents: Mapping[str, Path] = DOCUMENTS) -> None:
    """Write tables into their places, by name."""
    for name, text in tables.items():
        path = documents[name]
        path.write_text(placed(path.read_text(encoding="utf-8"), name, text), encoding="utf-8")


def documented(weights: Path, related: Path = RELATED) -> dict[str, str]:
    """The tables that documents hold, by name: nothing in them is timed anew.

    weights: folder of the bundled models; related: of the networks made for comparison.
    """
    return {
        "table": markdown(rows(weights)),
        "related": markdown(rows(related)),
        "photographs": photographs.table(*photographs.of_cards(list(cards(weights).values()))),
    }
