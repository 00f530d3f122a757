"""Optimizers that read their learning rate from a table on the device: `create_optimizer(name, ...)`."""

from src.optimizers.factory import create_optimizer
from src.optimizers.groups import parameter_groups

__all__ = ["create_optimizer", "parameter_groups"]
