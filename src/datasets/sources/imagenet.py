"""ImageNet's 1000 classes: WordNet ids, by which its folders are named, and English names."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from pathlib import Path

from src.datasets.sources.picture_files import same_form

NUM_CLASSES = 1000
TABLE = Path(__file__).with_name("imagenet_classes.tsv")


@cache
def imagenet_classes() -> dict[str, str]:
    """{WordNet id: English name} in label order; the source is named in the file."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t") for line in lines if not line.startswith("#"))


def class_of_folder(name: str, class_names: Collection[str]) -> str:
    """The class that a folder is named after: its own name, or the English name of a WordNet id among `class_names`."""
    own = same_form(name)
    if own in class_names:
        return own
    english = imagenet_classes().get(own, own)
    return english if english in class_names else own
