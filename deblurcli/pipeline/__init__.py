"""Pipeline: what a command does to one picture, from its PSF's source to the restored picture."""
