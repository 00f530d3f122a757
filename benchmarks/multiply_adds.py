"""Count the multiply-adds of a forward pass of one image: python benchmarks/multiply_adds.py hlg_mobile [IMAGE_SIZE]

Counts convolutions and matrix products in the graph exported to ONNX; biases, norms and activations are left out, as
usual. If a card (src/models/*/variants.py) has `flops_g` without a published source, it is this count.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

COUNTED = ("Conv", "Gemm", "MatMul")
CITYSCAPES_CLASSES = 19  # cards count segmentation networks with these, classifiers with 1000


def main(words: list[str]) -> int:
    """Print one network's count in units of 1e9."""
    from src.runtime.device import prepare_process, select_device

    prepare_process()
    select_device("CPU", None, pynative=False)
    print(f"{multiply_adds(words[0], int(words[1]) if words[1:] else None) / 1e9:.3f}")
    return 0


def multiply_adds(name: str, image_size: int | None = None) -> int:
    """Multiply-adds of network `name` for one square image; None: the size of its card."""
    import mindspore as ms
    import numpy as np
    import onnx

    from src.models import create_model, model_info
    from src.models.layers import LayerContext

    info = model_info(name)
    size = image_size or info.image_size
    class_num = CITYSCAPES_CLASSES if info.task == "segmentation" else 1000
    network = create_model(name, class_num, size, context=LayerContext(exporting=True))
    network.set_train(False)
    image = np.zeros((1, 3, size, size), np.float32)
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.onnx"
        ms.export(network, ms.Tensor(image), file_name=str(path), file_format="ONNX")
        model = onnx.load(path)
    shapes = _shapes(model, image)
    return sum(_node_multiply_adds(node, shapes) for node in model.graph.node)


def _shapes(model, image) -> dict[str, tuple[int, ...]]:
    """The shape of every counted node's tensors, seen by running the model: the file leaves the batch size open."""
    import onnx
    import onnxruntime

    counted = [node for node in model.graph.node if node.op_type in COUNTED]
    names = sorted({name for node in counted for name in (*node.input[:2], node.output[0])})
    model.graph.node.extend(onnx.helper.make_node("Shape", [name], [f"shape of {name}"]) for name in names)
    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=f"shape of {name}") for name in names)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    shapes = session.run(None, {model.graph.input[0].name: image})
    return {name: tuple(shape.tolist()) for name, shape in zip(names, shapes, strict=True)}


def _node_multiply_adds(node, shapes: dict[str, tuple[int, ...]]) -> int:
    """Elements of the result times the length of the sum behind each."""
    if node.op_type == "Conv":
        return math.prod(shapes[node.output[0]]) * math.prod(shapes[node.input[1]][1:])
    if node.op_type == "MatMul":
        return math.prod(shapes[node.output[0]]) * shapes[node.input[0]][-1]
    if node.op_type == "Gemm":
        transposed = any(attribute.name == "transA" and attribute.i for attribute in node.attribute)
        return math.prod(shapes[node.output[0]]) * shapes[node.input[0]][0 if transposed else 1]
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
