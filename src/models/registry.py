"""Networks by name: what is known about each, and how to build it."""

import difflib
import fnmatch

from mindspore import nn

from . import dgcnet, dgmn2, hlg, resnext152, vig
from .family import Family, ModelInfo, NetworkSpec, PublicNames
from .layers import LayerContext

# A further family is its folder and a line here.
FAMILIES: dict[str, Family] = {
    "vig": vig.FAMILY,
    "resnext152": resnext152.FAMILY,
    "hlg": hlg.FAMILY,
    "dgcnet": dgcnet.FAMILY,
    "dgmn2": dgmn2.FAMILY,
}
ALIASES = {"resnext152": "resnext152_64x4d"}


class FeatureMaps(nn.Cell):
    """(B, 3, S, S) -> the maps (B, C, H, W) of a pyramid network's stages, the finest first.

    What a detector or a segmentation head starts from.

    Attributes:
        body: the network itself, under whose names a checkpoint's weights are put; it loses its head.
        channels, strides: of each map; a stride is the pixels of the image a position stands for, along one side.
    """

    def __init__(self, network: nn.Cell):
        """ValueError for a network of one resolution."""
        super().__init__()
        if not hasattr(network, "feature_maps"):
            raise ValueError(f"{type(network).__name__} has one resolution only: take a pyramid network")
        for name in network.HEAD_CELLS:
            delattr(network, name)
        self.body = network
        self.channels: tuple[int, ...] = network.feature_channels
        self.strides: tuple[int, ...] = network.feature_strides

    def construct(self, x):
        return self.body.feature_maps(x)


def list_models(pattern: str = "*") -> list[str]:
    """Sorted names, aliases among them, that match a shell-style pattern."""
    return sorted(fnmatch.filter([*_families(), *ALIASES], pattern))


def model_info(name: str) -> ModelInfo:
    """The card of a network, without building it; ValueError for an unknown name."""
    name = _resolve(name)
    key = _families()[name]
    family = FAMILIES[key]
    return ModelInfo(name=name, family=key, paper=family.paper, **family.cards[name])


def public_names(name: str) -> PublicNames:
    """How public checkpoints name this network's tensors; ValueError where there are none, or for an unknown name."""
    names = family_of(name).names
    if names is None:
        raise ValueError(f"{name} has no public checkpoints whose names are known")
    return PublicNames(**names)


def family_of(name: str) -> Family:
    """The record of a network's family; ValueError for an unknown name."""
    return FAMILIES[model_info(name).family]


def network_options() -> list[str]:
    """Sorted names of the options that some family's `build` takes."""
    return sorted({option for family in FAMILIES.values() for option in family.options})


def create_model(
    name: str,
    class_num: int = 1000,
    image_size: int | None = None,
    *,
    seed: int = 0,
    context: LayerContext = LayerContext(),  # noqa: B008 (frozen)
    features_only: bool = False,
    **options,
) -> nn.Cell:
    """Build a network with fresh weights that depend on `name`, the arguments and `seed` only.

    image_size: pixels; None is the size the variant was made for (224 for all published ones).
    features_only: without the head, as a cell that gives the stages' maps (`FeatureMaps`).
    options: drop_path_rate, drop_rate, ...: those of the family's `build`.
    ValueError for an unknown name or option, a size that the network can't take, or maps of a network without stages.
    """
    info = model_info(name)
    family = FAMILIES[info.family]
    if class_num < 1:
        raise ValueError(f"class_num is {class_num}; it must be at least 1")
    _check_options(info.name, options, family.options)
    spec = NetworkSpec(
        name=info.name, class_num=class_num, image_size=image_size or info.image_size, context=context, seed=seed
    )
    network = family.build(spec, **options)
    return FeatureMaps(network) if features_only else network


def _families() -> dict[str, str]:
    """{network: key of its family}"""
    return {name: key for key, family in FAMILIES.items() for name in family.cards}


def _resolve(name: str) -> str:
    name = ALIASES.get(name, name)
    if name not in _families():
        near = difflib.get_close_matches(name, list_models(), n=3, cutoff=0.4) or list_models()
        raise ValueError(f"unknown network {name!r}; nearest: {', '.join(near)}")
    return name


def _check_options(name: str, options: dict, known: list[str]) -> None:
    for option, value in options.items():
        if option not in known:
            raise ValueError(f"{name} has no option {option!r}; it has: {', '.join(known)}")
        if option.endswith("_rate") and not 0 <= value < 1:
            raise ValueError(f"{option} is {value}; it must be in [0, 1)")
