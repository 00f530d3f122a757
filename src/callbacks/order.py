"""Order of the callbacks after each step and epoch, defined only here."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum, auto

from mindspore.train import Callback


class Stage(IntEnum):
    """Position of a callback in the order, set as the class attribute `stage`; the default is LOG."""

    PROFILE = auto()  # ends the time of the step and starts that of the callbacks
    COUNT = auto()  # all later ones read the counters and the loss
    CHECK = auto()  # a non-finite loss must be neither logged nor saved
    SHOW = auto()
    EVALUATE = auto()  # the later ones write the results
    LOG = auto()
    SAVE = auto()  # after the log: a run killed in between repeats the epoch and replaces its record
    STOP = auto()  # after the final epoch has been logged and saved
    END_PROFILE = auto()  # ends the time of the callbacks


def in_order(callbacks: Iterable[Callback]) -> list[Callback]:
    """The callbacks sorted by stage; those of the same stage keep their order."""
    return sorted(callbacks, key=lambda callback: getattr(callback, "stage", Stage.LOG))
