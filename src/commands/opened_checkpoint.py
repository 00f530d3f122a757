"""Opened checkpoint: tensors, configuration and task, the common start of eval, export and predict."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mindspore import nn

from src.checkpoints import Checkpoint, fit_image_size, load_checkpoint, load_weights
from src.config import Config, Resolved, UserError, read_config
from src.config.effect import no_effect_on_task
from src.inference.networks import build_network, resized_note
from src.runtime.logs import get_logger
from src.runtime.session import Session
from src.tasks.create import create_task
from src.tasks.task import Task


@dataclass(frozen=True)
class OpenedCheckpoint:
    """A checkpoint with its configuration and task.

    Attributes:
        config: configuration of the command.
        checkpoint: tensors and meta data.
        task: task of the network, with the checkpoint's class names and preprocessing.
        notes: lines for the log.
    """

    config: Config
    checkpoint: Checkpoint
    task: Task
    notes: tuple[str, ...] = ()

    @classmethod
    def from_config(cls, resolved: Resolved) -> OpenedCheckpoint:
        """Open the checkpoint `pretrained`, unless the configuration was read from it already.

        Raises:
            UserError: no checkpoint is given, it is damaged, or it belongs to another network.
        """
        config = resolved.config
        if not config.model.pretrained:
            raise UserError("pretrained is empty: give the checkpoint, --pretrained outputs/<run>/ckpt/best.ckpt")
        checkpoint = resolved.checkpoint or load_checkpoint(config.model.pretrained)
        trained = checkpoint.meta["config"]["backbone"]
        if trained != config.model.backbone:
            raise UserError(f"{checkpoint.path} holds {trained}, backbone is {config.model.backbone}: give one of them")
        task = create_task(config, checkpoint.meta, resolved.given)
        _check_carried(task, checkpoint)
        notes = (*resolved.notes, *no_effect_on_task(resolved.changed, task.name))
        return cls(config, checkpoint, task, notes)

    @property
    def evaluation_folder(self) -> Path:
        """Folder for the results: `output`, by default evaluation/ beside the checkpoint's ckpt/."""
        folder = self.checkpoint.path.parent
        beside = folder.parent if folder.name == "ckpt" else folder
        return Path(self.config.output.output or beside / "evaluation")

    def network(self, session: Session, *, exporting: bool = False) -> nn.Cell:
        """The network in inference mode, for the image size of the task's preprocessing.

        Its weights are the averaged ones if the checkpoint has them and use_ema is on.

        Raises:
            UserError: the weights do not fit the network.
        """
        image_size = self.task.preprocessing.image_size
        network = build_network(self.config, session, image_size, exporting=exporting)
        weights, resized = fit_image_size(network, self.checkpoint.weights(self.config.model.use_ema))
        class_num = (self.checkpoint.meta["config"]["class_num"], self.config.model.class_num)
        load_weights(network, weights, origin=str(self.checkpoint.path), class_num=class_num, new_head=False)
        if resized and not exporting:  # export builds a second network
            get_logger().info(resized_note(resized, image_size))
        return network.set_train(False)


def _check_carried(task: Task, checkpoint: Checkpoint) -> None:
    """UserError unless the task understands the preprocessing that the checkpoint carries."""
    try:
        preprocessing = task.preprocessing
        np.array([preprocessing.mean, preprocessing.std, [preprocessing.image_size] * 3], np.float64)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise UserError(
            f"checkpoint {checkpoint.path} has a preprocessing that this version does not know ({error}): "
            "use another checkpoint"
        ) from None


def load_model(path: str) -> Any:
    """Load a checkpoint for prediction on the CPU, with averaged weights if the checkpoint has them.

    Returns:
        The task's predictor, see `Task.predictor`.

    Raises:
        UserError: the file is missing, damaged, or not a checkpoint of this zoo.
    """
    words = ["--pretrained", path, "--device_target", "CPU"]
    opened = OpenedCheckpoint.from_config(read_config(words, "predict", load_checkpoint))
    session = Session(device="CPU", rank=0, num_ranks=1, isa="")
    return opened.task.predictor(opened.network(session))
