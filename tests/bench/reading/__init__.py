"""Reading pictures of every make: beside another library, and damaged ones."""
