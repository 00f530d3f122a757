"""Reader of weights files of other origin: PyTorch, safetensors, NumPy, MindSpore."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from src.checkpoints.mindspore_file import read_mindspore
from src.checkpoints.store import META_KEY
from src.checkpoints.torch_file import NotAllowed, check_archive, from_bfloat16, read_torch
from src.config import UserError

MAX_HEADER = 100_000_000  # bytes, the format's own limit
MAX_SHARDED = 2**32  # bytes of weights in several files; the largest network here has half a gigabyte
INDEX_ENDING = ".index.json"  # of weights in several files
_AVERAGED = ("state_dict_ema", "model_ema", "ema")
_PLAIN = ("state_dict", "model", "model_state_dict", "net")
_SAFETENSORS_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "BOOL": "?"}
_SAFETENSORS_TYPES |= {f"{sign}{8 * size}": f"<{sign.lower()}{size}" for sign in "IU" for size in (1, 2, 4, 8)}


@dataclass(frozen=True)
class ForeignWeights:
    """Content of a weights file.

    Attributes:
        tensors: by their names in the file.
        entry: the entry that contained them; "": the file itself.
        is_mindspore: whether the old zoo's framework wrote the file; all other formats come from PyTorch.
    """

    tensors: dict[str, np.ndarray]
    entry: str = ""
    is_mindspore: bool = False


def read_foreign_weights(path: Path, *, use_ema: bool = True) -> ForeignWeights:
    """Read a weights file of PyTorch, safetensors, NumPy (.npz) or MindSpore; the format is detected from its content.

    The index of weights in several files (model.safetensors.index.json) stands for all of them.

    Args:
        use_ema: use the averaged weights if a training checkpoint contains them beside the plain ones.

    Raises:
        UserError: missing, damaged, of another format, or a pickle that asks to call a function.
    """
    if not path.is_file():
        raise UserError(f"input {path}: no such file")
    try:
        reader = _reader_for(path)
        saved = reader(path)
    except NotAllowed as error:
        raise UserError(
            f"input {path} asks to call {error}, which no weights file needs: nothing was executed; "
            "give a file that contains tensors only (a state_dict)"
        ) from None
    except Exception as error:  # each format reports damage by its own types
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(f"input {path} is damaged or not a weights file: {reason}") from None
    if META_KEY in saved:
        raise UserError(f"input {path} is already a checkpoint of this zoo: use it directly")
    entry = next((name for name in (*_AVERAGED * use_ema, *_PLAIN) if isinstance(saved.get(name), dict)), "")
    found = saved[entry] if entry else saved
    tensors = {str(name): value for name, value in found.items() if isinstance(value, np.ndarray)}
    if not tensors:
        raise UserError(f"input {path} contains no named weights, only {', '.join(map(str, found)) or 'nothing'}")
    return ForeignWeights(tensors, entry, reader is _read_mindspore)


def _reader_for(path: Path) -> Callable[[Path], Mapping[str, Any]]:
    with path.open("rb") as file:
        head = file.read(10)
    if path.name.endswith(INDEX_ENDING):
        return _read_shards
    if head[:2] == b"PK":
        with zipfile.ZipFile(path) as archive:
            return _read_npz if all(name.endswith(".npy") for name in archive.namelist()) else _read_torch_dict
    if head[8:9] == b"{":
        return _read_safetensors
    if head[:1] == b"\x80":
        return _read_torch_dict
    if path.suffix == ".ckpt":
        return _read_mindspore
    raise ValueError("the supported formats are PyTorch, safetensors, numpy (.npz) and MindSpore (.ckpt)")


def _read_torch_dict(path: Path) -> Mapping[str, Any]:
    saved = read_torch(path)
    if not isinstance(saved, dict):
        raise ValueError(f"it contains one {type(saved).__name__}, not named weights")
    return saved


def _read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """Tensors by name, bfloat16 as float32: the length of a JSON header, the header, then the bytes of the tensors."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > MAX_HEADER:
            raise ValueError("its header is too long")
        header = json.loads(file.read(length))
        content = memoryview(file.read())
    entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
    _check_offsets([entry["data_offsets"] for entry in entries.values()], len(content))
    tensors = {}
    for name, entry in entries.items():
        begin, end = entry["data_offsets"]
        values = np.frombuffer(content[begin:end], _SAFETENSORS_TYPES[entry["dtype"]]).reshape(entry["shape"])
        tensors[name] = from_bfloat16(values) if entry["dtype"] == "BF16" else values
    return tensors


def _check_offsets(offsets: list, size: int) -> None:
    """ValueError for tensors that overlap, which would take more memory than the file has bytes, or lie outside."""
    end_before = 0
    for begin, end in sorted(offsets):
        if not end_before <= begin <= end <= size:
            raise ValueError("its tensors overlap or lie outside of the file")
        end_before = end


def _read_shards(path: Path) -> dict[str, Any]:
    """The tensors of an index file and the files beside it: {"weight_map": {name of a tensor: file}}."""
    files = json.loads(path.read_text(encoding="utf-8"))["weight_map"]
    tensors: dict[str, Any] = {}
    for name in sorted(set(files.values())):
        if Path(name).name != name:
            raise ValueError(f"its file {name} is not beside it")
        if name.endswith(INDEX_ENDING):
            raise ValueError(f"its file {name} is an index itself")
        shard = path.with_name(name)
        if not shard.is_file():
            raise ValueError(f"its file {name} is missing")
        tensors |= _reader_for(shard)(shard)
        if sum(value.nbytes for value in tensors.values() if isinstance(value, np.ndarray)) > MAX_SHARDED:
            raise ValueError(f"its files hold more than {MAX_SHARDED // 2**30} GiB of weights")
    missing = [name for name in files if name not in tensors]
    if missing:
        raise ValueError(f"{files[missing[0]]} has no {missing[0]}")
    return tensors


def _read_npz(path: Path) -> Mapping[str, np.ndarray]:
    with zipfile.ZipFile(path) as archive:
        check_archive(archive)
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def _read_mindspore(path: Path) -> Mapping[str, Any]:
    import mindspore as ms

    saved = read_mindspore(path)
    return {name: value.asnumpy() if isinstance(value, ms.Parameter) else value for name, value in saved.items()}
