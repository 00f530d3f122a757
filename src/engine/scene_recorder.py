"""An evaluation that remembers how each image went and can write its prediction for the test server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from src.config import UserError
from src.datasets.sampling import evaluation_positions
from src.datasets.sources.cityscapes_classes import to_label_ids
from src.engine.tasks.segmentation import SegmentationTask
from src.metrics import SegmentationResult
from src.runtime.entry import Session
from src.visualization import submission_name, write_label_png


class SceneRecorder:
    """The task's metric for one pass over the task's evaluation set, in its order.

    Attributes:
        scores: (number of images,) mean IoU of each image of this rank, to find those to look at; 0 for those of other
            ranks and those without a labelled pixel.

    Args:
        submit: folder for the files that the test server scores; None: none are written.
    """

    def __init__(self, task: SegmentationTask, session: Session, submit: Path | None):
        self._task, self._submit = task, submit
        pairs = task.evaluation_pairs
        ranks = {"rank": session.rank, "num_ranks": session.num_ranks}
        self._positions: Iterator[int] = iter(evaluation_positions(len(pairs), batch_size=1, **ranks).positions)
        self._total = task.metric()
        self.scores = np.zeros(len(pairs))

    def update(self, predictions: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> None:
        """Count one image, (1, H, W) both; weight 0: not counted."""
        position = next(self._positions)
        if not weights[0]:
            return
        image = self._task.metric()
        image.update(predictions, labels)
        self._total.load_state(self._total.state() + image.state())
        if image.state().any():
            self.scores[position] = image.compute().mean_iou
        if self._submit is not None:
            name = submission_name(self._task.evaluation_pairs[position].image)
            write_label_png(self._submit / name, to_label_ids(predictions[0]))

    def state(self) -> np.ndarray:
        """All that was counted, to be summed over ranks."""
        return self._total.state()

    def load_state(self, vector: np.ndarray) -> None:
        """Replace what was counted."""
        self._total.load_state(vector)

    def compute(self) -> SegmentationResult | None:
        """The result; None for images whose truth is not public."""
        unlabelled = all(pair.label is None for pair in self._task.evaluation_pairs)
        return None if unlabelled else self._total.compute()


def submission_folder(path: str) -> Path | None:
    """The folder that `submit` names, made; None when it names none. UserError when it cannot be made."""
    if not path:
        return None
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"submit: {path} cannot be written ({error.strerror}): give --submit FOLDER") from None
    return Path(path)
