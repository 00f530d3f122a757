"""The losses by the names that recipes use."""

from difflib import SequenceMatcher

from mindspore import nn

from src.loss.cross_entropy import CrossEntropy

SMOOTHING_LOSSES = ("ce", "ce_smooth", "ce_smooth_mixup")
LOSSES = (*SMOOTHING_LOSSES, "soft_target")


def create_loss(name: str, *, class_num: int, label_smoothing: float = 0.0) -> nn.Cell:
    """A cell that maps logits (B, K) and a target, labels (B,) or probabilities (B, K), to a float32 scalar.

    `ce`, `ce_smooth` and `ce_smooth_mixup` are the seeds' three names for one computation: they smooth
    the target by `label_smoothing` in [0, 1). `soft_target` takes targets as they come (ViG's recipe:
    mixing has already smoothed them) and leaves `label_smoothing` aside. Unknown name: ValueError.
    """
    if name not in LOSSES:
        nearest = sorted(LOSSES, key=lambda known: -SequenceMatcher(None, name, known).ratio())
        raise ValueError(f"unknown loss '{name}': choose one of {', '.join(nearest)}")
    return CrossEntropy(class_num, label_smoothing if name in SMOOTHING_LOSSES else 0.0)
