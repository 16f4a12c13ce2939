"""Fits the network that tells how much of a change is right at each place; see `deblurcli.inference.reliability`."""
