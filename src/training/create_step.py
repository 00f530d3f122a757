"""Factory of the training step: optimizer, loss scale and the other parts that a configuration asks for."""

from __future__ import annotations

import numpy as np
from mindspore import nn

from src.config import Config, as_user_error
from src.inference.networks import compiled_kernels, with_mixed_precision
from src.models import family_of, share_random_step
from src.optimizers import create_optimizer
from src.runtime.session import Session
from src.step.loss_scale import LossScale
from src.step.train_step import ScaledTrainStep, TrainStep


def create_train_step(
    config: Config, network: nn.Cell, loss: nn.Cell, rates: np.ndarray, session: Session
) -> TrainStep:
    """The step that trains `network`, with the parts that the configuration asks for and no others.

    Args:
        network: (B, 3, S, S) float32 -> the outputs that `loss` takes; set to training mode.
        loss: (network output, *targets) -> scalar.
        rates: (steps of the run,) float32, the learning rate of each step.

    Raises:
        UserError: layer_decay does not apply to this network.
    """
    weights = network.trainable_params()
    forward = with_mixed_precision(network, config.run.amp_level).set_train(True)
    optimizer = _create_optimizer(config, weights, rates, session)
    options = {
        "num_ranks": session.num_ranks,
        "clip_norm": config.optimizer.clip_global_norm,
        "centralize": config.optimizer.gc_flag,
        "ema_decay": config.optimizer.ema_decay,
        "num_batches": config.data.accumulate_steps,
        "log_norms": config.run.log_norms,
    }
    if config.loss.is_dynamic_loss_scale or config.loss.loss_scale != 1.0:
        scale = LossScale(config.loss.loss_scale, config.loss.is_dynamic_loss_scale)
        step = ScaledTrainStep(forward, loss, optimizer, scale, **options)
    else:
        step = TrainStep(forward, loss, optimizer, **options)
    share_random_step(network, step.batches, config.run.seed, session.rank)
    return step


def _create_optimizer(config: Config, weights: list, rates: np.ndarray, session: Session):
    optimizer = config.optimizer
    with as_user_error(remedy="give --layer_decay 1"):
        return create_optimizer(
            optimizer.opt,
            weights,
            rates,
            weight_decay=optimizer.weight_decay,
            no_weight_decay_filter=optimizer.no_weight_decay_filter,
            beta1=optimizer.beta1,
            beta2=optimizer.beta2,
            momentum=optimizer.momentum,
            layer_decay=optimizer.layer_decay,
            blocks=family_of(config.model.backbone).blocks,
            kernels=compiled_kernels(config, session),
        )
