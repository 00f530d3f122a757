"""Data sets of segmentation, by the values of the key `dataset`: class tables and pairs of files."""

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
        table: the class table of the configured data; UserError if the data do not define one.
        check: raises UserError if the data in a folder define other classes than the table.
        label_files: format of the label files for a table.
        scan: (root, data_list, split) -> the usable pairs, and the problems of all others.
        submission_name: file name of the label ids for an image.
        hidden_truth: whether the labels of the test split are not public.
        sizes_network: whether class_num is taken from the table unless the user sets it.
        unread: {key without effect: its neutral value}.
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
        """Lines for the log about settings without effect on this data set."""
        unread = [key for key, nothing in self.unread.items() if values[key] != nothing]
        return [f"{key}={values[key]} has no effect on dataset {name}" for key in unread]

    def load(self, root: str, data_list: str, split: str) -> tuple[ScenePair, ...]:
        """The pairs of a split; UserError if there are none, or if one is unusable."""
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
    """Name of the configured data set; cityscapes for converted checkpoints, which name none."""
    return config.data.dataset if config.data.dataset in SOURCES else "cityscapes"


def chosen_table(source: SceneSource, config: Config, meta: Mapping[str, Any], given: frozenset[str]) -> LabelTable:
    """The checkpoint's class table, with the user's ignore_label; without a checkpoint, the data set's."""
    stored = meta.get("label_table")
    if stored is None:
        return source.table(config)
    table = LabelTable.from_dict(stored)
    own = source.sizes_network and "ignore_label" in given
    return replace(table, ignored=(config.data.ignore_label,)) if own else table
