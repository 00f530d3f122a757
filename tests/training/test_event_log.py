"""TensorBoard is an offer: a run goes on without it."""

import logging
import sys

from src.callbacks.progress import Progress
from src.training.event_log import event_log
from tests.support.small_step import small_step

PROGRESS = Progress(num_epochs=1, steps_per_epoch=2, global_batch=4)


def test_with_the_library(tmp_path, caplog):
    (callback,) = event_log(tmp_path, PROGRESS, small_step(), logging.getLogger())
    callback.on_train_epoch_end(None)
    assert (len(list(tmp_path.iterdir())), caplog.messages) == (1, [])


def test_without_it_the_log_says_so(tmp_path, caplog, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX.event_file_writer", None)
    assert event_log(tmp_path, PROGRESS, small_step(), logging.getLogger()) == []
    assert caplog.messages == [
        "tensorboard: no events are written, since tensorboardX is not installed: pip install tensorboardX, "
        "or give --tensorboard 0"
    ]
    assert not list(tmp_path.iterdir())
