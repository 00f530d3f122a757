"""Conversion command: turns a public weights file into a checkpoint of this zoo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mindspore import nn

from src.checkpoints import load_weights, read_foreign_weights, save_checkpoint
from src.checkpoints.translation import Translation, fit, translate
from src.config import Config, Resolved, UserError, as_user_error
from src.config.errors import few_names
from src.inference.networks import arrays_of, build_network, network_info
from src.models import PublicNames, public_names
from src.runtime.files import check_new
from src.runtime.logs import get_logger
from src.runtime.session import start
from src.tasks.create import task_type


def convert(resolved: Resolved) -> int:
    """Convert `input` into the checkpoint `output`; returns the exit code.

    Raises:
        UserError: a tensor is missing, unexpected or of the wrong shape; no checkpoint is written.
    """
    config = resolved.config
    source = _source(resolved)
    target = _target(config.output.output, source)
    check_new("output", target, config.output.overwrite)
    info = network_info(config.model.backbone)
    names = _names(info.name)
    weights = read_foreign_weights(source, use_ema=config.model.use_ema)
    with as_user_error(f"input {source}"):
        translation = translate(weights.tensors, names)
    class_num = _class_num(translation, names, resolved)
    # PyTorch's pipelines shrink images by Pillow, the old zoo's by OpenCV.
    found = {"train_image_size": info.image_size, "antialias": not weights.is_mindspore, **translation.options}
    config = _own_config(resolved, class_num[1], found)

    session = start(config, resolved.notes)
    logger = get_logger()
    logger.info("read %s%s: %d tensors", source, f", {weights.entry}" if weights.entry else "", len(weights.tensors))
    for reason, ignored in translation.ignored.items():
        logger.info("ignored %d (%s): %s", len(ignored), reason, few_names(ignored))
    for option in sorted(set(translation.options) - resolved.given):
        logger.info("%s: %s, inferred from the names of the tensors", option, translation.options[option])
    network = build_network(config, session, config.data.train_image_size)
    kept = _load(network, translation, names, source, class_num)
    if kept:
        logger.info("initialised, missing from the file: %s", few_names(kept))
    origin = {"file": source.name, "entry": weights.entry, "ignored": translation.ignored}
    task_meta = task_type(config.model.backbone).converted_meta(config)
    if class_num[0] != class_num[1]:  # a new head, which has no classes yet
        task_meta["class_names"] = []
    _save(target, network, {**task_meta, "config": config.flat(), "source": origin})
    logger.info("wrote %s: %d classes, %d pixels", target, class_num[1], config.data.train_image_size)
    return 0


def _source(resolved: Resolved) -> Path:
    if "backbone" not in resolved.given:
        raise UserError("backbone is missing: name the network of these weights, --backbone vig_s")
    if not resolved.config.output.input:
        raise UserError("input is empty: give the weights file, --input weights.pth")
    return Path(resolved.config.output.input)


def _names(network: str) -> PublicNames:
    with as_user_error("backbone"):
        return public_names(network)


def _target(output: str, source: Path) -> Path:
    """`output` if it is a .ckpt file, else the source's name in the folder `output`."""
    if not output:
        raise UserError(f"output is empty: give the checkpoint to write, --output {source.stem}.ckpt")
    target = Path(output) if output.endswith(".ckpt") else Path(output) / f"{source.stem}.ckpt"
    if target.resolve() == source.resolve():
        raise UserError(f"output {target} is the input file: give another --output")
    return target


def _class_num(translation: Translation, names: PublicNames, resolved: Resolved) -> tuple[int, int]:
    """Number of classes of (the file, the checkpoint); they differ if class_num asks for a new head."""
    head, wanted = translation.tensors.get(f"{names.head}.weight"), resolved.config.model.class_num
    given = "class_num" in resolved.given
    if head is not None and head.ndim:
        return len(head), wanted if given else len(head)
    if names.replaceable and not given:
        raise UserError(f"input {resolved.config.output.input} has no {names.head}: give --class_num for a new one")
    return wanted, wanted


def _own_config(resolved: Resolved, class_num: int, found: dict[str, Any]) -> Config:
    """Configuration for the checkpoint; the user's settings take precedence over values found in the file."""
    values = {key: value for key, value in found.items() if key not in resolved.given}
    return resolved.config.with_values(**values, class_num=class_num, input="", output="")


def _load(
    network: nn.Cell, translation: Translation, names: PublicNames, source: Path, class_num: tuple[int, int]
) -> list[str]:
    """Load the tensors into the network; returns the names that keep their initial values."""
    initial = arrays_of(network)
    weights = fit(translation.tensors, {name: value.shape for name, value in initial.items()})
    new = [name for name in initial if name.startswith(names.replaceable)]
    if not any(name in weights for name in new):
        weights |= {name: initial[name] for name in new}
    else:
        new = []
    return new + load_weights(network, weights, origin=f"input {source}", class_num=class_num, new_head=True)


def _save(target: Path, network: nn.Cell, meta: dict[str, Any]) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"output: {target.parent} cannot be written ({error.strerror}): give another --output"
        ) from None
    save_checkpoint(target, arrays_of(network), meta)
