"""The names that the configuration takes are those that something can be made of."""

import pytest

from src.config.schema import KEY_TYPES
from src.loss import CLASSIFICATION_LOSSES, SEGMENTATION_LOSSES
from src.lr_schedulers.factory import SCHEDULES
from src.optimizers.factory import OPTIMIZERS
from src.tasks.create import TASKS


@pytest.mark.parametrize(
    ("key", "known"),
    [
        ("lr_decay_mode", SCHEDULES),
        ("loss_name", (*CLASSIFICATION_LOSSES, *SEGMENTATION_LOSSES)),
        ("opt", OPTIMIZERS),
        ("dataset", [name for task in TASKS.values() for name in task.datasets]),
    ],
)
def test_names(key, known):
    (check,) = KEY_TYPES[key].__metadata__
    with pytest.raises(ValueError, match="must be one of") as refusal:
        check.accept("none of them")
    listed = str(refusal.value).removeprefix("must be one of ").removesuffix(", not none of them")
    assert sorted(listed.split(", ")) == sorted(known)
