"""Scalars for TensorBoard: the bytes that TensorBoard 2.21's own writer gives."""

import struct

from src.visualization.event_file import EventFile, record

# Event(wall_time=1.5, step=300, summary of loss 0.25 and lr 0.5), as a record
EVENT = "09000000000000f83f10ac022a180a0b0a046c6f7373150000803e0a090a026c72150000003f"
RECORD = f"2600000000000000734fe300{EVENT}57dda8c0"


def events(path):
    """The data of a file's records."""
    content, found = path.read_bytes(), []
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        data = content[12 : 12 + length]
        assert content[: 16 + length] == record(data)
        found.append(data)
        content = content[16 + length :]
    return found


def without_time(event):
    assert event[:1] == b"\x09"
    return event[9:]


def test_a_record_is_tensorboards():
    assert record(bytes.fromhex(EVENT)).hex() == RECORD


def test_a_file_begins_with_its_version_and_the_step_from_which_it_counts(tmp_path):
    file = EventFile(tmp_path, first_step=7)
    file.write(300, {"loss": 0.25, "lr": 0.5})
    version, start, scalars = map(without_time, events(file.path))
    assert version == b"\x10\x00\x1a\x0dbrain.Event:2"
    assert start == b"\x10\x07\x3a\x02\x08\x01"
    assert scalars == bytes.fromhex(EVENT)[9:]
    assert file.path.name.startswith("events.out.tfevents.")


def test_a_long_step_and_a_long_tag(tmp_path):
    file = EventFile(tmp_path, 0)
    file.write(750_600, {"x" * 200: 1.0})
    data = without_time(events(file.path)[-1])
    assert data[:4] == b"\x10\x88\xe8\x2d"  # 0x88 + (0x68 << 7) + (0x2d << 14)
    assert data[4:].startswith(b"\x2a\xd3\x01\x0a\xd0\x01\x0a\xc8\x01xxx")
