"""Table of the project's readers for the campaign of damaged inputs: right files, their damage, and the reading."""

from __future__ import annotations

import json
import pickle
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.campaigns.damage import damaged_bytes, damaged_json, damaged_text
from tests.support import weights_files
from tests.support.processes import PROJECT_ROOT

TENSORS = {"a.weight": np.arange(12, dtype=np.float32).reshape(3, 4), "a.bias": np.ones(3, np.float32)}


@dataclass(frozen=True)
class Reader:
    """One kind of input.

    Attributes:
        examples: writes right files into a folder and returns them.
        read: reads a file.
        damage: makes another content of a right one.
        refusals: the errors by which the reader may refuse a file, besides UserError.
    """

    examples: Callable[[Path], list[Path]]
    read: Callable[[Path], Any]
    damage: Callable[[bytes, np.random.Generator], bytes] = damaged_bytes
    refusals: tuple[type[Exception], ...] = ()


def _texts(*texts: str, ending: str = ".txt") -> Callable[[Path], list[Path]]:
    def write(folder: Path) -> list[Path]:
        paths = [folder / f"{number}{ending}" for number in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text, encoding="utf-8")
        return paths

    return write


# -- configurations


def _recipes(folder: Path) -> list[Path]:
    sources = [PROJECT_ROOT / "config/defaults.yml", *sorted((PROJECT_ROOT / "config").glob("*/*.y*ml"))[::4]]
    return [Path(shutil.copy(path, folder / f"{number}.yml")) for number, path in enumerate(sources)]


def _read_recipe(path: Path) -> None:
    from src.config import config_text, read_config

    config_text(read_config(["--config_path", str(path)]).config)


def _read_words(path: Path) -> None:
    from src.config import read_config

    read_config(path.read_bytes().decode("utf-8", "surrogateescape").split("\n"))


# -- results of earlier runs


def _records(folder: Path) -> list[Path]:
    keys = ("step", "loss", "mean_loss", "lr", "fps", "epoch_seconds", "step_seconds", "skipped", "top1")
    lines = [json.dumps({"epoch": epoch, **dict.fromkeys(keys, 1.5)}) for epoch in (1, 2, 3)]
    return _texts("\n".join(lines) + "\n", ending=".jsonl")(folder)


def _read_records(path: Path) -> None:
    from src.callbacks.epoch_log import epoch_line, read_records

    for record in read_records(path, "top1", 3):
        epoch_line({"step_seconds": 1.0, "eval_seconds": 1.0, **record}, record.get("top1"))


def _checkpoint_meta() -> dict[str, Any]:
    from src.config import read_config

    config = read_config(["--backbone", "vig_s", "--class_num", "3"]).config
    return {
        "config": config.flat(),
        "class_names": ["a", "b", "c"],
        "preprocessing": {"image_size": 224, "mean": [0.5] * 3, "std": [0.5] * 3},
    } | _training_meta()


def _training_meta() -> dict[str, Any]:
    counters = {"epoch": 1, "batch": 2, "step": 7, "steps_per_epoch": 5, "losses": [1.5, 2], "best": 0.5}
    return counters | {"without_improvement": 0, "metrics": {"top1": 0.5}, "environment": {"ranks": 1}}


def _checkpoints(folder: Path) -> list[Path]:
    from src.checkpoints import save_checkpoint

    save_checkpoint(folder / "0.ckpt", TENSORS, _checkpoint_meta())
    return [folder / "0.ckpt"]


def _read_checkpoint(path: Path) -> None:
    from src.checkpoints import load_checkpoint
    from src.commands.opened_checkpoint import OpenedCheckpoint
    from src.config import read_config

    resolved = read_config(["--pretrained", str(path)], "eval", load_checkpoint)
    opened = OpenedCheckpoint.from_config(resolved)
    _ = opened.task.class_names, opened.evaluation_folder, opened.checkpoint.weights(use_ema=True)


def _metas(folder: Path) -> list[Path]:
    return _texts(json.dumps(_checkpoint_meta()), ending=".json")(folder)


def _read_meta(path: Path) -> None:
    """A checkpoint whose checksum is right, whatever its meta data say."""
    import mindspore as ms

    from src.checkpoints.store import META_KEY, digest

    text = path.read_bytes().decode("utf-8", "replace")
    try:
        meta = json.loads(text)
        text = json.dumps({"format": 1, "num_tensors": len(TENSORS), "sha256": digest(TENSORS), **meta})
    except (ValueError, TypeError):
        pass
    records = [{"name": name, "data": ms.Tensor(value)} for name, value in TENSORS.items()]
    target = path.with_suffix(".ckpt")
    target.unlink(missing_ok=True)
    ms.save_checkpoint(records, str(target), append_dict={META_KEY: text}, crc_check=True)
    _read_checkpoint(target)


# -- weights of other origin


def _foreign(write: Callable[[Path, dict[str, np.ndarray]], Path], ending: str) -> Callable[[Path], list[Path]]:
    return lambda folder: [write(folder / f"0{ending}", TENSORS)]


def _pickles(folder: Path) -> list[Path]:
    legacy = Path(shutil.copy(PROJECT_ROOT / "tests/checkpoints/torch_files/legacy.pth", folder / "0.pth"))
    (folder / "1.pth").write_bytes(b"".join(pickle.dumps(value, 2) for value in (0x1950A86A20F9469CFC6C, 1001, {}, {})))
    return [legacy, folder / "1.pth"]


def _damaged_pickle(content: bytes, rng: np.random.Generator) -> bytes:
    """The zip of a .pth with a damaged pickle and right check sums, so that the damage gets past the archive."""
    import io
    import zipfile

    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(result, "w") as after:
        for name in before.namelist():
            data = before.read(name)
            after.writestr(name, damaged_bytes(data, rng) if name.endswith(".pkl") or rng.random() < 0.1 else data)
    return result.getvalue()


def _damaged_header(content: bytes, rng: np.random.Generator) -> bytes:
    """A safetensors file with another header of a right length."""
    length = int.from_bytes(content[:8], "little")
    header = damaged_json(content[8 : 8 + length], rng)
    return len(header).to_bytes(8, "little") + header + content[8 + length :]


def _read_weights(path: Path) -> None:
    from src.checkpoints import read_foreign_weights

    read_foreign_weights(path)


# -- data sets


def _read_list(path: Path) -> None:
    from src.datasets.sources.list_file import read_list

    read_list(path, path.parent, 10)


def _read_classes(path: Path) -> None:
    from src.datasets.sources.mask_classes import read_classes

    read_classes(path, 255)


def _archives(folder: Path) -> list[Path]:
    source = folder / "source"
    for name in ("a/1.png", "b/2.png"):
        (source / name).parent.mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(source / name)
    paths = [folder / f"{kind}.tar" for kind in ("gnu", "pax")]
    for path, form in zip(paths, (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT), strict=True):
        with tarfile.open(path, "w", format=form) as archive:
            archive.add(source, ".")
    return paths


def _read_archive(path: Path) -> None:
    from src.datasets.sources.archive import extract_archive

    shutil.rmtree(path.with_suffix(""), ignore_errors=True)
    extract_archive(path)


def _images(folder: Path) -> list[Path]:
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8))
    endings = ("png", "jpg", "bmp", "gif", "tiff", "webp", "ppm")
    paths = [folder / f"0.{ending}" for ending in endings]
    for path in paths:
        picture.save(path)
    return paths


def _read_image(path: Path) -> None:
    from src.datasets.decoding import decode

    decode(path.read_bytes())


WORDS = "--backbone\nvig_s\n--lr_max=0.1\n--max_epoch\n3\n--mean\n0.5,0.5,0.5\n--dataset_path\ndata/digits"
LIST = "a/1.png 0\na/2.png 1\nb/c d.png 2\n"
CLASSES = "0 road 128 64 128\n1 sky 70 130 180\n2 car\n"
READERS: dict[str, Reader] = {
    "yaml": Reader(_recipes, _read_recipe, damaged_text),
    "command_line": Reader(_texts(WORDS), _read_words, damaged_text),
    "metrics": Reader(_records, _read_records, damaged_text),
    "metrics_values": Reader(
        _records,
        _read_records,
        lambda data, rng: b"\n".join(
            damaged_json(line, rng) if rng.random() < 0.4 else line for line in data.splitlines()
        ),
    ),
    "checkpoint": Reader(_checkpoints, _read_checkpoint),
    "checkpoint_meta": Reader(_metas, _read_meta, damaged_json),
    "torch": Reader(_foreign(weights_files.write_torch, ".pth"), _read_weights),
    "torch_pickle": Reader(_foreign(weights_files.write_torch, ".pth"), _read_weights, _damaged_pickle),
    "torch_legacy": Reader(_pickles, _read_weights),
    "safetensors": Reader(_foreign(weights_files.write_safetensors, ".safetensors"), _read_weights),
    "safetensors_header": Reader(
        _foreign(weights_files.write_safetensors, ".safetensors"), _read_weights, _damaged_header
    ),
    "npz": Reader(_foreign(weights_files.write_npz, ".npz"), _read_weights),
    "mindspore": Reader(_foreign(weights_files.write_mindspore, ".ckpt"), _read_weights),
    "list": Reader(_texts(LIST), _read_list, damaged_text),
    "classes": Reader(_texts(CLASSES), _read_classes, damaged_text),
    "classes_json": Reader(
        _texts('[{"id": 0, "name": "road", "color": [1, 2, 3]}]', ending=".json"), _read_classes, damaged_json
    ),
    "tar": Reader(_archives, _read_archive),
    "image": Reader(_images, _read_image, refusals=(ValueError,)),
}
