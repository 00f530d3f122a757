"""What `torch.save` wrote, read without PyTorch. The files in torch_files/ were written by PyTorch 2.13."""

import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from src.checkpoints.torch_file import LEGACY_MAGIC, NotAllowed, read_torch
from tests.support.weights_files import Call, Storage, tensor, write_torch, write_torch_object

FILES = Path(__file__).parent / "torch_files"
EXPECTED = {
    "weight": [[-1.0, -0.75, -0.5], [-0.25, 0.0, 0.25]],
    "transposed": [[-1.0, -0.5, 0.0], [-0.75, -0.25, 0.25]],
    "last": [[[[-1.0, -0.75, -0.5]], [[-0.25, 0.0, 0.25]]]],  # stored channels last
    "half": [-1.0, -0.75, -0.5],
    "bfloat": [-1.0, -0.75, -0.5],
    "counter": 7,
    "parameter": [-1.0, -0.75],
    "part": [3.0, 5.0, 7.0],
    "empty": [],
}


@pytest.mark.parametrize("name", ["plain.pth", "legacy.pth"])
def test_tensors_of_both_formats(name):
    tensors = read_torch(FILES / name)
    assert {key: value.tolist() for key, value in tensors.items()} == EXPECTED
    assert tensors["empty"].shape == (0, 3)
    assert {key: str(value.dtype) for key, value in tensors.items() if value.dtype != np.float32} == {
        "half": "float16",
        "counter": "int64",
    }


def test_a_training_checkpoint_with_its_arguments():
    saved = read_torch(FILES / "training.pth")
    assert list(saved) == ["model", "model_ema", "epoch", "args"]
    assert saved["epoch"] == 3
    assert saved["model"]["weight"][0, 0] == -1.0
    assert saved["model_ema"]["weight"][0, 0] == 0.0


def test_our_writer_is_read_like_pytorchs(tmp_path):
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    saved = read_torch(write_torch(tmp_path / "x.pth", {"a": array, "b": array.T}, entry="model"))
    assert saved["model"]["a"].tolist() == array.tolist()
    assert saved["epoch"] == 299


class Attack:
    """Pickled as a call that leaves a trace."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (str(self.trace),)


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_pickle_that_calls_is_refused_before_the_call(protocol, tmp_path):
    (tmp_path / "x.pth").write_bytes(pickle.dumps({"a": Attack(tmp_path / "trace")}, protocol))
    with pytest.raises(NotAllowed, match=r"posix\.mkdir"):
        read_torch(tmp_path / "x.pth")
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize("name", ["builtins.eval", "torch.nn.Linear", "torch.hub.load", "numpy.load", "io.open"])
def test_no_other_name_is_reached(name, tmp_path):
    path = write_torch_object(tmp_path / "x.pth", {"a": Call(name, "x")}, [])
    with pytest.raises(NotAllowed, match=name):
        read_torch(path)


@pytest.mark.parametrize(
    ("shape", "strides", "offset"),
    [((5,), (1,), 0), ((2, 2), (3, 1), 0), ((2,), (1,), 3), ((2,), (-1,), 1), ((2,), (1,), -1), ((9,), (0,), 0)],
)
def test_no_memory_beyond_a_storage_is_read(shape, strides, offset, tmp_path):
    storage = Storage("0", np.zeros(4, np.float32))
    path = write_torch_object(tmp_path / "x.pth", {"a": tensor(storage, shape, strides, offset)}, [storage])
    with pytest.raises(ValueError, match="extends beyond its storage"):
        read_torch(path)


def test_shared_parts_are_read_once(tmp_path):
    """Forty levels that share their only part are 2**40 parts when each is read for itself."""
    shared: dict = {"leaf": 1}
    for _ in range(40):
        shared = {"left": shared, "right": shared}
    saved = read_torch(write_torch_object(tmp_path / "x.pth", {"model": shared}, []))
    assert saved["model"]["left"] is saved["model"]["right"]


def test_tensors_that_are_together_larger_than_the_file_are_refused(tmp_path):
    storage = Storage("0", np.zeros(500_000, np.float32))
    views = {f"w{number}": tensor(storage, (500_000,), (1,)) for number in range(50)}
    with pytest.raises(ValueError, match="overlap or are larger"):
        read_torch(write_torch_object(tmp_path / "x.pth", views, [storage]))


def test_an_archive_that_grows_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/data.pkl", b"\0" * 10**8)
    with pytest.raises(ValueError, match="many times as large"):
        read_torch(tmp_path / "x.pth")


@pytest.mark.parametrize("pickled", [b"\x80\x02}r\xff\xff\xff\x7f.", b"\x80\x02}p2147483647\n.", b"\x80\x02}"])
@pytest.mark.parametrize("legacy", [False, True])
def test_a_pickle_that_reserves_memory_is_refused(tmp_path, pickled, legacy):
    path = tmp_path / "x.pth"
    path.write_bytes(pickle.dumps(LEGACY_MAGIC, 2) + pickled)
    if not legacy:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x/data.pkl", pickled)
    with pytest.raises(ValueError):
        read_torch(path)
