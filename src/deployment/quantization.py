"""Static quantisation of ONNX files by onnxruntime: weights and activations of layers as 8-bit integers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import ModelProto
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
from onnxruntime.quantization.quant_utils import add_pre_process_metadata

# Scales per output channel need it; the framework writes 11.
OPSET = 13
QUANTIZED = ("Conv", "Gemm", "MatMul")


class _Calibration(CalibrationDataReader):
    """Hands the quantiser one batch at a time."""

    def __init__(self, name: str, batches: Iterable[np.ndarray]):
        self._name, self._batches = name, iter(batches)

    def get_next(self) -> dict[str, np.ndarray] | None:
        batch = next(self._batches, None)
        return None if batch is None else {self._name: batch}


def quantize(source: Path, target: Path, batches: Iterable[np.ndarray]) -> None:
    """Write an int8 copy of an ONNX file.

    Each activation is scaled by its smallest and largest value over the batches, each weight per output channel.
    Products of two activations remain float32: the choice of neighbours and attention depend on small differences.

    Args:
        batches: (B, 3, H, W) float32, read one at a time; only the ranges are kept of each.
    """
    model = _simplified(onnx.version_converter.convert_version(onnx.load(str(source)), OPSET), target)
    quantize_static(
        model,
        str(target),
        _Calibration(model.graph.input[0].name, batches),
        op_types_to_quantize=list(QUANTIZED),
        nodes_to_exclude=list(_products_in_float(model)),
        per_channel=True,
        reduce_range=True,  # weights of 7 bits: processors without VNNI add two products of 8 bits in 16
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )


def _simplified(model: ModelProto, target: Path) -> ModelProto:
    """The model as onnxruntime optimises it with ONNX's own operators: norms are part of the convolutions before them.

    onnxruntime's `quant_pre_process` does the same, but fails on shapes that are computed.
    """
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    path = target.with_name("simplified.onnx")
    options.optimized_model_filepath = str(path)
    onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    simplified = onnx.load(str(path))
    path.unlink()
    add_pre_process_metadata(simplified)  # without it onnxruntime advises to use `quant_pre_process`
    return simplified


def _products_in_float(model: ModelProto) -> Iterator[str]:
    """Products of two activations, and those with a matrix per head: onnxruntime has no scales per channel for them."""
    matrices = {constant.name for constant in model.graph.initializer if len(constant.dims) == 2}
    for node in model.graph.node:
        if node.op_type == "MatMul" and matrices.isdisjoint(node.input):
            yield node.name
