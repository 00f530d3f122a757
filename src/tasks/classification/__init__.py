"""Image classification: data, augmentation, evaluation, examples, prediction, graph sheets, inspection."""
