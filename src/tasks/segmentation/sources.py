"""The data sets of segmentation by the values of the key `dataset`: tables of classes and pairs of files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from src.config import Config, UserError
from src.datasets.sources import cityscapes, masks
from src.datasets.sources.cityscapes_classes import CITYSCAPES
from src.datasets.sources.label_table import LabelTable
from src.datasets.sources.scene_pairs import LabelFiles, ScenePair

Scan = tuple[tuple[ScenePair, ...], list[str]]


@dataclass(frozen=True)
class SceneSource:
    """A kind of data set.

    Attributes:
        table: the classes that a configuration's data have; UserError when they do not say.
        check: UserError when the data in a folder say that they have other classes than the table's.
        label_files: what the label files with a table are.
        scan: (root, data_list, split) -> the pairs, and what is wrong with all others.
        submission_name: the file of label ids for an image.
        hidden_truth: the split test has no labels.
        sizes_network: class_num follows from the table where the user does not set it.
        unread: keys without effect, with the values that ask for nothing.
    """

    table: Callable[[Config], LabelTable]
    check: Callable[[str, LabelTable], None]
    label_files: Callable[[LabelTable], LabelFiles]
    scan: Callable[[str, str, str], Scan]
    submission_name: Callable[[Path], str]
    hidden_truth: bool
    sizes_network: bool
    unread: dict[str, object]

    def silent(self, values: Mapping[str, Any], name: str) -> list[str]:
        """What the user should know about settings without effect."""
        unread = [key for key, nothing in self.unread.items() if values[key] != nothing]
        return [f"{key}={values[key]} has no effect on dataset {name}" for key in unread]

    def load(self, root: str, data_list: str, split: str) -> tuple[ScenePair, ...]:
        """The pairs of a split; UserError when there are none, or one cannot be used."""
        pairs, problems = self.scan(root, data_list, split)
        if problems:
            raise UserError(problems[0])
        return pairs


SOURCES = {
    "cityscapes": SceneSource(
        table=lambda config: CITYSCAPES,
        check=lambda root, table: None,
        label_files=lambda table: cityscapes.LABEL_FILES,
        scan=cityscapes.scan_pairs,
        submission_name=cityscapes.submission_name,
        hidden_truth=True,
        sizes_network=False,
        unread={"ignore_label": 255},
    ),
    "masks": SceneSource(
        table=lambda config: masks.read_table(config.data.dataset_path, config.data.ignore_label),
        check=masks.check_table,
        label_files=masks.mask_files,
        scan=lambda root, data_list, split: masks.scan_masks(root, split),
        submission_name=lambda image: f"{image.stem}.png",
        hidden_truth=False,
        sizes_network=True,
        unread={"data_list": ""},
    ),
}


def source_name(config: Config) -> str:
    """Of the configured data; converted checkpoints name none of ours: the public ones are of Cityscapes."""
    return config.data.dataset if config.data.dataset in SOURCES else "cityscapes"


def chosen_table(source: SceneSource, config: Config, meta: Mapping[str, Any], given: frozenset[str]) -> LabelTable:
    """The checkpoint's table, with the ignored value that the user gives; else the data set's."""
    stored = meta.get("label_table")
    if stored is None:
        return source.table(config)
    table = LabelTable.from_dict(stored)
    own = source.sizes_network and "ignore_label" in given
    return replace(table, ignored=(config.data.ignore_label,)) if own else table
