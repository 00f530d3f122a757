"""The networks of the zoo, by name."""

from .features import FeatureMaps
from .layers import LayerContext, share_random_step
from .registry import ModelInfo, PublicNames, create_model, list_models, model_info, public_names

__all__ = [
    "FeatureMaps",
    "LayerContext",
    "ModelInfo",
    "PublicNames",
    "create_model",
    "list_models",
    "model_info",
    "public_names",
    "share_random_step",
]
