"""Pages of letters, blurred and restored, read by tesseract: ``python -m tests.bench.text``."""
