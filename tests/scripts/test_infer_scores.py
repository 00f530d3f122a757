"""Labels and scores around the C++ inference: files on one side, the printed line on the other."""

from __future__ import annotations

import json

import numpy as np
import pytest

from scripts.create_imagenet2012_label import class_names, labels_of
from scripts.create_imagenet2012_label import main as create_labels
from scripts.postprocess import accuracy, mean_iou
from scripts.preprocess import main as preprocess
from scripts.preprocess import preprocessing_of
from tests.support.images import write_class_folder
from tests.support.user_errors import message_of


@pytest.fixture
def results(tmp_path):
    (tmp_path / "cat").mkdir()
    rows = {"cat/a": [0.9, 0.1, 0, 0, 0, 0], "cat/b": [0.1, 0.9, 0, 0, 0, 0], "c": [5, 4, 3, 2, 1, 0]}
    for name, logits in rows.items():
        np.asarray(logits, np.float32).tofile(tmp_path / f"{name}_0.bin")
    return tmp_path


def test_accuracy_is_the_seeds_line(results):
    labels = {"cat/a.png": 0, "cat/b.png": 0, "c.JPEG": 5}
    assert accuracy(results, labels, 6) == "Total data: 3, top1 accuracy: 0.33333, top5 accuracy: 0.66667."


def test_a_picture_without_a_result_counts_as_wrong(results):
    labels = {"cat/a.png": 0, "cat/missing.png": 0}
    assert accuracy(results, labels, 6) == "Total data: 2, top1 accuracy: 0.50000, top5 accuracy: 0.50000."


def test_results_of_another_model_are_a_mistake(results):
    assert "c_0.bin has 6 logits, the model 7" in message_of(accuracy, results, {"c.png": 0}, 7)


def test_labels_of_another_folder_are_a_mistake(results):
    assert "no result of any labelled picture" in message_of(accuracy, results, {"x.png": 0}, 6)


def test_labels_follow_the_models_classes(tmp_path):
    write_class_folder(tmp_path / "val", {"cat": 1, "dog": 2})
    card = tmp_path / "model.onnx.json"
    card.write_text(json.dumps({"class_names": ["bird", "dog", "cat"]}), encoding="utf-8")
    labels = labels_of(tmp_path / "val", class_names(card))
    assert labels == {"cat/0.png": 2, "dog/0.png": 1, "dog/1.png": 1}


def test_a_label_file_with_other_content_is_not_replaced_unasked(tmp_path):
    folder, card, target = tmp_path / "val", tmp_path / "model.json", tmp_path / "labels.json"
    write_class_folder(folder, {"cat": 1, "dog": 1})
    card.write_text(json.dumps({"class_names": ["cat", "dog"]}), encoding="utf-8")
    words = [str(folder), str(card), str(target)]
    for _ in range(2):  # a file with the same labels may stay
        assert create_labels(words) == 0
    labels = target.read_bytes()
    for kept in (b'{"cat/0.png": 5}', b"notes"):
        target.write_bytes(kept)
        assert message_of(create_labels, words) == (
            f"LABEL_JSON: {target} exists already: give another name, or --overwrite 1 to replace it"
        )
        assert target.read_bytes() == kept
    assert create_labels([*words, "--overwrite", "1"]) == 0
    assert target.read_bytes() == labels


def test_something_else_is_no_card(tmp_path):
    card = tmp_path / "model.json"
    card.write_text("{}", encoding="utf-8")
    assert message_of(class_names, card) == f"{card} is not the card of an exported model: export the model again"


def test_a_data_set_without_pictures_is_a_mistake(tmp_path):
    card = {"class_names": ["a", "b"], "palette": [[0, 0, 0], [1, 1, 1]], "label_ids": [7, 8]}
    assert "no images" in message_of(mean_iou, tmp_path, tmp_path, card)


def test_inputs_are_prepared_for_a_classification_model_only(tmp_path):
    card = tmp_path / "model.json"
    card.write_text(json.dumps({"preprocessing": {"image_size": 256, "mean_255": [1, 2, 3]}}), encoding="utf-8")
    message = message_of(preprocessing_of, card)
    assert message == f"{card} is not the card of an exported classification model: give another file"


@pytest.fixture
def prepared(tmp_path):
    """The arguments of preprocess.py for two pictures of a class: folder, card, results."""
    write_class_folder(tmp_path / "val", {"cat": 2})
    card = tmp_path / "model.json"
    values = {"image_size": 8, "crop_pct": 0.9, "interpolation": "bilinear", "antialias": False}
    card.write_text(json.dumps({"preprocessing": {**values, "mean": [0, 0, 0], "std": [1, 1, 1]}}), encoding="utf-8")
    return [str(tmp_path / "val"), str(card), str(tmp_path / "inputs")]


def test_inputs_are_not_replaced_unasked(prepared, tmp_path):
    earlier = tmp_path / "inputs" / "earlier.bin"
    earlier.parent.mkdir()
    earlier.touch()
    assert message_of(preprocess, prepared) == (
        f"RESULT_FOLDER: {tmp_path}/inputs exists already: give another name, or --overwrite 1 to replace it"
    )
    for name in ("0.png", "1.png"):
        (tmp_path / "val" / "cat" / name).rename(tmp_path / "val" / "cat" / f"{name}.unread.png")
        (tmp_path / "val" / "cat" / f"{name}.unread.png").write_bytes(b"no picture")
    assert "none of its 2 pictures can be read" in message_of(preprocess, [*prepared, "--overwrite", "1"])
    assert earlier.exists()
    write_class_folder(tmp_path / "val", {"cat": 2})
    assert preprocess([*prepared, "--overwrite"]) == 0
    assert sorted(path.name for path in (tmp_path / "inputs").rglob("*.bin")) == ["0.bin", "1.bin"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inputs", "model.json", "val"]


@pytest.mark.parametrize("target", ["val", "model.json", "link", "."])
def test_nothing_but_inputs_is_ever_replaced(prepared, tmp_path, target):
    (tmp_path / "link").symlink_to(tmp_path / "val")
    before = sorted(tmp_path.rglob("*"))
    message = message_of(preprocess, [*prepared[:2], str(tmp_path / target), "--overwrite"])
    assert message.startswith(f"RESULT_FOLDER: {tmp_path / target}")
    assert message.endswith(" is not an input that this program wrote: give another folder")
    assert sorted(tmp_path.rglob("*")) == before


def test_pictures_that_differ_in_their_ending_only_are_refused(prepared, tmp_path):
    folder = tmp_path / "val" / "cat"
    (folder / "0.bmp").write_bytes((folder / "0.png").read_bytes())
    message = f"{folder}/0.bmp and 0.png would have results of one name: rename one"
    assert message_of(preprocess, prepared) == message
    assert message_of(labels_of, tmp_path / "val", ("cat",)) == message
    assert "would have results of one name" in message_of(accuracy, tmp_path, {"cat/0.bmp": 0, "cat/0.png": 0}, 6)
    assert not (tmp_path / "inputs").exists()


def test_an_unreadable_picture_has_no_input(prepared, tmp_path, capsys):
    (tmp_path / "val" / "cat" / "1.png").write_bytes(b"no picture")
    assert preprocess(prepared) == 0
    assert [path.name for path in (tmp_path / "inputs" / "cat").iterdir()] == ["0.bin"]
    assert (tmp_path / "inputs" / "cat" / "0.bin").stat().st_size == 3 * 8 * 8 * 4
    assert "cat/1.png: " in capsys.readouterr().err
