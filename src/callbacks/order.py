"""Order of the callbacks after a step and after an epoch, kept here alone."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum, auto

from mindspore.train import Callback


class Stage(IntEnum):
    """When a callback acts, first to last. A callback class names its own as `stage`; without one it only logs."""

    PROFILE = auto()  # the step's time ends here, that of the callbacks begins
    COUNT = auto()  # all others read the counters and the loss
    CHECK = auto()  # a ruined loss must neither be logged as a result nor saved
    SHOW = auto()
    EVALUATE = auto()  # what follows writes the evaluation's numbers
    LOG = auto()
    SAVE = auto()  # after the log: a run that is killed between them repeats the epoch and cuts its record off
    STOP = auto()  # an epoch that ends the run is logged and saved first
    END_PROFILE = auto()  # the time of the callbacks ends here


def in_order(callbacks: Iterable[Callback]) -> list[Callback]:
    """The callbacks by their stages; those of one stage stay as they come."""
    return sorted(callbacks, key=lambda callback: getattr(callback, "stage", Stage.LOG))
