"""One data set as class folders, lists, tar archives and MindRecord: the same batches from each."""

import re
import tarfile

import numpy as np
import pytest

from src.config import read_config
from src.datasets.sources.image_folder import scan_image_folder
from src.inference.evaluator import Evaluation
from src.runtime.session import Session
from src.tasks.classification.task import ClassificationTask
from tests.support.commands import TINY, mistake, run_here, run_process
from tests.support.few_digits import write_few_digits
from tests.support.runs import TinyRun

SESSION = Session("CPU", rank=0, num_ranks=1, isa="")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Digits with a file in each split that cannot be read, and one that only its decoding shows."""
    folder = write_few_digits(tmp_path_factory.mktemp("sources") / "digits")
    for split in ("train", "val"):
        first = sorted((folder / split / "2").iterdir())[0]
        first.write_bytes(first.read_bytes()[:60])
    return folder


def _as_lists(folder, place):
    place.mkdir()
    for split in ("train", "val"):
        images = scan_image_folder(folder / split)
        pairs = zip(images.files, images.labels, strict=True)
        text = "".join(f"{path.relative_to(folder)} {label}\n" for path, label in pairs)
        (place / f"{split}.txt").write_text(text)
    return ("--dataset_path", folder, "--data_list", place)


def _as_archives(folder, place):
    for split in ("train", "val"):
        (place / split).mkdir(parents=True)
        with tarfile.open(place / split / f"imagenet_{split}.tar", "w") as tar:
            tar.add(folder / split, ".")
    return ("--dataset_path", place)


def _as_mindrecord(folder, place):
    options = ("--config_path", TINY, "--dataset_path", folder, "--output", place)
    finished = run_process("scripts/create_mindrecord.py", *options)
    assert finished.code == 0, finished
    return ("--dataset", "mindrecord", "--dataset_path", place)


@pytest.fixture(scope="module")
def recorded(folder, tmp_path_factory):
    """Options that read the folder's MindRecord."""
    return _as_mindrecord(folder, tmp_path_factory.mktemp("records") / "data")


FORMS = {"lists": _as_lists, "archives": _as_archives, "mindrecord": _as_mindrecord}


def _task(*options):
    resolved = read_config([str(word) for word in ("--config_path", TINY, "--max_bad_images", 0.1, *options)])
    return ClassificationTask(resolved.config, given=resolved.given)


def _training(task):
    return [
        (image.asnumpy().tobytes(), label.asnumpy().tolist()) for image, label in task.training_dataset(SESSION, 0, 0)
    ]


def _validation(task):
    data = task.evaluation_set(SESSION)
    return [
        (image.asnumpy().tobytes(), label.asnumpy().tolist(), weights.tolist())
        for (image, label), weights in zip(data.batches(), data.weights, strict=True)
    ]


@pytest.mark.parametrize("form", FORMS)
def test_the_batches_are_those_of_the_folder(folder, recorded, tmp_path, form):
    options = recorded if form == "mindrecord" else FORMS[form](folder, tmp_path / "data")
    expected, task = _task("--dataset_path", folder), _task(*options)
    assert task.class_names == expected.class_names == tuple("0123456789")
    validation = _validation(task)
    assert validation == _validation(expected)
    counted = np.concatenate([np.array(labels)[np.array(weights) > 0] for _, labels, weights in validation])
    assert (len(counted), (counted == -3).sum()) == (20, 1)  # the unreadable 2 counts, as wrong
    if form != "mindrecord":  # which leaves the unreadable training image out
        assert _training(task) == _training(expected)
    else:
        assert len(task.training_folder) == len(expected.training_folder) - 1
        assert len(_training(task)) == 3  # of 16 from 63


def test_a_rank_without_images_has_the_result_of_all(folder):
    """More ranks than images: the last ones have padding alone."""
    task = _task("--dataset_path", folder)
    whole, none = task.metric(), task.metric()
    whole.update(np.eye(10, dtype=np.float32), np.arange(10))
    evaluation = Evaluation(whole.compute(), none.state(), 1.0, 0.5, 8.0)
    result = task.summarise(evaluation, task.examples(task.evaluation_set(SESSION)))
    assert result.score == 1.0
    assert "before results=[[0], [0], [0]]" in result.lines


def test_mindrecord_of_another_data_set_and_without_a_place(recorded):
    place = recorded[-1]
    line = mistake(run_here("train.py", "--config_path", TINY, *recorded, "--class_num", 9))
    assert line == f"{place}/train.json has 10 class folders, class_num is 9: give --class_num 10"
    assert mistake(run_here("train.py", "--config_path", TINY, "--dataset", "mindrecord")) == (
        "dataset_path is empty: give --dataset_path FOLDER with the MindRecord files"
    )
    line = mistake(run_here("train.py", "--config_path", TINY, *recorded, "--check_dataset", 1))
    assert line.startswith(f"{place}/train.json: image files are needed, not MindRecord: give the folder ")


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_training_evaluation_and_export_from_each_form(tmp_path, form):
    digits = write_few_digits(tmp_path / "digits")
    options = FORMS[form](digits, tmp_path / "data")
    runs = []
    for name, source in (("folder", ("--dataset_path", digits)), (form, options)):
        run = TinyRun(digits, tmp_path / "outputs", name)
        words = ("--config_path", TINY, "--save_checkpoint_path", run.parent, "--name", name)
        assert run_here("train.py", *words, *source, "--max_epoch", 2).code == 0
        runs.append(run)
    assert runs[0].weights() == runs[1].weights()
    results = [run_here("eval.py", "--pretrained", run.best, "--output", tmp_path / "evaluation") for run in runs]
    accuracies = [re.findall(r"top\d_correct=\d+, tot=20", result.out) for result in results]
    assert accuracies[0] == accuracies[1] != []
    exported = run_here("export.py", "--pretrained", runs[1].best, "--file_name", tmp_path / "net")
    assert (exported.code, (tmp_path / "net.mindir").exists()) == (0, True)
