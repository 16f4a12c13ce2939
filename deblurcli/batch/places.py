"""What a run works on: one place, or several pictures that are named one by one. Standard library only."""

from __future__ import annotations

import os
from pathlib import Path

Inputs = Path | tuple[Path, ...]  # a picture, a folder of pictures or `STANDARD`; or several pictures


def is_batch(source: Inputs) -> bool:
    """Whether there may be more than one picture: a folder's, or several that are named."""
    return isinstance(source, tuple) or os.path.isdir(source)  # noqa: PTH112 (never raises)
