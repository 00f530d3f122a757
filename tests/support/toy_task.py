"""A third task from outside src: a network tells how bright a picture is, a number from 0 to 1.

The pictures of a folder's train/ and val/ are named after what is true of them: 0.250_7.png.
"""

from __future__ import annotations

import json
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from mindspore import float32, nn, ops

from src.datasets.decoding import read_image
from src.datasets.epochs import training_epochs
from src.datasets.pipeline import image_batches, read_batches, read_images
from src.datasets.reading import Source
from src.datasets.sampling import evaluation_positions, training_positions
from src.datasets.transforms.image import Preprocessing, evaluation_transforms
from src.inference.evaluator import EvaluationSet
from src.runtime.files import final_path, write_atomically
from src.runtime.logs import get_logger
from src.tasks.task import Task, TaskResult, full_steps
from src.visualization.page import Section, paragraph


class BrightPictures(Source):
    """(pixels, brightness () float32)"""

    def __init__(self, files):
        super().__init__()
        self.files = files

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        return read_image(self.files[index]), np.float32(self.files[index].name.split("_")[0])

    def place(self, index):
        return str(self.files[index])


class SquaredError(nn.Cell):
    """(B, 1), (B,) -> scalar"""

    def construct(self, outputs, truth):
        return ops.square(outputs.reshape((-1,)) - truth).mean()


class ErrorMetric:
    """Mean squared error over pictures."""

    def __init__(self):
        self._sums = np.zeros(2)

    def update(self, outputs, truth, weights):
        self._sums += [float((weights * (outputs[:, 0] - truth) ** 2).sum()), float(weights.sum())]

    def state(self):
        return self._sums

    def merge(self, states):
        self._sums = np.sum(states, axis=0)

    def compute(self):
        return self._sums[0] / self._sums[1]


class BrightnessModel:
    """For use from Python: `predict` takes files."""

    def __init__(self, network, inputs):
        self._network, self._inputs = network, inputs

    def predict(self, files):
        from mindspore import Tensor

        return self._network(Tensor(self._inputs([Path(file) for file in files]))).asnumpy()[:, 0].tolist()


class BrightnessTask(Task):
    """Mean squared error; the score is its negative."""

    name = "brightness"
    datasets = ("image_folder",)
    score_name = "negative_error"
    curves = {"negative_error": "negative squared error"}
    class_names = ("brightness",)

    @cached_property
    def preprocessing(self):
        info = self.info
        return Preprocessing(
            image_size=self.config.data.train_image_size,
            crop_pct=info.crop_pct,
            interpolation=info.interpolation,
            mean=info.mean,
            std=info.std,
        )

    def pictures(self, split):
        return BrightPictures(sorted((Path(self.config.data.dataset_path) / split).glob("*.png")))

    @property
    def notes(self):
        return [f"{len(self.pictures('train'))} pictures"]

    def check_settings(self):
        pass

    def steps_per_epoch(self, num_ranks):
        return full_steps(self.config.data, len(self.pictures("train")), num_ranks)

    def training_dataset(self, session, first_epoch, first_batch, *, sink=False):
        source, data, seed = self.pictures("train"), self.config.data, self.config.run.seed
        transforms = evaluation_transforms(self.preprocessing)
        positions = partial(
            _positions, len(source), seed=seed, rank=session.rank, num_ranks=session.num_ranks, batch=data.batch_size
        )

        def build(order, _epoch):
            return image_batches(source, order, transforms, data.batch_size, data.train_num_workers)

        start = (seed, session.rank), first_epoch, first_batch
        steps = self.steps_per_epoch(session.num_ranks)
        return training_epochs(build, positions, source, steps, *start, sink=sink, timeout=data.data_timeout)

    def loss(self):
        return SquaredError()

    def check_validation(self):
        assert len(self.pictures("val"))

    @property
    def evaluation_note(self):
        return f"{len(self.pictures('val'))} pictures"

    def evaluation_set(self, session):
        source, batch = self.pictures("val"), self.config.data.batch_size
        order = evaluation_positions(len(source), rank=session.rank, num_ranks=session.num_ranks, batch_size=batch)

        def start():
            pipeline = image_batches(
                source, order.positions.tolist(), evaluation_transforms(self.preprocessing), batch, 1
            )
            return pipeline.create_tuple_iterator(num_epochs=1, do_copy=False)

        weights = np.split(order.weights, len(order.weights) // batch)
        return EvaluationSet(partial(read_batches, start, source, timeout=0.0), weights, len(source))

    def outputs(self, forward, image):
        return forward(image).astype(float32).asnumpy()

    def metric(self):
        return ErrorMetric()

    def examples(self, data):
        return lambda outputs, labels, weights: None

    def summarise(self, evaluation, examples):
        error = evaluation.result

        def write(folder):
            write_atomically(folder / "error.txt", f"{error:.6f}\n")
            return ["error.txt"]

        return TaskResult(
            score=-error,
            numbers={"squared_error": error},
            summary={"squared_error": error},
            lines=[f"squared error {error:.6f}"],
            write=write,
            sections=lambda: [Section("Error", paragraph(f"squared error {error:.6f}"))],
        )

    def predictor(self, network):
        return BrightnessModel(network, self.inputs)

    def predict(self, network, files, make_folder):
        values = dict(zip(map(str, files), self.predictor(network).predict(files), strict=True))
        folder = make_folder()
        write_atomically(folder / "brightness.json", json.dumps(values))
        get_logger().info("see %s", final_path(folder / "brightness.json"))

    def inspect(self):
        print(f"{len(self.pictures('train'))} pictures")
        return []

    def show(self, image, truth):
        pixels = image.transpose(1, 2, 0) * self.preprocessing.std + self.preprocessing.mean
        return np.uint8(np.clip(pixels, 0, 1) * 255), f"{truth:.3f}"

    def inputs(self, files):
        return read_images(files, evaluation_transforms(self.preprocessing))

    def sample_files(self, number, *, training=False):
        return self.pictures("val").files[:number]

    def export_card(self):
        return {"output": "brightness, 0-1"}


def _positions(num_samples, epoch, *, seed, rank, num_ranks, batch):
    return training_positions(num_samples, seed=seed, epoch=epoch, rank=rank, num_ranks=num_ranks, batch_size=batch)
