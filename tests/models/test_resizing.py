"""Tables for other image sizes, against numbers from PyTorch's `interpolate`."""

import numpy as np
import pytest

from src.models import create_model
from src.models.layers import resize_bicubic, resize_tokens

TABLE = np.array([[1, -2, 3, 0], [0.5, 4, -1, 2], [2, 2, -3, 1], [0, 1, 5, -2]], np.float32)
ROUNDING = 5e-6  # PyTorch has the places between pixels in float32, ours are in float64
# interpolate(size=(s, s), mode="bicubic", align_corners=False) of PyTorch 2.13
RESIZED = {
    2: [[0.8984375, 1.140625], [1.2734375, 0.0625]],
    3: [
        [0.5523594, 0.6922926, 0.6757484],
        [1.8335148, 0.0004883, 1.1199746],
        [0.3802593, 3.0441813, -0.7642208],
    ],
    6: [
        [1.3527989, -1.2888458, -1.9269288, 2.7487972, 2.1369362, -0.4792384],
        [0.5591906, 0.8984375, 1.2393121, 1.205675, 1.140625, 1.0856122],
        [0.39891, 3.0436559, 3.6273124, -1.1816746, -0.4102644, 2.4168386],
        [1.9037892, 2.7720993, 1.583902, -3.0397394, -1.5773653, 1.86535],
        [1.1257055, 1.2734375, 1.2800747, 1.0093138, 0.0625, -0.71582],
        [-0.2679515, -0.07845, 1.8318384, 5.7176399, 2.1652555, -2.9509408],
    ],
}


@pytest.mark.parametrize("side", RESIZED)
def test_bicubic_is_pytorchs(side):
    resized = resize_bicubic(TABLE[None, None], side)
    assert resized.dtype == np.float32
    np.testing.assert_allclose(resized[0, 0], RESIZED[side], atol=ROUNDING)


def test_the_same_size_changes_nothing():
    np.testing.assert_array_equal(resize_bicubic(TABLE, 4), TABLE)


def test_tokens_are_resized_as_a_map_and_the_class_token_kept():
    tokens = np.concatenate(([[7.0]], TABLE.reshape(16, 1)))[None].astype(np.float32)  # (1, 1 + 16, 1)
    resized = resize_tokens(tokens, 10, num_extra=1)
    assert resized[0, 0, 0] == 7.0
    np.testing.assert_allclose(resized[0, 1:, 0], np.ravel(RESIZED[3]), atol=ROUNDING)


def test_tokens_of_no_square_map():
    with pytest.raises(ValueError, match="12 tokens are no square map"):
        resize_tokens(np.zeros((1, 12, 1), np.float32), 16)


def _resized(name, parameter):
    """(what a network of 64 pixels makes of the table of one of 32, the former's own table)."""
    small, large = create_model(name, 10, 32), create_model(name, 10, 64)
    value = small.parameters_dict()[parameter].asnumpy()
    return value, large.resize_parameter(parameter, value), large.parameters_dict()[parameter].asnumpy()


@pytest.mark.parametrize(
    ("name", "parameter"),
    [("vig_nano", "pos_embed"), ("pvig_nano", "pos_embed"), ("hlg_nano", "pos_embed1"), ("hlg_nano", "pos_embed4")],
)
def test_networks_resize_their_position_embeddings(name, parameter):
    _, resized, own = _resized(name, parameter)
    assert resized.shape == own.shape


def test_hlg_keeps_its_class_tokens_embedding():
    value, resized, _ = _resized("hlg_nano", "pos_embed4")
    np.testing.assert_array_equal(resized[:, 0], value[:, 0])


def test_pyramid_vig_computes_its_fixed_terms_anew():
    _, resized, own = _resized("pvig_nano", "backbone.0.0.relative_pos")
    np.testing.assert_array_equal(resized, own)


@pytest.mark.parametrize(
    ("name", "parameter"),
    [("vig_nano", "stem.convs.0.weight"), ("pvig_nano", "stem.convs.0.weight"), ("hlg_nano", "head.weight")],
)
def test_other_tensors_do_not_depend_on_the_image_size(name, parameter):
    assert create_model(name, 10).resize_parameter(parameter, np.zeros(1)) is None
