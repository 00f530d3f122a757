"""Semantic segmentation: its data, evaluation on whole images, examples, prediction, pictures."""
