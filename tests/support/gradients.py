"""Gradients of a cell, as a cell."""

import mindspore as ms
from mindspore import nn, ops


class Gradients(nn.Cell):
    """Gradients of cell(*inputs), weighted by the last input, for the inputs and the cell's parameters."""

    def __init__(self, cell):
        super().__init__(auto_prefix=False)
        self.cell = cell
        self.gradient = ops.GradOperation(get_all=True, get_by_list=True, sens_param=True)
        self.parameters = ms.ParameterTuple(cell.trainable_params())

    def construct(self, *inputs):
        return self.gradient(self.cell, self.parameters)(*inputs)
