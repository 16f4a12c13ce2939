"""Metrics: how near a restored image is to the sharp one."""
