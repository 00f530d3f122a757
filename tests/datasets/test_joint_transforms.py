"""Scale, crop and flip of an image with its label."""

import numpy as np
import pytest
from mindspore.dataset import vision

from src.datasets.transforms.joint import (
    SCALES,
    JointAugmentation,
    Normalization,
    Placement,
    axis_samples,
    create_normalization,
    draw_placement,
    place_image,
    place_label,
    scaled_side,
    whole_image,
)

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
AS_IT_IS = Normalization((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
HEIGHT, WIDTH = 30, 50


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def image(pixels):
    return pixels


@pytest.fixture(scope="module")
def label():
    return np.random.default_rng(1).integers(0, 19, (HEIGHT, WIDTH), dtype=np.uint8)


def test_the_scales_are_the_recipes():
    assert SCALES == (0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2.0, 2.1)
    assert (scaled_side(1024, 0.7), scaled_side(2048, 2.1)) == (717, 4301)


def test_positions_are_those_of_pixel_centres():
    samples = axis_samples(side=4, scale=2.0, offset=1, length=4)
    # centres 0.75, 1.25, 1.75, 2.25 of the source axis
    assert (samples.first, samples.last) == (0, 3)
    assert samples.low.tolist() == [0, 0, 1, 1]
    assert samples.high.tolist() == [1, 1, 2, 2]
    assert samples.weight.tolist() == [0.25, 0.75, 0.25, 0.75]
    assert samples.nearest.tolist() == [0, 1, 1, 2]


def test_the_edges_are_held():
    samples = axis_samples(side=4, scale=2.0, offset=0, length=8)
    assert samples.weight[[0, -1]].tolist() == [0.0, 0.0]
    assert (samples.low + samples.first)[[0, -1]].tolist() == [0, 3]


@pytest.mark.parametrize("scale", [0.5, 0.8, 1.0, 1.5, 2.0])
def test_scaling_is_the_frameworks_bilinear_resize(pixels, image, scale):
    height, width = scaled_side(HEIGHT, scale), scaled_side(WIDTH, scale)
    expected = vision.Resize((height, width), vision.Inter.BILINEAR)(pixels)
    found = place_image(image, Placement(scale, 0, 0, False), width, AS_IT_IS)[:, :height]
    assert np.abs(found.transpose(1, 2, 0) - expected).max() <= 1.0  # it rounds to integers


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("flip", [False, True])
def test_cropping_first_is_scaling_first(image, label, scale, flip):
    """Bit for bit what the recipe says: scale all, pad below and on the right, crop, flip."""
    height, width = scaled_side(HEIGHT, scale), scaled_side(WIDTH, scale)
    size, everything = 28, 110
    top, left = max(height - size, 0) // 2, max(width - size, 0) // 3
    placement = Placement(scale, top, left, flip)
    whole = place_image(image, Placement(scale, 0, 0, False), everything, AS_IT_IS)
    expected = whole[:, top : top + size, left : left + size]
    found = place_image(image, placement, size, AS_IT_IS)
    assert (found == (expected[..., ::-1] if flip else expected)).all()
    classes = place_label(label, Placement(scale, 0, 0, False), everything, 255)[top : top + size, left : left + size]
    found = place_label(label, placement, size, 255)
    assert (found == (classes[:, ::-1] if flip else classes)).all()


def test_padding_is_zero_and_ignored(image, label):
    placement = Placement(0.8, 0, 0, True)  # 24 x 40 of 48 x 48, the flip puts the padding on the left
    normalization = create_normalization(True, *IMAGENET)
    pixels, classes = place_image(image, placement, 48, normalization), place_label(label, placement, 48, 255)
    assert (pixels[:, 24:] == 0).all()
    assert (pixels[:, :, :8] == 0).all()
    assert (pixels[:, :24, 8:] != 0).all()
    assert ((classes == 255) == (pixels[0] == 0)).all()


@pytest.mark.parametrize("axis", [0, 1])
def test_image_and_label_stay_together(axis):
    """On a ramp the image has the position itself, and the label the nearest pixel's."""
    ramp = np.indices((HEIGHT, WIDTH), np.uint8)[axis]
    image, label = np.repeat(ramp[..., None], 3, 2), ramp
    augmentation = JointAugmentation(input_size=28)
    for key in range(40):
        placement = draw_placement(np.random.default_rng(key), HEIGHT, WIDTH, augmentation)
        positions, nearest = place_image(image, placement, 28, AS_IT_IS)[0], place_label(label, placement, 28, 255)
        inside = nearest != 255
        assert np.abs(positions - nearest)[inside].max() <= 0.5 + 1e-4


def test_rgb_is_scaled_to_one_and_normalised(pixels, image):
    found = whole_image(image, create_normalization(True, *IMAGENET))
    mean, std = (np.array(values)[:, None, None] for values in IMAGENET)
    np.testing.assert_allclose(found, (pixels.transpose(2, 0, 1) / 255 - mean) / std, atol=1e-5)
    assert (found.dtype, found.flags.c_contiguous) == (np.float32, True)


def test_without_rgb_it_is_bgr_less_the_mean(pixels, image):
    found = whole_image(image, create_normalization(False, *IMAGENET))
    mean = np.array((104.00698793, 116.66876762, 122.67891434))[:, None, None]
    np.testing.assert_allclose(found, pixels[..., ::-1].transpose(2, 0, 1) - mean, atol=1e-4)
    assert (place_image(image, Placement(1.0, 0, 0, False), 30, create_normalization(False, *IMAGENET))
            == found[:, :, :30]).all()  # fmt: skip


def test_placements_cover_scales_offsets_and_flips():
    augmentation = JointAugmentation(input_size=28)
    drawn = [draw_placement(np.random.default_rng(key), HEIGHT, WIDTH, augmentation) for key in range(600)]
    assert {placement.scale for placement in drawn} == set(SCALES)
    assert 0.42 < np.mean([placement.flip for placement in drawn]) < 0.58
    whole = [placement for placement in drawn if placement.scale == 1.0]
    assert {placement.top for placement in whole} == {0, 1, 2}
    assert min(placement.left for placement in whole) == 0
    assert max(placement.left for placement in drawn) <= scaled_side(WIDTH, 2.1) - 28
    assert all(placement.top == placement.left == 0 for placement in drawn if placement.scale * WIDTH < 28)
    assert drawn[0].colors == (1.0, 1.0, 1.0)


def test_color_jitter_changes_colours_only(image, label):
    plain, jittered = (
        draw_placement(np.random.default_rng(5), HEIGHT, WIDTH, JointAugmentation(input_size=28, color_jitter=jitter))
        for jitter in (0.0, 0.4)
    )
    assert (plain.scale, plain.top, plain.left, plain.flip) == (
        jittered.scale, jittered.top, jittered.left, jittered.flip,
    )  # fmt: skip
    assert all(0.6 <= factor <= 1.4 for factor in jittered.colors)
    assert (place_label(label, plain, 28, 255) == place_label(label, jittered, 28, 255)).all()
    assert not np.allclose(place_image(image, plain, 28, AS_IT_IS), place_image(image, jittered, 28, AS_IT_IS))


@pytest.mark.parametrize(
    ("colors", "expected"),
    [
        ((0.5, 1.0, 1.0), [(50.0, 100.0), (25.0, 50.0), (0.0, 25.0)]),
        ((1.0, 1.0, 0.0), [(59.25, 124.2)] * 3),  # 0.299 R + 0.587 G + 0.114 B
        ((1.0, 0.0, 1.0), [(91.725, 91.725)] * 3),  # its mean over the crop
        ((2.0, 1.0, 1.0), [(200.0, 255.0), (100.0, 200.0), (0.0, 100.0)]),
    ],
)
def test_colours_are_multiplied(colors, expected):
    image = np.array([[(100, 50, 0), (200, 100, 50)]], np.uint8)
    found = place_image(image, Placement(1.0, 0, 0, False, colors), 2, AS_IT_IS)[:, 0]
    np.testing.assert_allclose(found, expected, atol=1e-3)
