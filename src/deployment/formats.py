"""Formats of exported files: how a file of each is written, and opened to be compared with its network."""

from __future__ import annotations

from pathlib import Path

import mindspore as ms
import onnx
from mindspore import nn

from src.config import UserError

from .exported_file import ExportedFile, open_mindir, open_onnx
from .lean_onnx import lean
from .lite import convert, open_lite
from .lite_onnx import for_lite

ENDINGS = {"MINDIR": ".mindir", "ONNX": ".onnx", "AIR": ".air", "LITE": ".lite.mindir"}
ANY_BATCH = frozenset({"ONNX"})  # formats whose files take any batch size


def write_file(
    network: nn.Cell, example: ms.Tensor, path: Path, file_format: str, lite_python: str = ""
) -> ExportedFile | None:
    """Write the network to `path` and open the file; None for AIR, which can be loaded on Ascend only.

    Args:
        network: (B, 3, H, W) float32 -> its outputs, of operators that can be exported.
        example: (B, 3, H, W) float32; fixes B, but for ANY_BATCH.
        file_format: of ENDINGS.
        lite_python: for LITE, see `lite.check_python`.

    Raises:
        UserError: the framework or the converter cannot write this format.
    """
    if file_format == "LITE":
        return _write_lite(network, example, path, lite_python)
    _export(network, example, path, file_format)
    if file_format == "ONNX":
        onnx.save(_finished(path), str(path))
        return open_onnx(path)
    return open_mindir(path) if file_format == "MINDIR" else None


def _write_lite(network: nn.Cell, example: ms.Tensor, path: Path, python: str) -> ExportedFile:
    source = path.with_name("source.onnx")
    _export(network, example, source, "ONNX")
    model = for_lite(_finished(source))
    source.unlink()
    convert(model, path, list(example.shape), python)
    return open_lite(path, model, list(example.shape), python)


def _export(network: nn.Cell, example: ms.Tensor, path: Path, file_format: str) -> None:
    try:
        ms.export(network, example, file_name=str(path), file_format=file_format)
    except (ValueError, RuntimeError) as error:
        raise UserError(f"file_format {file_format}: {str(error).strip().splitlines()[0]}") from None


def _finished(path: Path) -> onnx.ModelProto:
    """The ONNX model, lean and of any batch size, which the framework fixes."""
    model = onnx.load(str(path))
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    return lean(model)
