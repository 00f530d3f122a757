"""A smooth network's training as one rank of a job, as a program.

Trains 21 steps on an image folder through the project's own data, step and rank code, and saves the weights. The
network has neither kinks (ReLU) nor choices (neighbours), so that rounding stays rounding.
Arguments: the image folder, where to save, the batch of a rank.
"""

from __future__ import annotations

import sys

NUM_STEPS = 21  # 1437 digits in batches of 68 over all ranks


def main(data: str, target: str, batch_size: str) -> None:
    """Train as this process's rank; rank 0 saves."""
    from src.config import read_config
    from src.runtime.device import prepare_process
    from src.runtime.session import start

    prepare_process()
    words = ["--config_path", "vig_nano_digits.yml", "--dataset_path", data, "--batch_size", batch_size]
    config = read_config([*words, "--crop_min", "1", "--sync_bn", "1"]).config
    session = start(config)

    import numpy as np
    from mindspore import nn, ops

    from src.models import LayerContext
    from src.models.layers import batch_norm
    from src.optimizers import create_optimizer
    from src.step.train_step import TrainStep
    from src.tasks.classification.task import ClassificationTask

    context = LayerContext(rank=session.rank, num_ranks=session.num_ranks, sync_bn=True)

    class SmoothNetwork(nn.Cell):
        def __init__(self):
            super().__init__()
            self.conv1, self.norm1 = nn.Conv2d(3, 8, 3, 2), batch_norm(8, context)
            self.conv2, self.norm2 = nn.Conv2d(8, 16, 3, 2), batch_norm(16, context)
            self.head = nn.Dense(16 * 8 * 8, 10, bias_init="zeros")

        def construct(self, x):
            x = ops.tanh(self.norm1(self.conv1(x)))
            x = ops.tanh(self.norm2(self.conv2(x)))
            return self.head(x.reshape((x.shape[0], -1)))

    network = SmoothNetwork().set_train()
    generator = np.random.default_rng(0)
    for parameter in network.trainable_params():
        if parameter.ndim > 1:
            parameter.set_data(_tensor(generator.standard_normal(parameter.shape) * 0.3))
    task = ClassificationTask(config)
    optimizer = create_optimizer("momentum", network.trainable_params(), np.full(NUM_STEPS, 0.02), weight_decay=1e-4)
    step = TrainStep(network, task.loss(), optimizer, num_ranks=session.num_ranks, clip_norm=1.0)
    losses = [float(step(*batch).asnumpy()) for batch in task.training_dataset(session, 0, 0)]
    assert len(losses) == NUM_STEPS
    if session.is_main:
        arrays = {name: parameter.asnumpy() for name, parameter in network.parameters_and_names()}
        np.savez(target, losses=losses, **arrays)


def _tensor(value):
    import mindspore as ms

    return ms.Tensor(value, ms.float32)


if __name__ == "__main__":
    main(*sys.argv[1:])
