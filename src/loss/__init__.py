"""Losses of classification and segmentation by name: `create_loss(name, class_num=...)`."""

from src.loss.factory import CLASSIFICATION_LOSSES, SEGMENTATION_LOSSES, create_loss

__all__ = ["CLASSIFICATION_LOSSES", "SEGMENTATION_LOSSES", "create_loss"]
