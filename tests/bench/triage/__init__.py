"""What `triage` says of pictures whose blur is known: ``python -m tests.bench.triage``."""
