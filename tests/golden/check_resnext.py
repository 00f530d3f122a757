"""ResNeXt against its fixtures."""

from collections.abc import Iterator

import numpy as np
from mindspore import Tensor, nn

from src.models import create_model
from tests.golden import compare, reader
from tests.golden.compare import Line, Tolerances
from tests.golden.names import torch_name

# fixture: (our network, border of its stem's max-pool)
NETWORKS = {
    "resnext50_32x4d": ("resnext50_32x4d", "pad"),
    "resnext50_32x4d_samepool": ("resnext50_32x4d", "same"),
    "resnext152_64x4d": ("resnext152_64x4d", "pad"),
}
# Single gradients of BatchNorm over two images differ by up to 0.045 between processors (spread: 0.9 of 5e-2).
LIMITS = Tolerances(logits=2e-5, loss=1e-4, grad_norm=2e-2, grad_slice=1e-1)
# 152 layers over batch statistics of two images magnify the rounding: single values vary by up to 0.35, the loss of 7.8
# by up to 3.2e-4, norms by up to 2.4e-2 (spread).
DEEP_LIMITS = Tolerances(logits=2e-5, loss=1e-3, grad_norm=5e-2, grad_slice=5e-1, train_logits=1e-3, moving=1e-3)


def load(fixture_name: str) -> tuple[nn.Cell, reader.Fixture]:
    """The network of a fixture, its weights by the rule."""
    fixture = reader.read(fixture_name)
    name, stem_pool = NETWORKS[fixture_name]
    network = create_model(name, stem_pool=stem_pool, context=compare.context)
    compare.load_weights(network, fixture, torch_name)
    return network, fixture


def stages(network: nn.Cell, images: np.ndarray) -> dict[str, np.ndarray]:
    """Every stage's output and the logits, run eagerly."""
    found = {"stem_maxpool": network.stem(Tensor(images))}
    x = found["stem_maxpool"]
    for name in ("layer1", "layer2", "layer3", "layer4"):
        found[name] = x = getattr(network, name)(x)
    found["logits"] = network.fc(x.mean((2, 3)))
    return {name: tensor.asnumpy() for name, tensor in found.items()}


def eval_lines(fixture_name: str) -> Iterator[Line]:
    """Stages and logits."""
    compare.eager()
    network, fixture = load(fixture_name)
    found = stages(network.set_train(False), fixture.images)
    yield compare.relative("logits", found["logits"], fixture.arrays["logits"], LIMITS.logits)
    for stage in fixture.facts["eval"]["stages"]:
        yield from compare.compare_stage(stage, found[stage], fixture, 2e-5)


def train_lines(fixture_name: str) -> Iterator[Line]:
    """The first two losses. At the larger rate the second already varies by some percent with the rounding."""
    compare.compiled()
    network, fixture = load(fixture_name)
    sgd = fixture.facts["sgd"]
    rate, second = (0.001, 1e-2) if "lr_0.001" in sgd else (0.01, 1e-1)
    recorded = sgd[f"lr_{rate}"]["fp32"]
    limits = DEEP_LIMITS if fixture_name == "resnext152_64x4d" else LIMITS
    yield from compare.compare_training(network, fixture, torch_name, limits, rate, recorded, [1e-4, second])
