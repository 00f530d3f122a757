"""Factory of losses by the names used in recipes."""

from mindspore import nn

from src.config.errors import unknown
from src.loss.classification import BinaryCrossEntropy, CrossEntropy
from src.loss.ohem import SegmentationLoss

SMOOTHING_LOSSES = ("ce", "ce_smooth", "ce_smooth_mixup")
CLASSIFICATION_LOSSES = (*SMOOTHING_LOSSES, "soft_target", "bce")
SEGMENTATION_LOSSES = ("ohem",)


def create_loss(
    name: str,
    *,
    class_num: int,
    label_smoothing: float = 0.0,
    target_threshold: float | None = None,
    ohem_thres: float = 0.7,
    ohem_keep: int = 100_000,
    aux_weight: float = 0.4,
    ignore_label: int = 255,
) -> nn.Cell:
    """The loss of that name: a cell that maps a network's output and a target to a float32 scalar.

    Classification: logits (B, K); a target of labels (B,) or probabilities (B, K). `ce`, `ce_smooth` and
    `ce_smooth_mixup` are three names of one computation: they smooth the target by `label_smoothing` in [0, 1).
    `soft_target` takes targets that mixing has already smoothed and ignores `label_smoothing`. `bce` smooths the target
    and, unless `target_threshold` is None, sets targets above it to 1 and the others to 0.
    Segmentation: `ohem` takes (logits, auxiliary logits), both (B, K, H, W), and labels (B, H, W), `ignore_label` for
    unlabelled pixels; it uses the last four arguments, see `SegmentationLoss`.

    Raises:
        ValueError: an unknown name.
    """
    known = (*CLASSIFICATION_LOSSES, *SEGMENTATION_LOSSES)
    if name not in known:
        raise unknown("loss", name, known)
    if name in SEGMENTATION_LOSSES:
        return SegmentationLoss(ohem_thres, ohem_keep, aux_weight, ignore_label)
    if name == "bce":
        return BinaryCrossEntropy(class_num, label_smoothing, target_threshold)
    return CrossEntropy(class_num, label_smoothing if name in SMOOTHING_LOSSES else 0.0)
