"""Reader of the framework's checkpoint files that checks sizes first: the framework writes past the end of a tensor
whose shape is smaller than its bytes.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

_TRAILER = b"crc_num"  # then ten bytes with the checksum
_BYTES = {
    **dict.fromkeys(("Int8", "UInt8", "Bool", "Int4"), 1),
    **dict.fromkeys(("Int16", "UInt16", "Float16", "BFloat16"), 2),
    **dict.fromkeys(("Int32", "UInt32", "Float32"), 4),
    **dict.fromkeys(("Int64", "UInt64", "Float64"), 8),
}


def read_mindspore(path: Path, *, crc_check: bool = False) -> dict[str, Any]:
    """Parameters and texts by name.

    Raises:
        Exception: the file is damaged; the framework reports it by several types.
    """
    import mindspore as ms

    _check_sizes(path.read_bytes())
    return ms.load_checkpoint(str(path), crc_check=crc_check)


def _check_sizes(content: bytes) -> None:
    """ValueError unless each tensor has as many bytes as its shape says; a large one is several entries in a row."""
    from google.protobuf.message import DecodeError
    from mindspore.train.checkpoint_pb2 import Checkpoint

    saved, sizes = Checkpoint(), {}
    try:
        saved.ParseFromString(content[:-17] if content[-17:-10] == _TRAILER else content)
    except DecodeError:
        raise ValueError("it is not in the form of MindSpore's checkpoints") from None
    for entry in saved.value:
        kind, shape = entry.tensor.tensor_type, tuple(entry.tensor.dims)
        if not entry.HasField("tensor") or (kind != "str" and kind not in _BYTES) or min(shape, default=0) < 0:
            raise ValueError(f"{entry.tag[:100]} is no tensor")
        before, *_ = sizes.get(entry.tag, (0, kind, shape))
        sizes[entry.tag] = before + len(entry.tensor.tensor_content), kind, shape
    for name, (size, kind, shape) in sizes.items():
        expected = math.prod(() if shape == (0,) else shape) * _BYTES.get(kind, 0)
        if kind != "str" and size != expected:
            raise ValueError(f"{name[:100]} has {size} bytes, its shape {expected}")
