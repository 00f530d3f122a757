"""Cityscapes on disk: classes, folders, list files, and all that can be wrong with a pair."""

import numpy as np
import pytest
from PIL import Image

from src.datasets.sources.cityscapes import (
    LABEL_FILES,
    load_pairs,
    scan_folders,
    scan_list,
    write_lists,
)
from src.datasets.sources.cityscapes_classes import CITYSCAPES
from src.datasets.sources.scene_pairs import ScenePair, inspect_pairs, read_pair
from tests.support.commands import mistake, run_process
from tests.support.few_scenes import write_gray, write_pair
from tests.support.user_errors import message_of

IMAGE = "leftImg8bit/train/ulm/ulm_000001_000019_leftImg8bit.png"
LABEL = "gtFine/train/ulm/ulm_000001_000019_gtFine_labelIds.png"


@pytest.fixture
def root(tmp_path):
    """Two training pairs and one to validate on."""
    for split, number in (("train", 2), ("train", 1), ("val", 3)):
        write_pair(tmp_path, split, number)
    return tmp_path


# -- classes


def test_the_19_classes_have_the_official_ids():
    assert CITYSCAPES.label_ids == (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
    assert (
        len(CITYSCAPES.names)
        == len(set(CITYSCAPES.names))
        == len(CITYSCAPES.palette)
        == len(set(CITYSCAPES.palette))
        == 19
    )
    assert dict(zip(CITYSCAPES.names, CITYSCAPES.palette, strict=True))["bicycle"] == (119, 11, 32)


def test_label_ids_become_train_ids():
    assert CITYSCAPES.to_classes(np.arange(34, dtype=np.uint8)).tolist() == [
        *(255, 255, 255, 255, 255, 255, 255, 0, 1, 255, 255, 2, 3, 4, 255, 255, 255, 5, 255, 6, 7, 8, 9, 10, 11, 12),
        *(13, 14, 15, 255, 255, 16, 17, 18),
    ]
    assert CITYSCAPES.to_classes(np.array([[255]], np.uint8)).tolist() == [[255]]  # -1, the licence plate


def test_train_ids_become_label_ids_again():
    assert CITYSCAPES.to_label_ids(np.arange(19)).tolist() == list(CITYSCAPES.label_ids)


def test_a_value_that_is_no_label_id_is_named():
    with pytest.raises(ValueError, match=r"value 34 is neither a class nor ignored \(known: 0-33, 255\)"):
        CITYSCAPES.to_classes(np.array([7, 34], np.uint8))


# -- folders and lists


def test_folders_are_scanned_in_order(root):
    write_pair(root, "train", 0, city="zurich")
    write_pair(root, "train", 9, city="aachen")
    names = [pair.image.name for pair in scan_folders(root, "train")[0]]
    assert names == [
        "aachen_000009_000019_leftImg8bit.png",
        "ulm_000001_000019_leftImg8bit.png",
        "ulm_000002_000019_leftImg8bit.png",
        "zurich_000000_000019_leftImg8bit.png",
    ]


def test_lists_are_written_and_read(root):
    write_pair(root, "test", 4)
    assert write_lists(root, root / "lists") == {"train": 2, "val": 1, "test": 1, "trainval": 3}
    assert (root / "lists/train.txt").read_text().splitlines()[0] == f"{IMAGE}\t{LABEL}"
    assert (root / "lists/test.txt").read_text() == "leftImg8bit/test/ulm/ulm_000004_000019_leftImg8bit.png\n"
    for split in ("train", "val", "test"):
        assert load_pairs(str(root), str(root / "lists"), split) == scan_folders(root, split)[0]
    both, _ = scan_list(root / "lists/trainval.txt", root)
    assert both == scan_folders(root, "train")[0] + scan_folders(root, "val")[0]
    assert load_pairs(str(root), "", "val") == scan_folders(root, "val")[0]


def test_existing_lists_are_not_overwritten(root):
    write_lists(root, root / "lists")
    before = (root / "lists/train.txt").read_bytes()
    write_pair(root, "train", 7)
    assert message_of(write_lists, root, root / "lists").startswith(f"{root}/lists exists already and is not an empty")
    assert (root / "lists/train.txt").read_bytes() == before


@pytest.mark.parametrize(
    ("values", "refused"),
    [([0, 10, 18, 255], True), ([7, 23, 26, 255], False), ([0, 10, 18], False), ([255], False)],
)
def test_train_ids_under_the_name_of_label_ids_are_refused(root, values, refused):
    pair = scan_folders(root, "train")[0][0]
    shape = np.asarray(Image.open(pair.label)).shape
    write_gray(pair.label, np.resize(np.uint8(values), shape))
    if refused:
        assert message_of(read_pair, pair, LABEL_FILES) == (
            f"{pair.label}: holds train ids (0-18 and 255): use the *_labelIds.png files"
        )
    else:
        read_pair(pair, LABEL_FILES)


def test_the_parents_of_the_seeds_layout_will_do(tmp_path):
    pair = write_pair(tmp_path / "datasets/cityscapes", "val", 1)
    write_lists(tmp_path / "datasets/cityscapes", tmp_path / "datalist/cityscapes")
    for name in ("", "/cityscapes"):
        root, data_list = f"{tmp_path}/datasets{name}", f"{tmp_path}/datalist{name}"
        assert load_pairs(root, data_list, "val") == load_pairs(root, "", "val") == (pair,)


def test_the_lists_command_writes_them(root):
    finished = run_process("scripts/create_cityscapes_lists.py", root, "lists", cwd=root)
    assert (finished.code, finished.out) == (
        0,
        "lists/train.txt: 2 images\nlists/val.txt: 1 image\nlists/trainval.txt: 3 images\n",
    )
    assert sorted(path.name for path in (root / "lists").iterdir()) == ["train.txt", "trainval.txt", "val.txt"]
    assert mistake(run_process("scripts/create_cityscapes_lists.py", root / "lists")) == (
        f"{root}/lists: no folder leftImg8bit/train, leftImg8bit/val or leftImg8bit/test: give the data set's folder"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "{path} is empty: create it again with scripts/create_cityscapes_lists.py"),
        ("\n \n", "{path} is empty: create it again with scripts/create_cityscapes_lists.py"),
        (f"{IMAGE} {LABEL}\n{IMAGE}\n", '{path}, line 2: expected the fields "image label", found 1'),
        (f"{IMAGE} {LABEL} x\n", '{path}, line 1: expected the fields "image label", found 3'),
        (
            f"{IMAGE} {LABEL}\n\nnowhere.png {LABEL}",
            "{path}, line 3: {root}/nowhere.png is missing: check dataset_path, or create the list again",
        ),
        (
            f"{IMAGE} nowhere.png",
            "{path}, line 1: {root}/nowhere.png is missing: check dataset_path, or create the list again",
        ),
    ],
)
def test_a_broken_list_is_named_with_its_line(root, text, message):
    path = root / "list.txt"
    path.write_text(text)
    assert message_of(load_pairs, str(root), str(path), "train") == message.format(path=path, root=root)


def test_a_test_list_may_have_images_only(root):
    path = root / "list.txt"
    path.write_text(f"{IMAGE}\n{IMAGE} {LABEL}\n")
    assert scan_list(path, root, labelled=False)[0] == (
        ScenePair(root / IMAGE, None),
        ScenePair(root / IMAGE, root / LABEL),
    )


def test_what_is_not_there_is_named(root):
    assert message_of(load_pairs, "", "", "train") == (
        "dataset_path: no folder (empty): give the folder that contains leftImg8bit/ and gtFine/"
    )
    assert message_of(load_pairs, str(root), str(root / "none.txt"), "train") == (
        f"data_list: {root}/none.txt is not a list file: give one, or create it with scripts/create_cityscapes_lists.py"
    )
    assert message_of(load_pairs, str(root), "", "test") == (
        f"{root}: no images leftImg8bit/test/<city>/*_leftImg8bit.png: check dataset_path"
    )
    (root / LABEL).unlink()
    assert message_of(load_pairs, str(root), "", "train") == (
        f"{root / IMAGE} has no label {root / LABEL}: unpack gtFine_trainvaltest.zip there"
    )


# -- files


def test_a_pair_is_decoded(root):
    image, label = read_pair(scan_folders(root, "train")[0][0], LABEL_FILES)
    assert (image.shape, label.shape, label.dtype) == ((24, 40, 3), (24, 40), np.uint8)
    assert (image == np.random.default_rng(1).integers(0, 256, (24, 40, 3), dtype=np.uint8)).all()


def _with_size(root):
    write_gray(root / LABEL, np.zeros((24, 36), np.uint8))


def _with_value(root):
    write_gray(root / LABEL, np.full((24, 40), 200, np.uint8))


def _with_16_bits(root):
    write_gray(root / LABEL, np.full((24, 40), 7, np.uint16))


def _with_palette(root):
    Image.fromarray(np.full((24, 40), 7, np.uint8)).convert("P").save(root / LABEL)


MISTAKES = [
    (_with_size, "{label}: 36x24 pixels, but its image {image} has 40x24: correct the pair"),
    (
        _with_value,
        "{label}: value 200 is neither a class nor ignored (known: 0-33, 255): use the *_labelIds.png files",
    ),
    (
        _with_16_bits,
        "{label}: not an 8-bit grey PNG of label ids (Pillow mode I;16): use the *_labelIds.png files",
    ),
    (_with_palette, "{label}: not an 8-bit grey PNG of label ids (Pillow mode P): use the *_labelIds.png files"),
]


@pytest.mark.parametrize(("damage", "message"), MISTAKES)
def test_what_is_wrong_with_a_pair_is_said(root, damage, message):
    damage(root)
    expected = message.format(image=root / IMAGE, label=root / LABEL)
    assert inspect_pairs(scan_folders(root, "train")[0], LABEL_FILES)[1] == [expected]


@pytest.mark.parametrize("name", [IMAGE, LABEL])
def test_a_damaged_file_of_a_pair_is_told_apart_from_a_wrong_one(root, name):
    (root / name).write_bytes((root / name).read_bytes()[:60])
    _, problems, faults = inspect_pairs(scan_folders(root, "train")[0], LABEL_FILES)
    assert (problems, faults) == ([], {root / name: "truncated"})


def test_all_that_is_wrong_is_said_at_once_in_the_pairs_order(root):
    pairs = scan_folders(root, "train")[0] + scan_folders(root, "val")[0]
    write_gray(pairs[0].label, np.full((24, 40), 99, np.uint8))
    pairs[2].image.write_bytes(b"")
    seen = []
    _, problems, faults = inspect_pairs(pairs, LABEL_FILES, num_threads=3, progress=seen.append)
    assert [problem.split(":")[0] for problem in problems] == [str(pairs[0].label)]
    assert faults == {pairs[2].image: "empty file"}
    assert seen == [1, 2, 3]


def test_a_list_of_train_ids_is_refused_by_name(root):
    path = root / "train.txt"
    path.write_text(f"\ufeff{IMAGE}\t{str(LABEL).replace('labelIds', 'labelTrainIds')}\n", encoding="utf-8")
    _, problems = scan_list(path, root)
    assert problems == [
        f"{path}, line 1: {root / str(LABEL).replace('labelIds', 'labelTrainIds')} holds train ids: use the "
        "*_gtFine_labelIds.png files"
    ]


def test_a_byte_order_mark_and_tabs_with_spaces_hide_no_pair(root):
    (root / "a b.png").write_bytes((root / IMAGE).read_bytes())
    (root / "list.txt").write_text(f"\ufeffa b.png\t{LABEL}\n", encoding="utf-8")
    pairs, problems = scan_list(root / "list.txt", root)
    assert ([pair.image.name for pair in pairs], problems) == (["a b.png"], [])
