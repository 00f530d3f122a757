"""Weights with which the gradient of a 3x3 convolution's input is a convolution itself."""

from mindspore import ops

from .library import kernel


def _shape(weight):
    return [weight[1], weight[0], *weight[2:]]


def _type(weight):
    return weight


def turned_weights(library: str) -> ops.Custom:
    """(O, C, 3, 3) -> (C, O, 3, 3), turned by 180 degrees."""
    return kernel(library, "turned_weights", _shape, _type)
