"""The networks of the zoo, by name."""

from .family import Family, ModelInfo, NetworkSpec, PublicNames
from .graphs import Graphs, LinkedLayer, Links, node_box, node_centres
from .layers import KERNEL_SOURCES, LayerContext, share_random_step
from .registry import (
    FeatureMaps,
    create_model,
    family_of,
    list_models,
    model_info,
    network_options,
    public_names,
)

__all__ = [
    "KERNEL_SOURCES",
    "Family",
    "FeatureMaps",
    "Graphs",
    "LayerContext",
    "LinkedLayer",
    "Links",
    "ModelInfo",
    "NetworkSpec",
    "PublicNames",
    "create_model",
    "family_of",
    "list_models",
    "model_info",
    "network_options",
    "node_box",
    "node_centres",
    "public_names",
    "share_random_step",
]
