"""Weights files as other programs write them, made without those programs."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

STORAGES = {"float32": "FloatStorage", "float16": "HalfStorage", "float64": "DoubleStorage", "int64": "LongStorage"}


class Call:
    """Pickled as a call of a function by its name, whether that exists here or not."""

    def __init__(self, function: str, *arguments: Any):
        self.function, self.arguments = function, arguments


class Storage:
    """Pickled as a reference to raw data beside the pickle."""

    def __init__(self, key: str, array: np.ndarray):
        self.key, self.array = key, array


class _TorchPickler(pickle._Pickler):
    """Python's own pickler with a way to write names that cannot be imported here."""

    def persistent_id(self, value: Any) -> tuple | None:
        if not isinstance(value, Storage):
            return None
        name = Call(f"torch.{STORAGES[str(value.array.dtype)]}")
        return ("storage", name, value.key, "cpu", value.array.size)

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if not isinstance(obj, Call):
            super().save(obj, save_persistent_id)
            return
        module, _, name = obj.function.rpartition(".")
        self.write(pickle.GLOBAL + f"{module}\n{name}\n".encode())
        if obj.arguments:
            self.save(obj.arguments)
            self.write(pickle.REDUCE)


def tensor(storage: Storage, shape: tuple[int, ...], strides: tuple[int, ...], offset: int = 0) -> Call:
    """A view into a storage, in elements."""
    return Call("torch._utils._rebuild_tensor_v2", storage, offset, shape, strides, False, {})


def write_torch_object(path: Path, saved: Any, storages: list[Storage]) -> Path:
    """What `torch.save` makes of an object: a zip with a pickle and the storages."""
    with zipfile.ZipFile(path, "w") as archive:
        with archive.open("archive/data.pkl", "w") as file:
            _TorchPickler(file, protocol=2).dump(saved)
        for storage in storages:
            archive.writestr(f"archive/data/{storage.key}", storage.array.tobytes())
    return path


def write_torch(path: Path, tensors: Mapping[str, np.ndarray], entry: str = "") -> Path:
    """A state dict; `entry`: as that entry of a training checkpoint."""
    storages = [Storage(str(number), array) for number, array in enumerate(tensors.values())]
    strides = [tuple(stride // array.itemsize for stride in array.strides) for array in tensors.values()]
    views = [tensor(storage, storage.array.shape, step) for storage, step in zip(storages, strides, strict=True)]
    saved: dict[str, Any] = dict(zip(tensors, views, strict=True))
    if entry:
        saved = {entry: saved, "epoch": 299, "args": Call("argparse.Namespace", "lr")}
    return write_torch_object(path, saved, storages)


def write_safetensors(path: Path, tensors: Mapping[str, np.ndarray]) -> Path:
    """The format of the `safetensors` library, by that library."""
    from safetensors.numpy import save_file

    save_file(dict(tensors), path)
    return path


def write_npz(path: Path, tensors: Mapping[str, np.ndarray]) -> Path:
    """numpy's archive."""
    np.savez(path, **tensors)
    return path


def write_mindspore(path: Path, tensors: Mapping[str, np.ndarray]) -> Path:
    """The framework's own file, as the older zoo saved it."""
    import mindspore as ms

    ms.save_checkpoint([{"name": name, "data": ms.Tensor(array)} for name, array in tensors.items()], str(path))
    return path
