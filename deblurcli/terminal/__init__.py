"""The terminal: progress, messages and tables."""
