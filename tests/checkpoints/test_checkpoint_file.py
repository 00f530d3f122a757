"""The file: what goes in comes out, and whatever happened to it on the way is noticed."""

import stat

import mindspore as ms
import numpy as np
import pytest

from src.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from src.checkpoints.store import FORMAT_VERSION, META_KEY, digest
from src.runtime.files import remove_partials
from tests.support.user_errors import message_of

TENSORS = {
    "layer.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "layer.half": np.array([1.5, -2.0], np.float16),
    "optimizer.global_step": np.array(22, np.int32),
    "state.counts": np.array([[3], [-4]], np.int32),
    "ema.layer.weight": np.full((2, 3), 0.25, np.float32),
    "state.loss_scale": np.array(1024.0, np.float32),
}
CONFIG = {"backbone": "vig_s", "class_num": 2, "lr_max": 1e-5}
COUNTERS = {"epoch": 3, "batch": 0, "step": 66, "steps_per_epoch": 22, "environment": {"ranks": 1}}
META = {"best": None, "class_names": ["cat", "猫"], "config": CONFIG, **COUNTERS}


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "last.ckpt"
    save_checkpoint(path, TENSORS, META)
    return path


def _record_ends(data: bytes) -> list[int]:
    """Ends of the file's protobuf records: field 1, length-delimited, until the trailer with the crc."""
    ends, position = [], 0
    while data[position] == 0x0A:
        length, shift, position = 0, 0, position + 1
        while True:
            byte, position = data[position], position + 1
            length, shift = length | (byte & 0x7F) << shift, shift + 7
            if byte < 0x80:
                break
        position += length
        ends.append(position)
    return ends


def test_tensors_and_meta_data_come_back_as_they_were(saved):
    checkpoint = load_checkpoint(saved)
    assert checkpoint.path == saved
    assert list(checkpoint.tensors) == list(TENSORS)
    for name, value in TENSORS.items():
        loaded = checkpoint.tensors[name]
        assert (loaded.dtype, loaded.shape, loaded.tolist()) == (value.dtype, value.shape, value.tolist())
    assert checkpoint.meta == {**META, "format": 1, "num_tensors": 6, "sha256": digest(TENSORS)}


def test_plain_mindspore_reads_the_file(saved):
    parameters = ms.load_checkpoint(str(saved))
    assert list(parameters) == [*TENSORS, META_KEY]
    assert parameters["layer.weight"].asnumpy().tolist() == [[0, 1, 2], [3, 4, 5]]


def test_only_the_finished_file_is_left_and_others_may_read_it(saved):
    assert [path.name for path in saved.parent.iterdir()] == ["last.ckpt"]
    assert stat.S_IMODE(saved.stat().st_mode) == 0o644


def test_a_file_is_replaced_by_a_newer_one(saved):
    save_checkpoint(saved, {"w": np.zeros(2, np.float32)}, {**META, "epoch": 4})
    checkpoint = load_checkpoint(saved)
    assert (list(checkpoint.tensors), checkpoint.meta["epoch"]) == (["w"], 4)


def test_a_link_to_the_old_file_keeps_the_old_content(saved):
    numbered = saved.with_name("vig_s-3_22.ckpt")
    numbered.hardlink_to(saved)
    save_checkpoint(saved, {"w": np.zeros(2, np.float32)}, {**META, "epoch": 4})
    assert load_checkpoint(numbered).meta["epoch"] == 3


def test_the_checksum_sees_names_types_shapes_and_bytes():
    value = np.zeros((2, 3), np.float32)
    variants = [
        {"a": value},
        {"b": value},
        {"a": value.astype(np.int32)},
        {"a": value.reshape(3, 2)},
        {"a": value + 1},
        {"a": value, "b": value},
    ]
    assert len({digest(variant) for variant in variants}) == 6
    assert digest({"a": value.T.copy().T}) == digest({"a": value})


def test_averages_are_the_weights_where_they_are_wanted():
    checkpoint = Checkpoint(None, TENSORS, {})
    assert list(checkpoint.weights(use_ema=False)) == ["layer.weight", "layer.half"]
    assert checkpoint.weights(use_ema=False)["layer.weight"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert checkpoint.weights(use_ema=True)["layer.weight"].tolist() == [[0.25] * 3] * 2
    assert checkpoint.weights(use_ema=True)["layer.half"].tolist() == [1.5, -2.0]
    assert list(checkpoint.state("state.")) == ["counts", "loss_scale"]


def test_a_file_that_is_cut_is_noticed_wherever_it_is_cut(saved):
    data = saved.read_bytes()
    for length in {*range(0, len(data), 13), 1, len(data) - 1} - set(_record_ends(data)):
        saved.write_bytes(data[:length])
        assert message_of(load_checkpoint, saved).startswith(f"checkpoint {saved} is damaged (")


def test_a_file_that_is_cut_between_two_records_is_noticed(saved):
    data = saved.read_bytes()
    ends = _record_ends(data)
    assert len(ends) == 7
    for end in ends[:-1]:
        saved.write_bytes(data[:end])
        assert message_of(load_checkpoint, saved) == (
            f"checkpoint {saved} is truncated or not of this zoo: use another checkpoint, or convert it with convert.py"
        )


def test_a_file_that_lacks_only_the_crc_is_checked_by_the_sha256(saved):
    data = saved.read_bytes()
    end = _record_ends(data)[-1]
    saved.write_bytes(data[:end])
    assert load_checkpoint(saved).tensors["layer.half"].tolist() == [1.5, -2.0]
    first_float = data.index(np.arange(6, dtype=np.float32).tobytes())
    saved.write_bytes(data[:first_float] + b"\x01" + data[first_float + 1 : end])
    assert message_of(load_checkpoint, saved) == (
        f"checkpoint {saved} is damaged (checksum mismatch): use another checkpoint"
    )


def test_a_changed_byte_is_noticed_wherever_it_is(saved):
    data = saved.read_bytes()
    for position in range(0, len(data), 7):
        changed = bytearray(data)
        changed[position] ^= 0x10
        saved.write_bytes(bytes(changed))
        assert message_of(load_checkpoint, saved).startswith(f"checkpoint {saved} is damaged (")


def test_a_missing_and_an_empty_file_are_told_apart(tmp_path):
    path = tmp_path / "x.ckpt"
    assert message_of(load_checkpoint, path) == f"checkpoint {path}: no such file"
    assert message_of(load_checkpoint, tmp_path) == f"checkpoint {tmp_path}: no such file"
    path.touch()
    assert message_of(load_checkpoint, path).startswith(f"checkpoint {path} is damaged (")
    path.write_text("# A page of text")
    assert message_of(load_checkpoint, path) == (
        f"checkpoint {path} is damaged (it is not in the form of MindSpore's checkpoints): use another checkpoint"
    )


def test_a_checkpoint_of_another_program_is_sent_to_convert(tmp_path):
    path = tmp_path / "old.ckpt"
    ms.save_checkpoint([{"name": "w", "data": ms.Tensor(np.ones(3, np.float32))}], str(path))
    assert message_of(load_checkpoint, path) == (
        f"checkpoint {path} is truncated or not of this zoo: use another checkpoint, or convert it with convert.py"
    )


def test_a_newer_format_asks_for_an_update(tmp_path):
    path = tmp_path / "new.ckpt"
    records = [{"name": "w", "data": ms.Tensor(np.ones(3, np.float32))}]
    ms.save_checkpoint(records, str(path), append_dict={META_KEY: '{"format": 2}'}, crc_check=True)
    assert FORMAT_VERSION == 1
    assert (
        message_of(load_checkpoint, path) == f"checkpoint {path} has format 2, but this version reads format 1: update"
    )


def test_unfinished_files_of_a_killed_process_are_removed(saved):
    folder = saved.parent
    for name in (".last.partial-12.ckpt", ".last.partial-12.tmp", ".best.ckpt.partial-7"):
        (folder / name).touch()
    (folder / ".hidden").touch()
    remove_partials(folder)
    assert sorted(path.name for path in folder.iterdir()) == [".hidden", "last.ckpt"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"config": None}, "config is not what it should be"),
        ({"config": {"backbone": "vig_s"}}, "its configuration has no class_num"),
        ({"config": {**CONFIG, "lr_max": "x"}}, "lr_max must be a number, not 'x'"),
        ({"config": {**CONFIG, "class_num": [2]}}, "class_num must be a whole number, not [2]"),
        ({"epoch": True}, "epoch is not what it should be"),
        ({"epoch": -1}, "epoch is not what it should be"),
        ({"step": 1.5}, "step is not what it should be"),
        ({"environment": []}, "environment is not what it should be"),
        ({"best": "high"}, "best is not what it should be"),
        ({"class_names": [1, 2]}, "class_names is not a list of names"),
        ({"class_names": "cat"}, "class_names is not what it should be"),
        ({"losses": [1.0]}, "losses is not a sum and a number"),
        ({"losses": ["1.0", 2]}, "losses is not a sum and a number"),
    ],
)
def test_meta_data_with_a_right_checksum_are_checked_too(tmp_path, change, fault):
    path = tmp_path / "crafted.ckpt"
    save_checkpoint(path, TENSORS, {**META, **change})
    assert message_of(load_checkpoint, path) == (
        f"checkpoint {path} is damaged (meta data: {fault}): use another checkpoint"
    )


@pytest.mark.parametrize("text", ["", "[]", "3", "{", "[" * 100_000, '{"format": 1}'])
def test_meta_data_that_are_no_table_are_damage(tmp_path, text):
    records = [{"name": "w", "data": ms.Tensor(np.ones(3, np.float32))}]
    ms.save_checkpoint(records, str(tmp_path / "x.ckpt"), append_dict={META_KEY: text}, crc_check=True)
    assert "x.ckpt is " in message_of(load_checkpoint, tmp_path / "x.ckpt")
