"""Reading a .safetensors file: the length of a JSON header, the header, then the tensors' bytes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "BOOL": "?"}
_TYPES |= {f"{sign}{8 * size}": f"<{sign.lower()}{size}" for sign in "IU" for size in (1, 2, 4, 8)}


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """Tensors by name, bfloat16 as float32; damage shows as an exception of several types."""
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        content = file.read()
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        values = np.frombuffer(content[begin:end], _TYPES[entry["dtype"]]).reshape(entry["shape"])
        tensors[name] = from_bfloat16(values) if entry["dtype"] == "BF16" else values
    return tensors


def from_bfloat16(bits: np.ndarray) -> np.ndarray:
    """uint16 bits of bfloat16 values, the upper half of a float32 each -> float32."""
    return (bits.astype(np.uint32) << 16).view(np.float32)
