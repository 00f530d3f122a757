"""Weights files of other origin: told apart by their content, and what is wrong with them in one line."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from mindspore.train.checkpoint_pb2 import Checkpoint

from src.checkpoints import foreign, read_foreign_weights, save_checkpoint
from tests.checkpoints.test_torch_file import FILES, Attack
from tests.support.user_errors import message_of
from tests.support.weights_files import write_mindspore, write_npz, write_safetensors, write_torch

TENSORS = {"a.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array([1.5], np.float32)}
WRITERS = {"x.pth": write_torch, "x.safetensors": write_safetensors, "x.npz": write_npz, "x.ckpt": write_mindspore}


@pytest.mark.parametrize("name", WRITERS)
def test_formats(name, tmp_path):
    weights = read_foreign_weights(WRITERS[name](tmp_path / name, TENSORS))
    assert weights.entry == ""
    assert {key: value.tolist() for key, value in weights.tensors.items()} == {
        "a.weight": [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]],
        "b": [1.5],
    }


@pytest.mark.parametrize("name", ["x.pth", "x.safetensors", "x.npz"])
def test_the_ending_does_not_matter(name, tmp_path):
    path = WRITERS[name](tmp_path / name, TENSORS).rename(tmp_path / "weights.bin")
    assert list(read_foreign_weights(path).tensors) == list(TENSORS)


@pytest.mark.parametrize("name", ["state_dict", "model", "model_state_dict"])
def test_the_weights_of_a_training_checkpoint(name, tmp_path):
    weights = read_foreign_weights(write_torch(tmp_path / "x.pth", TENSORS, entry=name))
    assert (weights.entry, list(weights.tensors)) == (name, list(TENSORS))


def test_averaged_weights_unless_refused():
    averaged, plain = (read_foreign_weights(FILES / "training.pth", use_ema=use) for use in (True, False))
    assert (averaged.entry, averaged.tensors["weight"][0, 0]) == ("model_ema", 0.0)
    assert (plain.entry, plain.tensors["weight"][0, 0]) == ("model", -1.0)


def test_safetensors_of_other_types(tmp_path):
    header = b'{"__metadata__":{"format":"pt"},"n":{"dtype":"I64","shape":[],"data_offsets":[4,12]},'
    header += b'"b":{"dtype":"BF16","shape":[2,1],"data_offsets":[0,4]}}'
    content = b"\x80\x3f\x00\xc0" + (7).to_bytes(8, "little")  # 1.0 and -2.0 as the upper halves of float32
    (tmp_path / "x").write_bytes(len(header).to_bytes(8, "little") + header + content)
    tensors = read_foreign_weights(tmp_path / "x").tensors
    assert (tensors["n"].tolist(), tensors["b"].tolist()) == (7, [[1.0], [-2.0]])
    assert tensors["b"].dtype == np.float32


def _message(path: Path) -> str:
    return message_of(read_foreign_weights, path).replace(str(path), "FILE")


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_that_is_cut_short(name, tmp_path):
    path = WRITERS[name](tmp_path / name, TENSORS)
    path.write_bytes(path.read_bytes()[:-20])
    assert _message(path).startswith("input FILE is damaged or not a weights file: ")


@pytest.mark.parametrize("content", [b"", b"hello", b"cos\nsystem\n(S'true'\ntR."])
def test_what_is_no_weights_file(content, tmp_path):
    (tmp_path / "x.pth").write_bytes(content)
    assert _message(tmp_path / "x.pth") == (
        "input FILE is damaged or not a weights file: the supported formats are PyTorch, safetensors, "
        "numpy (.npz) and MindSpore (.ckpt)"
    )


def test_other_mistakes(tmp_path):
    assert _message(tmp_path / "none.pth") == "input FILE: no such file"
    (tmp_path / "evil.pth").write_bytes(pickle.dumps(Attack(tmp_path / "trace")))
    assert _message(tmp_path / "evil.pth") == (
        "input FILE asks to call posix.mkdir, which no weights file needs: nothing was executed; "
        "give a file that contains tensors only (a state_dict)"
    )
    assert not (tmp_path / "trace").exists()
    assert _message(write_torch(tmp_path / "nothing.pth", {})) == "input FILE contains no named weights, only nothing"
    save_checkpoint(tmp_path / "ours.ckpt", TENSORS, {})
    assert _message(tmp_path / "ours.ckpt") == "input FILE is already a checkpoint of this zoo: use it directly"


@pytest.mark.parametrize("shape", [(2,), (4,), (3, -1), (2**40,)])
def test_a_tensor_whose_bytes_do_not_fit_its_shape_never_reaches_the_framework(tmp_path, shape):
    """The framework would write behind the tensor's end."""
    saved = Checkpoint()
    entry = saved.value.add()
    entry.tag, entry.tensor.tensor_type, entry.tensor.tensor_content = "w", "Float32", bytes(12)
    entry.tensor.dims.extend(shape)
    (tmp_path / "x.ckpt").write_bytes(saved.SerializeToString())
    assert message_of(read_foreign_weights, tmp_path / "x.ckpt").startswith(f"input {tmp_path}/x.ckpt is damaged ")


def test_tensors_that_overlap_are_refused(tmp_path):
    places = {"a": [0, 8], "b": [4, 12]}
    entries = {name: {"dtype": "F32", "shape": [2], "data_offsets": place} for name, place in places.items()}
    header = json.dumps(entries).encode()
    (tmp_path / "x.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(12))
    assert "its tensors overlap" in message_of(read_foreign_weights, tmp_path / "x.safetensors")


# -- weights in several files


def _sharded(folder, tensors=None, files=None):
    """Three tensors in two files, and their index."""
    tensors = tensors or {name: np.arange(4, dtype=np.float32) + number for number, name in enumerate("abc")}
    shards = {"model-1-of-2.safetensors": ["a"], "model-2-of-2.safetensors": ["b", "c"]}
    for file, names in shards.items():
        write_safetensors(folder / file, {name: tensors[name] for name in names})
    files = files or {name: file for file, names in shards.items() for name in names}
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 48}, "weight_map": files}))
    return index, tensors


def test_the_index_of_several_files_stands_for_all_of_them(tmp_path):
    index, tensors = _sharded(tmp_path)
    found = read_foreign_weights(index).tensors
    assert {name: value.tolist() for name, value in found.items()} == {
        name: value.tolist() for name, value in tensors.items()
    }


def test_weights_in_several_files_have_a_limit_together(tmp_path, monkeypatch):
    index, _ = _sharded(tmp_path)
    monkeypatch.setattr(foreign, "MAX_SHARDED", 40)
    assert "its files hold more than" in message_of(read_foreign_weights, index)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"a": "../model-1-of-2.safetensors"}, "its file ../model-1-of-2.safetensors is not beside it"),
        ({"a": "gone.safetensors"}, "its file gone.safetensors is missing"),
        ({"d": "model-1-of-2.safetensors"}, "model-1-of-2.safetensors has no d"),
        ({"a": "model.safetensors.index.json"}, "its file model.safetensors.index.json is an index itself"),
    ],
)
def test_an_index_that_does_not_match_its_files(tmp_path, files, reason):
    index, _ = _sharded(tmp_path, files=files)
    assert _message(index) == f"input FILE is damaged or not a weights file: {reason}"


def test_the_framework_that_wrote_a_file_is_known(tmp_path):
    """The old zoo's preprocessing is another than PyTorch's."""
    tensors = {"a": np.zeros(3, np.float32)}
    assert read_foreign_weights(write_mindspore(tmp_path / "a.ckpt", tensors)).is_mindspore
    assert not read_foreign_weights(write_torch(tmp_path / "a.pth", tensors)).is_mindspore
