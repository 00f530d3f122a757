"""MindRecord data sets: a few large files instead of a million small ones, checked when they are written."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any

import mindspore.dataset as ds
import numpy as np
from mindspore.mindrecord import FileWriter

from src.config import UserError
from src.datasets.decoding import Unreadable, decode, read_content
from src.datasets.pipeline import framework_cause
from src.datasets.reading import COLUMNS, ReadAhead, Source, black_image
from src.datasets.sources.imagenet import class_of_folder
from src.datasets.sources.labelled import LabelledSet
from src.runtime.device import clamp_workers
from src.runtime.files import check_room, final_path, write_atomically
from src.runtime.remedies import remedy_for

SHARD_BYTES = 3 * 2**30  # with what the framework adds, below the 4 GiB of a file on a FAT drive
SPARE_BYTES = 4 * 2**20  # of the disk, beside the images
# Of a file, beside the images: a header of 16 MiB, and a page of 32 MiB for images and one for labels, mostly empty.
EMPTY_BYTES = 80 * 2**20
NUM_WRITTEN_AT_ONCE = 64
SCHEMA = {"image": {"type": "bytes"}, "label": {"type": "int32"}, "number": {"type": "int32"}}
INDEX_ENDING = ".db"  # the framework writes an index beside each shard
BLACK = b"P6 1 1 255\n\0\0\0"  # a black pixel as PPM: the substitute for an unreadable image
PROGRAM = "scripts/create_mindrecord.py"


@dataclass(frozen=True)
class RecordedImages(LabelledSet):
    """Images in MindRecord files with their classes, in the order of the folder from which they were written.

    Attributes:
        root: the description, <split>.json.
        labels: one per image; -1 - label for an image that cannot be read.
        shards: the MindRecord files.
    """

    shards: tuple[Path, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        raise UserError(
            f"{self.root}: image files are needed, not MindRecord: give the folder from which it was written"
        )

    def training_source(self, *, seed: int, max_bad_images: float) -> Source:
        """The records: unreadable images were left out when they were written, so the arguments have no effect."""
        return RecordSource(self)

    def evaluation_source(self, positions: np.ndarray) -> tuple[Source, list[int]]:
        return RecordSource(self), positions.tolist()

    def names(self, positions: np.ndarray) -> list[Path]:
        return [Path(f"image {position}") for position in positions]


def write_mindrecord(
    images: LabelledSet,
    folder: Path,
    split: str,
    num_threads: int,
    progress: Callable[[Iterable], Iterable] = iter,
) -> dict[Path, str]:
    """Write <folder>/<split>.mindrecord* and, when they are complete, <split>.json.

    Each image is decoded once as a check. An unreadable training image is left out; an unreadable validation image
    (`split` val) is recorded as one that counts as wrong.

    Args:
        num_threads: images read in parallel.
        progress: wraps the loop over the images, for example tqdm.

    Returns:
        {unreadable file: reason}

    Raises:
        UserError: the split already exists, the folder cannot be written, or no image can be read.
        OSError: the disk or a quota is full, or files may not be as large as needed.
    """
    description = folder / f"{split}.json"
    if description.exists():
        raise UserError(f"{description} already exists: give another folder or remove it")
    faults: dict[Path, str] = {}
    checked = ReadAhead(_CheckedImages(images), range(len(images)), num_threads)
    rows = _rows(progress(checked), split, faults)
    labels, digest = [], hashlib.sha256()
    with _writing(folder):
        writer = _writer(images, folder, split)
        while some := list(islice(rows, NUM_WRITTEN_AT_ONCE)):
            _check_room(folder, split, sum(len(row["image"]) for row in some))
            writer.write_raw_data(some)
            for row in some:
                labels.append(row["label"])
                digest.update(row["image"])
        if not labels:
            raise UserError(f"{images.root}: none of its {len(images)} images can be read")
        writer.commit()
    meta = {
        "class_names": list(images.class_names),
        "labels": labels,
        "cannot_be_read": {str(path): fault for path, fault in faults.items()},
        "sha256_of_images": digest.hexdigest(),
        "sizes": {path.name: path.stat().st_size for path in _files_of(folder, split)},
    }
    write_atomically(description, json.dumps(meta, ensure_ascii=False))
    return faults


def open_mindrecord(folder: Path, split: str, key: str, class_names: tuple[str, ...] | None = None) -> RecordedImages:
    """The images of a split written by `write_mindrecord`.

    Args:
        key: the setting that names `folder`, for messages.
        class_names: the training set's or the checkpoint's classes, for a validation set.

    Raises:
        UserError: missing, incomplete, or of a data set with other classes.
    """
    path = folder / f"{split}.json"
    if not path.is_file():
        raise UserError(f"{key}: no MindRecord data set at {path}: create it with python {PROGRAM}")
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
        sizes, names, labels = meta["sizes"], tuple(meta["class_names"]), tuple(meta["labels"])
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{path}: not a description written by {PROGRAM}: create it again") from None
    for name, size in sizes.items():
        if not (folder / name).is_file() or (folder / name).stat().st_size != size:
            raise UserError(
                f"{folder / name}: missing or changed since it was written: create it again with python {PROGRAM}"
            )
    if class_names is not None:
        names = tuple(class_of_folder(name, class_names) for name in names)
    if class_names is not None and names != class_names:
        raise UserError(f"{path}: MindRecord of another data set: {_difference(names, class_names)}")
    shards = tuple(folder / name for name in sizes if not name.endswith(INDEX_ENDING))
    return RecordedImages(path, names, labels, shards)


class RecordSource(Source):
    """Recorded images for `image_batches`, read by the framework's own reader: (H, W, 3) uint8 and () int32."""

    def __init__(self, images: RecordedImages):
        super().__init__()
        self._root = images.root
        self._shards = [str(path) for path in images.shards]
        numbers = self._dataset(["number"]).create_tuple_iterator(num_epochs=1, output_numpy=True)
        # The framework counts shard by shard; `number` is the order of writing.
        self._places = np.argsort([int(number) for (number,) in numbers])

    def __len__(self) -> int:
        return len(self._places)

    def pipeline(self, order: Sequence[int], num_workers: int) -> ds.Dataset:
        """Rows (image, label) in `order`, which may repeat images; `num_workers` threads decode.

        Raises:
            UserError: in sink mode.
        """
        if self.raises:
            raise UserError("data_sink cannot read MindRecord in the order of this training: use --data_sink 0")
        # The reader accepts at most as many positions as there are images.
        parts = [order[begin : begin + len(self)] for begin in range(0, len(order), len(self))]
        whole, *more = [self._dataset(COLUMNS, self._places[part]) for part in parts]
        for part in more:
            whole = whole + part
        return whole.map(self._pixels, "image", num_parallel_workers=clamp_workers(num_workers))

    def _pixels(self, content: np.ndarray) -> np.ndarray:
        """The pixels of an image; it was decodable when it was written."""
        try:
            return decode(content.tobytes())
        except Unreadable as fault:
            self.failure = UserError(f"{self._root}: contains an image that cannot be read ({fault}): create it again")
            return black_image()

    def _dataset(self, columns: list[str], places: np.ndarray | None = None) -> ds.Dataset:
        if places is None:
            return ds.MindDataset(self._shards, columns, shuffle=False, num_parallel_workers=1)
        sampler = ds.SubsetSampler(places.tolist())
        return ds.MindDataset(self._shards, columns, sampler=sampler, num_parallel_workers=1)


class _CheckedImages(Source):
    """Random access to (file, label, content, fault)."""

    def __init__(self, images: LabelledSet):
        super().__init__()
        self._images = images
        self.raises = True

    def __getitem__(self, index: int) -> tuple[Path, int, bytes, str]:
        path, label, content = self._images.files[index], self._images.labels[index], b""
        try:
            content = read_content(path)
            decode(content)
        except Unreadable as fault:
            return path, label, content, str(fault)
        return path, label, content, ""


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Context of the framework's writer, which fails by a RuntimeError when it cannot write."""
    try:
        yield
    except RuntimeError as error:
        if remedy_for(error):
            raise
        reason = f"output: {final_path(folder)} cannot be written ({framework_cause(error)})"
        raise UserError(f"{reason}: free some space, or give another --output FOLDER") from None


def _check_space(folder: Path, num_bytes: int) -> None:
    """OSError if the disk is too full for all images."""
    if shutil.disk_usage(folder).free < num_bytes + SPARE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def _check_room(folder: Path, split: str, num_bytes: int) -> None:
    """OSError if the next images cannot be written: the framework's writer would crash."""
    longest = max((path.stat().st_size for path in _files_of(folder, split)), default=0)
    # A page holds whole images, so that up to half of it may remain empty.
    check_room(folder, num_bytes + SPARE_BYTES, longest + 2 * num_bytes + EMPTY_BYTES)


def _writer(images: LabelledSet, folder: Path, split: str) -> FileWriter:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"output: {folder} cannot be written ({error.strerror}): give --output FOLDER") from None
    for existing in _files_of(folder, split):
        raise UserError(f"{existing} already exists: give another folder or remove it")
    num_bytes = sum(path.stat().st_size for path in images.files if path.is_file())
    _check_space(folder, num_bytes)
    writer = FileWriter(str(folder / f"{split}.mindrecord"), 1 + num_bytes // SHARD_BYTES)
    writer.add_schema(SCHEMA, split)
    return writer


def _files_of(folder: Path, split: str) -> list[Path]:
    return sorted(folder.glob(f"{split}.mindrecord*"))


def _rows(
    checked: Iterable[tuple[Path, int, bytes, str]], split: str, faults: dict[Path, str]
) -> Iterator[dict[str, Any]]:
    """The rows to write; unreadable files are added to `faults`."""
    number = count()
    for path, label, content, fault in checked:
        if fault:
            faults[path] = fault
            if split == "train":
                continue
            content, label = BLACK, -1 - label
        yield {"image": content, "label": label, "number": next(number)}


def _difference(names: tuple[str, ...], expected: tuple[str, ...]) -> str:
    if len(names) != len(expected):
        return f"it has {len(names)} classes, the training has {len(expected)}"
    index = next(index for index, pair in enumerate(zip(names, expected, strict=True)) if pair[0] != pair[1])
    return f"class {index} is {names[index]}, in the training {expected[index]}"
