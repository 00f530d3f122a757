"""Batch normalisation over one rank or, synchronised by hand, over all of them; and with what follows it."""

from collections.abc import Callable

from mindspore import dtype as mstype
from mindspore import nn, ops

from .formulations import LayerContext, formulation

Activation = Callable[[LayerContext], nn.Cell]


class SyncBatchNorm(nn.BatchNorm2d):
    """BatchNorm2d whose training statistics are those of the joined batch of all ranks: (B, C, H, W) -> the same shape.

    Two passes (mean, then mean squared deviation) because E[x^2] - E[x]^2 loses all digits, and can go negative, in
    float32. The backward pass follows from AllReduce's own. Every rank must bring the same batch size.
    `nn.SyncBatchNorm` can't be built on the CPU; parameter names and evaluation are `nn.BatchNorm2d`'s.
    """

    def __init__(self, num_channels: int, num_ranks: int):
        super().__init__(num_channels)
        self.num_ranks = num_ranks
        self.all_reduce = ops.AllReduce()

    def mean_over_ranks(self, x):
        """(B, C, H, W) -> (1, C, 1, 1): the mean over all ranks' images and positions."""
        return self.all_reduce(x.mean((0, 2, 3), keep_dims=True)) / self.num_ranks

    def construct(self, x):
        if not self.training or self.use_batch_statistics is False:
            return super().construct(x)
        x32 = x.astype(mstype.float32)
        mean = self.mean_over_ranks(x32)
        deviation = x32 - mean
        variance = self.mean_over_ranks(deviation * deviation)
        self.update_moving(mean, variance, x.size // self.num_features * self.num_ranks)
        scale = self.gamma.reshape((1, -1, 1, 1)) / ops.sqrt(variance + self.eps)
        return (deviation * scale + self.beta.reshape((1, -1, 1, 1))).astype(x.dtype)

    def update_moving(self, mean, variance, count):
        """Move the running statistics by 1 - momentum; the running variance is the unbiased one."""
        rate = self.momentum  # the framework's class keeps 1 - momentum under this name
        mean = ops.stop_gradient(mean).reshape((-1,))
        variance = ops.stop_gradient(variance).reshape((-1,)) * (count / max(count - 1, 1))
        ops.assign_add(self.moving_mean, rate * (mean - self.moving_mean))
        ops.assign_add(self.moving_variance, rate * (variance - self.moving_variance))


def batch_norm(num_channels: int, context: LayerContext, *, biased: bool = False) -> nn.Cell:
    """BatchNorm over (B, C, H, W), epsilon 1e-5, running statistics updated by 0.1 of the difference per step.

    biased: behind a convolution made with `normed` and a bias, which this may add instead.
    """
    if context.synchronizes:
        return SyncBatchNorm(num_channels, context.num_ranks)
    if context.joins_norms:
        return formulation("batch_norm", context)(num_channels, biased=biased)
    return formulation("batch_norm", context)(num_channels)


def norm_activation(
    num_channels: int, activation: Activation, context: LayerContext, *, biased: bool = False
) -> tuple[nn.Cell, nn.Cell]:
    """(BatchNorm, activation), to be called one after the other; the first may do both, and the second then nothing.

    activation: `relu`, `gelu` or `tanh_gelu`; biased: as for `batch_norm`.
    """
    if context.joins_norms:
        norm = formulation("batch_norm", context)(num_channels, activation.__name__, biased=biased)
        return norm, nn.Identity()
    return batch_norm(num_channels, context), activation(context)


def shortcut_norm(num_channels: int, context: LayerContext) -> nn.Cell:
    """A cell called as f(x, shortcut): relu(BatchNorm(x) + shortcut). For contexts that join norms."""
    return formulation("shortcut_norm", context)(num_channels)
