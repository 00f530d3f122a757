"""Losses of the classification networks: `create_loss(name, class_num=...)`."""

from src.loss.factory import create_loss

__all__ = ["create_loss"]
