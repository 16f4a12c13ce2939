"""Self-ensemble: a network asked about a picture in all its orientations.

Timofte, Rothe and Van Gool, *Seven ways to improve example-based single image super resolution*, CVPR 2016.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deblurcli.inference.session import Session
from deblurcli.pictures.power_spectrum import turn_spectrum

ORIENTATIONS = tuple((turns, mirrored) for mirrored in (False, True) for turns in range(4))


@dataclass(frozen=True)
class Ensemble:
    """A session whose output is the mean over a batch's four turns and their mirror images; eight times the work."""

    session: Session

    @property
    def provider(self) -> str:
        """Where the network runs."""
        return self.session.provider

    @property
    def needs_spectrum(self) -> bool:
        """Whether the network takes each picture's log power spectrum."""
        return self.session.needs_spectrum

    def run(self, batch: np.ndarray, *spectra: np.ndarray) -> np.ndarray:
        """The network's mean output for a batch; as `Session.run`."""
        total = np.zeros((len(batch), 3, *batch.shape[2:]), np.float32)
        for turns, mirrored in ORIENTATIONS:
            seen = np.rot90(batch[..., ::-1] if mirrored else batch, turns, axes=(2, 3))
            turned = (turn_spectrum(spectrum, turns, mirrored) for spectrum in spectra)
            output = np.rot90(self.session.run(np.ascontiguousarray(seen), *turned), -turns, axes=(2, 3))
            total += output[..., ::-1] if mirrored else output
        return total / len(ORIENTATIONS)
