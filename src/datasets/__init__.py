"""Data: sources, sampling, transforms, epochs."""
