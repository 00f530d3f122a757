"""Checkpoint reader, and loading of weights into a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from src.checkpoints.meta import NewerFormat, checked_meta
from src.checkpoints.mindspore_file import read_mindspore
from src.checkpoints.store import FORMAT_VERSION, META_KEY, Checkpoint, digest
from src.config import UserError
from src.config.errors import few_names

if TYPE_CHECKING:
    from mindspore import nn

_SHOWN = 8  # names listed per kind of difference


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Read and check a checkpoint of this zoo.

    Raises:
        UserError: missing, damaged, not of this zoo, or written by a newer version of it.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"checkpoint {path}: no such file")
    try:
        parameters = read_mindspore(path, crc_check=True)
    except Exception as error:  # the framework reports damage by several types
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(f"checkpoint {path} is damaged ({reason.rstrip('.')}): use another checkpoint") from None
    if META_KEY not in parameters:
        raise UserError(
            f"checkpoint {path} is truncated or not of this zoo: use another checkpoint, or convert it with convert.py"
        )
    try:
        meta = checked_meta(parameters.pop(META_KEY), FORMAT_VERSION)
        tensors = {name: parameter.asnumpy() for name, parameter in parameters.items()}
        if len(tensors) != meta["num_tensors"] or digest(tensors) != meta["sha256"]:
            raise ValueError("checksum mismatch")
    except NewerFormat as error:
        raise UserError(f"checkpoint {path} {error}: update") from None
    except (ValueError, AttributeError) as error:  # AttributeError: an entry that is no tensor
        raise UserError(f"checkpoint {path} is damaged ({error}): use another checkpoint") from None
    return Checkpoint(path, tensors, meta)


def load_weights(
    network: nn.Cell, weights: Mapping[str, np.ndarray], *, origin: str, class_num: tuple[int, int], new_head: bool
) -> list[str]:
    """Load weights into a network by name.

    Args:
        origin: the file, for messages.
        class_num: number of classes of (the weights, the network).
        new_head: keep the network's initial values where only the number of classes differs (fine-tuning).

    Returns:
        Names of the tensors that kept their initial values (the head); empty if everything was loaded.

    Raises:
        UserError: missing, unexpected or mis-shaped tensors, listed in the message, or another number of classes
            without `new_head`.
    """
    import mindspore as ms

    parameters = dict(network.parameters_and_names())
    shapes = {name: tuple(parameter.shape) for name, parameter in parameters.items()}
    differing = [name for name in shapes if name in weights and weights[name].shape != shapes[name]]
    head = [name for name in differing if _is_head(weights[name].shape, shapes[name], class_num)]
    missing = [name for name in shapes if name not in weights]
    unexpected = [name for name in weights if name not in shapes]
    misshaped = [name for name in differing if name not in head]
    if missing or unexpected or misshaped:
        raise UserError(_difference_table(origin, missing, unexpected, misshaped, weights, shapes))
    if head and not new_head:
        raise UserError(
            f"{origin} has {class_num[0]} classes, class_num is {class_num[1]}: give --class_num {class_num[0]}"
        )
    for name, parameter in parameters.items():
        if name not in head:
            parameter.set_data(ms.Tensor(weights[name], parameter.dtype))
    return head


def fit_image_size(network: nn.Cell, weights: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], list[str]]:
    """Weights resized to the image size of this network by its `resize_parameter`, if it has one.

    Returns:
        All weights, and the names of those that were resized: empty if the sizes are equal.
    """
    fitted, resized = dict(weights), []
    resize = getattr(network, "resize_parameter", None)
    for name, parameter in network.parameters_and_names() if resize else ():
        shape = tuple(parameter.shape)
        if name not in weights or weights[name].shape == shape:
            continue
        try:
            value = resize(name, weights[name])
        except ValueError:  # not a table of this network: loading reports the mismatch
            continue
        if value is not None and value.shape == shape:
            fitted[name] = value
            resized.append(name)
    return fitted, resized


def _is_head(loaded: tuple[int, ...], own: tuple[int, ...], class_num: tuple[int, int]) -> bool:
    """Whether two shapes differ in the number of classes only."""
    return len(loaded) > 0 and (loaded[0], own[0]) == class_num and loaded[1:] == own[1:]


def _difference_table(
    origin: str,
    missing: list[str],
    unexpected: list[str],
    misshaped: list[str],
    weights: Mapping[str, np.ndarray],
    shapes: Mapping[str, tuple[int, ...]],
) -> str:
    columns = []
    kinds = (
        ("missing in the file", [f"{name} {shapes[name]}" for name in missing]),
        ("not in the network", [f"{name} {weights[name].shape}" for name in unexpected]),
        ("with another shape", [f"{name} file {weights[name].shape}, network {shapes[name]}" for name in misshaped]),
    )
    for title, rows in kinds:
        if rows:
            columns.append(f"{len(rows)} {title}: {few_names(rows, _SHOWN, '; ')}")
    return f"{origin} does not match the network (another --backbone?): " + " | ".join(columns)
