"""What `torch.save` wrote, read without PyTorch. The files in torch_files/ were written by PyTorch 2.13."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from src.checkpoints.torch_file import NotAllowed, read_torch
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
