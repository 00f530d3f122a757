"""Image operators, batch step and training loss of the augmentation and loss keys."""

from __future__ import annotations

from mindspore import nn

from src.config import Config, UserError, as_user_error
from src.datasets.transforms.batch_step import BatchStep
from src.datasets.transforms.erasing import Erasing
from src.datasets.transforms.image import Preprocessing, training_transforms
from src.datasets.transforms.mixing import Mixing
from src.loss import CLASSIFICATION_LOSSES, create_loss


def check_augmentation(config: Config, preprocessing: Preprocessing) -> None:
    """Raise UserError for an unknown policy, or for mixing with a batch of one image."""
    augmented_transforms(config, preprocessing)
    augment = config.augment
    if is_mixed(config) and config.data.batch_size == 1:
        name = "mixup" if augment.mixup else "cutmix"
        raise UserError(
            f"{name} {getattr(augment, name):g} mixes images of a batch, and batch_size is 1: give --batch_size 2 or "
            "more, or --mixup 0 --cutmix 0"
        )


def is_mixed(config: Config) -> bool:
    """Whether the targets are soft: (B, class_num) probabilities, smoothed already, instead of (B,) labels."""
    return config.augment.mixup > 0 or config.augment.cutmix > 0


def augmented_transforms(config: Config, preprocessing: Preprocessing) -> list:
    """The operators on one image; UserError for an unknown policy."""
    with as_user_error("autoaugment"):
        return training_transforms(
            preprocessing,
            crop_min=config.data.crop_min,
            hflip=config.data.hflip,
            policy=config.augment.autoaugment,
            color_jitter=config.augment.color_jitter,
        )


def create_batch_step(config: Config, rank: int, first_epoch: int) -> BatchStep | None:
    """The operators on whole batches (erasing, mixing); None if there are none."""
    augment = config.augment
    erasing = mixing = None
    if augment.re_prob > 0:
        erasing = Erasing(probability=augment.re_prob, mode=augment.re_mode, count=augment.re_count)
    if is_mixed(config):
        mixing = Mixing(
            class_num=config.model.class_num,
            label_smoothing=_label_smoothing(config),
            mixup=augment.mixup,
            cutmix=augment.cutmix,
            probability=augment.mixup_prob,
            switch_prob=augment.switch_prob,
            mode=augment.mixup_mode,
        )
    if erasing is None and mixing is None:
        return None
    return BatchStep(erasing, mixing, seed=config.run.seed, rank=rank, first_epoch=first_epoch)


def check_loss(config: Config) -> None:
    """Raise UserError for a loss of another task."""
    name = config.loss.loss_name
    if name not in CLASSIFICATION_LOSSES:
        known = ", ".join(CLASSIFICATION_LOSSES)
        raise UserError(f"loss_name {name} is for segmentation networks: choose one of {known}")


def create_training_loss(config: Config) -> nn.Cell:
    """The training loss: (logits (B, K), labels (B,) or targets (B, K)) -> scalar; mixing has smoothed its targets."""
    return create_loss(
        config.loss.loss_name,
        class_num=config.model.class_num,
        label_smoothing=0.0 if is_mixed(config) else _label_smoothing(config),
        target_threshold=config.loss.bce_threshold,
    )


def silent_loss_settings(config: Config) -> list[str]:
    """Lines for the log about loss settings that other settings make ineffective."""
    loss, notes = config.loss, []
    if loss.loss_name == "soft_target" and loss.use_label_smooth and not is_mixed(config):
        notes.append("label_smooth_factor has no effect: soft_target takes labels as they are, and nothing mixes them")
    if loss.bce_threshold is not None and loss.loss_name != "bce":
        notes.append(f"bce_threshold has no effect: loss_name is {loss.loss_name}")
    return notes


def _label_smoothing(config: Config) -> float:
    return config.loss.label_smooth_factor if config.loss.use_label_smooth else 0.0
