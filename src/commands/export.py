"""Export to MINDIR, ONNX, AIR and LITE; each file is reloaded and compared with its network before it is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np
from mindspore import nn

from src.commands.opened_checkpoint import OpenedCheckpoint
from src.commands.quantize import ENDING as INT8_ENDING
from src.commands.quantize import Calibration, export_int8
from src.config import Resolved, UserError
from src.config.reader import COMMAND_LINE
from src.datasets.sources.picture_files import find_pictures
from src.deployment.card import keep_with_card
from src.deployment.encryption import Encryption, read_encryption
from src.deployment.formats import ENDINGS, FormatOptions, write_file
from src.deployment.lite import DEFAULT_PYTHON, check_python
from src.deployment.verification import Comparison, Reference
from src.runtime.device import forbid_tf32
from src.runtime.files import check_new, temporary_folder
from src.runtime.logs import get_logger
from src.runtime.modelarts import results_uploaded
from src.runtime.session import Session, start

# Batch sizes at which a file that takes any is compared, as far as a batch holds no more than MAX_PIXELS.
BATCHES = (1, 3, 8)
MAX_PIXELS = 8 * 256 * 256
NO_OPTIONS = FormatOptions()


def export(resolved: Resolved) -> int:
    """Export `pretrained` in all formats of `file_format`; returns the exit code."""
    output = resolved.config.output
    formats = _formats(output.file_format, resolved.config.run.device_target)
    options = _options(resolved, formats)
    target = Path(output.file_name or resolved.config.model.backbone)
    places = {name: target.with_name(target.name.removesuffix(ENDINGS[name]) + ENDINGS[name]) for name in formats}
    int8 = target.with_name(target.name.removesuffix(ENDINGS["ONNX"]) + INT8_ENDING)
    for path in (*places.values(), *([int8] if output.quantize else [])):
        check_new("file_name", path, output.overwrite)
    opened = OpenedCheckpoint.from_config(resolved)
    calibration = Calibration.of(opened) if output.quantize else None
    session = start(opened.config, opened.notes)
    forbid_tf32(session.device)
    exporter = _Exporter(opened, session, options, exported_batch_size(resolved))
    with results_uploaded(opened.config.cloud, session):
        get_logger().info("load model %s success", opened.checkpoint.path)
        exporter.write(places)
        if calibration is not None:
            exporter.write_int8(int8, calibration, places.get("ONNX"))
    return 0


class _Exporter:
    """Writes the files of one checkpoint.

    Args:
        batch: the exported batch size.
    """

    def __init__(self, opened: OpenedCheckpoint, session: Session, options: FormatOptions, batch: int):
        self._opened, self._session, self._options = opened, session, options
        self._batch = batch

    def write(self, places: dict[str, Path]) -> None:
        """Write and verify one file per format, {format: path}."""
        inputs = _verification_inputs(self._opened, self._batch)
        # Of the framework's operators: a kernel of ours chooses neighbours within itself, hidden from the comparison.
        by_operators = replace(self._opened, config=self._opened.config.with_values(cpu_kernels=False))
        reference = Reference(by_operators.network(self._session))
        for file_format, path in places.items():
            card = partial(self._measured_card, path, file_format)
            comparisons = export_file(self._network(), inputs, reference, path, file_format, card, self._options)
            get_logger().info("%s: exported and verified, largest difference %s", path, _as_text(comparisons))

    def write_int8(self, path: Path, calibration: Calibration, float32: Path | None) -> None:
        """Write the int8 ONNX file, from the float32 one if that is exported as well."""
        make_folder(path.parent)
        source = self._write_float32 if float32 is None else lambda folder: float32
        card = self._card(path, "ONNX")
        export_int8(source, calibration, self._session, path, lambda facts: card | {"quantization": facts})

    def _write_float32(self, folder: Path) -> Path:
        path = folder / "float32.onnx"
        example = ms.Tensor(np.zeros(_input_shape(self._opened, self._batch), np.float32))
        write_file(self._network(), example, path, "ONNX", NO_OPTIONS)
        return path

    def _network(self) -> nn.Cell:
        """A network of its own for each file: the framework exports none to ONNX a second time."""
        return self._opened.network(self._session, exporting=True)

    def _measured_card(self, path: Path, file_format: str, comparisons: dict[str, Comparison]) -> dict[str, Any]:
        return self._card(path, file_format) | {
            "largest_difference": {name: found.difference for name, found in comparisons.items()},
            "allowed_difference": {name: found.allowed for name, found in comparisons.items()},
            "largest_choice_loss": {name: found.loss for name, found in comparisons.items()},
        }

    def _card(self, path: Path, file_format: str) -> dict[str, Any]:
        """The content of the JSON file beside an exported file: input, preprocessing, class names."""
        encryption = self._options.encryption
        return {
            "file": path.name,
            "format": file_format,
            "task": self._opened.task.name,
            "backbone": self._opened.config.model.backbone,
            "checkpoint": str(self._opened.checkpoint.path),
            "input": {"shape": list(_input_shape(self._opened, self._batch)), "type": "float32"},
            "dynamic_batch": self._options.any_batch(file_format),
            "encryption": encryption.mode if encryption else None,
            **self._opened.task.export_card(),
            "mindspore": ms.__version__,
        }


def export_file(
    network: nn.Cell,
    inputs: dict[str, np.ndarray],
    reference: Reference,
    path: Path,
    file_format: str,
    card: Callable[[dict[str, Comparison]], dict[str, Any]] = lambda comparisons: {},
    options: FormatOptions = NO_OPTIONS,
) -> dict[str, Comparison]:
    """Export to `path`; the file is kept only if it agrees with the network, and appears with its card.

    Args:
        network: (B, 3, H, W) float32 -> its outputs.
        inputs: {name: (B, 3, H, W) float32} for the comparison; B is the exported batch size.
        reference: the network itself, to compare with.
        file_format: MINDIR, ONNX, AIR or LITE.
        card: makes the content of the JSON file beside it from the comparisons.

    Returns:
        {name of the input: comparison}; {} for AIR, which can be loaded on Ascend only.

    Raises:
        ExportMismatch: the file computes something else.
        UserError: the framework cannot write this format, or the folder is not writable.
    """
    make_folder(path.parent)
    with temporary_folder(path) as folder:
        exported = folder / path.name
        example = ms.Tensor(next(iter(inputs.values())))
        file = write_file(network, example, exported, file_format, options)
        if options.any_batch(file_format):
            inputs = inputs | other_batches(example.shape)
        comparisons = reference.compare(file, inputs, path) if file is not None else {}
        keep_with_card(exported, card(comparisons), path)
    return comparisons


def other_batches(shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """{name: random input} of BATCHES, but for the batch size of `shape`, and those too large to compare."""
    generator = np.random.default_rng(1)
    sizes = [size for size in BATCHES if size != shape[0] and size * prod(shape[2:]) <= MAX_PIXELS]
    return {
        f"a batch of {size} random": generator.standard_normal((size, *shape[1:])).astype(np.float32) for size in sizes
    }


def make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"file_name: {folder} cannot be written ({error.strerror}): give --file_name PATH") from None


def _formats(text: str, device: str) -> list[str]:
    words = [word.strip(" '\"[]").upper() for word in text.split(",")]  # also as a list, ["ONNX", "MINDIR"]
    formats = list(dict.fromkeys(word for word in words if word))
    for name in formats:
        if name not in ENDINGS:
            raise UserError(f"file_format: {name} is not one of {', '.join(ENDINGS)}")
        if name == "AIR" and device != "Ascend":
            raise UserError(f"file_format AIR can be written on Ascend only, device_target is {device}: give MINDIR")
    if not formats:
        raise UserError(f"file_format is empty: give one of {', '.join(ENDINGS)}")
    return formats


def _options(resolved: Resolved, formats: list[str]) -> FormatOptions:
    """The options of the formats, checked."""
    output = resolved.config.output
    lite_python = output.lite_python or DEFAULT_PYTHON
    if "LITE" in formats:
        check_python(lite_python, _lite_remedy(resolved))
    if output.dynamic_batch and "MINDIR" not in formats:
        raise UserError("dynamic_batch is for MINDIR (ONNX takes any batch size anyway): add it to file_format")
    return FormatOptions(output.dynamic_batch, _encryption(resolved, formats), lite_python)


def _encryption(resolved: Resolved, formats: list[str]) -> Encryption | None:
    output = resolved.config.output
    if not output.enc_key_file:
        return None
    if formats != ["MINDIR"]:
        raise UserError(f"enc_key_file encrypts MINDIR only, file_format is {','.join(formats)}: export MINDIR alone")
    return read_encryption(Path(output.enc_key_file), output.enc_mode)


def _lite_remedy(resolved: Resolved) -> str:
    name = resolved.config.output.file_name or resolved.config.model.backbone
    return (
        "give --lite_python PYTHON, or export ONNX and convert it where there is one: "
        f"python scripts/onnx_to_lite.py {name}.onnx {name}{ENDINGS['LITE']} --lite_python PYTHON"
    )


def exported_batch_size(resolved: Resolved) -> int:
    """`batch_size` from the command line or from a recipe made for export, else 1.

    A recipe is made for export if it names the checkpoint (as the DGMN2 and HLG seeds' do) or the exported file, but
    no max_epoch: otherwise its batch_size is that of a training.
    """
    in_recipe = {key for key, origin in resolved.origins.items() if origin != COMMAND_LINE}
    is_for_export = (
        not in_recipe.isdisjoint({"file_format", "file_name", "pretrained"}) and "max_epoch" not in in_recipe
    )
    meant = resolved.origins.get("batch_size") == COMMAND_LINE or ("batch_size" in in_recipe and is_for_export)
    return resolved.config.data.batch_size if meant else 1


def _verification_inputs(opened: OpenedCheckpoint, batch: int) -> dict[str, np.ndarray]:
    """Random input, and real images: those of --input, else validation images."""
    shape = _input_shape(opened, batch)
    inputs = {"random": np.random.default_rng(0).standard_normal(shape).astype(np.float32)}
    chosen = opened.config.output.input
    try:
        files = find_pictures(chosen) if chosen else opened.task.sample_files(batch)
    except UserError as error:
        get_logger().warning("verified on random input only, no real image was found: %s", error)
        return inputs
    return inputs | {"real": np.resize(opened.task.inputs(files[:batch]), shape)}


def _input_shape(opened: OpenedCheckpoint, batch: int) -> tuple[int, int, int, int]:
    size = opened.task.preprocessing.image_size
    return batch, 3, size, size


def _as_text(comparisons: dict[str, Comparison]) -> str:
    texts = (f"{found.difference:.1e} on {name} input" for name, found in comparisons.items())
    return ", ".join(texts) or "not compared (AIR)"
