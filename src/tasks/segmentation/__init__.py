"""Semantic segmentation: data, evaluation on whole images, examples, prediction, inspection."""
