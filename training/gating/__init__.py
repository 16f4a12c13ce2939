"""Fits the gate: how much of what a network changes is right, at each place; see `deblurcli.inference.gate`."""
