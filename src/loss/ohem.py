"""Loss of the segmentation networks: cross-entropy of the hardest pixels, plus that of the auxiliary head."""

import mindspore as ms
from mindspore import Tensor, nn, ops


class PixelCrossEntropy(nn.Cell):
    """Cross-entropy of each pixel in float32; 0 where the label is `ignore`.

    Composed of elementary operators: on the CPU the gradient of log_softmax along the classes takes 7 times as long and
    is accurate to five digits only.
    """

    def __init__(self, ignore: int):
        super().__init__()
        self.ignore = ignore

    def construct(self, logits: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        """(B, K, H, W), integers (B, H, W) -> losses (B H W,), and 1 for the valid pixels, 0 for the ignored."""
        valid = label != self.ignore
        target = ops.select(valid, label, ops.zeros_like(label)).expand_dims(1)
        logits = logits.astype(ms.float32)
        logits = logits - ops.stop_gradient(ops.amax(logits, 1, True))
        losses = ops.log(ops.exp(logits).sum(1, keepdims=True)) - ops.gather_d(logits, 1, target)
        valid = valid.astype(ms.float32).reshape((-1,))
        return losses.reshape((-1,)) * valid, valid


def mean_over(losses: Tensor, chosen: Tensor) -> Tensor:
    """Mean of the losses (N,) where `chosen` (N,) is 1 -> scalar; 0, with gradients of 0, if none is chosen."""
    return (losses * chosen).sum() / ops.maximum(chosen.sum(), 1.0)


class Ohem(nn.Cell):
    """Online hard example mining: mean cross-entropy of the pixels with poor predictions.

    Shrivastava, Gupta, Girshick, "Training Region-based Object Detectors with Online Hard Example Mining", 2016, in the
    form of the original recipe: a pixel counts if the probability of its label is at most
    t = max(thres, the `keep`-th smallest probability), over the pixels of this device's whole batch; ignored pixels
    are ranked with probability 1. With fewer valid pixels than `keep`, or keep = 0, all valid ones count.
    """

    def __init__(self, thres: float, keep: int, ignore: int):
        super().__init__()
        self.thres = thres
        self.keep = keep
        self.pixels = PixelCrossEntropy(ignore)
        # Finding the smallest 100000 of 832 x 832 takes 40 ms in any order, 70 ms in order, a full sort 340 ms.
        self.top_k = ops.TopK(sorted=False)

    def construct(self, logits: Tensor, label: Tensor) -> Tensor:
        """(B, K, H, W) logits, (B, H, W) labels -> float32 scalar; 0 when every pixel is ignored."""
        losses, valid = self.pixels(logits, label)
        if self.keep == 0 or self.keep > losses.size:
            return mean_over(losses, valid)
        # exp(-loss) is the label's probability, and 1 where the loss of an ignored pixel was set to 0.
        probability = ops.stop_gradient(ops.exp(-losses))
        smallest = -self.top_k(-probability, self.keep)[0]
        threshold = ops.maximum(smallest.max(), self.thres)
        hard = ops.logical_or(probability <= threshold, valid.sum() < self.keep)
        return mean_over(losses, valid * hard.astype(ms.float32))


class SegmentationLoss(nn.Cell):
    """OHEM of the logits + aux_weight * mean cross-entropy of the auxiliary logits."""

    def __init__(self, thres: float, keep: int, aux_weight: float, ignore: int):
        super().__init__()
        self.ohem = Ohem(thres, keep, ignore)
        self.auxiliary = PixelCrossEntropy(ignore)
        self.aux_weight = aux_weight

    def construct(self, outputs: tuple[Tensor, Tensor], label: Tensor) -> Tensor:
        """((B, K, H, W), (B, K, H, W)), integers (B, H, W) -> float32 scalar."""
        logits, auxiliary = outputs
        return self.ohem(logits, label) + self.aux_weight * mean_over(*self.auxiliary(auxiliary, label))
