"""Factory of optimizers by the names used in recipes."""

from collections.abc import Iterable, Sequence

import numpy as np
from mindspore import Parameter

from src.config.errors import unknown
from src.optimizers.adam import AdamW, AdamWeightDecay
from src.optimizers.base import Optimizer
from src.optimizers.groups import layer_scales, parameter_groups
from src.optimizers.lamb import Lamb
from src.optimizers.lion import Lion
from src.optimizers.momentum import Momentum

# Each optimizer with the options that it reads.
OPTIMIZERS = {
    "adamw": (AdamW, ("beta1", "beta2", "eps", "kernels")),
    "adamweightdecay": (AdamWeightDecay, ("beta1", "beta2", "eps", "kernels")),
    "lamb": (Lamb, ("beta1", "beta2", "eps")),
    "lion": (Lion, ("beta1", "beta2")),
    "momentum": (Momentum, ("momentum",)),
    "sgd": (Momentum, ("momentum",)),
}


def create_optimizer(
    name: str,
    parameters: Iterable[Parameter],
    learning_rate: np.ndarray | Sequence[float],
    *,
    weight_decay: float = 0.0,
    no_weight_decay_filter: str = "",
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    momentum: float = 0.9,
    layer_decay: float = 1.0,
    blocks: str | None = None,
    kernels: str = "",
) -> Optimizer:
    """An optimizer cell, called with a tuple of gradients in the order of its `.parameters` (the given order).

    `learning_rate` holds one rate per step. `adamw` is decoupled and bias-corrected, `adamweightdecay`
    decoupled and uncorrected; they and `lamb` read `beta1`, `beta2`, `eps`, `lion` the betas. `momentum` and
    `sgd` are one formula and read `momentum`. `no_weight_decay_filter`: see `parameter_groups`; `layer_decay`
    below 1, by the pattern `blocks`: see `layer_scales`. `kernels`: path of the compiled CPU kernels, for `adamw` and
    `adamweightdecay`; "" for the framework's operators. Unknown name, or a layer decay for a network without blocks:
    ValueError.
    """
    if name not in OPTIMIZERS:
        raise unknown("optimizer", name, OPTIMIZERS)
    parameters = list(parameters)
    groups = parameter_groups(parameters, weight_decay=weight_decay, no_weight_decay_filter=no_weight_decay_filter)
    decay_of = {weight.name: group["weight_decay"] for group in groups for weight in group["params"]}
    decays = [decay_of[weight.name] for weight in parameters]
    scales = layer_scales([weight.name for weight in parameters], layer_decay, blocks)
    options = {"momentum": momentum, "beta1": beta1, "beta2": beta2, "eps": eps, "kernels": kernels}
    kind, keys = OPTIMIZERS[name]
    return kind(parameters, decays, scales, learning_rate, **{key: options[key] for key in keys})
