"""Formats of exported files: how a file of each is written, and opened to be compared with its network."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import mindspore as ms
import onnx
from mindspore import nn

from src.config import UserError
from src.runtime.remedies import remedy_for

from .encryption import Encryption
from .exported_file import ExportedFile, open_encrypted, open_mindir, open_onnx
from .lean_onnx import lean
from .lite import convert, open_lite
from .lite_onnx import for_lite

ENDINGS = {"MINDIR": ".mindir", "ONNX": ".onnx", "AIR": ".air", "LITE": ".lite.mindir"}


@dataclass(frozen=True)
class FormatOptions:
    """Options of single formats.

    Attributes:
        dynamic_batch: MINDIR takes any batch size, as ONNX does.
        encryption: MINDIR is encrypted.
        lite_python: for LITE, see `lite.check_python`.
    """

    dynamic_batch: bool = False
    encryption: Encryption | None = None
    lite_python: str = ""

    def any_batch(self, file_format: str) -> bool:
        """Whether a file of this format takes any batch size."""
        return file_format == "ONNX" or (file_format == "MINDIR" and self.dynamic_batch)


def write_file(
    network: nn.Cell, example: ms.Tensor, path: Path, file_format: str, options: FormatOptions
) -> ExportedFile | None:
    """Write the network to `path` and open the file; None for AIR, which can be loaded on Ascend only.

    Args:
        network: (B, 3, H, W) float32 -> its outputs, of operators that can be exported.
        example: (B, 3, H, W) float32; fixes B, unless the file takes any.
        file_format: of ENDINGS.

    Raises:
        UserError: the framework or the converter cannot write this format.
    """
    if file_format == "LITE":
        return _write_lite(network, example, path, options.lite_python)
    if file_format == "MINDIR":
        return _write_mindir(network, example, path, options)
    _export(network, example, path, file_format)
    if file_format == "ONNX":
        onnx.save(_finished(path), str(path))
        return open_onnx(path)
    return None


def _write_mindir(network: nn.Cell, example: ms.Tensor, path: Path, options: FormatOptions) -> ExportedFile:
    if options.dynamic_batch:
        example = ms.Tensor(shape=[None, *example.shape[1:]], dtype=example.dtype)
    if options.encryption is None:
        _export(network, example, path, "MINDIR")
        return open_mindir(path)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:  # removed with what a killed export leaves there
        source = Path(folder, path.name)
        _export(network, example, source, "MINDIR")
        plain = open_mindir(source)
    _export(network, example, path, "MINDIR", enc_key=options.encryption.key, enc_mode=options.encryption.mode)
    return open_encrypted(path, options.encryption, plain)


def _write_lite(network: nn.Cell, example: ms.Tensor, path: Path, python: str) -> ExportedFile:
    source = path.with_name("source.onnx")
    _export(network, example, source, "ONNX")
    model = for_lite(_finished(source))
    source.unlink()
    convert(model, path, list(example.shape), python)
    return open_lite(path, model, list(example.shape), python)


def _export(network: nn.Cell, example: ms.Tensor, path: Path, file_format: str, **encryption: bytes | str) -> None:
    try:
        ms.export(network, example, file_name=str(path), file_format=file_format, **encryption)
    except (ValueError, RuntimeError) as error:
        if remedy_for(error):
            raise
        raise UserError(f"file_format {file_format}: {str(error).strip().splitlines()[0]}") from None


def _finished(path: Path) -> onnx.ModelProto:
    """The ONNX model, lean and of any batch size, which the framework fixes."""
    model = onnx.load(str(path))
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    return lean(model)
