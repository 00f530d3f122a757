"""Masks of one's own: classes, colours, folders, and all that can be wrong with them."""

import numpy as np
import pytest
from PIL import Image

from src.datasets.sources.label_colors import complete_palette, lab
from src.datasets.sources.label_table import LabelTable
from src.datasets.sources.mask_classes import read_classes
from src.datasets.sources.masks import check_table, mask_files, read_table, scan_masks
from src.datasets.sources.scene_pairs import classes_of, inspect_pairs, read_pair
from tests.support.few_scenes import write_gray
from tests.support.images import write_noise
from tests.support.mask_scenes import write_json
from tests.support.user_errors import message_of

TABLE = LabelTable(("road", "tree"), ((9, 9, 9), (0, 200, 0)), (0, 1))


@pytest.fixture
def root(tmp_path):
    """Two images of 6 x 4 pixels with grey masks, and classes.txt."""
    for number in (1, 2):
        write_noise(tmp_path / f"train/images/{number}.png", number, 4, 6)
        write_gray(tmp_path / f"train/masks/{number}.png", np.arange(24, dtype=np.uint8).reshape(4, 6) % 2)
    (tmp_path / "classes.txt").write_text("road\n\ntree line 0 200 0\nlane 2\n")
    return tmp_path


# -- classes


def test_classes_have_names_and_colours(root):
    table = read_table(str(root), 255)
    assert (table.names, table.label_ids, table.ignored) == (("road", "tree line", "lane 2"), (0, 1, 2), (255,))
    assert table.palette[1] == (0, 200, 0)
    assert len(set(table.palette)) == 3
    assert LabelTable.from_dict(table.to_dict()) == table


def test_classes_in_json_may_have_their_own_values(root):
    write_json(root, [{"name": "back", "id": 0}, {"name": "front", "color": [255, 0, 0], "id": 255}])
    table = read_table(str(root), 7)
    assert table.to_classes(np.array([255, 0, 7], np.uint8)).tolist() == [1, 0, 255]
    assert table.to_label_ids(np.array([1, 0])).tolist() == [255, 0]
    assert table.palette[1] == (255, 0, 0)


def test_a_masks_palette_colours_the_classes(root):
    mask = Image.fromarray(np.zeros((4, 6), np.uint8))
    mask.putpalette([200, 0, 0, 0, 200, 0, 0, 0, 200])
    mask.save(root / "train/masks/1.png")
    (root / "classes.txt").write_text("a\nb\nc\n")
    assert read_table(str(root), 255).palette == ((200, 0, 0), (0, 200, 0), (0, 0, 200))
    mask.putpalette([value // 3 for value in range(768)])  # shades of grey: nobody could tell them apart
    mask.save(root / "train/masks/1.png")
    assert read_table(str(root), 255).palette == complete_palette([None] * 3)


def test_chosen_colours_are_far_apart():
    palette = complete_palette([(128, 64, 128), *[None] * 19])
    assert palette[0] == (128, 64, 128)
    places = lab(np.array([*palette, (0, 0, 0), (255, 255, 255)]))
    distances = np.linalg.norm(places[:, None] - places, axis=-1) + 1e3 * np.eye(22)
    assert distances.min() > 30
    assert complete_palette([None] * 254)  # the most there can be


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("txt", "", "0 classes: list 1 to 254, one per line (or JSON object)"),
        ("txt", "a\na\n", "class a appears twice: rename or remove one"),
        ("json", "{", "not valid JSON: "),
        ("json", "[" * 100_000, "not valid JSON: "),
        ("json", "{}", 'not a list: write [{"name": "road", "color": [128, 64, 128]}, ...]'),
        ("json", '[{"name": "a", "id": 1}, {"name": "b"}]', "value 1 appears twice: rename or remove one"),
        ("json", '[{"name": "a", "id": 255}]', "class a has the ignored value 255: give another --ignore_label"),
    ],
)
def test_a_broken_file_of_classes_is_named(tmp_path, name, text, message):
    path = tmp_path / f"classes.{name}"
    path.write_text(text)
    assert message_of(read_classes, path, 255).startswith(f"{path}: {message}")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("txt", "a\nb 1 2 300", "line 2: [1, 2, 300] is not a colour: "),
        ("txt", "a 1 2 -3", "line 1: [1, 2, -3] is not a colour: "),
        ("json", '[{"name": "a", "color": "red"}]', "entry 0: red is not a colour: "),
        ("json", '["a"]', 'entry 0: write {"name": text}'),
        ("json", '[{"name": " "}]', 'entry 0: write {"name": text}'),
        ("json", '[{"name": "a", "colour": [1, 2, 3]}]', 'entry 0: write {"name": text}'),
        ("json", '[{"name": "a", "id": 256}]', "entry 0: id 256 is not a value of an 8-bit mask"),
    ],
)
def test_a_broken_entry_is_named(tmp_path, name, text, message):
    path = tmp_path / f"classes.{name}"
    path.write_text(text)
    assert message_of(read_classes, path, 255).startswith(f"{path}, {message}")


def test_without_a_file_of_classes_the_remedy_is_said(root):
    (root / "classes.json").write_text("[]")
    assert message_of(read_table, str(root), 255) == f"{root} has both classes.json and classes.txt: keep one"
    for name in ("json", "txt"):
        (root / f"classes.{name}").unlink()
    missing = message_of(read_table, str(root), 255)
    assert missing.startswith(f"{root}: classes.txt is missing: write one with one class per line")
    assert message_of(read_table, str(root / "none"), 255).startswith(f"dataset_path: no folder {root}/none: give ")


def test_data_of_other_classes_are_refused(root):
    check_table(str(root), read_table(str(root), 255))
    assert message_of(check_table, str(root), TABLE) == (
        f"{root}/classes.txt: classes road, tree line, lane 2, but the network has road, tree: use the data set of "
        "this network"
    )
    (root / "classes.txt").unlink()
    check_table(str(root), TABLE)


# -- folders


def test_both_layouts_are_read(root):
    pairs, problems = scan_masks(str(root), "train")
    assert ([pair.label.name for pair in pairs], problems) == (["1.png", "2.png"], [])
    for kind in ("images", "masks"):
        (root / kind).mkdir()
        (root / "train" / kind).rename(root / kind / "train")
    (root / "train").rmdir()
    assert [pair.image for pair in scan_masks(str(root), "train")[0]] == [
        root / "images/train/1.png",
        root / "images/train/2.png",
    ]


def test_images_without_a_mask_of_their_own_are_named(root):
    write_noise(root / "train/images/2.jpg", 2, 4, 6)
    (root / "train/masks/1.png").unlink()
    masks = root / "train/masks"
    assert scan_masks(str(root), "train")[1] == [
        f"{root}/train/images/1.png has no mask {masks}/1.png: add it, or remove the image",
        *(
            f"{root}/train/images/2.{ending} shares its mask {masks}/2.png with another image: rename one of them"
            for ending in ("jpg", "png")
        ),
    ]
    assert message_of(scan_masks, str(root), "val") == f"{root}: no folder val/images or images/val: check dataset_path"


# -- files


@pytest.mark.parametrize("name", ["sign 1 2 --5", "sign 1 2 " + "9" * 5000])
def test_words_that_are_no_numbers_belong_to_the_name(tmp_path, name):
    path = tmp_path / "classes.txt"
    path.write_text(name)
    assert read_classes(path, 255).names == (name,)


@pytest.mark.parametrize("mode", ["L", "P", "1"])
def test_an_index_mask_is_read_in_each_form(root, mode):
    (pair, _), _ = scan_masks(str(root), "train")
    values = np.arange(24, dtype=np.uint8).reshape(4, 6) % 2
    mask = Image.fromarray(values if mode != "1" else values.astype(bool))
    if mode == "P":
        mask.putpalette([200, 0, 0, 0, 200, 0])
    mask.save(pair.label)
    assert Image.open(pair.label).mode == mode
    _, label = read_pair(pair, mask_files(TABLE))
    assert (classes_of(label, pair.label, mask_files(TABLE)) == values).all()


def _rgb(path):
    write_noise(path, 1, 4, 6)


def _other_size(path):
    write_gray(path, np.zeros((4, 5), np.uint8))


def _other_value(path):
    write_gray(path, np.full((4, 6), 9, np.uint8))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            _rgb,
            "{mask}: not an 8-bit index mask (Pillow mode RGB): convert it to an index PNG (one channel or a palette) "
            "whose pixel values are classes",
        ),
        (_other_size, "{mask}: 5x4 pixels, but its image {image} has 6x4: correct the pair"),
        (
            _other_value,
            "{mask}: value 9 is neither a class nor ignored (known: 0-1, 255): correct the mask, name the class in "
            "classes.txt, or give the value as --ignore_label",
        ),
    ],
)
def test_what_is_wrong_with_a_mask_is_said(root, damage, message):
    pairs, _ = scan_masks(str(root), "train")
    damage(pairs[0].label)
    pixels, problems, faults = inspect_pairs(pairs, mask_files(TABLE))
    assert (problems, faults) == ([message.format(mask=pairs[0].label, image=pairs[0].image)], {})
    assert pixels.tolist() == [12, 12, 0]
