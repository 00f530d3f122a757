"""What a checkpoint holds is all that a step needs to go on with the same bits."""

import numpy as np
import pytest
from mindspore import Tensor

from src.checkpoints import load_checkpoint, save_checkpoint
from src.step.loss_scale import LossScale
from src.training.state import restore_state, training_tensors
from tests.support.small_step import small_step

GENERATOR = np.random.default_rng(0)
BATCHES = [
    (Tensor(GENERATOR.standard_normal((4, 3)).astype(np.float32)), Tensor(GENERATOR.integers(0, 2, 4).astype(np.int32)))
    for _ in range(6)
]


def run(step, batches):
    for batch in batches:
        step(*batch)
    return training_tensors(step, step.network)


@pytest.mark.parametrize(
    ("opt", "options"),
    [("lamb", {}), ("lion", {}), ("adamw", {"num_batches": 2}), ("lamb", {"num_batches": 2, "log_norms": True})],
)
def test_three_steps_saved_and_three_more_equal_six(tmp_path, opt, options):
    def build():
        return small_step(LossScale(8.0, True), opt, ema_decay=0.9, clip_norm=0.5, **options)

    uninterrupted = run(build(), BATCHES)
    save_checkpoint(tmp_path / "a.ckpt", run(build(), BATCHES[:3]), {"config": {"backbone": "vig_s", "class_num": 2}})
    checkpoint, resumed = load_checkpoint(tmp_path / "a.ckpt"), build()
    for name, parameter in resumed.network.parameters_and_names():
        parameter.set_data(Tensor(checkpoint.tensors[name]))
    restore_state(checkpoint, resumed)
    found = run(resumed, BATCHES[3:])
    assert {name: value.tobytes() for name, value in found.items()} == {
        name: value.tobytes() for name, value in uninterrupted.items()
    }
