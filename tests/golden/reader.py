"""Reads the golden fixtures: numbers recorded from the published implementations.

Weights and inputs aren't stored: they follow from names and shapes by a rule (`weight`). A fixture holds only what the
networks made of them. Every name is the reference implementation's.
"""

import json
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent
# What every input is multiplied by; other than 1 only where the effect of rounding is measured (see spread).
input_scale = 1.0


@dataclass(frozen=True)
class Fixture:
    """facts: the json file; arrays: the npz file; shapes: {parameter name: shape}."""

    facts: dict
    arrays: dict[str, np.ndarray]
    shapes: dict[str, tuple[int, ...]]

    @property
    def images(self) -> np.ndarray:
        return images(self.facts["input_shape"], self.facts["seed"]) * np.float32(input_scale)

    @property
    def labels(self) -> np.ndarray:
        return np.array(self.facts["labels"], np.int32)


def read(name: str, network: str | None = None) -> Fixture:
    """The fixture `name`; network: whose state dict it uses, when that is another name."""
    facts = json.loads((FOLDER / f"{name}.json").read_text())
    return Fixture(facts, dict(np.load(FOLDER / f"{name}.npz")), read_shapes(network or name))


def read_shapes(name: str) -> dict[str, tuple[int, ...]]:
    """{parameter name: shape} of a network's state dict, 1000 classes."""
    entries = json.loads((FOLDER / f"{name}.state_dict.json").read_text())["state_dict"]
    return {key: tuple(entry["shape"]) for key, entry in entries.items() if is_generated(key)}


def read_units() -> tuple[dict[str, dict], dict[str, np.ndarray]]:
    """Small cases of single layers: (facts of each case, arrays named `<case>.<what>`)."""
    return json.loads((FOLDER / "units.json").read_text())["cases"], dict(np.load(FOLDER / "units.npz"))


def is_generated(name: str) -> bool:
    """Counters and constant tables keep what the constructor made."""
    return name.rsplit(".", 1)[-1] not in ("num_batches_tracked", "relative_pos")


def weight(name: str, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """The float32 values of the parameter or buffer `name`."""
    leaf = name.rsplit(".", 1)[-1]
    normal = np.random.default_rng(zlib.crc32(name.encode()) + seed).standard_normal(shape)
    values = _scaled(name, leaf, normal)
    if ".fc2.1." in name and leaf in ("weight", "bias", "gamma", "beta"):
        values = 0.1 * values  # last norm of a ViG residual branch
    return np.ascontiguousarray(values.astype(np.float32))


def _scaled(name: str, leaf: str, normal: np.ndarray) -> np.ndarray:
    if leaf in ("running_var", "moving_variance"):
        return 1.0 + 0.1 * np.abs(normal)
    if leaf == "gamma" or (leaf == "weight" and normal.ndim == 1):
        return 1.0 + 0.1 * normal
    if leaf == "weight":
        return normal * np.sqrt(1.0 / float(np.prod(normal.shape[1:])))
    return _scale_of(name, leaf, normal.ndim) * normal


def _scale_of(name: str, leaf: str, ndim: int) -> float:
    if leaf in ("running_mean", "moving_mean", "beta") or (leaf == "bias" and ndim == 1):
        return 0.1
    if leaf in ("rel_height", "rel_width"):
        return 0.125
    if name == "pos_embed":
        return 1.0
    if leaf.startswith("pos_embed") or leaf in ("cls_token", "cls"):
        return 0.1
    return 0.02


def images(shape: list[int], seed: int = 0) -> np.ndarray:
    """The input batch (B, 3, H, W)."""
    return np.random.default_rng(1234 + seed).standard_normal(tuple(shape)).astype(np.float32)


def segmentation_target(shape: tuple[int, ...], num_classes: int, seed: int = 0) -> np.ndarray:
    """Labels (B, H, W), int32; 255 at a tenth of the pixels."""
    generator = np.random.default_rng(4321 + seed)
    target = generator.integers(0, num_classes, size=shape)
    target[generator.random(shape) < 0.1] = 255
    return target.astype(np.int32)


def unit_array(key: int, shape: tuple[int, ...], scale: float = 1.0, seed: int = 0) -> np.ndarray:
    """The input R(key, shape, scale) of a unit case."""
    return (scale * np.random.default_rng(key + seed).standard_normal(shape)).astype(np.float32)


def sample(array: np.ndarray, count: int) -> np.ndarray:
    """The `count` values of an array, evenly spread in C order, that fixtures store as its slice."""
    places = np.linspace(0, array.size - 1, min(count, array.size)).astype(np.int64)
    return array.reshape(-1)[places]


def digest(arrays: dict[str, np.ndarray]) -> int:
    """crc32 over names and bytes, in the order of the names."""
    value = 0
    for name in sorted(arrays):
        value = zlib.crc32(name.encode(), value)
        value = zlib.crc32(np.ascontiguousarray(arrays[name]).tobytes(), value)
    return value
