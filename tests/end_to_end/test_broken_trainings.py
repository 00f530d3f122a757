"""A full disk, a loss that explodes: one line, and the last good checkpoint stays."""

import os
import shutil
from dataclasses import replace

import pytest

from tests.support.commands import mistake, run_here, run_process
from tests.support.few_digits import write_few_digits
from tests.support.kernels import NEEDS_COMPILER


def test_a_full_disk_keeps_the_last_good_checkpoint(reference, tmp_path):
    run = replace(reference, parent=tmp_path)
    shutil.copytree(reference.folder, run.folder)
    # A graph that cannot be kept brings several lines of the framework's.
    more = ("--max_epoch", "6", "--resume", "auto", "--compile_cache", "0")
    finished = run_process("train.py", *run.options, *more, file_limit=500_000)
    # The framework puts a line of its own before ours, whatever its log level.
    own = [line for line in finished.err.splitlines(keepends=True) if not line.startswith("[CRITICAL] ME(")]
    line = mistake(replace(finished, err="".join(own)))
    assert line.startswith(f"checkpoint {run.last} could not be written (")
    assert line.endswith("): allow larger files (ulimit -f), or use another drive")
    assert run.weights() == reference.weights()
    names = sorted(path.name for path in run.checkpoints.iterdir())
    assert names == sorted(path.name for path in reference.checkpoints.iterdir())


def test_a_drive_that_stands_still_ends_the_run_and_the_run_goes_on_from_there(tiny, tmp_path):
    folder = write_few_digits(tmp_path / "digits")
    picture = sorted((folder / "train/4").iterdir())[0]
    content = picture.read_bytes()
    picture.unlink()
    os.mkfifo(picture)  # opening it waits for a writer that never comes
    for split in ("train", "val"):
        lines = [f"{path} {path.parent.name}" for path in sorted((folder / split).rglob("*.png"))]
        (tmp_path / f"{split}.txt").write_text("\n".join(lines))
    options = (*tiny.options[:2], *tiny.options[4:], "--data_list", tmp_path)
    finished = run_process("train.py", *options, "--data_timeout", 2)
    assert finished.code == 1, finished
    line = finished.err.splitlines()[-1]
    steps = tiny.load().meta["step"]
    assert line == (
        f"error: no sample for 2 s while reading {picture}: check the drive, or increase --data_timeout "
        f"(0: no limit); step {steps} is saved, continue with --resume auto"
    )
    picture.unlink()
    picture.write_bytes(content)
    finished = run_here("train.py", *options, "--resume", "auto")
    assert (finished.code, tiny.load().meta["step"]) == (0, 16)


@pytest.mark.parametrize(
    ("kernels", "found"),
    [
        (0, "loss is nan at"),
        # They normalise by a deviation that has overflowed: the loss is finite, its gradient is not.
        pytest.param(1, "conv1.weight is not finite after", marks=NEEDS_COMPILER),
    ],
)
def test_numbers_that_are_not_finite_end_the_run(tiny, kernels, found):
    options = ("--lr_max", "1e30", "--ema_decay", 0, "--clip_global_norm", 0, "--save_checkpoint_steps", 1)
    line = mistake(run_here("train.py", *tiny.options, *options, "--cpu_kernels", kernels))
    # The first step has learning rate 0; the second makes the weights huge, the third sees it.
    assert line == (
        f"{found} step 3 of 16: likely lr_max 1e+30 too high, no gradient clipping (--clip_global_norm 5); "
        f"last good checkpoint: {tiny.last}"
    )
    assert tiny.load().meta["step"] == 2


def test_a_loss_that_is_not_finite_before_the_first_checkpoint(tiny):
    options = ("--lr_max", "1e30", "--warmup_epochs", 0, "--ema_decay", 0, "--save_checkpoint_steps", 0)
    line = mistake(run_here("train.py", *tiny.options, *options))
    assert line.endswith("likely lr_max 1e+30 too high; last good checkpoint: none yet")
    assert list(tiny.checkpoints.iterdir()) == []


def test_overflowing_steps_are_skipped_and_counted(tiny):
    """float16 has numbers up to 65504: the first scales are far too large."""
    options = ("--amp_level", "O2", "--is_dynamic_loss_scale", 1, "--loss_scale", 2.0**22, "--eval_interval", 0)
    finished = run_here("train.py", *tiny.options, *options)
    assert (finished.code, finished.err) == (0, "")
    skipped = [record["skipped"] for record in tiny.records]
    assert 0 < skipped[0] <= skipped[-1] < 16
    assert f"INFO:steps skipped on overflow so far: {skipped[-1]}\n" in tiny.log
    tensors = tiny.load().tensors
    assert tensors["state.batches"] == 16
    assert tensors["optimizer.global_step"] == 16 - skipped[-1]
    assert tensors["state.loss_scale"] == 2.0 ** (22 - skipped[-1])
