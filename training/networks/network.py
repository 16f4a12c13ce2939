"""What every network that restores says of itself, for the code that exports, tiles and feeds it."""

from __future__ import annotations

from torch import nn


class Network(nn.Module):
    """A network from blurred batches ``(N, 3 · layers, H, W)`` to restored ones ``(N, 3, H, W)``.

    multiple_of: H and W of what it takes are multiples of this.
    layers: pictures that it looks at together; they lie one behind the other in the channels.
    needs_spectrum: whether it takes each picture's log power spectrum ``(N, 64, 33)`` as well.
    looks_everywhere: why its pictures cannot be cut into tiles, in words; None where they can.
    """

    multiple_of: int = 1
    layers: int = 1
    needs_spectrum: bool = False
    looks_everywhere: str | None = None
