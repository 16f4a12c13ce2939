"""Blur: point spread functions, their grammar, families and files, and the forward model."""
