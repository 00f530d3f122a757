"""The seeds' log lines and metrics.jsonl."""

import json
import logging
import re

import pytest

from src.callbacks.epoch_log import LogEpochs, epoch_line, read_records
from src.callbacks.progress import Progress
from tests.support.training import complete_epochs, run_context
from tests.support.user_errors import message_of

RECORD = {
    "epoch": 1,
    "epoch_seconds": 3247.40,
    "step_seconds": 1.2979,
    "loss": 6.397223,
    "lr": 0.00012,
    "fps": 512 / 1.2979,
    "step": 2502,
    "mean_loss": 6.5,
    "skipped": 0,
}


@pytest.fixture
def logger(caplog):
    caplog.set_level(logging.INFO, logger="test.epochs")
    return logging.getLogger("test.epochs")


def _progress(**values):
    settings = {"loss": 0.5, "loss_sum": 2.25, "num_losses": 3, "epoch_seconds": 4.0, "step_seconds": 2.0, **values}
    return Progress(num_epochs=3, steps_per_epoch=2, global_batch=8, **settings)


def _log(progress, logger, path, skipped=0, plotted=None):
    draw = plotted.append if plotted is not None else len
    return LogEpochs(progress, logger, lambda: 0.001, lambda: skipped, path, lambda records: draw(list(records)))


def test_the_line_is_the_seeds_line():
    assert epoch_line({**RECORD, "eval_seconds": 144.56}, 0.04978) == (
        "epoch[1], epoch time: 3247.40s, per step time: 1.2979s, loss=6.397223, lr=0.000120, fps=394.48, "
        "accuracy=0.049780, eval_cost=144.56"
    )


def test_an_epoch_without_evaluation_has_the_first_part_of_the_line():
    assert epoch_line(RECORD, None) == (
        "epoch[1], epoch time: 3247.40s, per step time: 1.2979s, loss=6.397223, lr=0.000120, fps=394.48"
    )


def test_an_epoch_is_logged_recorded_and_drawn(tmp_path, logger, caplog):
    path, plotted = tmp_path / "metrics.jsonl", []
    progress = _progress(evaluation={"score": 0.25, "eval_seconds": 1.5})
    complete_epochs(progress, [_log(progress, logger, path, plotted=plotted)], 1)
    record = {
        "epoch": 1,
        "step": 2,
        "loss": 0.5,
        "mean_loss": 0.75,
        "lr": 0.001,
        "fps": 4.0,
        "epoch_seconds": 4.0,
        "step_seconds": 2.0,
        "skipped": 0,
        "score": 0.25,
        "eval_seconds": 1.5,
    }
    assert caplog.messages == [
        "epoch[1], step_num[2], loss=0.500000",
        "epoch[1], epoch time: 4.00s, per step time: 2.0000s, loss=0.500000, lr=0.001000, fps=4.00, "
        "accuracy=0.250000, eval_cost=1.50",
    ]
    assert [json.loads(line) for line in path.read_text().splitlines()] == [record]
    assert plotted == [[record]]


def test_skipped_steps_are_counted_in_the_log(tmp_path, logger, caplog):
    progress = _progress()
    complete_epochs(progress, [_log(progress, logger, tmp_path / "m.jsonl", skipped=3)], 1)
    assert caplog.messages[-1] == "steps skipped on overflow so far: 3"


def test_an_epoch_that_was_broken_off_is_not_logged(tmp_path, logger, caplog):
    progress = _progress(epoch=1, batch=1)
    _log(progress, logger, tmp_path / "m.jsonl").on_train_epoch_end(run_context())
    assert (caplog.messages, (tmp_path / "m.jsonl").read_text()) == ([], "")


def test_the_end_of_the_run_is_summed_up_in_the_seeds_lines(tmp_path, logger, caplog):
    progress = _progress()
    log = _log(progress, logger, tmp_path / "m.jsonl")
    for evaluation, seconds in (({"score": 0.75618, "eval_seconds": 1.0}, 2.0), ({}, 4.0)):
        progress.evaluation, progress.step_seconds = evaluation, seconds
        complete_epochs(progress, [log], 1)
    caplog.clear()
    log.on_train_end(run_context())
    assert re.fullmatch(r"training time used=\d+\.\d\ds", caplog.messages[0])
    assert caplog.messages[1:] == ["last_metric[0.75618]", "ip[None], mean_fps[3.00]"]


def test_a_run_without_evaluation_has_no_last_metric(tmp_path, logger, caplog):
    progress = _progress()
    log = _log(progress, logger, tmp_path / "m.jsonl")
    complete_epochs(progress, [log], 1)
    caplog.clear()
    log.on_train_end(run_context())
    assert [message.split("=")[0].split("[")[0] for message in caplog.messages] == ["training time used", "ip"]


def test_a_run_that_ends_inside_its_first_epoch_has_a_speed(tmp_path, logger, caplog):
    _log(_progress(stop_reason="max_steps 1"), logger, tmp_path / "m.jsonl").on_train_end(run_context())
    assert caplog.messages[-1] == "ip[None], mean_fps[4.00]"


def test_a_stopped_run_is_not_summed_up(tmp_path, logger, caplog):
    progress = _progress(stop_reason="SIGTERM")
    _log(progress, logger, tmp_path / "m.jsonl").on_train_end(run_context())
    assert caplog.messages == []


def test_a_resumed_run_goes_on_after_its_last_epoch(tmp_path, logger):
    path = tmp_path / "metrics.jsonl"
    path.write_text("".join(json.dumps({**RECORD, "epoch": epoch}) + "\n" for epoch in (1, 2, 3)))
    progress, plotted = _progress(epoch=1), []
    log = _log(progress, logger, path, plotted=plotted)
    assert [record["epoch"] for record in read_records(path, "top1")] == [1]
    complete_epochs(progress, [log], 1)
    assert [record["epoch"] for record in read_records(path, "top1")] == [1, 2]
    assert [record["epoch"] for record in plotted[0]] == [1, 2]


def test_a_half_written_last_line_is_cut_off(tmp_path, logger):
    path = tmp_path / "metrics.jsonl"
    whole = json.dumps({**RECORD, "epoch": 1}) + "\n"
    path.write_text(whole + json.dumps({**RECORD, "epoch": 2})[:20])
    assert [record["epoch"] for record in read_records(path, "top1")] == [1]
    _log(_progress(epoch=2), logger, path)
    assert path.read_text() == whole


def test_a_new_run_begins_with_no_records(tmp_path, logger):
    path = tmp_path / "metrics.jsonl"
    assert read_records(path, "top1") == []
    path.write_text(json.dumps({**RECORD, "epoch": 1}) + "\n")
    _log(_progress(), logger, path)
    assert path.read_text() == ""


def test_a_score_of_an_older_file_gets_its_name(tmp_path):
    path = tmp_path / "metrics.jsonl"
    older = ({"epoch": 1, "accuracy": 0.5}, {"epoch": 2}, {"epoch": 3, "miou": 0.75})
    path.write_text("".join(json.dumps({**RECORD, **record}) + "\n" for record in older))
    assert [record.get("miou") for record in read_records(path, "miou")] == [0.5, None, 0.75]


@pytest.mark.parametrize("line", ["[]", "3", "null", "{}", '{"epoch": "1"}', '{"epoch": 1}', "\udcff", "[" * 9999])
def test_a_damaged_line_is_named(tmp_path, line):
    path = tmp_path / "metrics.jsonl"
    whole = json.dumps(RECORD)
    path.write_text(f"{whole}\n{line}\n{whole}\n", errors="surrogateescape")
    assert message_of(read_records, path, "top1") == (
        f"{path}:2: damaged, no record of an epoch: mend or remove this file"
    )
