"""``deblurcli models``."""

from __future__ import annotations

from deblurcli.commands import options


def models(json: options.Json = False) -> None:
    """List the bundled models and what their cards say."""
    from deblurcli.inference import models as weights
    from deblurcli.terminal import console

    console.cards({name: weights.find(name).card for name in weights.names()}, json)
