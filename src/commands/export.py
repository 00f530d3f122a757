"""Export to MINDIR, ONNX, AIR and LITE; each file is reloaded and compared with its network before it is kept."""

from __future__ import annotations

import hashlib
import json
import os
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
from src.config import Resolved, UserError
from src.config.reader import COMMAND_LINE
from src.datasets.sources.picture_files import find_pictures
from src.deployment.formats import ANY_BATCH, ENDINGS, write_file
from src.deployment.lite import DEFAULT_PYTHON, check_python
from src.deployment.verification import Comparison, Reference
from src.runtime.files import check_new, temporary_folder, write_atomically
from src.runtime.logs import get_logger
from src.runtime.modelarts import results_uploaded
from src.runtime.session import Session, start

# Batch sizes at which a file that takes any is compared, as far as a batch holds no more than MAX_PIXELS.
BATCHES = (1, 3, 8)
MAX_PIXELS = 8 * 256 * 256


def export(resolved: Resolved) -> int:
    """Export `pretrained` in all formats of `file_format`; returns the exit code."""
    formats = _formats(resolved.config.output.file_format, resolved.config.run.device_target)
    if "LITE" in formats:
        check_python(_lite_python(resolved), _lite_remedy(resolved))
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
    # Of the framework's operators: a kernel of ours chooses neighbours within itself, out of the comparison's reach.
    by_operators = replace(opened, config=opened.config.with_values(cpu_kernels=False))
    reference = Reference(by_operators.network(session))
    network = opened.network(session, exporting=True)
    for file_format, path in places.items():
        card = partial(_card, opened, path, file_format, batch)
        comparisons = export_file(network, inputs, reference, path, file_format, card, _lite_python(resolved))
        logger.info("%s: exported and verified, largest difference %s", path, _as_text(comparisons))


def export_file(
    network: nn.Cell,
    inputs: dict[str, np.ndarray],
    reference: Reference,
    path: Path,
    file_format: str,
    card: Callable[[dict[str, Comparison]], dict[str, Any]] | None = None,
    lite_python: str = "",
) -> dict[str, Comparison]:
    """Export to `path`; the file is kept only if it agrees with the network, and appears with its card.

    Args:
        network: (B, 3, H, W) float32 -> its outputs.
        inputs: {name: (B, 3, H, W) float32} for the comparison; B is the exported batch size.
        reference: the network itself, to compare with.
        file_format: MINDIR, ONNX, AIR or LITE.
        card: makes the content of the JSON file beside it from the comparisons.
        lite_python: for LITE, a Python 3.7 with MindSpore Lite.

    Returns:
        {name of the input: comparison}; {} for AIR, which can be loaded on Ascend only.

    Raises:
        ExportMismatch: the file computes something else.
        UserError: the framework cannot write this format, or the folder is not writable.
    """
    _make_folder(path.parent)
    with temporary_folder(path) as folder:
        exported = folder / path.name
        example = ms.Tensor(next(iter(inputs.values())))
        file = write_file(network, example, exported, file_format, lite_python)
        if file_format in ANY_BATCH:
            inputs = inputs | other_batches(example.shape)
        comparisons = reference.compare(file, inputs, path) if file is not None else {}
        exported.chmod(0o644)
        if card is not None:
            content = {**card(comparisons), "sha256": hashlib.sha256(exported.read_bytes()).hexdigest()}
            write_atomically(_beside(exported), json.dumps(content, indent=2, ensure_ascii=False))
            os.replace(_beside(exported), _beside(path))
        os.replace(exported, path)
    return comparisons


def other_batches(shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """{name: random input} of BATCHES, but for the batch size of `shape`, and those too large to compare."""
    generator = np.random.default_rng(1)
    sizes = [size for size in BATCHES if size != shape[0] and size * prod(shape[2:]) <= MAX_PIXELS]
    return {
        f"a batch of {size} random": generator.standard_normal((size, *shape[1:])).astype(np.float32) for size in sizes
    }


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


def _lite_python(resolved: Resolved) -> str:
    return resolved.config.output.lite_python or DEFAULT_PYTHON


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


def _beside(path: Path) -> Path:
    """The JSON file of an exported file."""
    return path.with_name(f"{path.name}.json")


def _card(
    opened: OpenedCheckpoint, path: Path, file_format: str, batch: int, comparisons: dict[str, Comparison]
) -> dict[str, Any]:
    """The JSON card of an exported file: input, preprocessing, class names, measured differences."""
    return {
        "file": path.name,
        "format": file_format,
        "task": opened.task.name,
        "backbone": opened.config.model.backbone,
        "checkpoint": str(opened.checkpoint.path),
        "input": {"shape": list(_input_shape(opened, batch)), "type": "float32"},
        "dynamic_batch": file_format in ANY_BATCH,
        **opened.task.export_card(),
        "largest_difference": {name: found.difference for name, found in comparisons.items()},
        "allowed_difference": {name: found.allowed for name, found in comparisons.items()},
        "largest_choice_loss": {name: found.loss for name, found in comparisons.items()},
        "mindspore": ms.__version__,
    }


def _as_text(comparisons: dict[str, Comparison]) -> str:
    texts = (f"{found.difference:.1e} on {name} input" for name, found in comparisons.items())
    return ", ".join(texts) or "not compared (AIR)"
