"""HLG against its fixture."""

import dataclasses
import re
from collections.abc import Iterator

import numpy as np
from mindspore import Tensor, nn

from src.models import create_model
from src.models.layers import map_of, nodes_of
from tests.golden import compare, reader
from tests.golden.compare import Line, Tolerances

NETWORKS = {"hlg_mobile_zoo_ms": "hlg_mobile"}
SAME_NAME = str  # parameters are named as in the zoo
# 1e-4 for the logits would let another epsilon of the LayerNorms pass.
LIMITS = Tolerances(logits=2e-5, loss=2e-5, grad_norm=2e-3, grad_slice=1e-2)
# Parameters that the seed's modules own but never use; ours leave them out.
UNUSED = re.compile(
    r"patch_embed1\.(conv|norm)\.|patch_embed[234]\.(conv|norm)\d\.|block4_\d\.(norm0|spatial_smooth)\."
)


def is_used(name: str) -> bool:
    """Whether a parameter of the reference takes part in its forward pass."""
    return not UNUSED.match(name)


def read(fixture_name: str) -> reader.Fixture:
    """The fixture without what concerns unused parameters, after checking that those have no gradient."""
    fixture = reader.read(fixture_name)
    every = {name: reader.weight(name, shape) for name, shape in fixture.shapes.items()}
    assert reader.digest(every) == fixture.facts["weights_crc32"]
    used = {name: array for name, array in every.items() if is_used(name)}
    train = fixture.facts["train"]
    assert set(train["zero_grad_params"]) == {name for name in train["grad_norms"] if not is_used(name)}
    norms = {name: norm for name, norm in train["grad_norms"].items() if is_used(name)}
    return dataclasses.replace(
        fixture,
        facts=fixture.facts | {"weights_crc32": reader.digest(used), "train": train | {"grad_norms": norms}},
        arrays={key: a for key, a in fixture.arrays.items() if is_used(key.removeprefix("bn_after_1_train_fwd."))},
        shapes={name: array.shape for name, array in used.items()},
    )


def load(fixture_name: str) -> tuple[nn.Cell, reader.Fixture]:
    """The network of a fixture, its weights by the rule."""
    fixture = read(fixture_name)
    network = create_model(NETWORKS[fixture_name], fixture.facts["num_classes"], context=compare.context)
    compare.load_weights(network, fixture, SAME_NAME)
    return network, fixture


def stages(network: nn.Cell, images: np.ndarray) -> dict[str, np.ndarray]:
    """Every stage's output, run eagerly."""
    found = {"patch_embed1": network.patch_embed1(Tensor(images))}
    found["block1_0"] = network.block1_0(nodes_of(found["patch_embed1"]) + network.pos_embed1)
    found["stage1"] = x = network.block1_1(found["block1_0"])
    found["patch_embed2"] = x = network.patch_embed2(map_of(x, 56))
    found["stage2"] = x = network.block2_1(network.block2_0(nodes_of(x) + network.pos_embed2))
    x = nodes_of(network.patch_embed3(map_of(x, 28))) + network.pos_embed3
    found["stage3"] = x = network.block3_1(network.block3_0(x))
    x = network.with_class_token(nodes_of(network.patch_embed4(map_of(x, 14)))) + network.pos_embed4
    found["stage4"] = x = network.block4_1(network.block4_0(x))
    found["norm"] = network.norm(x)
    return {name: tensor.asnumpy() for name, tensor in found.items()}


def eval_lines(fixture_name: str) -> Iterator[Line]:
    """Stages and logits."""
    compare.eager()
    network, fixture = load(fixture_name)
    logits = network.set_train(False)(Tensor(fixture.images)).asnumpy()
    yield compare.absolute("logits", logits, fixture.arrays["logits"], LIMITS.logits)
    found = stages(network, fixture.images)
    for stage in fixture.facts["eval"]["stages"]:
        yield from compare.compare_stage(stage, found[stage], fixture, 1e-5)


def train_lines(fixture_name: str) -> Iterator[Line]:
    """All five recorded steps of SGD at the smaller rate."""
    compare.compiled()
    network, fixture = load(fixture_name)
    recorded = fixture.facts["sgd"]["lr_0.001"]["fp32"]
    yield from compare.compare_training(network, fixture, SAME_NAME, LIMITS, 0.001, recorded, [1e-5, *[1e-4] * 4])
