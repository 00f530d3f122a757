"""Each transform alone on literal pixels, then all of them inside the pipeline: the two may differ."""

import numpy as np
import pytest
from PIL import Image

from src.datasets.decoding import read_image
from src.datasets.pipeline import image_batches
from src.datasets.reading import ImageFiles
from src.datasets.transforms.image import Preprocessing, evaluation_transforms, training_transforms
from tests.support.images import write_image, write_noise

PLAIN = {"interpolation": "bilinear", "mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}
IMAGENET = {"interpolation": "bilinear", "mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


def _grey(rows):
    """(H, W) levels -> (H, W, 3) uint8"""
    return np.repeat(np.array(rows, np.uint8)[..., None], 3, axis=2)


def _operator(name, transforms):
    (found,) = [transform for transform in transforms if type(transform).__name__ == name]
    return found


def _through_pipeline(path, transforms):
    batches = image_batches(ImageFiles([path], [3]), [0], transforms, 1, 1)
    ((image, label),) = batches.create_tuple_iterator(num_epochs=1, output_numpy=True)
    assert label.tolist() == [3]
    return image[0]


@pytest.mark.parametrize(
    ("image_size", "crop_pct", "resize"),
    [(224, 0.875, 256), (224, 0.9, 248), (224, 224 / 256, 256), (224, 0.95, 235), (32, 1.0, 32), (256, 0.95, 269)],
)
def test_pixels_before_the_centre_crop(image_size, crop_pct, resize):
    assert Preprocessing(image_size=image_size, crop_pct=crop_pct, **PLAIN).resize == resize


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_resize_takes_the_shorter_side_and_keeps_the_aspect(interpolation):
    settings = PLAIN | {"interpolation": interpolation}
    resize = evaluation_transforms(Preprocessing(image_size=4, crop_pct=0.5, **settings))[0]
    assert resize(np.full((4, 6, 3), 7, np.uint8)).tolist() == np.full((8, 12, 3), 7).tolist()
    assert resize(np.zeros((32, 16, 3), np.uint8)).shape == (16, 8, 3)


def test_bilinear_resize_averages_neighbours():
    resize = evaluation_transforms(Preprocessing(image_size=2, crop_pct=1.0, **PLAIN))[0]
    blocks = _grey([[0, 0, 100, 120], [0, 0, 80, 100], [200, 200, 40, 40], [200, 200, 40, 40]])
    assert resize(blocks)[..., 0].tolist() == [[0, 100], [200, 40]]


def test_bicubic_is_another_interpolation():
    edge = _grey([[0, 0, 200, 200]] * 4)
    rows = {}
    for interpolation in ("bilinear", "bicubic"):
        settings = PLAIN | {"interpolation": interpolation}
        rows[interpolation] = evaluation_transforms(Preprocessing(image_size=8, crop_pct=1.0, **settings))[0](edge)[
            0, :, 0
        ]
    assert rows["bilinear"].tolist() == [0, 0, 0, 50, 150, 200, 200, 200]
    assert rows["bicubic"].max() > 200  # a cubic overshoots beside an edge


def test_centre_crop_keeps_the_middle():
    crop = evaluation_transforms(Preprocessing(image_size=2, crop_pct=1.0, **PLAIN))[1]
    levels = _grey([[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11], [12, 13, 14, 15]])
    assert crop(levels)[..., 1].tolist() == [[5, 6], [9, 10]]


def test_normalisation_is_per_channel_in_units_of_0_to_1():
    normalise, to_chw = evaluation_transforms(Preprocessing(image_size=2, crop_pct=1.0, **IMAGENET))[2:]
    pixel = np.array([[[0, 0, 0], [255, 255, 255], [124, 116, 104]]], np.uint8)
    normalised = normalise(pixel)
    assert normalised.dtype == np.float32
    np.testing.assert_allclose(
        normalised[0],
        [[-2.117904, -2.035714, -1.804444], [2.248908, 2.428571, 2.64], [0.005566, -0.004902, 0.008192]],
        atol=2e-6,
    )
    assert to_chw(normalised).shape == (3, 1, 3)
    assert to_chw(normalised)[:, 0, 1].tolist() == normalised[0, 1].tolist()


def test_random_crop_resizes_to_the_square():
    transforms = training_transforms(Preprocessing(image_size=4, crop_pct=1.0, **PLAIN), crop_min=0.5, hflip=0.0)
    cropped = _operator("RandomResizedCrop", transforms)(np.full((9, 13, 3), (10, 20, 30), np.uint8))
    assert cropped.tolist() == np.full((4, 4, 3), (10, 20, 30)).tolist()


def test_a_flip_mirrors_left_and_right():
    preprocessing = Preprocessing(image_size=2, crop_pct=1.0, **PLAIN)
    flip = _operator("RandomHorizontalFlip", training_transforms(preprocessing, crop_min=0.5, hflip=1.0))
    assert flip(_grey([[1, 2, 3], [4, 5, 6]]))[..., 0].tolist() == [[3, 2, 1], [6, 5, 4]]


def test_no_flip_where_none_is_asked_for():
    preprocessing = Preprocessing(image_size=2, crop_pct=1.0, **PLAIN)
    names = [type(transform).__name__ for transform in training_transforms(preprocessing, crop_min=0.5, hflip=0.0)]
    assert names == ["RandomResizedCrop", "Normalize", "HWC2CHW"]


def test_a_crop_that_keeps_everything_is_evaluations_crop(tmp_path):
    path = write_noise(tmp_path / "x.png", key=1, height=17, width=23)
    preprocessing = Preprocessing(image_size=8, crop_pct=0.8, **IMAGENET)
    evaluated = _through_pipeline(path, evaluation_transforms(preprocessing))
    trained = _through_pipeline(path, training_transforms(preprocessing, crop_min=1.0, hflip=0.0))
    flipped = _through_pipeline(path, training_transforms(preprocessing, crop_min=1.0, hflip=1.0))
    assert trained.tolist() == evaluated.tolist()
    assert flipped.tolist() == evaluated[:, :, ::-1].tolist()


def test_evaluation_in_the_pipeline_on_literal_pixels(tmp_path):
    path = write_image(tmp_path / "x.png", _grey([[0, 51, 102, 0], [0, 153, 204, 0], [0, 255, 0, 0], [0, 0, 0, 0]]))
    preprocessing = Preprocessing(image_size=2, crop_pct=0.5, **PLAIN)
    image = _through_pipeline(path, evaluation_transforms(preprocessing))
    assert (image.dtype, image.shape) == (np.float32, (3, 2, 2))
    np.testing.assert_allclose(image, [[[0.6, 0.8], [1.0, 0.0]]] * 3, atol=1e-6)


def test_evaluation_in_the_pipeline_is_its_operators_one_by_one(tmp_path):
    path = write_noise(tmp_path / "x.png", key=1, height=17, width=23)
    transforms = evaluation_transforms(Preprocessing(image_size=8, crop_pct=0.8, **IMAGENET))
    image = read_image(path)
    for transform in transforms:
        image = transform(image)
    assert _through_pipeline(path, transforms).tolist() == image.tolist()


def test_training_in_the_pipeline_crops_flips_and_normalises(tmp_path):
    path = write_image(tmp_path / "x.png", np.full((5, 9, 3), (255, 0, 255), np.uint8))
    preprocessing = Preprocessing(image_size=2, crop_pct=1.0, **IMAGENET)
    image = _through_pipeline(path, training_transforms(preprocessing, crop_min=0.1, hflip=0.5))
    assert (image.dtype, image.shape) == (np.float32, (3, 2, 2))
    np.testing.assert_allclose(image[:, 0, 0], [2.248908, -2.035714, 2.64], atol=2e-6)
    assert (image == image[:, :1, :1]).all()


# -- weights that were scored with Pillow's resize


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(375, 500), (1500, 2000), (80, 100), (257, 383), (33, 90)], ids=str)
def test_with_antialias_an_image_is_what_pillow_makes_of_it(tmp_path, size, interpolation):
    pixels = np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)
    settings = PLAIN | {"interpolation": interpolation, "antialias": True}
    transforms = evaluation_transforms(Preprocessing(image_size=27, crop_pct=0.9, **settings))
    image = Image.fromarray(pixels)
    short = min(image.size)
    width, height = (int(30 * side / short) if side > short else 30 for side in image.size)  # as torchvision rounds
    resized = image.resize((width, height), Image.Resampling[interpolation.upper()])
    top, left = int(round((height - 27) / 2.0)), int(round((width - 27) / 2.0))
    expected = np.asarray(resized)[top : top + 27, left : left + 27]
    path = write_image(tmp_path / "a.png", pixels)
    assert np.abs(_through_pipeline(path, transforms).transpose(1, 2, 0) * 255 - expected).max() < 1e-3


def test_without_antialias_shrinking_is_the_old_zoos():
    pixels = _grey([[0, 0, 0, 0, 200, 0, 0, 0]] * 8)
    plain, smooth = (
        evaluation_transforms(Preprocessing(image_size=2, crop_pct=1.0, antialias=antialias, **PLAIN))[0](pixels)
        for antialias in (False, True)
    )
    assert (plain == 0).all()  # between the second and the third of each four pixels
    assert (smooth > 0).any()


@pytest.mark.parametrize("antialias", [False, True])
def test_the_card_says_how_to_get_the_same_pixels(antialias):
    card = Preprocessing(image_size=224, crop_pct=0.9, **PLAIN | {"antialias": antialias}).card()
    assert (card["library"], card["resize"]) == ("Pillow" if antialias else "OpenCV", 248)
    assert card["crop_offset"].endswith("half to even" if antialias else "down")
    assert card["scale"] == 1 / 255
