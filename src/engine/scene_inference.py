"""A trained segmentation network for use from Python.

model = load_model("outputs/dgcnet_nano_scenes/ckpt/best.ckpt")
for scene in model.predict(["a.png", "b.jpg"]):
    print(scene.name, scene.prediction)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from src.datasets.joint_transforms import whole_image
from src.datasets.sources.cityscapes import ScenePair, open_scene, train_ids_of
from src.engine.tasks.segmentation import SegmentationTask
from src.visualization import SegmentedImage


class TrainedSegmentation:
    """A network with its weights, its preprocessing and its classes.

    Args:
        task: knows the preprocessing and how an image is looked at (windows, scales, flips).
        forward: the network in inference mode.
    """

    def __init__(self, task: SegmentationTask, forward: Callable):
        self.task = task
        self.class_names = task.class_names
        self._predictor, self._normalization = task.predictor(forward), task.preprocessing.normalization

    def predict(self, files: Sequence[str | Path]) -> Iterator[SegmentedImage]:
        """The classes of each pixel of picture files of any size, one file after the other.

        Raises:
            UserError: a file that is not there or cannot be decoded.
        """
        return (self.segment_pair(ScenePair(Path(file), None)) for file in files)

    def segment_pair(self, pair: ScenePair) -> SegmentedImage:
        """The prediction of an image beside its truth, where the pair has a label."""
        image, label = open_scene(pair)
        prediction = self._predictor(whole_image(image, self._normalization))
        truth = None if label is None else train_ids_of(np.asarray(label), pair.label)
        return SegmentedImage(pair.image.stem, np.asarray(image), prediction, truth)
