"""The HTML page of scores: its parts, and what puts them together."""
