"""Fitting: the training loop, losses, schedules, checkpoints and devices."""
