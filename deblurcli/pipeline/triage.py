"""What `triage` does to a picture: the estimate and the decision of `deblur`, without the restoration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from deblurcli.batch import filing
from deblurcli.batch.jobs import Job
from deblurcli.batch.record import FAILED, Outcome
from deblurcli.errors import DeblurError
from deblurcli.pictures.images import Picture
from deblurcli.pipeline.sources import BLINDLY, LEAVE, UNDO, Estimated, Finding, Source
from deblurcli.reports.album import Album, keep_seen
from deblurcli.reports.diagnoses import Diagnosis

# CPU seconds of `deblur`: for a picture, and for each of its megapixels; ``python -m tests.bench.triage cost``.
COSTS = {UNDO: (0.3, 3.8), BLINDLY: (2.3, 4.4), LEAVE: (0.2, 0.1)}
FREE_FORM_COST = 2.5, 14.5  # of undoing a blur of any form, whose parts take unequally long


@dataclass(frozen=True)
class TriageWork:
    """What `triage` says of a picture; call it with the picture and its name.

    album: keeps the pictures for a page, where there is to be one.
    """

    source: Source = field(default_factory=Estimated)
    album: Album | None = None

    def __call__(self, picture: Picture, key: str) -> Diagnosis:
        """The diagnosis: what `deblur` would find, and what it would do."""
        found = self.source(picture, key)
        width, height = picture.size
        about = found.fields
        diagnosis = Diagnosis(
            key,
            about["verdict"],
            about["family"],
            about["pixels"],
            about["psf"],
            about["confidence"],
            found.course,
            cost(found, width * height / 1e6),
            width,
            height,
        )
        if self.album is not None:
            keep_seen(self.album, key, diagnosis.badness, picture, found.psf)
        return diagnosis


def cost(found: Finding, megapixels: float) -> float:
    """About how many seconds of one CPU core `deblur` takes for a picture."""
    fixed, each = FREE_FORM_COST if found.is_free_form else COSTS[found.course]
    return fixed + each * megapixels


@dataclass(frozen=True)
class Filing:
    """Puts pictures into folders by their verdict, below one folder, under their own paths.

    place: that folder. moves: whether they are moved, not copied.
    """

    place: Path
    moves: bool = False

    def __call__(self, outcomes: Iterator[Outcome[Job, Diagnosis]]) -> Iterator[Outcome[Job, Diagnosis]]:
        """The outcomes, each when its file is in its place; of a file that stays where it was the outcome says why."""
        put = filing.move if self.moves else filing.copy
        for outcome in outcomes:
            if outcome.result is not None:
                try:
                    put(outcome.job.source, self.place / outcome.result.verdict / outcome.job.key)
                except DeblurError as error:
                    outcome = replace(outcome, status=FAILED, error=str(error))
            yield outcome
