"""Transforms of images, of images with their labels, and of batches."""
