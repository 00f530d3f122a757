"""Export to MINDIR, ONNX and AIR; each file is reloaded and all its outputs are compared before it is kept."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np
from mindspore import nn

from src.commands.opened_checkpoint import OpenedCheckpoint
from src.config import Resolved, UserError
from src.config.reader import COMMAND_LINE
from src.datasets.sources.picture_files import find_pictures
from src.runtime.compile_cache import cached
from src.runtime.files import check_new, temporary_folder, write_atomically
from src.runtime.logs import get_logger
from src.runtime.modelarts import results_uploaded
from src.runtime.session import Session, start

ENDINGS = {"MINDIR": ".mindir", "ONNX": ".onnx", "AIR": ".air"}
# Allowed difference, relative to the largest logit ...
RELATIVE_TOLERANCE = 1e-4
# ... or as a multiple of the change that rounding the input causes in the network itself: a network that selects
# neighbours can swap two nearly equal ones.
SENSITIVITY_FACTOR = 3.0
ROUNDING = 1e-6


Outputs = list[np.ndarray]  # of a network, in its order


class ExportMismatch(Exception):
    """The outputs of an exported file differ from those of the network."""


def export(resolved: Resolved) -> int:
    """Export `pretrained` in all formats of `file_format`; returns the exit code."""
    formats = _formats(resolved.config.output.file_format, resolved.config.run.device_target)
    target = Path(resolved.config.output.file_name or resolved.config.model.backbone)
    places = {name: target.with_name(target.name.removesuffix(ENDINGS[name]) + ENDINGS[name]) for name in formats}
    for path in places.values():
        check_new("file_name", path, resolved.config.output.overwrite)
    opened = OpenedCheckpoint.from_config(resolved)
    session = start(opened.config, opened.notes)
    with results_uploaded(opened.config.cloud, session):
        _export(resolved, opened, session, places)
    return 0


def _export(resolved: Resolved, opened: OpenedCheckpoint, session: Session, places: dict[str, Path]) -> None:
    """Write and verify one file per format, {format: path}."""
    logger = get_logger()
    logger.info("load model %s success", opened.checkpoint.path)
    batch = exported_batch_size(resolved)
    inputs = _verification_inputs(opened, batch)
    reference, allowed = reference_outputs(cached(opened.network(session), session), inputs)
    network = opened.network(session, exporting=True)
    for file_format, path in places.items():
        card = partial(_card, opened, path, file_format, batch, allowed)
        differences = export_file(network, inputs, reference, allowed, path, file_format, card)
        logger.info("%s: exported and verified, largest difference %s", path, _as_text(differences))


def export_file(
    network: nn.Cell,
    inputs: dict[str, np.ndarray],
    reference: dict[str, Outputs],
    allowed: dict[str, list[float]],
    path: Path,
    file_format: str,
    card: Callable[[dict[str, float]], dict[str, Any]] | None = None,
) -> dict[str, float]:
    """Export to `path`; the file is kept only if it agrees with the network, and appears with its card.

    Args:
        network: (B, 3, H, W) float32 -> its outputs.
        inputs: {name: (B, 3, H, W) float32} for the comparison; B is the exported batch size.
        reference: {name: outputs} of the network itself, each (B, ...).
        allowed: {name: largest allowed absolute difference of each output}.
        file_format: MINDIR, ONNX or AIR.
        card: makes the content of the JSON file beside it from the measured differences.

    Returns:
        {name: largest absolute difference over all outputs}; {} for AIR, which can be loaded on Ascend only.

    Raises:
        ExportMismatch: an output differs by more than is allowed.
        UserError: the framework cannot write this format, or the folder is not writable.
    """
    _make_folder(path.parent)
    with temporary_folder(path) as folder:
        exported = folder / path.name
        example = ms.Tensor(next(iter(inputs.values())))
        try:
            ms.export(network, example, file_name=str(exported), file_format=file_format)
        except (ValueError, RuntimeError) as error:
            raise UserError(f"file_format {file_format}: {str(error).strip().splitlines()[0]}") from None
        if file_format == "ONNX":
            _free_onnx_batch(exported)
        run = _RUNNERS.get(file_format)
        differences = _differences(run(exported), inputs, reference, allowed, path) if run else {}
        exported.chmod(0o644)
        if card is not None:
            content = {**card(differences), "sha256": hashlib.sha256(exported.read_bytes()).hexdigest()}
            write_atomically(_beside(exported), json.dumps(content, indent=2, ensure_ascii=False))
            os.replace(_beside(exported), _beside(path))
        os.replace(exported, path)
    return differences


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"file_name: {folder} cannot be written ({error.strerror}): give --file_name PATH") from None


def _formats(text: str, device: str) -> list[str]:
    formats = [word.strip().upper() for word in text.split(",") if word.strip()]
    for name in formats:
        if name not in ENDINGS:
            raise UserError(f"file_format: {name} is not one of {', '.join(ENDINGS)}")
        if name == "AIR" and device != "Ascend":
            raise UserError(f"file_format AIR can be written on Ascend only, device_target is {device}: give MINDIR")
    if not formats:
        raise UserError(f"file_format is empty: give one of {', '.join(ENDINGS)}")
    return formats


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


def reference_outputs(
    network: nn.Cell, inputs: dict[str, np.ndarray]
) -> tuple[dict[str, Outputs], dict[str, list[float]]]:
    """The network's outputs for each input, and the allowed absolute difference of each output, both by name."""
    run = _runner(network)
    reference = {name: run(value) for name, value in inputs.items()}
    allowed = {}
    for name, value in inputs.items():
        nudged = [run(value * np.float32(1 + sign * ROUNDING)) for sign in (-1, 1, 2)]
        sensitivities = np.max([_largest(other, reference[name]) for other in nudged], axis=0)
        sizes = [float(np.abs(output).max()) for output in reference[name]]
        allowed[name] = [
            max(RELATIVE_TOLERANCE * size, SENSITIVITY_FACTOR * float(sensitivity))
            for size, sensitivity in zip(sizes, sensitivities, strict=True)
        ]
    return reference, allowed


def _largest(found: Outputs, expected: Outputs) -> list[float]:
    """The largest difference of each output."""
    return [float(np.abs(one - other).max()) for one, other in zip(found, expected, strict=True)]


def _differences(
    run: Callable[[np.ndarray], Outputs],
    inputs: dict[str, np.ndarray],
    reference: dict[str, Outputs],
    allowed: dict[str, list[float]],
    path: Path,
) -> dict[str, float]:
    differences = {}
    for name, value in inputs.items():
        found = _largest(run(value), reference[name])
        for number, (difference, limit) in enumerate(zip(found, allowed[name], strict=True)):
            if not difference <= limit:
                output = f" in output {number}" if len(found) > 1 else ""
                raise ExportMismatch(
                    f"{path}: differs from the network by {difference:.2e}{output} on {name} input "
                    f"(allowed {limit:.2e}): the file is not kept"
                )
        differences[name] = max(found)
    return differences


def _runner(network: nn.Cell) -> Callable[[np.ndarray], Outputs]:
    """(B, 3, H, W) float32 -> list of all outputs of the network."""

    def run(value: np.ndarray) -> Outputs:
        outputs = network(ms.Tensor(value))
        return [output.asnumpy() for output in (outputs if isinstance(outputs, tuple) else (outputs,))]

    return run


def _mindir_runner(path: Path) -> Callable[[np.ndarray], Outputs]:
    return _runner(nn.GraphCell(ms.load(str(path))))


def _onnx_runner(path: Path) -> Callable[[np.ndarray], Outputs]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda value: session.run(None, {name: value})


_RUNNERS = {"MINDIR": _mindir_runner, "ONNX": _onnx_runner}


def _free_onnx_batch(path: Path) -> None:
    """Make the batch size of an ONNX file variable; the framework writes fixed shapes only."""
    import onnx

    model = onnx.load(str(path))
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    onnx.save(model, str(path))


def _beside(path: Path) -> Path:
    """The JSON file of an exported file."""
    return path.with_name(f"{path.name}.json")


def _card(
    opened: OpenedCheckpoint,
    path: Path,
    file_format: str,
    batch: int,
    allowed: dict[str, list[float]],
    differences: dict[str, float],
) -> dict[str, Any]:
    """The JSON card of an exported file: input, preprocessing, class names, measured differences."""
    return {
        "file": path.name,
        "format": file_format,
        "task": opened.task.name,
        "backbone": opened.config.model.backbone,
        "checkpoint": str(opened.checkpoint.path),
        "input": {"shape": list(_input_shape(opened, batch)), "type": "float32"},
        "dynamic_batch": file_format == "ONNX",
        **opened.task.export_card(),
        "largest_difference": differences,
        "allowed_difference": {name: max(allowed[name]) for name in differences},
        "mindspore": ms.__version__,
    }


def _as_text(differences: dict[str, float]) -> str:
    return ", ".join(f"{value:.1e} on {name} input" for name, value in differences.items()) or "not compared (AIR)"
