"""What the ranks evaluate and train on, and what a checkpoint's preprocessing does."""

import os
from dataclasses import replace

import mindspore as ms
import numpy as np
import pytest

from src.config import read_config
from src.config.effect import no_effect_on_task
from src.datasets.sources.cityscapes_classes import CITYSCAPES
from src.datasets.sources.label_table import LabelTable
from src.runtime import files as runtime_files
from src.runtime.session import Session
from src.tasks.create import create_task
from src.tasks.segmentation import prediction
from src.tasks.segmentation.prediction import ScenePredictor
from src.tasks.segmentation.task import SegmentationTask
from tests.support.commands import TINY
from tests.support.few_scenes import write_few_scenes
from tests.support.user_errors import message_of

RECIPE = str(TINY.with_name("tiny_segmentation.yml"))


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    return write_few_scenes(tmp_path_factory.mktemp("data") / "scenes")


def task_of(scenes, *words, meta=None):
    resolved = read_config(["--config_path", RECIPE, "--dataset_path", str(scenes), *map(str, words)])
    return create_task(resolved.config, meta, resolved.given)


def brightness(images):
    """A "network" whose 19 logits say how near a pixel's brightness is to the class's."""
    values = images.asnumpy().mean(1, keepdims=True)
    return ms.Tensor(-np.abs(values - np.linspace(-2, 2, 19).reshape(1, 19, 1, 1).astype(np.float32)))


def evaluate(task, num_ranks):
    """(summed counts, the ranks' submitted files)"""
    total, files = 0, []
    for rank in range(num_ranks):
        share = task.evaluation_set(Session("CPU", rank, num_ranks, ""))
        assert share.num_samples == 3
        metric = task.metric()
        for (image, label), counted, file in zip(share.batches(), share.weights, share.files, strict=True):
            metric.update(task.outputs(brightness, image), label, counted)
            files += [file] if counted[0] else []
        total = total + metric.state()
    return total, files


def test_the_ranks_together_count_what_one_process_counts(scenes):
    task = task_of(scenes)
    alone, files = evaluate(task, 1)
    assert alone.sum() > 3 * 48 * 64 / 2
    for num_ranks in (2, 4):
        counts, shared = evaluate(task, num_ranks)
        assert (counts == alone).all()
        assert sorted(shared) == sorted(files)


def test_the_best_and_the_worst_images_are_kept(scenes):
    task = task_of(scenes)
    data = task.evaluation_set(Session("CPU", 0, 1, ""))
    data = replace(data, files=[*data.files] * 4)
    examples = task.examples(data).examples
    truth = np.arange(48 * 64).reshape(1, 48, 64) % 19
    for index in range(12):
        wrong = np.where(np.arange(48)[:, None] < 4 * (index % 6), (truth + 1) % 19, truth)
        examples(wrong, truth, np.ones(1) if index < 6 else np.zeros(1))
    wrong_rows = [
        [int((item.prediction != item.truth)[:, 0].sum()) for item in items]
        for items in (examples.best(), examples.worst())
    ]
    assert wrong_rows == [[0, 4, 8], [20, 16, 12]]
    assert examples.best()[0].image.shape == (48, 64, 3)


def test_the_ranks_together_train_on_one_process_batch(scenes):
    def images(rank, num_ranks, batch_size):
        task = task_of(scenes, "--batch_size", batch_size)
        return [image.asnumpy() for image, _ in task.training_dataset(Session("CPU", rank, num_ranks, ""), 1, 0)]

    ranks = [images(rank, 2, 1) for rank in range(2)]
    for step, joined in enumerate(images(0, 1, 2)):
        assert (np.concatenate([ranks[rank][step] for rank in range(2)]) == joined).all()


@pytest.mark.parametrize(("mode", "scales"), [("window", "1"), ("whole", "1"), ("whole", "1,1")])
def test_an_image_is_looked_at_as_the_keys_say(scenes, monkeypatch, mode, scales):
    """What decides by each pixel alone gives the same classes by windows, at once, mirrored, summed over scales."""
    monkeypatch.setattr(prediction, "BAND", 16)  # of 40 rows
    task = task_of(scenes, "--eval_mode", mode, "--eval_flip", 1, "--eval_scales", scales)
    sizes = []

    def forward(images):
        sizes.append(images.shape)
        return brightness(images)

    image = np.random.default_rng(0).standard_normal((3, 40, 70)).astype(np.float32)
    classes = ScenePredictor.from_config(task.config, forward, 32)(image)
    assert (classes == brightness(ms.Tensor(image[None])).asnumpy()[0].argmax(0)).all()
    assert classes.dtype == np.uint8
    assert set(sizes) == {(5, 3, 32, 32) if mode == "window" else (1, 3, 40, 70)}


def test_the_checkpoints_preprocessing_holds_unless_the_user_says_otherwise(scenes):
    meta = {"preprocessing": {"image_size": 64, "rgb": False, "mean": [0.1, 0.2, 0.3], "std": [1, 1, 1]}}
    recipe = read_config(["--config_path", RECIPE, "--dataset_path", str(scenes)])
    stored = SegmentationTask(recipe.config, meta, frozenset()).preprocessing
    assert (stored.image_size, stored.rgb, stored.mean) == (64, False, (0.1, 0.2, 0.3))
    given = SegmentationTask(recipe.config, meta, frozenset({"train_image_size", "rgb"})).preprocessing
    assert (given.image_size, given.rgb, given.mean) == (32, True, (0.1, 0.2, 0.3))


def test_a_checkpoints_classes_hold(scenes):
    recipe = read_config(["--config_path", RECIPE, "--dataset_path", str(scenes)])
    assert SegmentationTask(recipe.config, {"preprocessing": {}}).table == CITYSCAPES  # from before it was stored
    stored = LabelTable(("road", "other"), ((1, 2, 3), (4, 5, 6)), (0, 1), (7,))
    config = recipe.config.with_values(dataset="masks", dataset_path="nowhere", class_num=2)
    meta = {"label_table": stored.to_dict()}
    assert SegmentationTask(config, meta).table == stored
    assert SegmentationTask(config, meta, frozenset({"ignore_label"})).table.ignored == (255,)


def test_settings_of_classification_are_named(scenes):
    words = ["--config_path", RECIPE, "--dataset_path", str(scenes), "--mixup", "0.2", "--autoaugment", "rand-m9"]
    assert no_effect_on_task(read_config([*words, "--rgb", "0"]).changed, "segmentation") == [
        "mixup=0.2 has no effect on segmentation",
        "autoaugment=rand-m9 has no effect on segmentation",
    ]


def test_data_that_are_not_there(scenes, tmp_path):
    line = message_of(task_of(tmp_path).steps_per_epoch, 1)
    assert line == f"{tmp_path}: no images leftImg8bit/train/<city>/*_leftImg8bit.png: check dataset_path"


def test_a_submission_appears_when_it_is_complete(scenes, tmp_path):
    task, classes = task_of(scenes, "--submit", tmp_path / "s"), np.zeros((1, 48, 64), np.uint8)
    data = task.evaluation_set(Session("CPU", 0, 1, ""))
    observer = task.examples(data)
    for _ in data.files:
        observer(classes, classes.astype(np.int64), np.ones(1))
        assert list((tmp_path / "s").iterdir()) == []
    observer.finish()
    assert len(list((tmp_path / "s").iterdir())) == len(data.files) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


@pytest.mark.parametrize("num_ranks", [2, 4])
def test_the_ranks_submit_each_image_once(scenes, tmp_path, num_ranks):
    """Two ranks have shares of two and one images, four a share that is padding alone."""
    task, classes = task_of(scenes, "--submit", tmp_path / "s"), np.zeros((1, 48, 64), np.uint8)
    observers = []
    for rank in range(num_ranks):
        data = task.evaluation_set(Session("CPU", rank, num_ranks, ""))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "getpid", lambda rank=rank: rank + 1)  # ranks are processes
            patch.setattr(runtime_files, "_runs", lambda process: True)
            observers.append(task.examples(data))
        for weights in data.weights:
            observers[-1](classes, classes.astype(np.int64), weights)
    assert list((tmp_path / "s").iterdir()) == []
    for observer in observers:
        observer.finish()
    names = {f"{pair.image.name.removesuffix('_leftImg8bit.png')}_pred_labelIds.png" for pair in task.evaluation_pairs}
    assert {path.name for path in (tmp_path / "s").iterdir()} == names
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_a_submission_replaces_no_other(scenes, tmp_path):
    (tmp_path / "s").mkdir()
    task_of(scenes, "--submit", tmp_path / "s").check_validation()
    (tmp_path / "s" / "a.png").write_bytes(b"")
    assert message_of(task_of(scenes, "--submit", tmp_path / "s").check_validation) == (
        f"submit: {tmp_path}/s exists already and is not an empty folder: give another --submit FOLDER"
    )
    task_of(scenes, "--submit", tmp_path / "s", "--resume", "auto").check_validation()
