"""A checkpoint with the configuration and the task that it carries: the start of eval, export and predict."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from mindspore import nn

from src.checkpoints import Checkpoint, fit_image_size, load_checkpoint, load_weights
from src.config import Config, Resolved, UserError, read_config
from src.config.effect import no_effect_on_task
from src.inference.networks import build_network, resized_note
from src.runtime.logs import get_logger
from src.runtime.session import Session
from src.tasks.create import create_task
from src.tasks.task import Task


@lru_cache(maxsize=1)
def _checkpoint_at(path: str) -> Checkpoint:
    """One reading serves the configuration and the weights."""
    return load_checkpoint(path)


def checkpoint_values(path: str) -> dict[str, Any]:
    """The flat configuration that a checkpoint carries."""
    return _checkpoint_at(path).meta["config"]


@dataclass(frozen=True)
class Loaded:
    """A checkpoint, ready to be used."""

    config: Config
    checkpoint: Checkpoint
    task: Task
    notes: tuple[str, ...] = ()  # for the log

    @classmethod
    def from_config(cls, resolved: Resolved) -> Loaded:
        """UserError without a checkpoint, or with one that is damaged or of another network."""
        config = resolved.config
        if not config.model.pretrained:
            raise UserError("pretrained is empty: give the checkpoint, --pretrained outputs/<run>/ckpt/best.ckpt")
        checkpoint = _checkpoint_at(config.model.pretrained)
        trained = checkpoint.meta["config"]["backbone"]
        if trained != config.model.backbone:
            raise UserError(f"{checkpoint.path} holds {trained}, backbone is {config.model.backbone}: give one of them")
        task = create_task(config, checkpoint.meta, resolved.given)
        notes = (*resolved.notes, *no_effect_on_task(resolved.changed, task.name))
        return cls(config, checkpoint, task, notes)

    @property
    def evaluation_folder(self) -> Path:
        """`output`, or evaluation/ beside the checkpoint's ckpt/."""
        folder = self.checkpoint.path.parent
        beside = folder.parent if folder.name == "ckpt" else folder
        return Path(self.config.output.output or beside / "evaluation")

    def weights(self) -> dict:
        """The network's tensors, averaged ones if the checkpoint has them and use_ema is on."""
        return self.checkpoint.weights(self.config.model.use_ema)

    def network(self, session: Session, *, exporting: bool = False) -> nn.Cell:
        """The network with the checkpoint's weights, in inference mode, for the images of the task's preprocessing."""
        image_size = self.task.preprocessing.image_size
        network = build_network(self.config, session, image_size, exporting=exporting)
        weights, resized = fit_image_size(network, self.weights())
        class_num = (self.checkpoint.meta["config"]["class_num"], self.config.model.class_num)
        load_weights(network, weights, origin=str(self.checkpoint.path), class_num=class_num, new_head=False)
        if resized and not exporting:  # export builds a second one
            get_logger().info(resized_note(resized, image_size))
        return network.set_train(False)


def load_model(path: str) -> Any:
    """The network of a checkpoint, on the CPU, with averaged weights where the checkpoint has them.

    What its `predict` gives depends on the network's task.

    Raises:
        UserError: not there, damaged, or not a checkpoint of this zoo.
    """
    words = ["--pretrained", path, "--device_target", "CPU"]
    loaded = Loaded.from_config(read_config(words, "predict", checkpoint_values))
    session = Session(device="CPU", rank=0, num_ranks=1, isa="")
    return loaded.task.predictor(loaded.network(session))
