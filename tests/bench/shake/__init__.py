"""Benchmarks of what judges `deblur` as it comes: camera shake, real blur, sharp pictures; see the page beside."""
