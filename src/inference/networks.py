"""Networks built from a configuration, and access to their tensors."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import mindspore as ms
import numpy as np
from mindspore import nn

from src.checkpoints import fit_image_size
from src.config import Config, as_user_error
from src.config.errors import few_names
from src.models import KERNEL_SOURCES, LayerContext, ModelInfo, create_model, model_info, network_options
from src.runtime.kernel_library import kernel_library
from src.runtime.logs import get_logger
from src.runtime.session import Session


def network_info(backbone: str) -> ModelInfo:
    """Paper, size and preprocessing of a network; UserError for an unknown name."""
    with as_user_error("backbone"):
        return model_info(backbone)


def build_network(config: Config, session: Session, image_size: int, *, exporting: bool = False) -> nn.Cell:
    """The configured network with initial weights keyed by the seed.

    Args:
        image_size: side of the input in pixels.
        exporting: build layers from operators that can be exported.

    Returns:
        (B, 3, image_size, image_size) float32 -> logits.

    Raises:
        UserError: unknown network, or an option or image size that it does not support.
    """
    model = config.model
    options = {name: getattr(model, name, None) for name in network_options()}
    context = LayerContext(
        device=session.device,
        rank=session.rank,
        num_ranks=session.num_ranks,
        sync_bn=config.run.sync_bn,
        exporting=exporting,
        kernels="" if exporting else compiled_kernels(config, session),
    )
    with as_user_error(f"backbone {model.backbone}"):
        return create_model(
            model.backbone,
            class_num=model.class_num,
            image_size=image_size,
            seed=config.run.seed,
            context=context,
            **{name: value for name, value in options.items() if value is not None},
        )


def compiled_kernels(config: Config, session: Session) -> str:
    """Path of the CPU kernels' library; "" where there is none, for other devices, and for mixed precision."""
    if not config.run.cpu_kernels or session.device != "CPU" or config.run.amp_level != "O0":
        return ""
    return kernel_library(KERNEL_SOURCES, session.num_ranks)


def with_mixed_precision(network: nn.Cell, amp_level: str) -> nn.Cell:
    """The network with the float16 operators of `amp_level`; its parameters remain float32."""
    if amp_level == "O0":
        return network
    if ms.get_context("device_target") == "CPU":
        _warn_of_float16(amp_level)
    return ms.amp.auto_mixed_precision(network, amp_level, ms.float16)


@cache
def _warn_of_float16(amp_level: str) -> None:
    """Once: a training run has a network for its steps and one for its evaluations."""
    get_logger().warning("amp_level %s: float16 is slower than float32 on a CPU; use --amp_level O0", amp_level)


def arrays_of(network: nn.Cell) -> dict[str, np.ndarray]:
    """Copies of the network's tensors, by name."""
    return {name: parameter.asnumpy().copy() for name, parameter in network.parameters_and_names()}


def set_arrays(network: nn.Cell, arrays: Mapping[str, np.ndarray]) -> None:
    """Load tensors into the network, all names required; tables that depend on the image size are resized."""
    fitted, _ = fit_image_size(network, arrays)
    for name, parameter in network.parameters_and_names():
        parameter.set_data(ms.Tensor(fitted[name], parameter.dtype))


def resized_note(names: list[str], image_size: int) -> str:
    """Log line about resized tables."""
    return f"resized to images of {image_size} pixels: {few_names(names)}"
