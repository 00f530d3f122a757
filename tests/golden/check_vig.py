"""ViG against its fixtures: neighbours forced (strict) and found by the network itself (loose)."""

from collections.abc import Iterator

import numpy as np
from mindspore import Tensor, nn

from src.models import create_model
from tests.golden import compare, reader
from tests.golden.compare import Line, Tolerances
from tests.golden.names import torch_name, vig_zoo_name

# fixture: (our network, its names in the fixture)
NETWORKS = {
    "vig_ti": ("vig_ti", torch_name),
    "vig_s": ("vig_s", torch_name),
    "vig_s_patch16_224_zoo_ms": ("vig_s_patch16_224", vig_zoo_name),
}
LIMITS = Tolerances(logits=1e-5, loss=1e-5, grad_norm=2e-3, grad_slice=1e-2)


class ForcedNeighbours(nn.Cell):
    """Stands in for a layer's own search: returns recorded neighbours, and keeps what the search would have found."""

    def __init__(self, search: nn.Cell, neighbours: np.ndarray, *, watch: bool):
        super().__init__()
        self.search = search
        self.neighbours = Tensor(neighbours.astype(np.int32))
        self.watch = watch
        self.own = None

    def construct(self, nodes, keys, relative_pos=None):
        if self.watch:
            self.own = self.search(nodes, keys, relative_pos).asnumpy()
        return self.neighbours


def force(network: nn.Cell, arrays: dict, key: str, *, watch: bool) -> list[ForcedNeighbours]:
    """Replace each graph layer's search."""
    forced = []
    for layer, block in enumerate(network.backbone):
        graph = block[0].graph_conv
        graph.knn = ForcedNeighbours(graph.knn, arrays[f"{key}.{layer}"], watch=watch)
        forced.append(graph.knn)
    return forced


def stages(network: nn.Cell, images: np.ndarray) -> dict[str, np.ndarray]:
    """Every stage's output and the logits, run eagerly."""
    x = network.stem(Tensor(images))
    found = {"stem": x, "patch_embed": x}
    x = x + network.pos_embed
    for number, (grapher, feed_forward) in enumerate(network.backbone):
        found[f"block{number}_grapher"] = x = grapher(x)
        found[f"block{number}"] = x = feed_forward(x)
    pooled = x.mean((2, 3), keep_dims=True)
    found["logits"] = network.prediction(pooled).squeeze((2, 3))
    return {name: tensor.asnumpy() for name, tensor in found.items()}


def told_lines(network: nn.Cell, fixture: reader.Fixture) -> Iterator[Line]:
    """What `network.neighbours` tells of the first four layers; later, rounding swaps more and more neighbours."""
    for layer, told in enumerate(network.neighbours(Tensor(fixture.images))[:4]):
        share = changed_share(told.asnumpy(), fixture.arrays[f"knn_eval.{layer}"])
        yield Line(f"share of nodes that the network tells other neighbours of, layer {layer}", share, 0.01)


def changed_share(own: np.ndarray, recorded: np.ndarray) -> float:
    """Share of the nodes whose set of neighbours differs."""
    return float((np.sort(own, -1) != np.sort(recorded, -1)).any(-1).mean())


def eval_lines(fixture_name: str) -> Iterator[Line]:
    """Stages and logits with forced neighbours, each layer's own search, logits of the free network."""
    compare.eager()
    fixture = reader.read(fixture_name)
    name, name_of = NETWORKS[fixture_name]
    network = create_model(name).set_train(False)
    compare.load_weights(network, fixture, name_of)
    free = network(Tensor(fixture.images)).asnumpy()
    yield compare.absolute("free logits", free, fixture.arrays["logits"], 3e-2)
    yield from told_lines(network, fixture)

    forced = force(network, fixture.arrays, "knn_eval", watch=True)
    found = stages(network, fixture.images)
    yield compare.absolute("logits", found["logits"], fixture.arrays["logits"], LIMITS.logits)
    for stage in fixture.facts["eval"]["stages"]:
        yield from compare.compare_stage(stage, found[stage], fixture, 1e-5)
    for layer, cell in enumerate(forced):
        share = changed_share(cell.own, fixture.arrays[f"knn_eval.{layer}"])
        yield Line(f"share of nodes with other neighbours, layer {layer}", share, 0.01)


def train_lines(fixture_name: str) -> Iterator[Line]:
    """Training with the neighbours of the recorded training forward pass."""
    compare.compiled()
    fixture = reader.read(fixture_name)
    name, name_of = NETWORKS[fixture_name]
    network = create_model(name)
    force(network, fixture.arrays, "knn_train", watch=False)
    recorded = fixture.facts["sgd"]["lr_0.001"]["fp32_forced_train_graph"]
    tolerances = [1e-5, 2e-3, 2e-3, 2e-3, 2e-3]
    yield from compare.compare_training(network, fixture, name_of, LIMITS, 0.001, recorded, tolerances)
