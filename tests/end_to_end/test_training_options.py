"""Settings that change how a training runs."""

import numpy as np
import pytest

from tests.support.commands import run_here

SHORT = ("--max_epoch", 1, "--warmup_epochs", 0, "--eval_interval", 0, "--lr_decay_mode", "constant")


def losses_are_finite(run):
    return bool(np.isfinite([record["mean_loss"] for record in run.records]).all())


def test_another_global_batch_is_warned_of(tiny):
    finished = run_here("train.py", *tiny.options, *SHORT, "--recipe_global_batch", 64)
    assert finished.code == 0
    assert (
        "WARNING:the recipe is made for 64 images a step, this run has 16: "
        "--scale_lr 1 would scale lr_max 0.01 to 0.0025\n"
    ) in finished.out
    assert ", lr=0.010000, " in tiny.log


def test_and_scaled_on_request(tiny):
    finished = run_here("train.py", *tiny.options, *SHORT, "--recipe_global_batch", 64, "--scale_lr", 1)
    assert finished.code == 0
    assert "INFO:scale_lr: lr_max 0.01 -> 0.0025 (16 / 64 images)\n" in finished.out
    assert ", lr=0.002500, " in tiny.log


@pytest.mark.parametrize("level", ["O2", "O3"])
def test_mixed_precision_trains(tiny, level):
    finished = run_here("train.py", *tiny.options, *SHORT, "--amp_level", level, "--loss_scale", 128)
    assert (finished.code, finished.err) == (0, "")
    assert losses_are_finite(tiny)
    checkpoint = tiny.load()
    assert checkpoint.tensors["state.loss_scale"] == 128
    assert checkpoint.tensors["optimizer.global_step"] == 4
    assert {str(value.dtype) for value in checkpoint.weights(False).values()} == {"float32"}


def test_the_whole_augmentation_trains(tiny):
    augmentation = ("--autoaugment", "rand-m9-mstd0.5-inc1", "--color_jitter", 0.4, "--re_prob", 0.25)
    mixing = ("--mixup", 0.8, "--cutmix", 1, "--repeated_augment", 2, "--loss_name", "bce")
    finished = run_here("train.py", *tiny.options, *SHORT, *augmentation, *mixing)
    assert (finished.code, finished.err) == (0, "")
    assert "no effect" not in finished.out
    assert losses_are_finite(tiny)


def test_pynative_trains(tiny, reference):
    finished = run_here("train.py", *tiny.options, "--context_mode", 1, "--max_epoch", 1, "--eval_interval", 0)
    assert (finished.code, finished.err) == (0, "")
    # Its first epoch is the compiled run's: the same images, masks and learning rates.
    assert tiny.records[0]["mean_loss"] == pytest.approx(reference.records[0]["mean_loss"], rel=1e-4)
