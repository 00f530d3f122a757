"""Finding and scanning class folders."""

import os
import unicodedata

import pytest

from src.datasets.sources.find import find_split, find_validation
from src.datasets.sources.image_folder import scan_image_folder
from src.datasets.sources.picture_files import IMAGE_ENDINGS, find_pictures, short_names
from tests.support.images import write_class_folder, write_noise
from tests.support.user_errors import message_of

ENDINGS = ", ".join(IMAGE_ENDINGS)


def test_classes_and_files_are_sorted(tmp_path):
    write_class_folder(tmp_path, {"dog": 2, "ant": 1})
    folder = scan_image_folder(tmp_path)
    assert folder.class_names == ("ant", "dog")
    assert [str(file.relative_to(tmp_path)) for file in folder.files] == ["ant/0.png", "dog/0.png", "dog/1.png"]
    assert folder.labels == (0, 1, 1)
    assert (len(folder), folder.root) == (3, tmp_path)


def test_images_lie_at_any_depth_under_any_case_and_other_things_are_passed_over(tmp_path):
    write_noise(tmp_path / "a/deeper/x.png", 1).rename(tmp_path / "a/deeper/X.JPEG")
    write_noise(tmp_path / "b/y.png", 2)
    write_noise(tmp_path / ".cache/z.png", 3)
    write_noise(tmp_path / "a/.ipynb_checkpoints/x.png", 3)
    write_noise(tmp_path / "b/._y.png", 3)
    write_noise(tmp_path / "__MACOSX/b/y.png", 3)
    (tmp_path / "a" / "notes.txt").write_text("no image")
    (tmp_path / "labels.txt").write_text("no class")
    folder = scan_image_folder(tmp_path)
    assert folder.class_names == ("a", "b")
    assert [file.name for file in folder.files] == ["X.JPEG", "y.png"]
    hidden = f"left out: 4 hidden files or folders in {tmp_path.name}/, a, b"
    assert folder.left_out == ("left out: 1 file .txt in a", hidden)


def test_validation_with_fewer_classes_keeps_the_training_labels(tmp_path):
    write_class_folder(tmp_path, {"c": 1, "a": 2})
    folder = scan_image_folder(tmp_path, class_names=("a", "b", "c"))
    assert (folder.class_names, folder.labels) == (("a", "b", "c"), (0, 0, 2))


def test_a_class_that_was_not_trained_is_named(tmp_path):
    write_class_folder(tmp_path, {"a": 1, "zebra": 1})
    assert message_of(scan_image_folder, tmp_path, ("a", "b")) == (
        f"{tmp_path}: folder zebra is not one of the 2 training classes"
    )


@pytest.mark.parametrize("content", [[], ["image.png"], ["cat/notes.txt"]])
def test_a_folder_without_images_in_class_folders_says_what_it_needs(tmp_path, content):
    for name in content:
        write_noise(tmp_path / name, 1) if name.endswith("png") else (tmp_path / "cat").mkdir()
    assert message_of(scan_image_folder, tmp_path) == (
        f"{tmp_path}: no images found: expected one folder per class with {ENDINGS} files"
    )


def test_the_parent_of_train_and_val_stands_for_both(tmp_path):
    for name in ("train/a", "val/a"):
        (tmp_path / name).mkdir(parents=True)
    parent, train = str(tmp_path), str(tmp_path / "train")
    assert find_split(parent, "train", "dataset_path") == tmp_path / "train"
    assert find_split(train, "train", "dataset_path") == tmp_path / "train"
    assert find_split(str(tmp_path / "val/"), "val", "eval_path") == tmp_path / "val"


@pytest.mark.parametrize("below", ["", "/diesel"])
def test_a_class_called_train_or_val_is_not_the_split(tmp_path, below):
    for split in ("train", "val"):
        write_class_folder(tmp_path / "data" / split, {f"{name}{below}": 1 for name in ("bus", "train")})
        assert find_split(str(tmp_path / "data"), split, "dataset_path") == tmp_path / "data" / split
        assert find_split(str(tmp_path / "data" / split), "train", "dataset_path") == tmp_path / "data" / split
    write_class_folder(tmp_path / "cars", {f"{name}{below}": 1 for name in ("bus", "val")})
    assert find_split(str(tmp_path / "cars"), "val", "eval_path") == tmp_path / "cars"


def test_folders_behind_links_are_followed_once(tmp_path):
    root, pool = tmp_path / "data", write_class_folder(tmp_path / "pool", {"more": 3})
    write_class_folder(root, {"cat": 1, "dog": 1})
    (root / "cat/linked").symlink_to(pool / "more")
    (root / "dog/loop").symlink_to(root / "dog")
    (root / "dog/gone.png").symlink_to(root / "nowhere")
    assert scan_image_folder(root).labels == (0, 0, 0, 0, 1)


def test_names_in_two_unicode_forms_are_one_class(tmp_path):
    composed, decomposed = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))
    write_class_folder(tmp_path / "train", {decomposed: 1, "tea": 1})
    write_class_folder(tmp_path / "val", {composed: 1, decomposed: 1, "tea": 1})
    trained = scan_image_folder(tmp_path / "train")
    assert trained.class_names == (composed, "tea")
    assert scan_image_folder(tmp_path / "val", trained.class_names).labels == (0, 0, 1)
    assert scan_image_folder(tmp_path / "val", (decomposed, "tea")).labels == (0, 0, 1)


def test_a_class_whose_name_is_not_utf8_is_refused_before_any_work(tmp_path):
    os.makedirs(os.path.join(os.fsencode(tmp_path), b"\xb9\xb7"))
    assert message_of(scan_image_folder, tmp_path).startswith(
        f"{tmp_path}/\\udcb9\\udcb7: the folder's name is not UTF-8: rename it"
    )


def test_validation_images_are_found_inside_or_beside_the_training_images(tmp_path):
    for name in ("train/a", "val/a", "other/val/a"):
        (tmp_path / name).mkdir(parents=True)
    assert find_validation("", str(tmp_path)) == tmp_path / "val"
    assert find_validation("", str(tmp_path / "train")) == tmp_path / "val"
    assert find_validation(str(tmp_path / "other"), str(tmp_path)) == tmp_path / "other/val"
    assert find_validation(str(tmp_path / "other/val"), "") == tmp_path / "other/val"


def test_a_folder_that_is_not_there_is_named_with_its_key(tmp_path):
    assert message_of(find_split, "nowhere", "train", "dataset_path") == (
        "dataset_path: no folder nowhere: give --dataset_path FOLDER with one folder per class"
    )
    assert message_of(find_split, "", "train", "dataset_path") == (
        "dataset_path: no folder (empty): give --dataset_path FOLDER with one folder per class"
    )
    assert message_of(find_validation, "nowhere", "") == (
        "eval_path: no folder nowhere: give --eval_path FOLDER with one folder per class"
    )
    assert message_of(find_validation, "", str(tmp_path)) == (
        f"eval_path is empty, and val/ is missing inside and beside {tmp_path}"
    )
    assert message_of(find_validation, "", "") == (
        "eval_path is empty, and val/ is missing inside and beside (no dataset_path)"
    )


def test_pictures_are_named_by_files_and_folders(tmp_path):
    first, second, third = (write_noise(tmp_path / name, 1) for name in ("a/2.png", "a/1.png", "b.png"))
    assert find_pictures(f"{third}, {tmp_path / 'a'}") == [third, second, first]


def test_pictures_are_named_by_patterns_and_by_names_with_commas(tmp_path):
    names = ("cat,dog.png", "b.png", "c[1].png", ".hidden.png")
    comma, plain, brackets, _ = (write_noise(tmp_path / name, 1) for name in names)
    assert find_pictures(str(comma)) == [comma]
    assert find_pictures(f"{comma},{plain}") == [comma, plain]
    assert find_pictures(f"{plain}\n{comma}") == [plain, comma]
    assert find_pictures(str(brackets)) == [brackets]
    assert find_pictures(f"{tmp_path}/*.png") == [plain, brackets, comma]
    assert message_of(find_pictures, f"{tmp_path}/*.gif") == f"input: {tmp_path}/*.gif matches no file"


def test_files_of_several_folders_keep_their_folders_names(tmp_path):
    files = [tmp_path / "cat/1.png", tmp_path / "dog/1.png"]
    assert short_names(files) == ["cat/1.png", "dog/1.png"]
    assert short_names(files[:1]) == ["1.png"]


def test_pictures_that_are_not_there_are_named(tmp_path):
    (tmp_path / "empty").mkdir()
    assert message_of(find_pictures, " , ") == "input is empty: give --input PICTURE or --input FOLDER"
    assert message_of(find_pictures, "nowhere.png") == "input: nowhere.png does not exist"
    assert message_of(find_pictures, str(tmp_path / "empty")) == (
        f"input: no pictures below {tmp_path}/empty ({ENDINGS})"
    )
