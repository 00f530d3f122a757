"""Binary cross-entropy: each class is a question of its own."""

import mindspore as ms
from mindspore import Tensor, nn, ops

from src.loss.targets import smooth_targets


class BinaryCrossEntropy(nn.Cell):
    """Mean over batch and classes of the cross-entropy between sigmoid(logits) and the targets, in float32.

    Wightman et al., "ResNet strikes back", arXiv 2110.00476: mixed targets above a threshold count as present.
    """

    def __init__(self, class_num: int, label_smoothing: float = 0.0, target_threshold: float | None = None):
        super().__init__()
        self.class_num = class_num
        self.label_smoothing = label_smoothing
        self.target_threshold = target_threshold
        self.cross_entropy = ops.BCEWithLogitsLoss(reduction="mean")

    def construct(self, logits: Tensor, target: Tensor) -> Tensor:
        """(B, K) logits of any float type, target (B,) integer labels or (B, K) probabilities -> scalar."""
        target = smooth_targets(target, self.class_num, self.label_smoothing)
        if self.target_threshold is not None:
            target = (target > self.target_threshold).astype(ms.float32)
        ones = ops.ones_like(target)  # no class and no sample weighs more than another
        return self.cross_entropy(logits.astype(ms.float32), target, ones, ones)
