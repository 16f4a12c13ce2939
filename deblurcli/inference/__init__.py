"""Inference: networks by name, their cards, sessions, tiles and halo suppression."""
