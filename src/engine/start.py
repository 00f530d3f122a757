"""A training's first weights where they come from another run."""

from __future__ import annotations

import logging

from mindspore import nn

from src.checkpoints import Checkpoint, fit_image_size, load_weights
from src.config import Config
from src.engine.networks import resized_note
from src.engine.plan import Note


def start_from(checkpoint: Checkpoint, network: nn.Cell, config: Config) -> list[Note]:
    """Put a checkpoint's weights into the network; a head for other classes stays new, tables follow the image size.

    Returns:
        What was done, for the log.

    Raises:
        UserError: the checkpoint is of another network.
    """
    weights, resized = fit_image_size(network, checkpoint.weights(config.model.use_ema))
    class_num = (checkpoint.meta["config"]["class_num"], config.model.class_num)
    new = load_weights(network, weights, origin=str(checkpoint.path), class_num=class_num, new_head=True)
    notes = [f"load model {checkpoint.path} success"]
    if resized:
        notes.append(resized_note(resized, config.data.train_image_size))
    if new:
        notes.append(f"new head for {class_num[1]} classes instead of {class_num[0]}: {', '.join(new)}")
    return [(logging.INFO, note) for note in notes]
