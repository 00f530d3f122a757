"""All callbacks together under a real `Model.train`."""

import logging
import math
from dataclasses import dataclass, field

import pytest

from src.callbacks.checkpoints import SaveCheckpoints
from src.callbacks.epoch_log import LogEpochs, read_records
from src.callbacks.evaluation import EvaluateEpochs
from src.callbacks.guards import StopOnNonFiniteLoss, StopOnRequest
from src.callbacks.progress import Progress
from src.callbacks.progress_bar import ShowProgress
from tests.support.training import AfterStep, SavedPositions, train
from tests.support.user_errors import message_of

LOSSES = [[8.0, 7.0, 6.0], [5.0, 4.0, 3.0], [2.0, 1.0, 0.5]]


@dataclass
class Run:
    """A run of three epochs of three steps, with the callbacks in the trainer's order."""

    folder: object
    epoch: int = 0
    batch: int = 0
    requested: str = ""
    bar: bool = False
    evaluated: list = field(default_factory=list)

    def __post_init__(self):
        self.logger = logging.getLogger("test.training")
        self.progress = Progress(3, 3, global_batch=2, epoch=self.epoch, batch=self.batch)
        self.save = SavedPositions(self.progress)

    def train(self, losses=LOSSES, stop_after=0):
        progress, folder = self.progress, self.folder
        saver = SaveCheckpoints(progress, self.save, folder, "net", every_epochs=2, every_steps=0, keep=3)
        callbacks = [
            AfterStep(progress, stop_after, lambda: setattr(self, "requested", "SIGTERM")),
            StopOnNonFiniteLoss(progress, 1, "lr_max 1 is too high", lambda: "none yet"),
            ShowProgress(progress, self.logger, self.bar),
            EvaluateEpochs(progress, self._evaluate, 2, -1, lambda: self.requested),
            LogEpochs(progress, self.logger, lambda: 0.1, lambda: 0, folder / "metrics.jsonl", len),
            saver,
            StopOnRequest(progress, lambda: self.requested, saver.save_last),
        ]
        train(progress, losses, callbacks)
        return self

    def _evaluate(self):
        self.evaluated.append(self.progress.epoch)
        return {"score": 0.5, "eval_seconds": 0.0}

    def recorded(self):
        """(epoch, step, last loss, mean loss) of metrics.jsonl"""
        records = read_records(self.folder / "metrics.jsonl", "score")
        return [(record["epoch"], record["step"], record["loss"], record["mean_loss"]) for record in records]

    def files(self):
        return {path.name: path.read_text() for path in sorted(self.folder.glob("*.ckpt"))}


@pytest.fixture(autouse=True)
def log(caplog):
    caplog.set_level(logging.INFO, logger="test.training")
    return caplog


def test_an_undisturbed_run(tmp_path, log):
    run = Run(tmp_path).train()
    assert run.recorded() == [(1, 3, 6.0, 7.0), (2, 6, 3.0, 4.0), (3, 9, 0.5, 3.5 / 3)]
    assert run.evaluated == [2, 3]
    assert run.files() == {"best.ckpt": "2.0", "last.ckpt": "3.0", "net-2_3.ckpt": "2.0", "net-3_3.ckpt": "3.0"}
    assert run.progress.stop_reason == ""
    assert [message.split(",")[0].split("=")[0].split(" after")[0] for message in log.messages] == [
        "compiling the training graph (with the first step) ...",
        "compiled; first step done",
        *("epoch[1]", "epoch[1]", "epoch[2]", "epoch[2]", "epoch[3]", "epoch[3]"),
        "training time used",
        "last_metric[0.50000]",
        "ip[None]",
    ]


def test_a_stop_within_an_epoch_and_its_resume_see_each_batch_once(tmp_path):
    stopped = Run(tmp_path).train(stop_after=5)
    assert (stopped.progress.epoch, stopped.progress.batch, stopped.progress.stop_reason) == (1, 2, "SIGTERM")
    assert stopped.save.positions == ["1.0", "1.2"]
    assert (stopped.evaluated, stopped.files()) == ([], {"last.ckpt": "1.2"})
    resumed = Run(tmp_path, epoch=1, batch=2).train()
    assert resumed.recorded() == [(1, 3, 6.0, 7.0), (2, 6, 3.0, 3.0), (3, 9, 0.5, 3.5 / 3)]
    assert resumed.evaluated == [2, 3]


def test_a_stop_at_an_epochs_end_keeps_the_epoch_and_skips_its_evaluation(tmp_path):
    stopped = Run(tmp_path).train(stop_after=6)
    assert (stopped.progress.epoch, stopped.progress.batch, stopped.progress.stop_reason) == (2, 0, "SIGTERM")
    assert stopped.save.positions == ["1.0", "2.0"]
    assert stopped.evaluated == []
    assert [record[0] for record in stopped.recorded()] == [1, 2]
    resumed = Run(tmp_path, epoch=2).train()
    assert [record[0] for record in resumed.recorded()] == [1, 2, 3]


def test_a_stop_in_the_last_step_comes_too_late_to_stop_anything(tmp_path, log):
    run = Run(tmp_path).train(stop_after=9)
    assert (run.progress.epoch, run.progress.stop_reason) == (3, "")
    assert "training time used" in log.messages[-3]


def test_a_loss_that_is_no_number_leaves_the_checkpoint_before_it(tmp_path):
    run = Run(tmp_path)
    losses = [LOSSES[0], [5.0, math.nan, 3.0], LOSSES[2]]
    assert message_of(run.train, losses) == (
        "loss is nan at step 5 of 9: likely lr_max 1 is too high; last good checkpoint: none yet"
    )
    assert run.files() == {"last.ckpt": "1.0"}


def test_a_bar_is_drawn_where_somebody_watches(tmp_path, capsys):
    (tmp_path / "a").mkdir()
    Run(tmp_path / "a").train()
    assert capsys.readouterr().err == ""
    (tmp_path / "b").mkdir()
    Run(tmp_path / "b", bar=True).train()
    assert "/9 [" in capsys.readouterr().err
