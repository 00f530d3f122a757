"""int8 ONNX files of trained networks: smaller, nearly as accurate, and read one batch at a time."""

import numpy as np
import onnx
import onnxruntime
import pytest

from scripts.demo_cpp import MODELS, unpack
from scripts.preprocess import preprocessing_of
from src.datasets.pipeline import read_images
from src.datasets.synthetic.digits import write_digits
from src.datasets.transforms.image import evaluation_transforms
from src.deployment.lean_onnx import lean
from src.deployment.quantization import quantize

AT_ONCE = 20
IN_OUT = (("x", 4), ("y", 3))  # of the product, with their channels


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """(some training images, 120 validation images, their labels)"""
    folder = tmp_path_factory.mktemp("digits")
    write_digits(folder)
    transforms = evaluation_transforms(preprocessing_of(MODELS / "vig_nano.onnx.json"))
    files = {split: sorted((folder / split).rglob("*.png")) for split in ("train", "val")}
    training, validation = files["train"][::23], files["val"][::3]
    labels = np.array([int(file.parent.name) for file in validation])
    return read_images(training, transforms), read_images(validation, transforms), labels


def accuracy(path, images, labels):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    parts = np.split(images, len(images) // AT_ONCE)
    logits = np.concatenate([session.run(None, {session.get_inputs()[0].name: part})[0] for part in parts])
    return np.mean(logits.argmax(1) == labels)


def test_vig_on_digits(digits, tmp_path, caplog):
    training, images, labels = digits
    source, target = unpack("vig_nano.onnx", tmp_path), tmp_path / "vig_nano.int8.onnx"
    onnx.save(lean(onnx.load(str(source))), str(source))
    read = []

    def batches():
        for start in range(0, len(training), AT_ONCE):
            read.append(start)
            yield training[start : start + AT_ONCE]

    quantize(source, target, batches())
    assert caplog.records == []
    assert read == list(range(0, len(training), AT_ONCE))
    assert accuracy(source, images, labels) >= 0.99
    assert accuracy(target, images, labels) >= 0.98
    assert target.stat().st_size < 0.5 * source.stat().st_size
    model = onnx.load(str(target))
    makers = {name: node.op_type for node in model.graph.node for name in node.output}
    products = [node for node in model.graph.node if node.op_type == "MatMul"]
    assert len(products) >= 4  # the distances of each graph, which choose the neighbours
    assert "DequantizeLinear" not in {makers.get(name) for node in products for name in node.input}
    assert {path.name for path in tmp_path.iterdir()} == {target.name, source.name, f"{source.name}.json"}


def test_a_product_with_a_matrix_per_head_remains_float32(tmp_path):
    generator = np.random.default_rng(0)
    tables = onnx.numpy_helper.from_array(generator.standard_normal((2, 4, 3)).astype(np.float32), "tables")
    place = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["batch", 2, 5, n]) for name, n in IN_OUT]
    product = onnx.helper.make_node("MatMul", ["x", "tables"], ["y"], "product")
    graph = onnx.helper.make_graph([product], "heads", place[:1], place[1:], [tables])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 11)], ir_version=7)
    source, target = tmp_path / "heads.onnx", tmp_path / "heads.int8.onnx"
    onnx.save(model, str(source))
    rows = generator.standard_normal((6, 2, 5, 4)).astype(np.float32)
    quantize(source, target, [rows[:3], rows[3:]])
    found, expected = (onnxruntime.InferenceSession(str(path)).run(None, {"x": rows})[0] for path in (target, source))
    assert np.array_equal(found, expected)
