"""The order in which the callbacks act."""

import importlib
import pkgutil
import random

from mindspore.train import Callback

import src.callbacks
from src.callbacks.order import Stage, in_order


class _Own(Callback):
    """A task's, which says nothing of its place."""


def _classes():
    for module in pkgutil.iter_modules(src.callbacks.__path__):
        for each in vars(importlib.import_module(f"src.callbacks.{module.name}")).values():
            if isinstance(each, type) and issubclass(each, Callback) and each.__module__.startswith("src."):
                yield each


def test_each_callback_has_its_place():
    classes = set(_classes())
    assert len(classes) >= 11
    assert [each for each in classes if not isinstance(each.stage, Stage)] == []


def test_any_mixture_comes_into_one_order():
    callbacks = [_Own(), *(object.__new__(each) for each in sorted(_classes(), key=lambda each: each.__name__))]
    random.Random(0).shuffle(callbacks)
    names = [type(each).__name__ for each in in_order(callbacks)]
    logs = [name for name in names if name in ("LogEpochs", "LogSegmentation", "WriteScalars", "_Own")]
    assert [name for name in names if name not in logs] == [
        "ProfileSteps", "TrackProgress", "StopOnNonFiniteLoss", "ShowProgress", "EvaluateEpochs", "SaveCheckpoints",
        "StopOnRequest", "_Closing",
    ]  # fmt: skip
    first = names.index(logs[0])
    assert names[first - 1 : first + 5] == ["EvaluateEpochs", *logs, "SaveCheckpoints"]
    as_they_come = [type(each).__name__ for each in callbacks if type(each).__name__ in logs]
    assert logs == as_they_come
