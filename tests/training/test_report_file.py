"""report.html of runs that went well, badly, or not at all."""

import re
from pathlib import Path

import numpy as np
import pytest

from src.config import read_config
from src.inference.evaluator import Evaluation
from src.metrics import ClassificationMetric
from src.runtime.session import Session
from src.tasks.classification.evaluation import task_result
from src.tasks.classification.examples import Examples
from src.training.report import environment_facts, evaluation_report, training_report
from tests.support.commands import TINY
from tests.support.html_pages import assert_self_contained, parse_page
from tests.support.images import write_noise

SECTIONS = [
    *("Summary", "Command", "Curves", "Confusion matrix", "Best examples", "Worst examples", "Configuration"),
]
RECORDS = [
    {"epoch": 1, "step": 4, "loss": 2.0, "mean_loss": 2.25, "lr": 0.1, "fps": 8.0, "epoch_seconds": 2.0, "skipped": 0},
    {"epoch": 2, "step": 8, "loss": 1.0, "mean_loss": 1.5, "lr": 0.05, "fps": 10.0, "epoch_seconds": 1.5, "skipped": 1,
     "top1": 0.75, "top5": 1.0, "eval_loss": 0.5},
]  # fmt: skip


def write(path, records, result):
    training_report(
        path,
        name="cats",
        config=read_config(["--config_path", str(TINY)]).config,
        command=["train.py", "--name", "cats & dogs"],
        ended="complete, 8 steps",
        records=records,
        score_name="top1",
        curves={"top1": "top-1 accuracy"},
        num_epochs=4,
        result=result,
        environment={"processor": "Abacus <2 rows>", "ranks": 1},
    )
    page = parse_page(path.read_text(encoding="utf-8"))
    assert_self_contained(page)
    return page


@pytest.fixture
def result(tmp_path):
    names, logits, labels = ["cat", "<dog>"], np.array([[3.0, 0], [0, 3], [2, 1], [1, 2]]), np.array([0, 1, 0, 0])
    examples = Examples([write_noise(tmp_path / f"{number}.png", number) for number in range(4)], names)
    examples(logits, labels, np.ones(4))
    metric = ClassificationMetric(2)
    metric.update(logits, labels)
    return task_result(Evaluation(metric.compute(), metric.state(), 1.0, 0.5, 8.0), metric.counts, examples, names)


def test_a_complete_run(tmp_path, result):
    page = write(tmp_path / "report.html", RECORDS, result)
    assert page.texts["h2"] == SECTIONS
    assert len(page.values("src")) == 4
    assert page.texts["p"][1] == "75.00% top-1 accuracy after epoch 2"
    assert {"learning rate", "images per second", "top-1 accuracy (0-1)"} <= set(page.texts["th"])
    cells = page.texts["td"]
    rows = dict(zip(cells, cells[1:], strict=False))
    assert (rows["epochs"], rows["mean loss of the last epoch"]) == ("2 of 4", "1.5000")
    assert (rows["speed"], rows["time in steps"]) == ("9.0 images per second", "3.5 s")
    assert (rows["processor"], rows["backbone"]) == ("Abacus <2 rows>", "resnext_nano")
    assert cells[cells.index("cat") : cells.index("cat") + 5] == ["cat", "3", "2", "66.7%", "<dog>"]
    assert page.texts["pre"][0] == "python train.py --name 'cats & dogs'"
    assert page.texts["pre"][1] == f"python train.py --config_path {tmp_path}/config.yml"
    assert [path.name for path in tmp_path.iterdir() if not path.name.endswith(".png")] == ["report.html"]


def test_a_run_without_an_epoch_or_an_evaluation_says_so(tmp_path):
    page = write(tmp_path / "report.html", [], None)
    assert page.texts["h2"] == [*SECTIONS[:3], "Evaluation", *SECTIONS[6:]]
    assert page.values("src") == []
    assert page.texts["p"].count("This run was not evaluated.") == 1
    assert "No epoch was completed." in page.texts["p"]


def test_an_evaluation(tmp_path, result):
    config = read_config(["--config_path", str(TINY)]).config
    evaluation_report(
        tmp_path / "report.html",
        checkpoint=Path("runs/best.ckpt"),
        data="4 images at cats/val",
        config=config,
        command=["eval.py", "--pretrained", "runs/best.ckpt"],
        result=result,
        environment=environment_facts(config, Session("CPU", 0, 1, "AVX2")),
    )
    page = parse_page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert_self_contained(page)
    assert page.texts["h1"] == ["Evaluation of best.ckpt"]
    assert page.texts["h2"] == [*SECTIONS[:2], *SECTIONS[3:]]
    assert page.texts["p"][1] == "75.00% top-1 accuracy"
    assert page.texts["pre"][0] == "python eval.py --pretrained runs/best.ckpt"
    cells = page.texts["td"]
    rows = dict(zip(cells[::2], cells[1::2], strict=False))
    assert rows["images"] == "4, 3 of them right"
    assert (rows["speed"], rows["checkpoint"]) == ("8.0 images per second", "runs/best.ckpt")
    assert "top-5 accuracy" not in cells  # of two classes
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}", rows["date"])
    assert re.fullmatch(r"[0-9a-f]{12}\+?|unknown", rows["version of the code"])
    assert rows["limit of the CPU kernels"] == "AVX2"
    assert len(page.values("src")) == 3
