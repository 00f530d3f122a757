"""Which epochs are evaluated."""

import pytest

from src.callbacks.evaluation import EvaluateEpochs, evaluation_due
from src.callbacks.progress import Progress
from tests.support.training import complete_epochs, run_context


@pytest.mark.parametrize(
    ("interval", "offset", "due"),
    [
        (1, -1, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),  # the seeds' setting
        (1, 0, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        (5, -1, [5, 10]),
        (4, -1, [4, 8, 10]),  # and always after the last
        (4, 0, [1, 5, 9, 10]),
        (4, 1, [2, 6, 10]),
        (4, 5, [2, 6, 10]),  # the offset counts modulo the interval
        (4, -2, [3, 7, 10]),
        (20, -1, [10]),
        (0, -1, []),
    ],
)
def test_epochs_that_are_evaluated(interval, offset, due):
    assert [epoch for epoch in range(1, 11) if evaluation_due(epoch, 10, interval, offset)] == due


def _evaluations(progress, interval, stop_requested=""):
    evaluated = []

    def evaluate():
        evaluated.append(progress.epoch)
        return {"score": progress.epoch / 10}

    return EvaluateEpochs(progress, evaluate, interval, -1, lambda: stop_requested), evaluated


def test_the_result_is_kept_for_the_other_callbacks():
    progress = Progress(num_epochs=5, steps_per_epoch=2, global_batch=1)
    callback, evaluated = _evaluations(progress, interval=2)
    complete_epochs(progress, [callback], 5)
    assert evaluated == [2, 4, 5]
    assert progress.evaluation == {"score": 0.5}


def test_an_epoch_that_was_broken_off_is_not_evaluated():
    progress = Progress(num_epochs=5, steps_per_epoch=2, global_batch=1, epoch=2, batch=1)
    callback, evaluated = _evaluations(progress, interval=1)
    callback.on_train_epoch_end(run_context())
    assert (evaluated, progress.evaluation) == ([], {})


def test_a_run_that_is_asked_to_stop_is_not_evaluated():
    progress = Progress(num_epochs=5, steps_per_epoch=2, global_batch=1)
    callback, evaluated = _evaluations(progress, interval=1, stop_requested="SIGTERM")
    complete_epochs(progress, [callback], 1)
    assert evaluated == []


def test_best_and_patience_are_the_evaluations_without_any_saver():
    progress = Progress(num_epochs=9, steps_per_epoch=2, global_batch=1)
    scores = iter([0.5, 0.7, 0.7, 0.6])
    callback = EvaluateEpochs(progress, lambda: {"score": next(scores)}, 1, -1, lambda: "")
    seen = []
    for _ in range(4):
        complete_epochs(progress, [callback], 1)
        seen.append((progress.best, progress.improved, progress.without_improvement))
    assert seen == [(0.5, True, 0), (0.7, True, 0), (0.7, False, 1), (0.7, False, 2)]


def test_an_epoch_without_evaluation_is_no_improvement_and_costs_no_patience():
    progress = Progress(num_epochs=9, steps_per_epoch=2, global_batch=1)
    callback, _ = _evaluations(progress, interval=2)
    complete_epochs(progress, [callback], 3)
    assert (progress.best, progress.improved, progress.without_improvement) == (0.2, False, 0)
