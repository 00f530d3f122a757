"""TensorBoard events: the file, what is written into it, and runs without the library."""

import logging
import struct
import sys

from tensorboardX.proto.event_pb2 import Event, SessionLog

from src.callbacks.progress import Progress
from src.callbacks.tensorboard import EventFile, WriteScalars, tensorboard_callbacks
from tests.support.training import train


def events(folder):
    """What the one file of a folder holds: rows of length, its checksum, data, their checksum."""
    (path,) = folder.iterdir()
    assert path.name.startswith("events.out.tfevents.")
    content, found = path.read_bytes(), []
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        found.append(Event.FromString(content[12 : 12 + length]))
        content = content[16 + length :]
    return found


def test_a_file_begins_with_its_version_and_the_step_from_which_it_counts(tmp_path):
    _ = EventFile(tmp_path, first_step=7)
    version, start = events(tmp_path)
    assert version.file_version == "brain.Event:2"
    assert (start.step, start.session_log.status) == (7, SessionLog.START)


def test_values_are_in_the_file_at_once(tmp_path):
    file = EventFile(tmp_path, first_step=1)
    file.write(750_600, {"loss": 0.25, "lr": 0.5})
    scalars = events(tmp_path)[-1]
    assert scalars.step == 750_600
    assert [(value.tag, value.simple_value) for value in scalars.summary.value] == [("loss", 0.25), ("lr", 0.5)]


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


def make_callbacks(folder):
    progress = Progress(num_epochs=1, steps_per_epoch=2, global_batch=4)
    return tensorboard_callbacks(folder, progress, lambda: 0.1, dict, logging.getLogger())


def test_with_the_library(tmp_path, caplog):
    (callback,) = make_callbacks(tmp_path)
    callback.on_train_epoch_end(None)
    assert (len(list(tmp_path.iterdir())), caplog.messages) == (1, [])


def test_without_it_the_log_says_so(tmp_path, caplog, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX.event_file_writer", None)
    assert make_callbacks(tmp_path) == []
    assert caplog.messages == [
        "tensorboard: no events are written because tensorboardX is not installed: pip install tensorboardX, "
        "or give --tensorboard 0"
    ]
    assert not list(tmp_path.iterdir())
