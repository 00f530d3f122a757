"""Scores of the results of ascend310_infer: top-1 and top-5 accuracy, or mIoU.

    python scripts/postprocess.py RESULT_FOLDER LABEL_JSON MODEL.json        # classification
    python scripts/postprocess.py RESULT_FOLDER CITYSCAPES_FOLDER MODEL.json # segmentation, split val

A picture without a result (it could not be read) counts as wrong.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from src.config import UserError
from src.datasets.decoding import Unreadable, read_labels
from src.datasets.sources.cityscapes import scan_folders
from src.datasets.sources.label_table import LabelTable
from src.datasets.sources.picture_files import check_result_names
from src.metrics.classification import ClassificationMetric
from src.metrics.segmentation import SegmentationMetric
from src.runtime.entry import run_command


def main(argv: list[str]) -> int:
    """Print the scores."""
    if len(argv) != 3:
        raise UserError("give RESULT_FOLDER, LABEL_JSON or CITYSCAPES_FOLDER, and MODEL.json")
    results, truth, card = Path(argv[0]), Path(argv[1]), _json(Path(argv[2]))
    if not results.is_dir():
        raise UserError(f"{results} is not a folder: run the inference first (scripts/run_infer_310.sh)")
    if card.get("task") == "segmentation":
        print(mean_iou(results, truth, card))
    else:
        print(accuracy(results, _json(truth), len(card.get("class_names", ()))))
    return 0


def accuracy(results: Path, labels: dict[str, int], num_classes: int) -> str:
    """The line with top-1 and top-5 accuracy.

    Args:
        results: folder of NAME_0.bin, the logits of a picture as float32.
        labels: {picture: label}.
        num_classes: number of logits.
    """
    check_result_names(map(Path, labels))
    metric = ClassificationMetric(num_classes)
    found = 0
    for name, label in labels.items():
        file = results / Path(name).with_suffix("").with_name(Path(name).stem + "_0.bin")
        logits = _logits(file, num_classes) if file.exists() else None
        found += logits is not None
        row, truth = (np.zeros(num_classes), -1 - label) if logits is None else (logits, label)
        metric.update(row[None], np.array([truth]))
    if not found:
        raise UserError(f"{results} has no result of any labelled picture: are the labels of another folder?")
    result = metric.compute()
    return f"Total data: {result.num_images}, top1 accuracy: {result.top1:.5f}, top5 accuracy: {result.top5:.5f}."


def mean_iou(results: Path, root: Path, card: dict) -> str:
    """The line with mIoU and pixel accuracy of the label images NAME_labels.png, against a Cityscapes data set."""
    table = _table(card)
    metric = SegmentationMetric(table.num_classes)
    pairs, _ = scan_folders(root, "val")
    for pair in pairs:
        truth = _classes(pair.label, table).astype(np.int64)
        file = results / pair.image.parent.name / f"{pair.image.stem}_labels.png"
        predicted = _classes(file, table) if file.exists() else np.zeros_like(truth)
        truth = truth if file.exists() else np.where(truth == 255, truth, -1 - truth)
        metric.update(predicted[None], truth[None])
    result = metric.compute()
    return f"Total data: {len(pairs)}, mIOU: {result.mean_iou:.5f}, pixel accuracy: {result.pixel_accuracy:.5f}."


def _table(card: dict) -> LabelTable:
    ids = tuple(card["label_ids"])
    palette = tuple(tuple(color) for color in card["palette"])
    return LabelTable(tuple(card["class_names"]), palette, ids, tuple(sorted(set(range(256)) - set(ids))))


def _classes(path: Path, table: LabelTable) -> np.ndarray:
    try:
        return table.to_classes(read_labels(path)[0])
    except Unreadable as fault:
        raise UserError(f"{path} cannot be read ({fault}): replace it, or run the inference again") from None


def _logits(file: Path, num_classes: int) -> np.ndarray:
    logits = np.fromfile(file, np.float32)
    if logits.shape != (num_classes,):
        raise UserError(f"{file} has {logits.size} logits, the model {num_classes}: run the inference again")
    return logits


def _json(path: Path) -> dict:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): give an existing file") from None
    except ValueError:
        raise UserError(f"{path} is not JSON: make it again") from None


if __name__ == "__main__":
    sys.exit(run_command(main))
