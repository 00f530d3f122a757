"""Checks where the class folders of a data set meet the outputs of a network."""

from __future__ import annotations

from src.config import UserError
from src.datasets.sources.labelled import LabelledSet


def check_classes(folder: LabelledSet, class_num: int) -> None:
    """UserError for more classes than outputs, or for a single class."""
    found = len(folder.class_names)
    if found > class_num:
        raise UserError(f"{folder.root} has {found} class folders, class_num is {class_num}: give --class_num {found}")
    if found < 2:
        raise UserError(f"{folder.root} has one class folder only: classification needs at least two classes")


def names_for_unnamed(folder: LabelledSet, class_num: int) -> tuple[str, ...]:
    """Names for the outputs of weights that have none: the folders' names if there is one for each output, in their
    order, or the outputs' numbers if that is what the folders are named.

    Raises:
        UserError: neither, so that nothing says which output belongs to a folder.
    """
    found, numbers = folder.class_names, tuple(map(str, range(class_num)))
    if set(found) <= set(numbers):
        return numbers
    if len(found) != class_num:
        raise UserError(
            f"{folder.root} has {len(found)} classes, and the converted weights have {class_num} without names: name "
            f"the folders by the numbers of their outputs, 0 to {class_num - 1}"
        )
    return found
