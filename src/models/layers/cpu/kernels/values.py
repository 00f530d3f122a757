"""Parameters' values, as cells with a backward pass of their own are to be given them."""

from mindspore import nn

from ... import standard


def value_of(parameter):
    """The value of a parameter, in float32.

    Given the parameter itself, such a cell reads it once in each direction, and the compiler copies it at each reading
    in case it has changed in between. The reshape is for the compiler alone, which removes it.
    """
    return parameter.reshape(parameter.shape)


class KernelConv(standard.Conv):
    """`standard.Conv` whose `conv2d` is a cell."""

    def construct(self, x):
        return self.conv2d(x, value_of(self.weight))


class KernelBiasedConv(standard.BiasedConv):
    """`standard.BiasedConv` whose `conv2d` is a cell."""

    def construct(self, x):
        return self.bias_add(self.conv2d(x, value_of(self.weight)), self.bias)


def conv(in_channels: int, out_channels: int, size: int, **options) -> nn.Conv2d:
    """`standard.conv`, for a `conv2d` that is a cell."""
    return standard.conv(in_channels, out_channels, size, kinds=(KernelConv, KernelBiasedConv), **options)
