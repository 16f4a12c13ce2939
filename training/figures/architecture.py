"""Figure 1: a network drawn from the network itself, by tracing it; nothing in it is typed by hand."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, Rectangle
from torch import fx, nn
from torch.fx.passes.shape_prop import ShapeProp

COLOURS = ("#1f6fb2", "#c0392b", "#2e8b57", "#8e44ad", "#d68910", "#117a8b", "#7f8c8d")
BOX = "#cfe0f1"
TALLEST, WIDEST, GAP = 10.0, 3.2, 1.7  # of boxes and between them, in the drawing's units


@dataclass(frozen=True)
class Map:
    """A feature map that the drawing shows as a box.

    operation: what made it, as the legend says it; empty for the input.
    sources: numbers of the maps it was made from.
    """

    operation: str
    channels: int
    height: int
    width: int
    sources: tuple[int, ...]


def maps(network: nn.Module, height: int, width: int) -> list[Map]:
    """The feature maps of a network for a picture of that size, in the order they are made.

    What keeps a map's place, such as batch normalisation and ReLU after a convolution, is named with what it follows.
    """
    traced = fx.symbolic_trace(network.eval())
    parameter = next(network.parameters())
    ShapeProp(traced).propagate(torch.zeros(1, 3, height, width, dtype=parameter.dtype))
    made: list[Map] = []
    number: dict[fx.Node, int] = {}
    for node in traced.graph.nodes:
        sources = tuple(number[source] for source in node.all_input_nodes if source in number)
        if node.op == "output" or "tensor_meta" not in node.meta:
            continue
        label = _label(node, network)
        if label in FINISHES and made and sources == (len(made) - 1,):
            made[-1] = replace(made[-1], operation=f"{made[-1].operation}, {label}")
        else:
            channels, height, width = node.meta["tensor_meta"].shape[1:]
            made.append(Map(label, channels, height, width, sources))
        number[node] = len(made) - 1
    return made


def _convolution(layer: nn.Conv2d) -> str:
    return f"convolution {_times(layer.kernel_size)}"


def _transposed(layer: nn.ConvTranspose2d) -> str:
    return f"transposed convolution {_times(layer.kernel_size)}, stride {layer.stride[0]}"


def _times(sides: tuple[int, ...]) -> str:
    return " × ".join(map(str, sides))


LAYERS: dict[type[nn.Module], Callable[..., str]] = {
    nn.ConvTranspose2d: _transposed,
    nn.Conv2d: _convolution,
    nn.BatchNorm2d: lambda _: "batch normalisation",
    nn.ReLU: lambda _: "ReLU",
}
FUNCTIONS = {
    "cat": "concatenation with the skip",
    "add": "sum with the skip",
    "relu": "ReLU",
    "sigmoid": "sigmoid",
    "pixel_unshuffle": "pixel unshuffle",
    "pixel_shuffle": "pixel shuffle",
}
FINISHES = ("batch normalisation", "ReLU", "sigmoid")


def _label(node: fx.Node, network: nn.Module) -> str:
    """What a node does, in words; empty for the input."""
    if node.op == "call_module":
        layer = network.get_submodule(str(node.target))
        return next((word(layer) for kind, word in LAYERS.items() if isinstance(layer, kind)), type(layer).__name__)
    name = re.sub(r"_\d+$", "", node.name)
    if name == "max_pool2d":
        return f"max pooling {node.args[1]} × {node.args[1]}"
    return "" if node.op == "placeholder" else FUNCTIONS.get(name, name)


def draw(axes: Axes, made: list[Map], title: str) -> None:
    """Draw feature maps as boxes, as tall as the map and wider with more channels, and what leads to them."""
    places = _places(made)
    colours = dict(zip(dict.fromkeys(one.operation for one in made if one.operation), COLOURS * 3))
    for one, (x, y, wide, tall) in zip(made, places):
        axes.add_patch(Rectangle((x, y - tall / 2), wide, tall, facecolor=BOX, edgecolor="#333333", linewidth=0.8))
        axes.text(x + wide / 2, y + tall / 2 + 0.2, str(one.channels), ha="center", va="bottom", fontsize=8)
        size = f"{one.height} × {one.width}"
        axes.text(x + wide / 2, y - tall / 2 - 0.25, size, ha="center", va="top", fontsize=5.5, rotation=45)
    for index, one in enumerate(made):
        for source in one.sources:
            skips = source != max(one.sources) or source < index - 1
            _arrow(axes, places[source], places[index], "#999999" if skips else colours[one.operation], skips)
    for operation, colour in colours.items():
        axes.plot([], [], color=colour, linewidth=2.5, label=operation)
    if any(source < index - 1 for index, one in enumerate(made) for source in one.sources):
        axes.plot([], [], color="#999999", linewidth=1.5, linestyle="--", label="skip")
    _frame(axes, places, title)


def _places(made: list[Map]) -> list[tuple[float, float, float, float]]:
    """Left, middle, width and height of every box: each scale has a row of its own, coarser ones lower."""
    most, tallest = max(one.channels for one in made), max(one.height for one in made)
    x, places, levels = 0.0, [], sorted({one.height for one in made}, reverse=True)
    rows, down = {}, 0.0
    for height in levels:
        tall = max(TALLEST * height / tallest, 0.8)
        rows[height] = down - tall / 2
        down -= tall + 2.6
    for one in made:
        wide = WIDEST * math.sqrt(one.channels / most)
        places.append((x, rows[one.height], wide, max(TALLEST * one.height / tallest, 0.8)))
        x += wide + GAP
    return places


def _arrow(axes: Axes, source, target, colour: str, skips: bool) -> None:
    """An arrow from one box's right side to another's left."""
    lift = 0.3 * min(source[3], target[3]) if skips else 0.0
    start, end = (source[0] + source[2], source[1] + lift), (target[0], target[1] + lift)
    style: dict[str, Any] = {"linestyle": "--", "linewidth": 1.0, "zorder": 0} if skips else {"linewidth": 1.5}
    axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=8, color=colour, **style))


def _frame(axes: Axes, places, title: str) -> None:
    right = max(x + wide for x, _, wide, _ in places)
    bottom = min(y - tall / 2 for _, y, _, tall in places)
    axes.set_xlim(-1, right + 1)
    axes.set_ylim(bottom - 2.6, max(y + tall / 2 for _, y, _, tall in places) + 1.5)
    axes.set_axis_off()
    axes.set_title(title, fontsize=11)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=2, fontsize=8, frameon=False)
