"""Where the run stands, and the seeds' arithmetic of time and speed."""

import math
import time

import pytest

from src.callbacks.progress import Progress, TrackProgress
from tests.support.training import run_context, train


def test_the_seeds_speed_is_the_global_batch_over_the_time_of_a_step():
    progress = Progress(300, steps_per_epoch=2502, global_batch=512, step_seconds=1.2979)
    assert f"{progress.images_per_second:.2f}" == "394.48"
    assert Progress(300, 2502, 512).images_per_second == 0.0


def test_the_seeds_epoch_time_is_steps_times_the_time_of_a_step():
    assert f"{3247.40 / 2502:.4f}" == "1.2979"
    progress = Progress(1, steps_per_epoch=4, global_batch=2)
    train(progress, [[1.0, 2.0, 3.0, 4.0]], [])
    assert progress.epoch_seconds > 0
    assert progress.epoch_seconds == pytest.approx(4 * progress.step_seconds)
    assert progress.images_per_second == pytest.approx(2 / progress.step_seconds)


def test_counters_move_with_the_steps():
    progress = Progress(num_epochs=2, steps_per_epoch=3, global_batch=1)
    track = TrackProgress(progress, read_interval=1)
    seen = [(progress.step, progress.at_epoch_end)]
    for _ in range(2):
        track.on_train_epoch_begin(run_context())
        for _ in range(3):
            track.on_train_step_end(run_context())
            seen.append((progress.step, progress.at_epoch_end))
    assert seen == [(0, False), (1, False), (2, False), (3, True), (4, False), (5, False), (6, True)]
    assert (progress.epoch, progress.batch, progress.num_steps) == (2, 0, 6)


def test_the_loss_is_read_every_so_many_steps_and_at_the_epochs_end():
    progress = Progress(num_epochs=1, steps_per_epoch=5, global_batch=1)
    track = TrackProgress(progress, read_interval=2)
    track.on_train_epoch_begin(run_context())
    read = []
    for loss in (1.0, 2.0, 3.0, 4.0, 5.0):
        track.on_train_step_end(run_context(loss))
        read.append((progress.loss, progress.loss_is_fresh))
    assert read == [(None, False), (2.0, True), (2.0, False), (4.0, True), (5.0, True)]
    assert (progress.loss_sum, progress.num_losses) == (11.0, 3)


def test_an_epoch_begins_without_the_readings_of_the_last_one():
    progress = Progress(2, 3, 1, loss_sum=1.0, num_losses=1, evaluation={"score": 0.5})
    TrackProgress(progress, 1).on_train_epoch_begin(run_context())
    assert (progress.num_losses, progress.loss_sum, progress.evaluation) == (0, 0.0, {})
    assert math.isnan(progress.mean_loss)


def test_a_resumed_epoch_is_timed_by_the_steps_that_it_had():
    progress = Progress(num_epochs=1, steps_per_epoch=4, global_batch=2, batch=3)
    train(progress, [[1.0, 2.0, 3.0, 4.0]], [])
    assert (progress.epoch, progress.batch) == (1, 0)
    assert progress.step_seconds == progress.epoch_seconds


def test_the_mean_loss_of_a_resumed_epoch_covers_the_whole_epoch():
    progress = Progress(num_epochs=1, steps_per_epoch=4, global_batch=2, batch=2, loss_sum=3.0, num_losses=2)
    train(progress, [[1.0, 2.0, 3.0, 6.0]], [])
    assert progress.mean_loss == 3.0


def test_the_compiling_step_counts_for_no_speed_once_there_is_another(monkeypatch):
    """Seconds: 100 to compile, 2 and 4 for the other steps of the first epoch, 10 to evaluate, 1 for each step."""
    clock = iter([0.0, 100.0, 102.0, 106.0, 116.0, 117.0, 118.0, 119.0])
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    progress = Progress(num_epochs=2, steps_per_epoch=3, global_batch=6)
    track, speeds = TrackProgress(progress, 1), []
    for _ in range(2):
        track.on_train_epoch_begin(run_context())
        for _ in range(3):
            track.on_train_step_end(run_context())
            speeds.append(progress.images_per_second)
        speeds.append(progress.epoch_seconds)
    assert speeds == [0.06, 3.0, 2.0, 9.0, 6.0, 6.0, 6.0, 3.0]
