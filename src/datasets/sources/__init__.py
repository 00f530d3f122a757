"""Sources of samples: folders, lists, archives, MindRecord, Cityscapes, masks."""
