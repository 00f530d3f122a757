"""ImageNet's class names, and folders named by WordNet ids."""

import pytest

from src.datasets.sources.image_folder import scan_image_folder
from src.datasets.sources.imagenet import NUM_CLASSES, class_of_folder, imagenet_classes
from src.datasets.sources.labelled import LabelledImages
from src.tasks.classification.classes import names_for_unnamed
from tests.support.images import write_class_folder
from tests.support.user_errors import message_of

NAMES = tuple(imagenet_classes().values())


def test_the_classes_are_a_thousand_in_the_order_of_their_ids():
    ids = list(imagenet_classes())
    assert ids == sorted(ids)
    assert len(ids) == len(set(NAMES)) == NUM_CLASSES
    assert all(len(name) == 9 and name.startswith("n") and name[1:].isdigit() for name in ids)
    literal = {0: "tench", 207: "golden retriever", 281: "tabby", 504: "coffee mug", 999: "toilet tissue"}
    assert {number: NAMES[number] for number in literal} == literal
    assert [name for name in NAMES if "crane" in name] == ["crane (n02012849)", "crane (n03126707)"]


def test_a_part_of_the_folders_gets_the_labels_of_the_whole(tmp_path):
    write_class_folder(tmp_path, {"n02099601": 1, "n01440764": 2})
    images = scan_image_folder(tmp_path, NAMES)
    assert images.labels == (0, 0, 207)
    assert images.class_names == NAMES


def test_folders_may_have_english_names_and_others_are_refused(tmp_path):
    write_class_folder(tmp_path, {"tench": 1, "n02099601": 1})
    assert scan_image_folder(tmp_path, NAMES).labels == (0, 207)
    write_class_folder(tmp_path, {"unicorn": 1})
    assert message_of(scan_image_folder, tmp_path, NAMES) == (
        f"{tmp_path}: folder unicorn is not one of the 1000 training classes"
    )


def test_an_id_is_translated_only_where_its_name_is_a_class():
    assert class_of_folder("n01440764", NAMES) == "tench"
    assert class_of_folder("n01440764", ("n01440764", "tench")) == "n01440764"
    assert class_of_folder("n01440764", ("cat", "dog")) == "n01440764"


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        (("0", "10", "2"), tuple(map(str, range(12)))),  # not 0, 1, 2 in the order of the text
        (tuple("abcdefghijkl"), tuple("abcdefghijkl")),
    ],
)
def test_weights_without_names_take_all_folders_or_numbers(tmp_path, folders, names):
    assert names_for_unnamed(LabelledImages(tmp_path, folders, (), ()), 12) == names


def test_weights_without_names_refuse_a_part_of_the_classes(tmp_path):
    assert message_of(names_for_unnamed, LabelledImages(tmp_path, ("cat", "dog"), (), ()), 12) == (
        f"{tmp_path} has 2 classes, and the converted weights have 12 without names: name the folders by the numbers "
        "of their outputs, 0 to 11"
    )
