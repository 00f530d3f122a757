"""What a checkpoint holds is all that a step needs to go on with the same bits."""

import numpy as np
import pytest
from mindspore import Tensor

from src.checkpoints import load_checkpoint, save_checkpoint
from src.runtime.session import Session
from src.step.loss_scale import LossScale
from src.training import state
from src.training.state import check_data, restore_state, training_tensors
from tests.support.small_step import small_step
from tests.support.user_errors import message_of

GENERATOR = np.random.default_rng(0)
BATCHES = [
    (Tensor(GENERATOR.standard_normal((4, 3)).astype(np.float32)), Tensor(GENERATOR.integers(0, 2, 4).astype(np.int32)))
    for _ in range(6)
]

CONFIG = {"backbone": "vig_s", "class_num": 2}


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
    save_checkpoint(tmp_path / "a.ckpt", run(build(), BATCHES[:3]), {"config": CONFIG})
    checkpoint, resumed = load_checkpoint(tmp_path / "a.ckpt"), build()
    for name, parameter in resumed.network.parameters_and_names():
        parameter.set_data(Tensor(checkpoint.tensors[name]))
    restore_state(checkpoint, resumed)
    found = run(resumed, BATCHES[3:])
    assert {name: value.tobytes() for name, value in found.items()} == {
        name: value.tobytes() for name, value in uninterrupted.items()
    }


@pytest.mark.parametrize(
    ("now", "change"),
    [
        ({"class_names": ["cat", "dog"], "training_images": 7}, "training images 8 -> 7"),
        ({"class_names": ["cat", "emu"], "training_images": 8}, "classes dog -> emu"),
        ({"class_names": ["cat"], "training_images": 8}, "classes 2 -> 1"),
    ],
)
def test_a_run_does_not_go_on_with_other_data(tmp_path, now, change):
    saved = {"config": CONFIG, "class_names": ["cat", "dog"], "training_images": 8}
    save_checkpoint(tmp_path / "a.ckpt", {"w": np.zeros(1, np.float32)}, saved)
    checkpoint = load_checkpoint(tmp_path / "a.ckpt")
    check_data(checkpoint, saved)
    assert message_of(check_data, checkpoint, now) == (
        f"{tmp_path}/a.ckpt was trained on other data: {change}: resume with the same data set, or start from its "
        "weights with --pretrained"
    )


def test_a_checkpoint_that_tells_no_number_of_images_goes_on(tmp_path):
    save_checkpoint(tmp_path / "a.ckpt", {"w": np.zeros(1, np.float32)}, {"config": CONFIG, "class_names": ["cat"]})
    check_data(load_checkpoint(tmp_path / "a.ckpt"), {"class_names": ["cat"], "training_images": 8})


@pytest.mark.parametrize(("steps", "agreed"), [([8, 8, 8], True), ([8, 8, 0], False)])
def test_ranks_that_would_continue_at_different_steps_are_stopped(monkeypatch, steps, agreed):
    monkeypatch.setattr(state, "gather_over_ranks", lambda own, rank, num_ranks: [np.array([step]) for step in steps])
    session = Session("CPU", 0, 3, "")
    if agreed:
        state.check_same_position(8, session)
        return
    assert message_of(state.check_same_position, 8, session).startswith(
        "--resume: rank 0 continues at step 8, rank 2 at step 0: give all servers the same --save_checkpoint_path"
    )
