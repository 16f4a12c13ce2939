"""Deconvolution: undoing a known blur."""
