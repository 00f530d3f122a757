"""Samples named by a list file."""

import unicodedata

import pytest

from src.datasets.sources.find import find_list, find_split, find_validation, open_images
from src.datasets.sources.list_file import read_list
from tests.support.images import write_class_folder, write_noise
from tests.support.user_errors import message_of


@pytest.fixture
def root(tmp_path):
    return write_class_folder(tmp_path / "images", {"cat": 2, "big dog": 1})


def _list(folder, text, name="train.txt"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_paths_are_relative_or_absolute_and_may_have_spaces(tmp_path, root):
    path = _list(
        tmp_path, f"# a comment\ncat/1.png 1\n\nbig dog/0.png\t0\n  big dog/1 2.png 0 \n{root}/cat/0.png   1\n"
    )
    images = read_list(path, root, class_num=5)
    assert [str(file.relative_to(root)) for file in images.files] == [
        "cat/1.png",
        "big dog/0.png",
        "big dog/1 2.png",
        "cat/0.png",
    ]
    assert (images.labels, images.class_names, images.root) == ((1, 0, 0, 1), ("big dog", "cat"), path)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("cat/0.png 2\nbig dog/0.png 0\n", ("big dog", "1", "cat")),  # no image of class 1
        ("cat/0.png 0\nbig dog/0.png 0\ncat/1.png 1\n", ("0", "cat")),
        ("cat/0.png 0\ncat/1.png 1\n", ("0", "1")),  # the folder is not the class
    ],
)
def test_classes_are_called_after_their_folder_or_their_number(tmp_path, root, text, names):
    assert read_list(_list(tmp_path, text), root, class_num=3).class_names == names


def test_a_validation_list_has_the_training_classes(tmp_path, root):
    path = _list(tmp_path, "cat/0.png 1\n")
    assert read_list(path, root, 9, class_names=("a", "b")).class_names == ("a", "b")
    assert message_of(read_list, _list(tmp_path, "cat/0.png 2\n"), root, 9, ("a", "b")) == (
        f"{path}:1: label 2 is out of range: with 2 classes, labels are 0 to 1"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cat/0.png 0\n\ncat/1.png\n", ":3: no label in 'cat/1.png': each line must be PATH LABEL"),
        ("cat/0.png zero\n", ":1: no label in 'cat/0.png zero': each line must be PATH LABEL"),
        ("cat/0.png 0\ncat/1.png 5\n", ":2: label 5 is out of range: with 5 classes, labels are 0 to 4"),
        ("cat/0.png -1\n", ":1: label -1 is out of range: with 5 classes, labels are 0 to 4"),
        ("\n# nothing\n", ": no images: each line must be PATH LABEL"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, root, text, message):
    path = _list(tmp_path, text)
    assert message_of(read_list, path, root, 5) == f"{path}{message}"


def test_a_list_of_another_folder_and_a_file_that_is_no_list(tmp_path, root):
    path = _list(tmp_path, "elsewhere/0.png 0\n")
    assert message_of(read_list, path, root, 5) == (
        f"{path}: its first image {root}/elsewhere/0.png is missing: paths are relative to {root}"
    )
    path.write_bytes(b"\xff\xfe\x00")
    assert message_of(read_list, path, root, 5).startswith(f"{path}: cannot be read as a list of images: ")


def test_a_list_stands_where_a_folder_stands(tmp_path, root):
    train, val = _list(root, "cat/0.png 1\nbig dog/0.png 0\n"), _list(root, "cat/1.png 1\n", "val.txt")
    assert find_split(str(train), "train", "dataset_path") == train
    assert find_validation("", str(train)) == find_validation("", str(root)) == val
    images = open_images(val, 2, ("big dog", "cat"))
    assert (images.files, images.labels) == ((root / "cat/1.png",), (1,))


def test_lists_of_a_folder_are_found_by_split(tmp_path):
    path = _list(tmp_path, "")
    assert find_list(str(tmp_path), "train") == path
    assert message_of(find_list, str(tmp_path), "val") == (
        f"data_list: no file {tmp_path}/val.txt: give --data_list FOLDER with train.txt and val.txt"
    )


@pytest.mark.parametrize(
    "line", ["a b.png 1", "a b.png\t1", "a b.png,1", "a b.png; 1", "\ufeffa b.png 1", "a b.png 1\r"]
)
def test_a_line_is_read_whoever_wrote_it(tmp_path, line):
    write_noise(tmp_path / "a b.png", 1)
    (tmp_path / "list.txt").write_bytes((line + "\n").encode())
    images = read_list(tmp_path / "list.txt", tmp_path, 2)
    assert (images.files, images.labels) == ((tmp_path / "a b.png",), (1,))


def test_names_in_another_form_than_the_systems_are_found(tmp_path):
    composed, decomposed = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))
    picture = write_noise(tmp_path / "train" / f"{decomposed}.png", 1)
    (tmp_path / "list.txt").write_text(f"train\\{composed}.png 0\n", encoding="utf-8")
    assert read_list(tmp_path / "list.txt", tmp_path, 2).files == (picture,)


def test_a_label_of_thousands_of_digits_is_out_of_range(tmp_path):
    (tmp_path / "list.txt").write_text("a.png " + "9" * 5000)
    assert "label 999999999... is out of range" in message_of(read_list, tmp_path / "list.txt", tmp_path, 2)
