"""Image classification: its data and augmentation, examples, prediction."""
