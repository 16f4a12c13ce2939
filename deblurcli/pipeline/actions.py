"""What can be done to a picture: its name in reports, and what people read of it."""

from __future__ import annotations

from dataclasses import dataclass

from deblurcli.choices import METHODS, REFINE
from deblurcli.pictures.images import Picture
from deblurcli.pictures.processed import Fields, Processed


@dataclass(frozen=True)
class Action:
    """One thing that can be done to a picture.

    method: what the report's field of that name says. message: how the line for people begins.
    """

    method: str
    message: str

    def made(self, picture: Picture, fields: Fields, detail: str = "") -> Processed:
        """The picture that came of it. detail: of what kind the blur was, or why; people read nothing without one."""
        note = f"{self.message}, {detail}" if detail else ""
        return Processed(picture, {**fields, "method": self.method}, note)


LEFT = Action("none", "left unchanged")
REFINED = Action(REFINE, "restored")
DECONVOLVED = {method: Action(method, "restored") for method in METHODS}


def blindly(network: str) -> Action:
    """Restored by a network that was given nothing but the picture."""
    return Action(network, f"restored blindly by {network}")


def specially(network: str) -> Action:
    """Restored by a network that was made for the picture's blur."""
    return Action(network, f"restored by {network}")


# How people read the family of a PSF that was found.
KINDS = {
    "motion": "straight motion",
    "gaussian": "soft blur (Gaussian)",
    "defocus": "wrong focus (defocus)",
    "general": "camera shake (any form)",
}
ROTATED = "camera shake and rotation"  # where the PSF differs over the picture
