"""ViG against its fixtures: neighbours forced (strict) and found by the network itself (loose)."""

from collections.abc import Callable, Iterator

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
# Rounding swaps neighbours that are nearly equally far, and one swapped neighbour in an early layer moves the logits of
# the free network by up to 0.013 (largest values 0.6 to 1). What it computes is compared with forced neighbours.
FREE_LOGITS = 3e-2
LIMITS = Tolerances(logits=1e-5, loss=1e-5, grad_norm=2e-3, grad_slice=1e-2)


class ForcedNeighbours(nn.Cell):
    """Stands in for a layer's own search: returns recorded neighbours.

    With `watch`, `farther` is how much the neighbours that the search finds and the recorded ones differ in distance,
    nearest with nearest and so on, as a share of the largest distance. Rounding may swap neighbours that are equally
    far, which changes numbers but no distance.
    """

    def __init__(self, search: nn.Cell, neighbours: np.ndarray, *, watch: bool):
        super().__init__()
        self.search = search.search if isinstance(search, ForcedNeighbours) else search
        self.neighbours = Tensor(neighbours.astype(np.int32))
        self.watch = watch
        self.farther = None

    def construct(self, nodes, keys, relative_pos=None):
        if self.watch:
            found = self.search(nodes, keys, relative_pos).asnumpy()
            distances = squared_distances(self.search, nodes, keys, relative_pos)
            own, recorded = (
                np.sort(np.take_along_axis(distances, neighbours, -1), -1)
                for neighbours in (found, self.neighbours.asnumpy())
            )
            self.farther = np.abs(own - recorded).max() / np.abs(distances).max()
        return self.neighbours


def squared_distances(search: nn.Cell, nodes: Tensor, keys: Tensor, relative_pos: Tensor | None) -> np.ndarray:
    """(B, N, M) float64, to which `relative_pos` is added, of what `search` compares."""
    a, b = (search.directions(rows).asnumpy().astype(np.float64) for rows in (nodes, keys))
    distances = (a * a).sum(-1)[:, :, None] + (b * b).sum(-1)[:, None] - 2.0 * a @ b.transpose(0, 2, 1)
    return distances if relative_pos is None else distances + relative_pos.asnumpy()


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


def free_lines(network: nn.Cell, fixture: reader.Fixture, force: Callable) -> Iterator[Line]:
    """The network with neighbours of its own: near the reference's logits, and exactly those of what it tells.

    What `network.neighbours` tells is compared in the first four layers; later, rounding swaps more and more of them.
    """
    images = Tensor(fixture.images)
    logits, told = network(images).asnumpy(), [layer.asnumpy() for layer in network.neighbours(images)]
    yield compare.absolute("free logits", logits, fixture.arrays["logits"], FREE_LOGITS)
    for layer, neighbours in enumerate(told[:4]):
        share = changed_share(neighbours, fixture.arrays[f"knn_eval.{layer}"])
        yield Line(f"share of nodes that the network tells other neighbours of, layer {layer}", share, 0.01)
    force(network, {f"told.{layer}": neighbours for layer, neighbours in enumerate(told)}, "told", watch=False)
    yield compare.absolute("logits with the told neighbours", network(images).asnumpy(), logits, LIMITS.logits)


def search_lines(forced: list[ForcedNeighbours]) -> Iterator[Line]:
    """Each layer's own search on the recorded layer's input."""
    for layer, cell in enumerate(forced):
        yield Line(f"distance of other neighbours, layer {layer}", cell.farther, 1e-6)


def changed_share(own: np.ndarray, recorded: np.ndarray) -> float:
    """Share of the nodes whose set of neighbours differs."""
    return float((np.sort(own, -1) != np.sort(recorded, -1)).any(-1).mean())


def eval_lines(fixture_name: str) -> Iterator[Line]:
    """Stages and logits with forced neighbours, each layer's own search, logits of the free network."""
    compare.eager()
    fixture = reader.read(fixture_name)
    name, name_of = NETWORKS[fixture_name]
    network = create_model(name, context=compare.context).set_train(False)
    compare.load_weights(network, fixture, name_of)
    yield from free_lines(network, fixture, force)
    forced = force(network, fixture.arrays, "knn_eval", watch=True)
    found = stages(network, fixture.images)
    yield compare.absolute("logits", found["logits"], fixture.arrays["logits"], LIMITS.logits)
    for stage in fixture.facts["eval"]["stages"]:
        yield from compare.compare_stage(stage, found[stage], fixture, 1e-5)
    yield from search_lines(forced)


def train_lines(fixture_name: str) -> Iterator[Line]:
    """Training with the neighbours of the recorded training forward pass."""
    compare.compiled()
    fixture = reader.read(fixture_name)
    name, name_of = NETWORKS[fixture_name]
    network = create_model(name, context=compare.context)
    force(network, fixture.arrays, "knn_train", watch=False)
    recorded = fixture.facts["sgd"]["lr_0.001"]["fp32_forced_train_graph"]
    tolerances = [1e-5, 2e-3, 2e-3, 2e-3, 2e-3]
    yield from compare.compare_training(network, fixture, name_of, LIMITS, 0.001, recorded, tolerances)
