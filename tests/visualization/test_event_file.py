"""Scalars for TensorBoard, read back."""

import struct

from tensorboardX.proto.event_pb2 import Event, SessionLog

from src.visualization import EventFile


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
