"""What a training leaves behind."""

import re
from dataclasses import replace

import mindspore as ms
import pytest
import yaml
from PIL import Image

from src.checkpoints import load_checkpoint
from tests.support.commands import run_here, run_process

TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
LOG = [
    r"INFO:run folder \S+/outputs/tiny",
    r"INFO:configuration \S+tiny\.yml",
    r"INFO:training images: 64 in 10 classes at \S+/digits/train",
    r"INFO:compiling the training graph \(with the first step\) \.\.\.",
    r"INFO:compiled(?: by an earlier run)?; first step done after \d+\.\ds",
    r"INFO:epoch\[1\], step_num\[4\], loss=\d\.\d{6}",
    r"INFO:epoch\[1\], epoch time: \d+\.\d\ds, per step time: \d+\.\d{4}s, loss=\d\.\d{6}, lr=0\.007500, fps=\d+\.\d\d",
    r"INFO:epoch\[2\], step_num\[8\], loss=\d\.\d{6}",
    r"INFO:epoch\[2\], epoch time: .*, lr=0\.008274, fps=\d+\.\d\d, accuracy=[01]\.\d{6}, eval_cost=\d+\.\d\d",
    r"INFO:epoch\[3\], step_num\[12\], loss=\d\.\d{6}",
    r"INFO:epoch\[3\], epoch time: .*, lr=0\.002923, fps=\d+\.\d\d",
    r"INFO:epoch\[4\], step_num\[16\], loss=\d\.\d{6}",
    r"INFO:epoch\[4\], epoch time: .*, lr=0\.000000, fps=\d+\.\d\d, accuracy=[01]\.\d{6}, eval_cost=\d+\.\d\d",
    r"INFO:training time used=\d+\.\d\ds",
    r"INFO:last_metric\[[01]\.\d{5}\]",
    r"INFO:ip\[None\], mean_fps\[\d+\.\d\d\]",
    r"INFO:see \S+/curves\.png, \S+/train\.log and \S+/ckpt",
]


def test_the_run_folder(reference):
    # Other tests may have evaluated this run before, as users do.
    names = sorted(
        path.name.partition(".out.")[0] for path in reference.folder.glob("*") if "evaluation" not in path.name
    )
    assert names == [".lock", "ckpt", "config.yml", "curves.png", "events", "metrics.jsonl", "train.log"]
    assert sorted(path.name for path in reference.checkpoints.iterdir()) == [
        *("best.ckpt", "last.ckpt", "resnext_nano-3_4.ckpt", "resnext_nano-4_4.ckpt")
    ]


def test_the_log_in_the_seeds_formats(reference):
    # Which kernels run is the machine's affair; the first run compiles them.
    lines = [line for line in reference.log.splitlines() if ":CPU kernels: " not in line]
    unlike = [line for line, form in zip(lines, LOG, strict=True) if not re.fullmatch(f"{TIME}:{form}", line)]
    assert unlike == []


def test_metrics_have_each_epoch_and_what_was_evaluated(reference):
    records = reference.records
    assert [(record["epoch"], record["step"]) for record in records] == [(1, 4), (2, 8), (3, 12), (4, 16)]
    assert [record["lr"] for record in records] == pytest.approx([0.0075, 0.00827430, 0.00292292, 0.0], abs=1e-8)
    assert [record["skipped"] for record in records] == [0, 0, 0, 0]
    assert ["top1" in record for record in records] == [False, True, False, True]
    assert records[3]["mean_loss"] < records[0]["mean_loss"] < 3
    assert {"top5", "eval_loss", "eval_seconds"} < set(records[1])


def test_the_configuration_that_was_used_can_be_used_again(reference):
    values = yaml.safe_load((reference.folder / "config.yml").read_text())
    assert (values["backbone"], values["lr_max"], values["dataset_path"]) == (
        *("resnext_nano", 0.01, str(reference.digits)),
    )
    assert run_here("train.py", "--config_path", reference.folder / "config.yml", "--print_config").code == 0


def test_the_curves_are_a_picture(reference):
    with Image.open(reference.folder / "curves.png") as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 200


def test_the_framework_reads_a_checkpoint(reference):
    parameters = ms.load_checkpoint(str(reference.best))
    assert parameters["fc.weight"].shape == (10, 512)
    assert {"zoo_meta", "ema.fc.weight", "optimizer.moment1.fc.weight", "state.batches"} < set(parameters)


def test_checkpoints_know_where_they_stand(reference):
    third, last = (load_checkpoint(reference.checkpoints / f"resnext_nano-{epoch}_4.ckpt").meta for epoch in (3, 4))
    counters = ("epoch", "batch", "step", "steps_per_epoch")
    assert [third[name] for name in counters] == [3, 0, 12, 4]
    assert [last[name] for name in counters] == [4, 0, 16, 4]
    assert last["class_names"] == [str(digit) for digit in range(10)]
    assert last["metrics"]["top1"] == reference.records[3]["top1"]
    best = load_checkpoint(reference.best).meta
    assert best["best"] == max(record.get("top1", 0) for record in reference.records) == last["best"]


def test_a_second_run_has_a_folder_of_its_own_and_the_same_bits(reference):
    """In a process of its own, too: nothing but the seed decides."""
    finished = run_process("train.py", *reference.options)
    assert finished.code == 0
    second = replace(reference, name="tiny-2")
    assert f"INFO:run folder {second.folder}\n" in finished.out
    assert second.weights() == reference.weights()
    assert [record["loss"] for record in second.records] == [record["loss"] for record in reference.records]


@pytest.mark.slow
def test_another_seed_gives_other_weights_and_evaluation_follows_its_offset(tiny, reference):
    finished = run_here("train.py", *tiny.options, "--seed", 2, "--eval_interval", 3, "--eval_offset", 0)
    assert (finished.code, finished.err) == (0, "")
    assert tiny.weights() != reference.weights()
    assert [record["epoch"] for record in tiny.records if "top1" in record] == [1, 4]
