"""Settings that change how a training runs."""

import numpy as np
import pytest
from PIL import Image

from tests.support.commands import TINY, run_here
from tests.support.html_pages import assert_self_contained, parse_page
from tests.support.runs import TinyRun

SHORT = ("--max_epoch", 1, "--warmup_epochs", 0, "--eval_interval", 0, "--lr_decay_mode", "constant")


def losses_are_finite(run):
    return bool(np.isfinite([record["mean_loss"] for record in run.records]).all())


@pytest.mark.slow
def test_another_global_batch_is_warned_of(tiny):
    finished = run_here("train.py", *tiny.options, *SHORT, "--recipe_global_batch", 64)
    assert finished.code == 0
    assert (
        "WARNING:the recipe is made for 64 images per step, this run uses 16: "
        "--scale_lr 1 would scale lr_max 0.01 to 0.0025\n"
    ) in finished.out
    assert ", lr=0.010000, " in tiny.log


def test_and_scaled_on_request(tiny):
    finished = run_here("train.py", *tiny.options, *SHORT, "--recipe_global_batch", 64, "--scale_lr", 1)
    assert finished.code == 0
    assert "INFO:scale_lr: lr_max 0.01 -> 0.0025 (16 / 64 images)\n" in finished.out
    assert ", lr=0.002500, " in tiny.log


@pytest.mark.parametrize("level", ["O3", pytest.param("O2", marks=pytest.mark.slow)])
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


@pytest.mark.slow
def test_fine_tuning_options_together_with_a_stop_in_mid_epoch(tiny, digits):
    """Two batches a step, so two steps an epoch; five steps are asked for, then the rest of the run."""
    options = (
        "--accumulate_steps",
        2,
        "--freeze",
        "conv1,layer1",
        "--opt",
        "lamb",
        "--layer_decay",
        0.7,
        "--log_norms",
        1,
    )
    whole = TinyRun(digits, tiny.parent.with_name("whole"))
    assert run_here("train.py", *whole.options, *options).code == 0
    stopped = run_here("train.py", *tiny.options, *options, "--max_steps", 5)
    assert (stopped.code, stopped.err) == (0, "")
    assert "INFO:stopped by max_steps 5 after step 5; continue with --resume auto\n" in stopped.out
    assert (tiny.load().meta["epoch"], tiny.load().meta["batch"], tiny.epochs) == (2, 1, [1, 2])
    again = run_here("train.py", *tiny.options, *options, "--max_steps", 5, "--resume", "auto")
    assert again.code == 0
    assert "INFO:max_steps 5 has been reached: give a higher value to continue, or 0 for no limit\n" in again.out
    resumed = run_here("train.py", *tiny.options, *options, "--resume", "auto")
    assert (resumed.code, "may differ" in resumed.out) == (0, False)
    assert tiny.weights() == whole.weights()
    assert [record["update_norm"] for record in tiny.records] == [record["update_norm"] for record in whole.records]
    assert tiny.records[0]["grad_norm"] > 0


def test_a_run_that_ends_within_its_first_epoch_names_what_it_wrote(tiny):
    run = run_here("train.py", *tiny.options, "--max_steps", 1)
    assert (run.code, run.err) == (0, "")
    assert run.out.endswith(f"INFO:see {tiny.folder / 'train.log'} and {tiny.folder / 'ckpt'}\n")


def test_early_stopping_waits_for_evaluations_without_a_new_best(tiny):
    still = ("--lr_max", 1e-12, "--early_stop_patience", 2, "--eval_interval", 1, "--max_epoch", 9, "--ema_decay", 0)
    finished = run_here("train.py", *tiny.options, *still, "--report", 1)
    assert (finished.code, finished.err) == (0, "")
    assert tiny.epochs == list(range(1, len(tiny.epochs) + 1))
    accuracies = [record["top1"] for record in tiny.records]
    assert len(accuracies) < 9
    assert max(accuracies[-2:]) <= max(accuracies[:-2])
    assert (
        f"INFO:stopped by early_stop_patience 2 after step {4 * len(accuracies)}; continue with --resume auto\n"
        in finished.out
    )
    assert "INFO:last_metric[" in tiny.log
    page = parse_page((tiny.folder / "report.html").read_text(encoding="utf-8"))
    assert_self_contained(page)
    assert len(page.values("src")) == 4
    assert f"by early_stop_patience 2 after step {4 * len(accuracies)}" in page.texts["td"]


@pytest.mark.slow
def test_another_length_is_told_when_a_run_is_resumed(tiny):
    assert run_here("train.py", *tiny.options, "--max_epoch", 1).code == 0
    resumed = run_here("train.py", *tiny.options, "--max_epoch", 2, "--resume", "auto")
    change = "the learning-rate schedule has changed (1 -> 2 epochs): 0.01 at the next step (planned: "
    assert f"WARNING:{change}" in resumed.out
    assert tiny.epochs == [1, 2]


def test_the_schedule_is_drawn_without_training(tiny, tmp_path):
    drawn = run_here("train.py", *tiny.options, "--plot_lr", tmp_path / "lr.png")
    assert (drawn.code, drawn.err) == (0, "")
    assert f"INFO:learning rate of 16 steps (cosine): see {tmp_path}/lr.png\n" in drawn.out
    with Image.open(tmp_path / "lr.png") as picture:
        assert picture.format == "PNG"
    nowhere = run_here("train.py", "--config_path", TINY, "--plot_lr", tmp_path / "other.png")
    assert "INFO:learning rate of 400 steps (cosine): see " in nowhere.out
    assert not tiny.parent.exists()
