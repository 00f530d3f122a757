"""DGCNet against numbers recorded from PyTorch's implementation."""

import json

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn, ops

from src.loss import create_loss
from src.models.dgcnet.graphs import DualGCN, SpatialGCN
from src.models.layers import LayerContext, bilinear_resize
from tests.golden import reader
from tests.golden.names import torch_name
from tests.golden.processes import holds


@pytest.mark.parametrize("fixture", ["dgcnet_97", pytest.param("dgcnet_193", marks=pytest.mark.slow)])
def test_evaluation(fixture):
    assert holds(fixture, "eval")


@pytest.mark.slow
@pytest.mark.parametrize("fixture", ["dgcnet_97", "dgcnet_193"])
def test_training(fixture):
    assert holds(fixture, "train")


FACTS, ARRAYS = reader.read_units()
CASES = {"dualgcn": ((2, 32, 13, 9), 150), "spatialgcn": ((2, 32, 5, 4), 151)}


def build(case: str) -> nn.Cell:
    cell = DualGCN(32, 4, LayerContext()) if case == "dualgcn" else SpatialGCN(32, LayerContext())
    for name, parameter in cell.parameters_and_names():
        parameter.set_data(Tensor(reader.weight(torch_name(name), parameter.shape)))
    return cell


EAGER, COMPILED = ms.PYNATIVE_MODE, ms.GRAPH_MODE


@pytest.mark.parametrize(
    ("case", "phase", "mode"),
    [*((case, phase, EAGER) for case in CASES for phase in ("eval", "train")), ("dualgcn", "train", COMPILED)],
)
def test_graphs(case, phase, mode):
    ms.set_context(mode=mode)
    shape, key = CASES[case]
    cell = build(case).set_train(phase == "train")
    x = Tensor(reader.unit_array(key, shape))
    expected = ARRAYS[f"{case}.{phase}.out"]
    np.testing.assert_allclose(cell(x).asnumpy(), expected, atol=1e-5 * np.abs(expected).max())

    weights = ms.ParameterTuple(cell.trainable_params())
    names = [torch_name(parameter.name) for parameter in weights]
    gradient = ops.GradOperation(get_all=True, get_by_list=True, sens_param=True)(cell, weights)
    (dinput,), dweights = gradient(x, Tensor(reader.unit_array(999, shape)))
    facts = FACTS[case][phase]
    assert np.linalg.norm(dinput.asnumpy()) == pytest.approx(facts["grad_input_norm"], rel=1e-4)
    expected = ARRAYS[f"{case}.{phase}.grad_input_slice"]
    np.testing.assert_allclose(
        reader.sample(dinput.asnumpy(), 64), expected, atol=1e-4 * facts["grad_input_norm"] / dinput.size**0.5
    )
    norms = {name: float(np.linalg.norm(g.asnumpy())) for name, g in zip(names, dweights, strict=True)}
    # The absolute bound is for biases in front of a BatchNorm, whose true gradient is zero.
    assert norms == pytest.approx(facts["grad_norms"], rel=1e-4, abs=1e-3)


OHEM = json.loads((reader.FOLDER / "dgcnet_ohem.json").read_text())
AUXILIARY = OHEM["dsn"]


def normal(key, *shape):
    return (4.0 * np.random.default_rng(key).standard_normal(shape)).astype(np.float32)


def ohem_inputs(target: str) -> tuple[np.ndarray, np.ndarray]:
    """Logits (2, 19, 33, 33) and labels of a case: A; B ignores the first image; C has easy pixels."""
    logits, labels = normal(77, 2, 19, 33, 33), reader.segmentation_target((2, 33, 33), 19)
    if target == "B":
        labels[0] = 255
    if target == "C":
        image, row, column = np.nonzero(labels != 255)
        logits[image, labels[image, row, column], row, column] += np.float32(10.0)
    return logits, labels


def ohem_loss(case):
    return create_loss("ohem", class_num=19, ohem_thres=case["thresh"], ohem_keep=case["min_kept"]).ohem


@pytest.mark.parametrize(
    "case", OHEM["cases"], ids=lambda case: f"{case['target']}-{case['thresh']}-{case['min_kept']}"
)
def test_ohem(case):
    ms.set_context(mode=ms.PYNATIVE_MODE)
    logits, labels = ohem_inputs(case["target"])
    loss, gradient = ops.value_and_grad(ohem_loss(case), 0)(Tensor(logits), Tensor(labels))
    gradient = gradient.asnumpy()
    assert float(loss) == pytest.approx(case["loss_fp64"], rel=1e-6)
    assert np.linalg.norm(gradient) == pytest.approx(case["grad_l2"], rel=1e-5)
    kept = (np.abs(gradient).max(1) > 0).sum()
    assert kept == case.get("kept_pixels", case.get("kept_pixels_(grad!=0)"))
    if "grad_first8_of_image1" in case:
        np.testing.assert_allclose(gradient[1].reshape(-1)[:8], case["grad_first8_of_image1"], rtol=1e-4, atol=1e-12)


@pytest.mark.parametrize("number", [0, 13, 20], ids=["hard", "plain", "easy"])
def test_ohem_compiled(number):
    ms.set_context(mode=ms.GRAPH_MODE)
    case = OHEM["cases"][number]
    logits, labels = ohem_inputs(case["target"])
    assert float(ohem_loss(case)(Tensor(logits), Tensor(labels))) == pytest.approx(case["loss"], rel=1e-6)


class UpsampledLoss(nn.Cell):
    """The whole loss of two maps at the size of the labels."""

    def __init__(self, keep: int):
        super().__init__()
        self.resize = bilinear_resize(LayerContext())
        self.loss = create_loss("ohem", class_num=19, ohem_keep=keep)

    def construct(self, logits, auxiliary, labels):
        size = labels.shape[1:]
        return self.loss((self.resize(logits, size), self.resize(auxiliary, size)), labels)


@pytest.mark.parametrize(("keep", "mode"), [(1500, EAGER), (100, COMPILED)])
def test_loss_of_both_heads(keep, mode):
    ms.set_context(mode=mode)
    maps = Tensor(normal(78, 2, 19, 5, 5)), Tensor(normal(79, 2, 19, 5, 5))
    labels = Tensor(reader.segmentation_target((2, 33, 33), 19))
    loss, gradients = ops.value_and_grad(UpsampledLoss(keep), (0, 1))(*maps, labels)
    assert float(loss) == pytest.approx(AUXILIARY[f"loss_thresh0.7_min_kept{keep}"], rel=1e-6)
    norms = [np.linalg.norm(gradient.asnumpy()) for gradient in gradients]
    assert norms == pytest.approx([AUXILIARY["grad_main_l2"], AUXILIARY["grad_dsn_l2"]], rel=1e-5)
