"""Figures for a viewer, as the run goes."""

from src.callbacks.progress import Progress
from src.callbacks.scalars import WriteScalars
from tests.support.training import train


def test_steps_and_epochs_are_handed_on():
    progress, written = Progress(2, 2, global_batch=8), []
    progress.evaluation = {}
    callback = WriteScalars(progress, lambda *values: written.append(values), lambda: 0.1, lambda: {"grad_norm": 2.0})
    train(progress, [[4.0, 3.0], [2.0, 1.0]], [callback])
    assert [step for step, _ in written] == [1, 2, 2, 3, 4, 4]
    assert written[0] == (1, {"loss": 4.0, "lr": 0.1, "grad_norm": 2.0})
    assert written[2] == (2, {"images_per_second": written[2][1]["images_per_second"]})


def test_an_evaluation_is_written_with_its_epoch_and_a_broken_epoch_is_not():
    progress, written = Progress(2, 2, 1, epoch=1, evaluation={"score": 0.5, "top5": 0.75, "eval_seconds": 3.0}), []
    callback = WriteScalars(progress, lambda *values: written.append(values), lambda: 0.1, dict)
    callback.on_train_epoch_end(None)
    assert written == [(2, {"images_per_second": 0.0, "score": 0.5, "top5": 0.75})]
    progress.batch = 1
    callback.on_train_epoch_end(None)
    assert len(written) == 1
