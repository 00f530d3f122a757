"""Static quantisation of ONNX files by onnxruntime: weights and activations of layers as 8-bit integers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

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
    prepared = target.with_name("prepared.onnx")
    model = onnx.version_converter.convert_version(onnx.load(str(source)), OPSET)
    # Without symbolic shapes, which need sympy.
    quant_pre_process(model, str(prepared), skip_symbolic_shape=True)
    model = onnx.load(str(prepared))
    prepared.unlink()
    quantize_static(
        model,
        str(target),
        _Calibration(model.graph.input[0].name, batches),
        op_types_to_quantize=list(QUANTIZED),
        nodes_to_exclude=list(_products_of_activations(model)),
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )


def _products_of_activations(model: ModelProto) -> Iterator[str]:
    constants = {constant.name for constant in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "MatMul" and constants.isdisjoint(node.input):
            yield node.name
