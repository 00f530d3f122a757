"""Which parameters decay."""

import numpy as np
from mindspore import Parameter, Tensor

from src.optimizers import parameter_groups


def names(group):
    return [parameter.name for parameter in group["params"]]


def parameters(*names):
    return [Parameter(Tensor(np.float32([0])), name=name) for name in names]


def test_gamma_is_decayed_by_the_seeds_filter():
    decayed, exempt = parameter_groups(
        parameters("stem.weight", "norm.gamma", "norm.beta", "head.bias"),
        weight_decay=0.05,
        no_weight_decay_filter="beta, bias",
    )
    assert names(decayed) == ["stem.weight", "norm.gamma"] and decayed["weight_decay"] == 0.05
    assert names(exempt) == ["norm.beta", "head.bias"] and exempt["weight_decay"] == 0.0


def test_without_a_filter_everything_decays():
    decayed, exempt = parameter_groups(parameters("weight", "bias"), weight_decay=0.1)
    assert names(decayed) == ["weight", "bias"]
    assert names(exempt) == []
