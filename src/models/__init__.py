"""The networks of the zoo, by name."""

from .layers import LayerContext, share_random_step
from .registry import ModelInfo, create_model, list_models, model_info

__all__ = ["LayerContext", "ModelInfo", "create_model", "list_models", "model_info", "share_random_step"]
