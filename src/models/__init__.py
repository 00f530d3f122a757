"""The networks of the zoo, by name."""

from .family import Family
from .features import FeatureMaps
from .layers import LayerContext, share_random_step
from .registry import ModelInfo, PublicNames, create_model, family_of, list_models, model_info, public_names

__all__ = [
    "Family",
    "FeatureMaps",
    "LayerContext",
    "ModelInfo",
    "PublicNames",
    "create_model",
    "family_of",
    "list_models",
    "model_info",
    "public_names",
    "share_random_step",
]
