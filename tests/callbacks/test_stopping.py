"""Guards that end a run before its last epoch."""

import math

import pytest

from src.callbacks.guards import StopOnNonFiniteLoss, StopOnRequest, likely_causes
from src.callbacks.progress import Progress
from src.config import read_config
from tests.support.commands import TINY
from tests.support.training import run_context
from tests.support.user_errors import message_of


def _read(progress, guard, loss):
    progress.loss, progress.loss_is_fresh, progress.batch = loss, True, progress.batch + 1
    guard.on_train_step_end(run_context())


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_no_number_ends_the_run_with_causes_and_a_way_back(loss):
    progress = Progress(num_epochs=3, steps_per_epoch=10, global_batch=1, epoch=1)
    guard = StopOnNonFiniteLoss(progress, 1, "lr_max 0.5 is too high", lambda: "outputs/vig/ckpt/last.ckpt")
    _read(progress, guard, 2.0)
    assert message_of(_read, progress, guard, loss) == (
        f"loss is {loss} at step 12 of 30: likely lr_max 0.5 is too high; "
        "last good checkpoint: outputs/vig/ckpt/last.ckpt"
    )


def test_a_loss_scale_may_skip_some_steps_in_a_row():
    progress = Progress(num_epochs=1, steps_per_epoch=10, global_batch=1)
    guard = StopOnNonFiniteLoss(progress, 3, "lr_max 0.5 is too high", lambda: "none yet")
    for loss in (math.inf, math.inf, 1.0, math.inf, math.nan):
        _read(progress, guard, loss)
    assert message_of(_read, progress, guard, math.inf) == (
        "loss is inf at step 6 of 10: likely lr_max 0.5 is too high; last good checkpoint: none yet"
    )


def test_a_loss_that_was_not_read_again_does_not_count_twice():
    progress = Progress(num_epochs=1, steps_per_epoch=10, global_batch=1)
    guard = StopOnNonFiniteLoss(progress, 2, "", lambda: "")
    _read(progress, guard, math.inf)
    progress.loss_is_fresh = False
    guard.on_train_step_end(run_context())
    progress.loss_is_fresh = True
    assert "at step 2 of 10" in message_of(_read, progress, guard, math.inf)


def _config(*words):
    return read_config(["--config_path", str(TINY), *map(str, words)]).config


def test_causes_of_an_infinite_loss_fit_the_configuration():
    assert likely_causes(_config("--lr_max", 3)) == "lr_max 3 too high"
    assert likely_causes(_config("--amp_level", "O2", "--clip_global_norm", 0)) == (
        "lr_max 0.01 too high, amp_level O2 without a loss scale (--is_dynamic_loss_scale 1), "
        "no gradient clipping (--clip_global_norm 5)"
    )
    assert likely_causes(_config("--amp_level", "O2", "--loss_scale", 128)) == "lr_max 0.01 too high"


def _stop(requested, **counters):
    progress = Progress(num_epochs=3, steps_per_epoch=4, global_batch=1, **counters)
    saved = []
    guard = StopOnRequest(progress, lambda: requested, lambda: saved.append(progress.step))
    return progress, guard, saved


def test_without_a_request_the_run_goes_on():
    progress, guard, saved = _stop("", epoch=1, batch=2)
    context = run_context()
    guard.on_train_step_end(context)
    guard.on_train_epoch_end(context)
    assert (saved, progress.stop_reason, context.get_stop_requested()) == ([], "", False)


def test_within_an_epoch_it_saves_and_stops():
    progress, guard, saved = _stop("SIGTERM", epoch=1, batch=2)
    context = run_context()
    guard.on_train_step_end(context)
    guard.on_train_epoch_end(context)  # the framework calls it for the broken epoch, too
    assert (saved, progress.stop_reason, context.get_stop_requested()) == ([6], "SIGTERM", True)


def test_at_an_epochs_end_the_epochs_own_checkpoint_will_do():
    progress, guard, saved = _stop("SIGINT", epoch=2)
    context = run_context()
    guard.on_train_step_end(context)
    assert (progress.stop_reason, context.get_stop_requested()) == ("", False)
    guard.on_train_epoch_end(context)
    assert (saved, progress.stop_reason, context.get_stop_requested()) == ([], "SIGINT", True)


def test_after_the_last_epoch_there_is_nothing_to_stop():
    progress, guard, saved = _stop("SIGTERM", epoch=3)
    context = run_context()
    guard.on_train_step_end(context)
    guard.on_train_epoch_end(context)
    assert (saved, progress.stop_reason) == ([], "")
