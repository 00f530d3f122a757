"""Pyramid ViG against its fixtures: neighbours forced (strict) and found by the network itself, position tables."""

from collections.abc import Iterator

import numpy as np
from mindspore import Tensor, nn

from src.models import create_model
from tests.golden import compare, reader
from tests.golden.check_vig import LIMITS, ForcedNeighbours, free_lines, search_lines
from tests.golden.compare import Line
from tests.golden.names import torch_name

NETWORKS = ("pvig_ti", "pvig_s")


def load(name: str) -> tuple[nn.Cell, reader.Fixture]:
    """The network of a fixture, its weights by the rule."""
    fixture = reader.read(name)
    network = create_model(name, context=compare.context)
    compare.load_weights(network, fixture, torch_name)
    return network, fixture


def force(network: nn.Cell, arrays: dict, key: str, *, watch: bool) -> list[ForcedNeighbours]:
    """Replace each graph layer's search."""
    blocks = [cell for cell in network.backbone if isinstance(cell, nn.SequentialCell)]
    for layer, (grapher, _) in enumerate(blocks):
        graph = grapher.graph_conv
        graph.knn = ForcedNeighbours(graph.knn, arrays[f"{key}.{layer}"], watch=watch)
    return [grapher.graph_conv.knn for grapher, _ in blocks]


def stages(network: nn.Cell, images: np.ndarray) -> dict[str, np.ndarray]:
    """Outputs by the name of the cell that made them, and the logits, run eagerly."""
    x = network.stem(Tensor(images))
    found = {"stem": x}
    x = x + network.pos_embed
    found["backbone.0.0"] = network.backbone[0][0](x)
    for number, cell in enumerate(network.backbone):
        found[f"backbone.{number}"] = x = cell(x)
    found["logits"] = network.prediction(x.mean((2, 3), keep_dims=True)).squeeze((2, 3))
    return {name: tensor.asnumpy() for name, tensor in found.items()}


def position_lines(network: nn.Cell, fixture: reader.Fixture) -> Iterator[Line]:
    """The fixed tables, which are computed and not loaded."""
    tables = {name: p.asnumpy() for name, p in network.parameters_and_names() if name.endswith("relative_pos")}
    facts = fixture.facts["relative_pos"]
    assert {name: list(table.shape) for name, table in tables.items()} == {key: facts[key]["shape"] for key in facts}
    for name, table in tables.items():
        recorded = fixture.arrays[f"relative_pos.{name}.slice"]
        yield compare.absolute(f"{name} slice", reader.sample(table, 64), recorded, 2e-6)
        yield compare.absolute(f"{name} std", table.std(dtype=np.float64), facts[name]["std"], 1e-7)
        yield compare.relative(f"{name} sum", table.sum(dtype=np.float64), facts[name]["sum"], 1e-7)


def eval_lines(name: str) -> Iterator[Line]:
    """Tables, logits of the free network, stages and logits with forced neighbours, each layer's own search."""
    compare.eager()
    network, fixture = load(name)
    yield from position_lines(network, fixture)
    network.set_train(False)
    yield from free_lines(network, fixture, force)
    forced = force(network, fixture.arrays, "knn_eval", watch=True)
    found = stages(network, fixture.images)
    yield compare.absolute("logits", found["logits"], fixture.arrays["logits"], LIMITS.logits)
    for stage, facts in fixture.facts["eval"]["stages"].items():
        yield from compare.compare_stage(stage, found[facts["module"]], fixture, 1e-5)
    yield from search_lines(forced)


def train_lines(name: str) -> Iterator[Line]:
    """Training with the neighbours of the recorded training forward pass."""
    compare.compiled()
    network, fixture = load(name)
    force(network, fixture.arrays, "knn_train", watch=False)
    recorded = fixture.facts["sgd"]["lr_0.001"]["fp32_forced_train_graph"]
    tolerances = [1e-5, 2e-3, 2e-3, 2e-3, 2e-3]
    yield from compare.compare_training(network, fixture, torch_name, LIMITS, 0.001, recorded, tolerances)
