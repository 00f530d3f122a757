"""RandAugment's notation: its operations and magnitudes, each operator alone and in the pipeline."""

import mindspore.dataset as ds
import numpy as np
import pytest

from src.datasets.transforms.rand_augment import (
    OPERATIONS,
    RandAugment,
    SolarizeAdd,
    make_operator,
    operation_arguments,
)

GREY = (100, 100, 100)
NOISE = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)


def _through_pipeline(images, operators, *, num_workers=2, seed=1):
    data = ds.NumpySlicesDataset({"image": images}, shuffle=False)
    data = data.map(operators, "image", num_parallel_workers=num_workers)
    ds.config.set_seed(seed)
    return np.stack([image for (image,) in data.create_tuple_iterator(num_epochs=1, output_numpy=True)])


@pytest.mark.parametrize(
    ("notation", "settings"),
    [
        ("rand", (10, 2, 0.5, 0, False)),
        ("rand-m9", (9, 2, 0.5, 0, False)),
        ("rand-m9-mstd0.5-inc1", (9, 2, 0.5, 0.5, True)),
        ("rand-inc1-n3-m7", (7, 3, 0.5, 0, True)),
        ("rand-m7.5-n1-p1-mstd101-inc0", (7.5, 1, 1, 101, False)),
    ],
)
def test_a_notation_means(notation, settings):
    found = RandAugment.parse(notation)
    assert (
        found.magnitude,
        found.num_operations,
        found.probability,
        found.deviation,
        found.increasing,
    ) == settings


@pytest.mark.parametrize("notation", ["rand-", "rand-m", "rand-x3", "rand-m9-m8", "rand9", "rand-m9_n2", "rand--m9"])
def test_what_is_no_notation(notation):
    with pytest.raises(ValueError, match=f"'{notation}' is not a RandAugment notation"):
        RandAugment.parse(notation)


@pytest.mark.parametrize("notation", ["rand-m11", "rand-n0", "rand-n1.5", "rand-n16", "rand-p2", "rand-inc2"])
def test_a_number_that_cannot_be(notation):
    with pytest.raises(ValueError, match=f"'{notation}' needs m in 0-10, n in 1-15, p in 0-1 and inc 0 or 1"):
        RandAugment.parse(notation)


@pytest.mark.parametrize(
    ("notation", "magnitudes"),
    [
        ("rand-m9", [9]),
        # The 5, 15, ... 95 % quantiles of N(9, 0.5).
        ("rand-m9-mstd0.5", [8.1776, 8.4818, 8.6628, 8.8073, 8.9372, 9.0628, 9.1927, 9.3372, 9.5182, 9.8224]),
        ("rand-m9.5-mstd1", [7.8551, 8.4636, 8.8255, 9.1147, 9.3743, 9.6257, 9.8853, 10, 10, 10]),
        ("rand-m10-mstd101", [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5]),
    ],
)
def test_magnitudes(notation, magnitudes):
    assert RandAugment.parse(notation).magnitudes() == pytest.approx(magnitudes, abs=1e-4)


def test_operations_and_arguments_of_magnitude_9():
    increasing = {name: operation_arguments(name, 9, increasing=True) for name in OPERATIONS}
    assert increasing == {
        "AutoContrast": (0, 0),
        "Equalize": (0, 0),
        "Invert": (0, 0),
        "Rotate": (27, -27),
        "Posterize": (1, 1),
        "Solarize": (26, 26),
        "SolarizeAdd": (99, 99),
        "Color": (1.81, pytest.approx(0.19)),
        "Contrast": (1.81, pytest.approx(0.19)),
        "Brightness": (1.81, pytest.approx(0.19)),
        "Sharpness": (1.81, pytest.approx(0.19)),
        "ShearX": (0.27, -0.27),
        "ShearY": (0.27, -0.27),
        "TranslateX": (0.405, -0.405),
        "TranslateY": (0.405, -0.405),
    }
    plain = {name: operation_arguments(name, 9, increasing=False) for name in OPERATIONS}
    assert {name for name in OPERATIONS if plain[name] != increasing[name]} == {
        *("Posterize", "Solarize", "Color", "Contrast", "Brightness", "Sharpness")
    }
    assert (plain["Posterize"], plain["Solarize"]) == ((3, 3), (230, 230))
    assert plain["Color"] == pytest.approx((1.72, 1.72))


@pytest.mark.parametrize(("magnitude", "color", "bits"), [(0, (1, 1), 4), (10, (1.9, 0.1), 0)])
def test_the_ends_of_the_scale(magnitude, color, bits):
    assert operation_arguments("Color", magnitude, increasing=True) == pytest.approx(color)
    assert operation_arguments("Posterize", magnitude, increasing=True) == (bits, bits)


def _row(name, argument, levels):
    """What an operator makes of one row of grey levels."""
    image = np.repeat(np.array([levels], np.uint8)[..., None], 3, axis=2)
    return make_operator(name, argument, GREY)(image)[0, :, 0].tolist()


@pytest.mark.parametrize(
    ("name", "argument", "levels", "expected"),
    [
        ("AutoContrast", 0, [50, 100, 150], [0, 127, 255]),
        ("Invert", 0, [0, 10, 255], [255, 245, 0]),
        ("Posterize", 1, [0, 127, 128, 255], [0, 0, 128, 128]),
        ("Posterize", 0, [0, 127, 128, 255], [0, 0, 0, 0]),
        ("Solarize", 26, [0, 25, 26, 255], [0, 25, 229, 0]),
        ("Solarize", 256, [0, 25, 26, 255], [0, 25, 26, 255]),
        ("SolarizeAdd", 99, [0, 127, 128, 255], [99, 226, 128, 255]),
        ("SolarizeAdd", 110, [0, 127, 128, 255], [110, 237, 128, 255]),
        ("Brightness", 0.5, [0, 100, 200], [0, 50, 100]),
        ("Contrast", 0.5, [50, 100, 150], [75, 100, 125]),
        ("Color", 0.1, [50, 100, 150], [50, 100, 150]),
        ("TranslateX", 0.25, [1, 2, 3, 4], [100, 1, 2, 3]),
        ("TranslateX", -0.25, [1, 2, 3, 4], [2, 3, 4, 100]),
    ],
)
def test_an_operator_on_literal_levels(name, argument, levels, expected):
    assert _row(name, argument, levels) == pytest.approx(expected, abs=1)


def test_geometric_operators_move_about_the_centre():
    image = np.zeros((41, 41, 3), np.uint8)
    image[20, 20] = image[10, 20] = image[30, 20] = 255  # a vertical line's middle and two of its points
    sheared = make_operator("ShearX", 0.3, (0, 0, 0))(image)[..., 0]
    turned = make_operator("Rotate", 90, (0, 0, 0))(image)[..., 0]
    lowered = make_operator("TranslateY", 4 / 41, (0, 0, 0))(image)[..., 0]
    assert np.argwhere(sheared > 200).tolist() == [[10, 23], [20, 20], [30, 17]]
    assert np.argwhere(turned > 200).tolist() == [[20, 10], [20, 20], [20, 30]]
    assert np.argwhere(lowered > 200).tolist() == [[14, 20], [24, 20], [34, 20]]


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operator_in_the_pipeline_is_itself_alone(name):
    operator = make_operator(name, operation_arguments(name, 9, increasing=True)[0], GREY)
    (image,) = _through_pipeline(NOISE[None], [operator] if name != "SolarizeAdd" else [operator.__call__])
    assert image.tolist() == operator(NOISE).tolist()
    assert (image != NOISE).any()


def test_a_choice_holds_each_operation_as_often():
    choices = [choice.policy for choice in RandAugment.parse("rand-m9-mstd0.5-inc1").operators(GREY)]
    assert [len(choice) for choice in choices] == [300, 300]
    for extra, choice in enumerate(choices):
        assert {tuple(probability for _, probability in entry) for entry in choice} == {(*[0.0] * extra, 0.5)}
        names = [type(entry[-1][0]).__name__ for entry in choice]
        assert {name: names.count(name) for name in names} == {
            **dict.fromkeys(("AutoContrast", "Equalize", "Invert", "Rotate", "Posterize", "Solarize"), 20),
            **dict.fromkeys(("SolarizeAdd", "AdjustSaturation", "AdjustContrast", "AdjustBrightness"), 20),
            "AdjustSharpness": 20,
            "Affine": 80,
        }


def test_the_two_choices_of_an_image_are_independent():
    """Operators of one pipeline start from one seed: without care both choices would always be the same."""
    settings = RandAugment(num_operations=2, probability=1.0, magnitude=9)
    chosen = []
    for kept in (slice(0, 1), slice(1, 2)):  # each choice alone draws what it draws beside the other
        images = _through_pipeline(np.repeat(NOISE[None], 600, axis=0), settings.operators(GREY)[kept])
        distinct = {pixels: number for number, pixels in enumerate(sorted({image.tobytes() for image in images}))}
        chosen.append([distinct[image.tobytes()] for image in images])
    first, second = map(np.array, chosen)
    # 15 operations, 5 of them with either sign, give 20 looks; chance gives an image the same one twice in 1 of 18.
    assert len(set(first)) == len(set(second)) == 20
    assert np.mean(first == second) < 0.12


def test_solarize_add_leaves_its_image_alone():
    image = NOISE.copy()
    SolarizeAdd(50)(image)
    assert (image == NOISE).all()
