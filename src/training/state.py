"""State of a training run: saving, restoring, and initialising from another checkpoint (fine-tuning)."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np
from mindspore import nn

from src.callbacks.progress import Progress
from src.checkpoints import Checkpoint, fit_image_size, load_weights, save_checkpoint
from src.config import Config, UserError
from src.config.marks import FREE_ON_RESUME
from src.config.schema import keys_marked
from src.inference.networks import arrays_of, resized_note
from src.runtime.device import clamp_workers
from src.runtime.distributed import gather_over_ranks
from src.runtime.session import Session
from src.step.train_step import TrainStep


def training_tensors(step: TrainStep, network: nn.Cell) -> dict[str, np.ndarray]:
    """Copies of all weights and of the training state, keyed by their names in checkpoints."""
    return arrays_of(network) | {name: parameter.asnumpy().copy() for name, parameter in step.state().items()}


def environment(config: Config, session: Session) -> dict[str, Any]:
    """The facts besides the configuration on which a bit-equal continuation depends."""
    return {
        "processor": _processor(),
        "isa": session.isa,
        "cores": os.cpu_count(),
        "workers": clamp_workers(config.data.train_num_workers),
        "ranks": session.num_ranks,
        "mindspore": ms.__version__,
        "python": platform.python_version(),
    }


def save(
    path: Path,
    task_meta: Mapping[str, Any],
    step: TrainStep,
    network: nn.Cell,
    progress: Progress,
    config: Config,
    session: Session,
) -> None:
    """Write a checkpoint that `restore` can continue from.

    Args:
        task_meta: see `Task.checkpoint_meta`.

    Raises:
        ValueError: a tensor is not finite. The loss of the step that ruins the weights is still finite, and the last
            good checkpoint must not be replaced.
    """
    tensors = training_tensors(step, network)
    ruined = next((name for name, value in tensors.items() if not np.isfinite(value).all()), None)
    if ruined:
        raise ValueError(f"{ruined} is not finite")
    meta = {
        **task_meta,
        "config": config.flat(),
        "epoch": progress.epoch,
        "batch": progress.batch,
        "step": progress.step,
        "steps_per_epoch": progress.steps_per_epoch,
        "losses": [progress.loss_sum, progress.num_losses],
        "best": progress.best,
        "without_improvement": progress.without_improvement,
        "metrics": progress.evaluation,
        "environment": environment(config, session),
    }
    save_checkpoint(path, tensors, meta)


def load_pretrained(checkpoint: Checkpoint, network: nn.Cell, config: Config) -> list[str]:
    """Initialise the network from a checkpoint of another run (fine-tuning).

    A head for another number of classes keeps its initial weights; position tables are resized to the image size.

    Returns:
        Lines for the log.

    Raises:
        UserError: the checkpoint belongs to another network.
    """
    weights, resized = fit_image_size(network, checkpoint.weights(config.model.use_ema))
    class_num = (checkpoint.meta["config"]["class_num"], config.model.class_num)
    new = load_weights(network, weights, origin=str(checkpoint.path), class_num=class_num, new_head=True)
    notes = [f"load model {checkpoint.path} success"]
    if resized:
        notes.append(resized_note(resized, config.data.train_image_size))
    if new:
        notes.append(f"new head for {class_num[1]} classes instead of {class_num[0]}: {', '.join(new)}")
    return notes


def restore(
    checkpoint: Checkpoint, step: TrainStep, network: nn.Cell, progress: Progress, config: Config, session: Session
) -> list[str]:
    """Restore weights, training state and counters from a checkpoint of the interrupted run.

    Returns:
        Differences from the interrupted run that may change the result.

    Raises:
        UserError: the checkpoint has no training state, belongs to another network or optimizer, or was saved inside
            an epoch of another length.
    """
    saved = checkpoint.meta
    if "epoch" not in saved:
        raise UserError(f"{checkpoint.path} holds weights only: start from them with --pretrained instead of --resume")
    class_num = (saved["config"]["class_num"], config.model.class_num)
    load_weights(
        network, checkpoint.weights(use_ema=False), origin=str(checkpoint.path), class_num=class_num, new_head=False
    )
    restore_state(checkpoint, step)
    progress.epoch, progress.batch, progress.best = saved["epoch"], saved["batch"], saved["best"]
    progress.without_improvement = saved.get("without_improvement", 0)
    progress.loss_sum, progress.num_losses = saved.get("losses", (0.0, 0))
    differences = _differences(saved["config"], config.flat(), keys_marked(FREE_ON_RESUME))
    differences += _differences(saved["environment"], environment(config, session), frozenset())
    if saved["steps_per_epoch"] != progress.steps_per_epoch:
        if progress.batch:
            raise UserError(
                f"{checkpoint.path} was saved inside an epoch of {saved['steps_per_epoch']} steps, an epoch now has "
                f"{progress.steps_per_epoch}: resume with the same data, batch_size and number of devices"
            )
        # The schedule continues at the same epoch of the new table.
        step.optimizer.global_step.set_data(ms.Tensor(progress.step, ms.int32))
        differences.append(f"steps per epoch {saved['steps_per_epoch']} -> {progress.steps_per_epoch}")
    # accumulate_steps, the number of batches per step, may have changed.
    step.batches.set_data(ms.Tensor(progress.step * step.num_batches, ms.int32))
    return differences


def check_data(checkpoint: Checkpoint, task_meta: Mapping[str, Any]) -> None:
    """Raise UserError if the data set is not the one of the interrupted run: other classes, or another size."""
    for key, what in (("class_names", "classes"), ("training_images", "training images")):
        before, now = checkpoint.meta.get(key), task_meta.get(key)
        if before is not None and before != now:
            raise UserError(
                f"{checkpoint.path} was trained on other data: {what} {_change(before, now)}: resume with the same "
                "data set, or start from its weights with --pretrained"
            )


def _change(before: Any, now: Any) -> str:
    """Both values, or of two lists their lengths or the first difference."""
    if not isinstance(before, list) or not isinstance(now, list):
        return f"{before} -> {now}"
    if len(before) != len(now):
        return f"{len(before)} -> {len(now)}"
    return next(f"{one} -> {other}" for one, other in zip(before, now, strict=True) if one != other)


def restore_state(checkpoint: Checkpoint, step: TrainStep) -> None:
    """Restore optimizer, averages, loss scale and counters.

    Raises:
        UserError: the checkpoint was saved with other training settings.
    """
    for name, parameter in step.state().items():
        value = checkpoint.tensors.get(name)
        if value is None or value.shape != tuple(parameter.shape):
            raise UserError(
                f"{checkpoint.path} has no {name} of this shape (was opt, ema_decay, loss_scale or freeze changed?): "
                "resume with the same configuration, or start from its weights with --pretrained"
            )
        parameter.set_data(ms.Tensor(value, parameter.dtype))


def check_same_position(step: int, session: Session) -> None:
    """Compare the steps at which the ranks continue.

    Raises:
        UserError: they differ. Servers without a shared folder would train on from different weights.
    """
    steps = [int(each[0]) for each in gather_over_ranks(np.array([float(step)]), session.rank, session.num_ranks)]
    if len(set(steps)) > 1:
        other = next(rank for rank, each in enumerate(steps) if each != steps[0])
        raise UserError(
            f"--resume: rank 0 continues at step {steps[0]}, rank {other} at step {steps[other]}: give all servers "
            "the same --save_checkpoint_path, on storage that they share"
        )


def _differences(before: dict[str, Any], now: dict[str, Any], free: frozenset[str]) -> list[str]:
    keys = [key for key in now if key in before and key not in free and before[key] != now[key]]
    return [f"{key} {before[key]} -> {now[key]}" for key in keys]


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
