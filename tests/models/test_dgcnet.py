"""DGCNet: what a segmentation network promises, and the names that the published checkpoints need."""

import mindspore as ms
import numpy as np
import onnx
import onnxruntime
import pytest
from mindspore import Tensor, nn

from src.loss import create_loss
from src.models import LayerContext, create_model, model_info
from src.models.dgcnet.graphs import SpatialGCN
from tests.golden import reader
from tests.golden.check_dgcnet import ResizedLoss, map_shapes
from tests.golden.compare import Sgd
from tests.golden.names import torch_name

NANO, CLASSES = "dgcnet_nano", 5
# Trained parameters with 19 classes, and tensors with the running statistics.
SIZES = {"dgcnet_res101": (72_506_598, 617), "dgcnet_res50": (53_514_470, 362)}


def images(*shape):
    return Tensor(np.random.default_rng(0).standard_normal(shape).astype(np.float32))


def labels(*shape):
    return Tensor(reader.segmentation_target(shape, CLASSES))


def filled(**options):
    """The small network in evaluation with the weights of the golden fixtures' rule.

    Fresh weights would let it explode on untrained running statistics.
    """
    network = create_model(NANO, CLASSES, **options).set_train(False)
    for name, parameter in network.parameters_and_names():
        parameter.set_data(Tensor(reader.weight(torch_name(name), parameter.shape)))
    return network


def assert_close(logits, expected):
    np.testing.assert_allclose(logits, expected, atol=1e-4 * np.abs(expected).max())


def assert_names_shapes_and_counts(network, name):
    shapes = {torch_name(key): parameter.shape for key, parameter in network.parameters_and_names()}
    assert shapes == map_shapes(reader.read_shapes(name))
    num_parameters = sum(parameter.size for parameter in network.trainable_params())
    assert (num_parameters, len(shapes)) == SIZES[name]
    assert num_parameters == pytest.approx(model_info(name).params_m * 1e6, abs=500)


def test_the_larger_body():
    assert_names_shapes_and_counts(create_model("dgcnet_res101", 19), "dgcnet_res101")


def test_the_smaller_body_and_its_forward_pass():
    ms.set_context(mode=ms.PYNATIVE_MODE)
    network = create_model("dgcnet_res50", 19).set_train(False)
    assert_names_shapes_and_counts(network, "dgcnet_res50")
    logits = network(images(1, 3, 64, 49)).asnumpy()
    assert logits.shape == (1, 19, 64, 49)
    assert np.isfinite(logits).all()


def test_cards():
    info = model_info("dgcnet_res101")
    assert (info.task, info.miou, info.source, info.image_size) == ("segmentation", 80.3, "zoo", 832)
    assert model_info("vig_s").task == "classification"


@pytest.mark.parametrize(("height", "width", "rows", "columns"), [(64, 97, 9, 13), (33, 50, 5, 7), (8, 16, 2, 3)])
def test_logits_have_the_size_of_the_image(height, width, rows, columns):
    ms.set_context(mode=ms.PYNATIVE_MODE)
    network, batch = filled(), images(2, 3, height, width)
    assert network.features(batch).shape == (2, 256, rows, columns)
    maps = network.maps(batch).asnumpy()
    assert maps.shape == (2, CLASSES, rows, columns)
    logits = network(batch).asnumpy()
    assert logits.shape == (2, CLASSES, height, width)
    np.testing.assert_allclose(
        logits[:, :, :: height - 1, :: width - 1], maps[:, :, :: rows - 1, :: columns - 1], rtol=1e-4
    )


def test_training_adds_the_auxiliary_logits():
    ms.set_context(mode=ms.PYNATIVE_MODE)
    network = create_model(NANO, CLASSES).set_train(True)
    assert [logits.shape for logits in network(images(2, 3, 33, 48))] == [(2, CLASSES, 33, 48)] * 2


def test_an_image_is_segmented_alone_unless_the_seeds_behaviour_is_asked_for():
    ms.set_context(mode=ms.PYNATIVE_MODE)
    batch = images(2, 3, 40, 40)
    own = filled()
    assert_close(own(batch)[:1].asnumpy(), own(batch[:1]).asnumpy())
    seeds = filled(batch_statistics=True)
    together, alone = seeds(batch)[:1].asnumpy(), seeds(batch[:1]).asnumpy()
    assert np.abs(together - alone).max() > 0.1 * np.abs(alone).max()


def first_step(mode):
    """(loss, {parameter: gradient}) of the first training step without dropout."""
    ms.set_context(mode=mode)
    network = create_model(NANO, CLASSES, drop_rate=0.0).set_train(True)
    step = Sgd(network, 0.01, ResizedLoss(network, create_loss("ohem", class_num=CLASSES, ohem_keep=1500)))
    loss, _, gradients = step(images(2, 3, 48, 64), labels(2, 48, 64))
    names = [parameter.name for parameter in step.optimizer.parameters]
    return float(loss), {key: g.asnumpy() for key, g in zip(names, gradients, strict=True)}


def test_gradients_in_both_modes():
    eager_loss, eager = first_step(ms.PYNATIVE_MODE)
    compiled_loss, compiled = first_step(ms.GRAPH_MODE)
    assert compiled_loss == pytest.approx(eager_loss, rel=1e-4)
    assert eager.keys() == compiled.keys()
    largest = max(np.linalg.norm(gradient) for gradient in eager.values())
    for key, gradient in eager.items():
        assert np.isfinite(gradient).all(), key
        assert np.linalg.norm(compiled[key] - gradient) <= 1e-2 * np.linalg.norm(gradient) + 1e-4 * largest, key


class Loss(nn.Cell):
    """The network as the training step sees it."""

    def __init__(self, network):
        super().__init__(auto_prefix=False)
        self.network = network
        self.loss = create_loss("ohem", class_num=CLASSES, ohem_keep=1500)

    def construct(self, batch, target):
        outputs = self.network(batch)
        return self.loss(outputs, target), outputs


@pytest.mark.slow
def test_a_single_image_whose_graph_has_one_position_has_gradients():
    """The framework's gradient of the general matrix product is not compiled there."""
    ms.set_context(mode=ms.GRAPH_MODE)
    gradient = ms.grad(SpatialGCN(8, LayerContext()))(images(1, 8, 1, 1))
    assert np.isfinite(gradient.asnumpy()).all()


@pytest.mark.parametrize("level", ["O2", "O3"])
def test_half_precision(level):
    ms.set_context(mode=ms.GRAPH_MODE)
    network = create_model(NANO, CLASSES).set_train(True)
    network = ms.amp.auto_mixed_precision(network, level, ms.float16)
    loss, _, gradients = Sgd(network, 0.001, Loss(network))(images(2, 3, 48, 64), labels(2, 48, 64))
    assert np.isfinite(float(loss))
    assert all(np.isfinite(gradient.asnumpy()).all() for gradient in gradients)


@pytest.mark.parametrize(("height", "width"), [(64, 96), pytest.param(65, 97, marks=pytest.mark.slow)])
def test_onnx_with_another_batch_size(height, width, tmp_path):
    ms.set_context(mode=ms.GRAPH_MODE)
    path = str(tmp_path / "network.onnx")
    ms.export(
        filled(context=LayerContext(exporting=True)), images(1, 3, height, width), file_name=path, file_format="ONNX"
    )
    model = onnx.load(path)
    assert "Resize" not in {node.op_type for node in model.graph.node}
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "batch"
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    batch = images(2, 3, height, width)
    (logits,) = session.run(None, {session.get_inputs()[0].name: batch.asnumpy()})
    ms.set_context(mode=ms.PYNATIVE_MODE)
    assert_close(logits, filled()(batch).asnumpy())


@pytest.mark.slow
@pytest.mark.parametrize("batch_statistics", [False, True])
def test_mindir(batch_statistics, tmp_path):
    ms.set_context(mode=ms.GRAPH_MODE)
    network, batch = filled(batch_statistics=batch_statistics), images(2, 3, 64, 96)
    path = str(tmp_path / "network.mindir")
    ms.export(network, batch, file_name=path, file_format="MINDIR")
    assert_close(nn.GraphCell(ms.load(path))(batch).asnumpy(), network(batch).asnumpy())
