"""All networks by name: what is known about each, and how to build it."""

import difflib
import fnmatch
from dataclasses import dataclass

from mindspore import nn

from . import dgcnet, dgmn2, hlg, resnext152, vig
from .family import Family
from .features import FeatureMaps
from .layers import LayerContext

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class ModelInfo:
    """A network's card: what was published about it, and the preprocessing that belongs to its weights.

    image_size in pixels; params_m: trained parameters, millions, at 1000 classes; flops_g: multiply-adds an image, in
    units of 1e9, published or else counted here (benchmarks/multiply_adds.py); top1, top5: percent on ImageNet-1k by
    `source` ("authors", "seed"); None: not recorded.
    task: "classification" or "segmentation"; the latter has miou, percent on Cityscapes' validation set, and counts
    parameters at 19 classes.
    mean and std in units of the full range 0..1; crop_pct: centre crop / shorter side after the resize.
    """

    name: str
    family: str
    title: str
    paper: str
    image_size: int = 224
    params_m: float | None = None
    flops_g: float | None = None
    top1: float | None = None
    top5: float | None = None
    source: str | None = None
    task: str = "classification"
    miou: float | None = None
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    crop_pct: float = 0.875
    interpolation: str = "bilinear"


@dataclass(frozen=True)
class PublicNames:
    """How public checkpoints of a family name what this zoo has, as data for the converter. Patterns match whole names.

    Leaves need no rule: `weight` is `gamma` where the network has that, `running_mean` is `moving_mean`, and so on.

    head: the cell whose first axis is the classes.
    renamed: (pattern, replacement), all applied in this order.
    ignored: (pattern, reason) of tensors, by their own names, that the network has no use for.
    joined: pattern of tensors that are parts of one, along the first axis: groups 1 and 3 name it, group 2 counts them.
    replaceable: beginnings of names that keep their initial values where a file has none of them.
    options: (name in a file, option, value): what the presence of that name says about the network.
    """

    head: str
    renamed: tuple[tuple[str, str], ...] = ()
    ignored: tuple[tuple[str, str], ...] = ()
    joined: str | None = None
    replaceable: tuple[str, ...] = ()
    options: tuple[tuple[str, str, str], ...] = ()


# A further family is its folder and a line here.
FAMILIES: dict[str, Family] = {
    "vig": vig.FAMILY,
    "resnext152": resnext152.FAMILY,
    "hlg": hlg.FAMILY,
    "dgcnet": dgcnet.FAMILY,
    "dgmn2": dgmn2.FAMILY,
}
ALIASES = {"resnext152": "resnext152_64x4d"}


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
    network = family.build(info.name, class_num, image_size or info.image_size, context, seed, **options)
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
