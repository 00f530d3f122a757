"""DGCNet against its fixtures."""

import dataclasses
from collections.abc import Iterator

import numpy as np
from mindspore import Tensor, nn, ops

from src.loss import create_loss
from src.models import create_model
from tests.golden import compare, reader
from tests.golden.compare import Line, Tolerances
from tests.golden.names import torch_name

NETWORKS = {"dgcnet_97": "dgcnet_res101", "dgcnet_193": "dgcnet_res101"}
# The statistics of the last layers, like the logits in training, vary by 5e-4 to 1e-3 with the rounding.
LIMITS = Tolerances(logits=1e-5, loss=1e-4, grad_norm=5e-2, grad_slice=3e-1, moving=3e-3)
TRAINING_LOGITS = 1e-2  # absolute
SLICE_OF_GRAPH = 1e-4  # absolute: the logits barely see the spatial graph
RATE = 0.01


def map_shapes(shapes: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Our convolutions over nodes are 1x1 ones over maps: (out, in, 1) -> (out, in, 1, 1)."""
    return {name: (*shape, 1) if len(shape) == 3 else shape for name, shape in shapes.items()}


def load(fixture_name: str) -> tuple[nn.Cell, reader.Fixture]:
    """The network of a fixture, its weights by the rule."""
    name = NETWORKS[fixture_name]
    fixture = reader.read(fixture_name, name)
    fixture = dataclasses.replace(fixture, shapes=map_shapes(fixture.shapes))
    network = create_model(name, fixture.facts["num_classes"], drop_rate=0.0, context=compare.context)
    compare.load_weights(network, fixture, torch_name)
    return network, fixture


def stages(network: nn.Cell, images: np.ndarray) -> dict[str, np.ndarray]:
    """Every stage's output, and both logits as "main" and "dsn", run eagerly."""
    found = {"stem_conv1": network.conv1(Tensor(images))}
    found["maxpool"] = x = network.maxpool(ops.relu(network.bn1(found["stem_conv1"])))
    for name in ("layer1", "layer2", "layer3", "layer4"):
        found[name] = x = getattr(network, name)(x)
    head = network.head
    found["head_conva"] = y = ops.relu(head.conva(x))
    found["head_local_gcn"] = head.dualgcn.gcn_local_attention(head.dualgcn.local(y))
    found["head_dualgcn"] = y = head.dualgcn(y)
    found["head"] = found["main"] = head(x)
    found["dsn"] = network.dsn(found["layer3"])
    return {name: tensor.asnumpy() for name, tensor in found.items()}


def eval_lines(fixture_name: str) -> Iterator[Line]:
    """Stages and logits."""
    compare.eager()
    network, fixture = load(fixture_name)
    found = stages(network.set_train(False), fixture.images)
    yield compare.relative("main", found["main"], fixture.arrays["main"], LIMITS.logits)
    yield compare.absolute("dsn", found["dsn"], fixture.arrays["dsn"], 1e-4)
    graph = reader.sample(found["head_local_gcn"], 64)
    yield compare.absolute("spatial graph", graph, fixture.arrays["stage.head_local_gcn.slice"], SLICE_OF_GRAPH)
    for stage in fixture.facts["eval"]["stages"]:
        yield from compare.compare_stage(stage, found[stage], fixture, 1e-5)
    # What the pieces above give is what the network gives.
    yield compare.relative("maps", network.maps(Tensor(fixture.images)).asnumpy(), found["main"], 1e-6)


class ResizedLoss(nn.Cell):
    """The loss at the size of the images, and the logits at the network's own resolution."""

    def __init__(self, network: nn.Cell, loss: nn.Cell):
        super().__init__(auto_prefix=False)
        self.network = network
        self.loss = loss

    def construct(self, images, labels):
        logits, auxiliary = self.network.maps(images)
        size = images.shape[2:]
        loss = self.loss((self.network.resize(logits, size), self.network.resize(auxiliary, size)), labels)
        return loss, (logits, auxiliary)


def training_case(fixture: reader.Fixture, case: str) -> tuple[reader.Fixture, nn.Cell]:
    """The fixture with the gradients of loss "A" or "B" only, and that loss."""
    facts = fixture.facts["train"][case]
    other = {"A": "grad_B.", "B": "grad_A."}[case]
    arrays = {key: array for key, array in fixture.arrays.items() if not key.startswith(other)}
    arrays = {key.replace(f"grad_{case}.", "grad."): array for key, array in arrays.items()}
    loss = create_loss(
        "ohem",
        class_num=fixture.facts["num_classes"],
        ohem_thres=facts["thresh"],
        ohem_keep=facts["min_kept"],
        aux_weight=facts["dsn_weight"],
    )
    return dataclasses.replace(fixture, facts=fixture.facts | {"train": facts}, arrays=arrays), loss


def train_lines(fixture_name: str) -> Iterator[Line]:
    """Gradients of both losses; with A the logits, the statistics, and the losses of the first steps."""
    compare.eager()
    network, fixture = load(fixture_name)
    batch, _, *size = fixture.facts["input_shape"]
    target = reader.segmentation_target((batch, *size), fixture.facts["num_classes"], fixture.facts["seed"])
    assert reader.digest({"t": target.astype(np.int64)}) == fixture.facts["target_crc32"]
    inputs = Tensor(fixture.images), Tensor(target)
    recorded = fixture.facts["sgd"][f"lr_{RATE}"]["fp32"]
    network.set_train(True)
    for case, rate in (("B", 0.0), ("A", RATE)):
        expected, loss = training_case(fixture, case)
        compare.load_weights(network, fixture, torch_name)
        step = compare.Sgd(network, rate, ResizedLoss(network, loss))
        value, logits, gradients = step(*inputs)
        yield compare.absolute(f"loss {case}", value.asnumpy(), expected.facts["train"]["loss"], LIMITS.loss)
        names = [torch_name(parameter.name) for parameter in step.optimizer.parameters]
        arrays = {name: g.asnumpy() for name, g in zip(names, gradients, strict=True)}
        yield from compare.compare_gradients(arrays, expected, LIMITS)
    for name, ours in zip(("main", "dsn"), logits, strict=True):
        yield compare.absolute(f"training {name}", ours.asnumpy(), fixture.arrays[f"train_{name}"], TRAINING_LOGITS)
    yield from compare.compare_moving(network, fixture, torch_name, LIMITS)
    for number in (1, 2):
        value = step(*inputs)[0].asnumpy()
        yield compare.relative(f"loss before step {number + 1}", value, recorded[number], 1e-2)
