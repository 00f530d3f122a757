"""eval.py on a checkpoint alone."""

import csv
import json
import re
import shutil

import pytest
from PIL import Image

from tests.support.commands import run_here, run_process

BLOCK = [
    r"Inference Performance: (\d+\.\d\d) img/sec",
    r"before results=\[\[(\d+)\], \[(\d+)\], \[(\d+)\]\]",
    r"after results=\[\[(\d+)\] \[(\d+)\] \[(\d+)\]\]",
    r"after allreduce eval: top1_correct=(\d+), tot=(\d+),acc=(\d+\.\d\d)%\(TOP1\)",
    r"acc=(\d+\.\d\d)%\(TOP1\)",
    r"after allreduce eval: top5_correct=(\d+), tot=(\d+),acc=(\d+\.\d\d)%\(TOP5\)",
    r"acc=(\d+\.\d\d)%\(TOP5\)",
]


@pytest.fixture(scope="module")
def evaluated(reference, tmp_path_factory):
    """(what eval.py printed, its result folder) for a checkpoint that lies in no run folder."""
    folder = tmp_path_factory.mktemp("evaluated")
    checkpoint = shutil.copyfile(reference.best, folder / "weights.ckpt")
    finished = run_process("eval.py", "--pretrained", checkpoint, "--report", 1)
    assert (finished.code, finished.err) == (0, "")
    return finished.out, folder / "evaluation"


@pytest.fixture(scope="module")
def block(evaluated):
    """The figures of each of the BLOCK's lines."""
    out, _ = evaluated
    lines = [line.split(":INFO:", 1)[1] for line in out.splitlines()]
    first = next(index for index, line in enumerate(lines) if line.startswith("Inference"))
    matches = [re.fullmatch(form, line) for form, line in zip(BLOCK, lines[first:], strict=False)]
    assert None not in matches, lines[first:]
    return [tuple(map(float, match.groups())) for match in matches]


@pytest.fixture(scope="module")
def result(evaluated):
    _, folder = evaluated
    return json.loads((folder / "result.json").read_text())


def test_every_line_says_the_same(block, result):
    correct, correct5, total = block[2]
    assert block[1] == (correct, correct5, total)
    assert total == result["images"] == 20
    assert (correct / 20, correct5 / 20) == (result["top1"], result["top5"])
    assert block[0][0] == pytest.approx(result["images_per_second"], abs=0.01)
    assert block[3] == (correct, 20, 5 * correct)
    assert block[4] == (5 * correct,)
    assert block[5] == (correct5, 20, 5 * correct5)
    assert block[6] == (5 * correct5,)


def test_no_other_projects_line_is_logged(evaluated):
    out, _ = evaluated
    assert [form for form in ("accuracy=", "Top1 acc") if form in out] == []


def test_it_is_what_training_measured(reference, result):
    recorded = max((record for record in reference.records if "top1" in record), key=lambda r: r["top1"])
    assert result["top1"] == recorded["top1"]
    assert result["loss"] == pytest.approx(recorded["eval_loss"], rel=1e-6)


def test_the_classes_add_up(evaluated, result):
    _, folder = evaluated
    rows = list(csv.DictReader((folder / "per_class.csv").open()))
    assert [row["class"] for row in rows] == [str(digit) for digit in range(10)]
    assert [int(row["images"]) for row in rows] == [3, 2, 2, 1, 2, 2, 4, 1, 1, 2]
    assert sum(int(row["correct"]) for row in rows) == 20 * result["top1"]


def test_the_confusion_matrix_is_a_picture_and_the_report_names_the_checkpoint(evaluated):
    out, folder = evaluated
    assert f"INFO:see {folder / 'report.html'}\n" in out
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert "Evaluation of weights.ckpt" in text
    assert re.search(r"<pre>python \S*eval.py --pretrained \S+weights.ckpt --report 1</pre>", text)
    with Image.open(folder / "confusion_matrix.png") as picture:
        assert picture.format == "PNG"


def test_a_second_evaluation_stands_beside_the_first_and_batches_do_not_matter(evaluated, result):
    _, folder = evaluated
    before = (folder / "result.json").read_bytes()
    for number, batch in ((2, 7), (3, 64)):
        weights = folder.parent / "weights.ckpt"
        assert run_here("eval.py", "--pretrained", weights, "--eval_batch_size", batch).code == 0
        again = json.loads((folder.parent / f"evaluation-{number}" / "result.json").read_text())
        assert (again["images"], again["top1"], again["top5"]) == (20, result["top1"], result["top5"])
        assert again["loss"] == pytest.approx(result["loss"], rel=1e-5)
    assert (folder / "result.json").read_bytes() == before


def test_the_averaged_weights_are_taken_unless_refused(reference, result, tmp_path):
    options = ("--pretrained", reference.best, "--use_ema", 0, "--output", tmp_path / "plain")
    assert run_here("eval.py", *options).code == 0
    plain = json.loads((tmp_path / "plain" / "result.json").read_text())
    assert plain["loss"] != pytest.approx(result["loss"], rel=1e-3)
    assert reference.folder / "evaluation" not in reference.folder.iterdir()
