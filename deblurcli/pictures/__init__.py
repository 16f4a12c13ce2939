"""Pictures: files to arrays and back, their metadata, tiles of large ones, luma, noise and power spectrum."""
