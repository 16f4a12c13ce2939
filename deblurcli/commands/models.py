"""``deblurcli models``."""

from __future__ import annotations

from typing import Annotated

import typer

from deblurcli.choices import MODELS
from deblurcli.commands import options, values

EXAMPLES = (
    ("See which networks there are", "models"),
    ("Read all about one of them", "models photo"),
)


def _name(value: str | None) -> str | None:
    return None if value is None else values.checked(value, MODELS)


def models(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="Show all about this network.",
            callback=_name,
            autocompletion=options.completed(MODELS),
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """List the networks that come with deblurcli."""
    from deblurcli.inference import models as weights
    from deblurcli.terminal import console

    names = weights.names() if name is None else [name]
    console.cards({each: weights.card(each) for each in names}, json, in_full=name is not None)
