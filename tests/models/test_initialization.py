"""Initial weights follow from (name, seed) alone."""

import mindspore as ms
import numpy as np
import pytest

from src.models import create_model


def weights(network):
    return {name: parameter.asnumpy() for name, parameter in network.parameters_and_names()}


@pytest.mark.parametrize("name", ["hlg_nano", "resnext_nano", "vig_nano"])
def test_equal_whatever_happened_before(name):
    first = weights(create_model(name, 10, seed=3))
    ms.set_seed(99)
    np.random.default_rng().random(1000)
    create_model(name, 7, seed=5)
    second = weights(create_model(name, 10, seed=3))
    assert first.keys() == second.keys()
    assert [key for key in first if not np.array_equal(first[key], second[key])] == []


def test_a_parameter_does_not_depend_on_the_others():
    narrow, wide = weights(create_model("vig_nano", 10)), weights(create_model("vig_nano", 20))
    differing = [name for name in narrow if not np.array_equal(narrow[name], wide[name])]
    assert differing == ["prediction.4.weight", "prediction.4.bias"]


def test_seeds_differ():
    one, two = weights(create_model("vig_nano", 10, seed=1)), weights(create_model("vig_nano", 10, seed=2))
    assert not np.array_equal(one["stem.convs.0.weight"], two["stem.convs.0.weight"])


def test_vig_is_kaiming_normal_in_fan_in():
    values = weights(create_model("vig_nano", 10))
    kernel = values["backbone.3.1.fc1.0.weight"]  # (256, 64, 1, 1)
    assert kernel.std() == pytest.approx((2 / 64) ** 0.5, rel=0.02)
    assert np.abs(values["backbone.3.1.fc1.0.bias"]).max() == 0
    assert np.abs(values["pos_embed"]).max() == 0


def test_zoo_vig_starts_with_random_positions():
    positions = weights(create_model("vig_ti_patch16_224", 10))["pos_embed"]
    assert np.abs(positions).max() <= 0.04
    assert positions.std() == pytest.approx(0.02 * 0.8796, rel=0.02)  # of a normal cut at two deviations


def test_resnext_is_kaiming_normal_in_fan_out():
    values = weights(create_model("resnext_nano", 10))
    assert values["layer4.0.conv2.weight"].std() == pytest.approx((2 / (128 * 9)) ** 0.5, rel=0.02)
    assert values["fc.weight"].std() == pytest.approx((1 / 512) ** 0.5 / 3**0.5, rel=0.05)
    assert np.abs(values["fc.bias"]).max() <= 512**-0.5
    assert np.abs(values["bn1.gamma"] - 1).max() == 0


def test_hlg_is_truncated_normal_but_for_its_convolutions():
    values = weights(create_model("hlg_nano", 10))
    assert values["block4_0.mlp.ff1.weight"].std() == pytest.approx(0.02 * 0.8796, rel=0.02)
    assert values["pos_embed1"].std() == pytest.approx(0.02 * 0.8796, rel=0.05)
    assert 0 < np.abs(values["cls"]).max() <= 0.04
    assert values["patch_embed4.conv.weight"].std() == pytest.approx((2 / (96 * 9)) ** 0.5, rel=0.02)
    assert np.abs(values["head.bias"]).max() == 0
