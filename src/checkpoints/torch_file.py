"""Reader of `torch.save` files that needs no PyTorch and executes nothing from the pickle.

Such a file is a pickle that refers to raw storages: entries beside it in a zip archive or, before PyTorch 1.6, blocks
after it. A pickle may ask to call any function of any module; here only the few names of `_ALLOWED` are available, and
none of them does more than build a record.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

MAX_PICKLE = 64 * 2**20  # bytes; it holds names and shapes, no numbers
MAX_GROWTH = 20  # times the size of its file that a weights file's content may take
SMALL = 2**24  # bytes that any file's content may take
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_BFLOAT16 = "bfloat16"
_STORAGE_TYPES = {
    "DoubleStorage": "f8",
    "FloatStorage": "f4",
    "HalfStorage": "f2",
    "BFloat16Storage": _BFLOAT16,
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}


class NotAllowed(Exception):
    """The pickle asks for a name that no weights file needs; the message is the name."""


@dataclass(frozen=True)
class _Storage:
    type: str
    key: str


@dataclass(frozen=True)
class _Tensor:
    """A view into a storage, in elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Remark:
    """Placeholder for an object that describes the training and is not needed here: arguments, a score."""

    def __init__(self, *_arguments: Any):
        pass

    def __setstate__(self, state: Any) -> None:
        pass


def _tensor(storage: _Storage, offset: int, shape: tuple, strides: tuple, *_more: Any) -> _Tensor:
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


def _parameter(data: _Tensor, *_more: Any) -> _Tensor:
    return data


_REMARKS = ("argparse.Namespace", "torch.device", "torch.Size", "numpy.dtype", "_codecs.encode")
_REMARKS += ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")
_ALLOWED: dict[str, Any] = {
    "collections.OrderedDict": OrderedDict,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": _parameter,
    **{f"torch.{name}": dtype for name, dtype in _STORAGE_TYPES.items()},
    **dict.fromkeys(_REMARKS, _Remark),
}


class _Unpickler(pickle.Unpickler):
    """Unpickler that builds nothing but tensors, plain values and remarks."""

    def find_class(self, module: str, name: str) -> Any:
        full_name = f"{module}.{name}"
        if full_name not in _ALLOWED:
            raise NotAllowed(full_name)
        return _ALLOWED[full_name]

    def persistent_load(self, reference: tuple) -> _Storage:
        _, storage_type, key, *_ = reference
        return _Storage(storage_type, str(key))


def read_torch(path: Path) -> Any:
    """The saved object with numpy arrays for its tensors (bfloat16 as float32).

    Raises:
        NotAllowed: it contains more than tensors, plain values and remarks on the training.
        Exception: the file is damaged; the type varies.
    """
    with path.open("rb") as file:
        if zipfile.is_zipfile(file):
            return _read_zip(file)
        file.seek(0)
        return _read_legacy(file)


def _read_zip(file: BinaryIO) -> Any:
    with zipfile.ZipFile(file) as archive:
        check_archive(archive)
        pickled = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
        root = pickled.removesuffix("data.pkl")
        big = f"{root}byteorder" in archive.namelist() and archive.read(f"{root}byteorder") == b"big"
        saved = _unpickle(io.BytesIO(archive.read(pickled)))
        order = ">" if big else "<"
        return _Filler(lambda storage: archive.read(f"{root}data/{storage.key}"), order, _size(file)).fill(saved)


def _read_legacy(file: BinaryIO) -> Any:
    """The legacy format: pickles of a magic number, a version, the system and the object; storage keys; storages."""
    if _unpickle(file) != LEGACY_MAGIC:
        raise ValueError("a pickle that torch.save did not write")
    _version, system = _unpickle(file), _unpickle(file)
    types: dict[str, str] = {}

    class Recorder(_Unpickler):
        def persistent_load(self, reference: tuple) -> _Storage:
            storage = super().persistent_load(reference)
            types[storage.key] = storage.type
            return storage

    saved = _unpickle(file, Recorder)
    blocks = {}
    for key in _unpickle(file):
        num_elements = int.from_bytes(file.read(8), "little")
        blocks[key] = file.read(num_elements * _item_size(types[key]))
    order = "<" if system["little_endian"] else ">"
    return _Filler(lambda storage: blocks[storage.key], order, _size(file)).fill(saved)


def _unpickle(file: BinaryIO, kind: type[_Unpickler] = _Unpickler) -> Any:
    """The next object of a stream of pickles, of which one that would take much memory is refused before it is read.

    The position in the memo is a number in the file for which the unpickler reserves memory at once.
    """
    begin = file.tell()
    limit = min(MAX_PICKLE, _size(file) - begin)  # bytes
    for opcode, value, position in pickletools.genops(file):
        if position - begin > limit or ("PUT" in opcode.name and int(value) > limit):
            raise ValueError("its pickle is damaged or too large")
    file.seek(begin)
    return kind(file).load()


def _size(file: BinaryIO) -> int:
    position = file.tell()
    size = file.seek(0, io.SEEK_END)
    file.seek(position)
    return size


def check_archive(archive: zipfile.ZipFile) -> None:
    """ValueError for an archive whose content is many times as large as its file: weights hardly compress."""
    packed = sum(entry.compress_size for entry in archive.infolist())
    unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > SMALL + MAX_GROWTH * packed:
        raise ValueError("its content is many times as large as the file")


class _Filler:
    """Puts arrays in place of the tensors, each shared object once and within the memory that the file justifies."""

    def __init__(self, content: Callable[[_Storage], bytes], order: str, file_size: int):
        self._content, self._order = content, order
        self._left = SMALL + MAX_GROWTH * file_size
        self._done: dict[int, Any] = {}

    def fill(self, saved: Any) -> Any:
        """The object with arrays."""
        if not isinstance(saved, _Tensor | dict):
            return saved
        if id(saved) not in self._done:
            self._done[id(saved)] = self._filled(saved)
        return self._done[id(saved)]

    def _filled(self, saved: _Tensor | dict) -> Any:
        if isinstance(saved, dict):
            return {key: self.fill(value) for key, value in saved.items()}
        self._left -= math.prod(saved.shape) * 8
        if self._left < 0:
            raise ValueError("its tensors overlap or are larger than the file")
        return _array(saved, self._content(saved.storage), self._order)


def _array(tensor: _Tensor, content: bytes, order: str) -> np.ndarray:
    bfloat16 = tensor.storage.type == _BFLOAT16
    flat = np.frombuffer(content, np.dtype("u2" if bfloat16 else tensor.storage.type).newbyteorder(order))
    size = math.prod(tensor.shape)
    if size == 0:
        return np.zeros(tensor.shape, np.float32)
    ends = [(length - 1) * stride for length, stride in zip(tensor.shape, tensor.strides, strict=True)]
    last = tensor.offset + sum(ends)
    if size > len(flat) or tensor.offset < 0 or min(ends, default=0) < 0 or last >= len(flat):
        raise ValueError("a tensor extends beyond its storage")
    strides = [stride * flat.itemsize for stride in tensor.strides]
    view = np.lib.stride_tricks.as_strided(flat[tensor.offset :], tensor.shape, strides)
    return from_bfloat16(view) if bfloat16 else view.astype(flat.dtype.newbyteorder("="))


def from_bfloat16(bits: np.ndarray) -> np.ndarray:
    """uint16 bits of bfloat16 values, the upper half of a float32 each -> float32."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def _item_size(storage_type: str) -> int:
    return 2 if storage_type == _BFLOAT16 else np.dtype(storage_type).itemsize
