"""Initial weights from keys: each parameter's values depend on its name and the seed, on nothing else."""

import zlib
from collections.abc import Callable

import numpy as np
from mindspore import Tensor, nn

Rule = Callable[[str, tuple[int, ...], np.random.Generator], np.ndarray | None]


def initialize(network: nn.Cell, seed: int, rule: Rule) -> None:
    """Fill every parameter with rule(name, shape, generator); None leaves what the constructor made."""
    for name, parameter in network.parameters_and_names():
        generator = np.random.default_rng((zlib.crc32(name.encode()), seed))
        values = rule(name, parameter.shape, generator)
        if values is not None:
            parameter.set_data(Tensor(values.astype(np.float32)))


def kaiming_normal(shape: tuple[int, ...], generator: np.random.Generator, *, fan_out: bool = False) -> np.ndarray:
    """Normal with variance 2 / fan (He et al. 2015); the fans count a convolution's kernel, as PyTorch's do."""
    fan = int(np.prod(shape)) // shape[1] if fan_out else int(np.prod(shape[1:]))
    return generator.standard_normal(shape, dtype=np.float32) * np.sqrt(2.0 / fan)


def kaiming_uniform(shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
    """Uniform within 1 / sqrt(fan in): PyTorch's default for convolutions (Kaiming uniform with a = sqrt 5)."""
    bound = 1.0 / np.sqrt(np.prod(shape[1:]))
    return generator.uniform(-bound, bound, shape)


def truncated_normal(shape: tuple[int, ...], generator: np.random.Generator, deviation: float) -> np.ndarray:
    """Normal redrawn wherever it falls beyond two standard deviations."""
    values = generator.standard_normal(shape)
    outside = np.abs(values) > 2
    while outside.any():
        values[outside] = generator.standard_normal(int(outside.sum()))
        outside = np.abs(values) > 2
    return values * deviation
