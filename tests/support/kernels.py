"""The compiled CPU kernels, and what the tests of each kernel share."""

import ctypes
import math
import os
import shutil

import numpy as np
import pytest
from mindspore import Tensor

from src.models import KERNEL_SOURCES, LayerContext
from src.runtime import kernel_library
from tests.support.gradients import Gradients

NEEDS_COMPILER = pytest.mark.skipif(shutil.which("g++") is None, reason="the kernels need g++, which is not installed")


if PROCESSOR := os.environ.get("KERNELS_FOR"):  # an older one than this machine's, in the compiler's words
    kernel_library.FLAGS = tuple(
        f"-march={PROCESSOR}" if flag == "-march=native" else flag for flag in kernel_library.FLAGS
    )


def kernels() -> LayerContext:
    """The context of networks with kernels."""
    library = kernel_library.kernel_library(KERNEL_SOURCES)
    assert library, "the kernels don't compile"
    return LayerContext(kernels=library)


def set_num_threads(number: int) -> None:
    """Let kernels use so many threads."""
    ctypes.CDLL(kernels().kernels).set_num_threads(number)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def gradients(cell, dout, *inputs):
    """(output, gradients of the inputs, gradients of the parameters by name) as arrays."""
    inputs = [Tensor(each) for each in inputs]
    output = cell(*inputs).asnumpy()
    of_inputs, of_parameters = Gradients(cell)(*inputs, Tensor(dout))
    names = [parameter.name for parameter in cell.trainable_params()]
    return (
        output,
        [each.asnumpy() for each in of_inputs],
        {name: each.asnumpy() for name, each in zip(names, of_parameters, strict=True)},
    )


def activation(name: str, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Value and slope in float64 of "" (none), relu, gelu or tanh_gelu."""
    if name == "relu":
        return np.maximum(x, 0), (x > 0).astype(float)
    if name == "gelu":
        share = 0.5 * np.vectorize(math.erfc)(-x / math.sqrt(2))
        return x * share, share + x * np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
    if name == "tanh_gelu":
        tanh = np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))
        inner = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x**2)
        return 0.5 * x * (1 + tanh), 0.5 * (1 + tanh) + 0.5 * x * (1 - tanh**2) * inner
    return x, np.ones_like(x)


def assert_close(found, expected, tolerance=2e-6):
    """Equal to `tolerance` of the largest value."""
    np.testing.assert_allclose(found, expected, atol=tolerance * max(1.0, np.abs(expected).max()))
