"""A trained segmentation network for use from Python.

model = load_model("outputs/dgcnet_nano_scenes/ckpt/best.ckpt")
for scene in model.predict(["a.png", "b.jpg"]):
    print(scene.name, scene.prediction)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from src.datasets.sources.cityscapes import ScenePair, open_scene
from src.datasets.transforms.joint import whole_image
from src.tasks.segmentation.task import SegmentationTask
from src.visualization import SegmentedImage


class TrainedSegmentation:
    """A network with its weights, its preprocessing and its classes.

    Args:
        task: knows the preprocessing and how an image is looked at (windows, scales, flips).
        forward: the network in inference mode.
    """

    def __init__(self, task: SegmentationTask, forward: Callable):
        self.class_names = task.class_names
        self._predictor, self._normalization = task.predictor(forward), task.preprocessing.normalization

    def predict(self, files: Sequence[str | Path]) -> Iterator[SegmentedImage]:
        """The classes of each pixel of picture files of any size, one file after the other.

        Raises:
            UserError: a file that is not there or cannot be decoded.
        """
        return map(self._predict, map(Path, files))

    def _predict(self, file: Path) -> SegmentedImage:
        image, _ = open_scene(ScenePair(file, None))
        classes = self._predictor(whole_image(image, self._normalization))
        return SegmentedImage(file.stem, np.asarray(image), classes)
