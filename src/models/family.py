"""Records of a family of networks: all that is known of it, its networks' cards, and its public checkpoints' names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from mindspore import nn

from .graphs import Graphs
from .layers import LayerContext

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class ModelInfo:
    """A network's card: what was published about it, and the preprocessing that belongs to its weights.

    None: not recorded.

    Attributes:
        name: by which it is built.
        family: key of its family in the registry.
        title: its name in print.
        paper: address.
        image_size: pixels.
        params_m: trained parameters, millions, at 1000 classes; nano: at 10; segmentation: at 19.
        flops_g: multiply-adds per image, in units of 1e9, published or counted here (benchmarks/multiply_adds.py).
        top1, top5: percent on ImageNet-1k.
        source: of the results, "authors" or "zoo" (the older MindSpore zoo).
        task: "classification" or "segmentation".
        miou: percent on Cityscapes' validation set (segmentation).
        mean, std: in units of the full range 0..1.
        crop_pct: centre crop / shorter side after the resize.
        interpolation: of the resize.
        antialias: whether the published result was measured with Pillow's resize, which averages when it shrinks.
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
    antialias: bool = False


@dataclass(frozen=True)
class PublicNames:
    """How public checkpoints of a family name what this zoo has, as data for the converter. Patterns match whole names.

    Leaves need no rule: `weight` is `gamma` where the network has that, `running_mean` is `moving_mean`, and so on.

    Attributes:
        head: the cell whose first axis is the classes.
        renamed: (pattern, replacement), all applied in this order.
        ignored: (pattern, reason) of tensors, by their own names, that the network has no use for.
        joined: pattern of tensors that are parts of one, along the first axis: groups 1 and 3 name it, group 2 counts
            them.
        replaceable: beginnings of names that keep their initial values where a file has none of them.
        options: (name in a file, option, value): what the presence of that name says about the network.
    """

    head: str
    renamed: tuple[tuple[str, str], ...] = ()
    ignored: tuple[tuple[str, str], ...] = ()
    joined: str | None = None
    replaceable: tuple[str, ...] = ()
    options: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class NetworkSpec:
    """What every network is built from, whatever its family.

    Attributes:
        name: of the variant.
        class_num: number of classes.
        image_size: pixels along one side.
        context: where it will run.
        seed: of the fresh weights.
    """

    name: str
    class_num: int
    image_size: int
    context: LayerContext
    seed: int

    def refuse_size(self, sizes: str) -> NoReturn:
        """ValueError that says which image sizes the network takes."""
        raise ValueError(f"image_size is {self.image_size}; {self.name} takes {sizes}")


@dataclass(frozen=True, kw_only=True)
class Family:
    """A family of networks.

    Attributes:
        paper: address.
        cards: {network: fields of its ModelInfo}.
        build: (spec, **options) -> the network with fresh weights; its options are its keyword-only parameters.
        blocks: pattern of the beginning of a parameter's name that tells its block, for layer-wise learning rates;
            None: the family has no blocks.
        names: fields of its PublicNames; None: there are no public checkpoints.
        graphs: how its networks tell of their graphs; None: they build none.
    """

    paper: str
    cards: Mapping[str, Mapping[str, Any]]
    build: Callable[..., nn.Cell]
    blocks: str | None = None
    names: Mapping[str, Any] | None = None
    graphs: Graphs | None = None

    @property
    def options(self) -> list[str]:
        """Names of the options that `build` takes."""
        parameters = inspect.signature(self.build).parameters.values()
        return [parameter.name for parameter in parameters if parameter.kind is inspect.Parameter.KEYWORD_ONLY]
