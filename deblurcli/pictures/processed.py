"""What a function that works on pictures gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deblurcli.pictures.images import Picture

Fields = dict[str, Any]  # of a line of JSON


@dataclass(frozen=True)
class Processed:
    """What became of a picture.

    fields: what report and manifest say of it. note: a line on it for people; empty for none. psf: ``(K, L)``, the blur
    that was undone, where there was one.
    """

    picture: Picture
    fields: Fields = field(default_factory=dict)
    note: str = ""
    psf: np.ndarray | None = None
