"""Family: all that is known of a family of networks, as one record that its folder fills in."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mindspore import nn

from .graphs import Graphs


@dataclass(frozen=True, kw_only=True)
class Family:
    """A family of networks.

    Attributes:
        paper: address.
        cards: {network: fields of its ModelInfo}.
        build: (name, class_num, image_size, context, seed, **options) -> the network with fresh weights; its options
            are its keyword-only parameters.
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
