"""The example that predicts with an exported file has the product's pixels."""

import importlib.util

import numpy as np
import pytest
from PIL import Image

from src.datasets.transforms.image import Preprocessing, evaluation_transforms
from tests.support.processes import PROJECT_ROOT

# Height, width and the shorter side after the resize: shrunk, enlarged, and nearly kept.
SIZES = [(500, 375, 256), (1200, 1600, 256), (20, 30, 64), (333, 517, 300), (32, 32, 32)]


@pytest.fixture(scope="module")
def program():
    spec = importlib.util.spec_from_file_location("predict_onnx", PROJECT_ROOT / "examples/predict_onnx.py")
    spec.loader.exec_module(module := importlib.util.module_from_spec(spec))
    return module


@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize(("height", "width", "side"), SIZES)
def test_every_pixel_is_the_products(program, tmp_path, height, width, side, interpolation, antialias):
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    preprocessing = Preprocessing(
        image_size=side * 7 // 8,
        crop_pct=7 / 8,
        interpolation=interpolation,
        mean=(0.0,) * 3,
        std=(1.0,) * 3,
        antialias=antialias,
    )
    expected = pixels
    for transform in evaluation_transforms(preprocessing):
        expected = transform(expected)
    found = program.network_input(tmp_path / "a.png", preprocessing.card())[0]
    np.testing.assert_allclose(found, expected, atol=1e-6)  # a grey level is 0.004
