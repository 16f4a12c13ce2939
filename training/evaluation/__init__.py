"""Evaluation: scores, gains on photographs, speed, and the tables made of them."""
