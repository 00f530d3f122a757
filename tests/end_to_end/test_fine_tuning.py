"""A checkpoint under other circumstances: other classes, another network, another optimizer."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from tests.support.commands import mistake, run_here

SHORT = ("--max_epoch", 1, "--warmup_epochs", 0, "--eval_interval", 0)


def test_a_head_for_other_classes_is_new_and_the_rest_is_taken(tiny, reference):
    # With a learning rate this small the weights that were taken are still to be seen.
    options = ("--pretrained", reference.last, "--class_num", 12, "--lr_max", 1e-12, "--weight_decay", 0)
    finished = run_here("train.py", *tiny.options, *options, *SHORT)
    assert (finished.code, finished.err) == (0, "")
    assert f"INFO:load model {reference.last} success\n" in finished.out
    assert "INFO:new head for 12 classes instead of 10: fc.weight, fc.bias\n" in finished.out
    assert "(class_num is 12: 2 outputs have no images)" in finished.out
    tuned, source = tiny.load(), reference.load()
    assert tuned.tensors["fc.weight"].shape == (12, 512)
    averaged = source.weights(use_ema=True)["conv1.weight"]
    np.testing.assert_allclose(tuned.tensors["conv1.weight"], averaged, atol=1e-7)
    np.testing.assert_allclose(tuned.weights(use_ema=True)["conv1.weight"], averaged, atol=1e-7)
    assert not np.allclose(averaged, source.tensors["conv1.weight"], atol=1e-4)


@pytest.mark.parametrize("script", ["eval.py", "export.py"])
def test_other_classes_are_a_mistake_elsewhere(script, reference, tmp_path):
    options = (
        "--pretrained",
        reference.best,
        "--class_num",
        12,
        "--output",
        tmp_path / "o",
        "--file_name",
        tmp_path / "n",
    )
    assert mistake(run_here(script, *options)) == (
        f"{reference.best} has 10 classes, class_num is 12: give --class_num 10"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--backbone", "vig_nano"), "does not match the network (another --backbone?): "),
        (("--opt", "momentum"), "has no optimizer.velocity."),
        (("--class_num", "12"), "has 10 classes, class_num is 12"),
    ],
)
def test_a_run_is_not_resumed_as_another_one(options, message, reference, tmp_path):
    run = replace(reference, parent=tmp_path)
    shutil.copytree(reference.folder, run.folder)
    files = {path: path.read_bytes() for path in run.folder.rglob("[!.]*") if path.is_file()}
    line = mistake(run_here("train.py", *run.options, "--resume", run.folder, "--max_epoch", 5, *options))
    assert line.startswith(f"{run.last} {message}")
    assert {path: path.read_bytes() for path in run.folder.rglob("[!.]*") if path.is_file()} == files


def test_a_finished_run_has_nothing_to_resume(reference, tmp_path):
    run = replace(reference, parent=tmp_path)
    shutil.copytree(reference.folder, run.folder)
    finished = run_here("train.py", *run.options, "--resume", "auto")
    assert finished.code == 0
    assert "INFO:all 4 epochs are complete: give a higher --max_epoch to continue" in finished.out
    assert run.weights() == reference.weights()


def test_what_differs_from_the_interrupted_run_is_said(tiny, reference):
    shutil.copytree(reference.folder, tiny.folder)
    options = ("--resume", "auto", "--max_epoch", 5, "--batch_size", 32, "--eval_interval", 0)
    finished = run_here("train.py", *tiny.options, *options)
    assert finished.code == 0
    (said,) = [line for line in finished.out.splitlines() if ":WARNING:changed since the run was interrupted" in line]
    assert said.split(" may differ: ")[1] == "batch_size 16 -> 32; max_epoch 4 -> 5; steps per epoch 4 -> 2"
