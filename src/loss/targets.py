"""What a network is to answer."""

import mindspore as ms
from mindspore import Tensor, ops


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
