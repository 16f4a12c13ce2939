"""Batches: what a run will do, doing it on threads or a cluster, and the records of it."""
