"""Training data: sources of pictures, degradations, and pairs made on the fly."""
