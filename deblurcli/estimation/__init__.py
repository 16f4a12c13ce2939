"""Estimation: the PSF of a picture, from the picture alone."""
