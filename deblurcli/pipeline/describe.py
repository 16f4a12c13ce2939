"""What ``estimate`` tells of a picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deblurcli.blur import psf_files
from deblurcli.estimation import estimate
from deblurcli.pictures.images import Picture
from deblurcli.pipeline.sources import AUTO


@dataclass(frozen=True)
class EstimateWork:
    """What ``estimate`` tells of a picture; call it with the picture and its name.

    family: of PSFs to look for; see `estimate.estimate`.
    place: folder, or file where there is one picture, to write the PSF to; None writes none.
    """

    family: str = AUTO
    place: Path | None = None

    def __call__(self, picture: Picture, key: str) -> dict:
        """The PSF's family, parameters and specification, how certain it is, and whether `wiener` would act on it."""
        found = estimate.estimate(picture.pixels, self.family)
        if self.place is not None:
            name = "standard-input" if key == "-" else key
            file = self.place if self.place.suffix else self.place / f"{name}.psf.png"
            psf_files.write(file, found.psf)
        return {**found.about(), "trusted": estimate.trusted(found)}
