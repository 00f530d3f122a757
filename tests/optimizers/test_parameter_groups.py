"""Which parameters decay, and how fast each one learns."""

import numpy as np
import pytest
from mindspore import Parameter, Tensor

from src.models import create_model, family_of
from src.models.registry import FAMILIES
from src.optimizers import parameter_groups
from src.optimizers.groups import layer_depths, layer_scales


def names(group):
    return [parameter.name for parameter in group["params"]]


def parameters(*names):
    return [Parameter(Tensor(np.float32([0])), name=name) for name in names]


def test_gamma_is_decayed_by_the_seeds_filter():
    decayed, exempt = parameter_groups(
        parameters("stem.weight", "norm.gamma", "norm.beta", "head.bias"),
        weight_decay=0.05,
        no_weight_decay_filter="beta, bias",
    )
    assert names(decayed) == ["stem.weight", "norm.gamma"] and decayed["weight_decay"] == 0.05
    assert names(exempt) == ["norm.beta", "head.bias"] and exempt["weight_decay"] == 0.0


def test_without_a_filter_everything_decays():
    decayed, exempt = parameter_groups(parameters("weight", "bias"), weight_decay=0.1)
    assert names(decayed) == ["weight", "bias"]
    assert names(exempt) == []


@pytest.mark.parametrize(
    ("family", "names", "depths"),
    [
        ("resnext152",
         ("conv1.weight", "bn1.gamma", "layer1.0.conv1.weight", "layer1.1.bn1.beta", "layer2.0.bn1.beta", "fc.bias"),
         [0, 0, 1, 2, 3, 4]),
        ("vig",
         ("pos_embed", "stem.convs.0.weight", "backbone.0.0.fc1.0.weight", "backbone.0.1.fc2.0.bias",
          "backbone.1.conv.0.weight", "backbone.10.0.fc1.0.weight", "prediction.0.weight", "prediction.4.bias"),
         [0, 0, 1, 1, 2, 3, 4, 4]),
        ("hlg",
         ("pos_embed4", "patch_embed1.conv1.weight", "block1_0.norm0.gamma", "patch_embed2.conv.weight",
          "block2_0.norm0.gamma", "norm.gamma", "head.weight"),
         [0, 0, 1, 2, 2, 3, 3]),
        ("dgmn2",
         ("patch_embed1.conv1.weight", "block1.0.norm.gamma", "block1.1.norm.gamma", "head.weight"), [0, 1, 2, 3]),
    ],
)  # fmt: skip
def test_depth_by_name(family, names, depths):
    assert layer_depths(names, FAMILIES[family].blocks) == depths


@pytest.mark.parametrize(("backbone", "num_blocks"), [("vig_nano", 4), ("pvig_nano", 6), ("resnext_nano", 4)])
def test_every_block_of_a_network_is_a_layer(backbone, num_blocks):
    network = create_model(backbone, class_num=10, image_size=32)
    depths = layer_depths([parameter.name for parameter in network.trainable_params()], family_of(backbone).blocks)
    assert depths == sorted(depths)
    assert sorted(set(depths)) == list(range(num_blocks + 2))


def test_the_head_learns_at_the_full_rate():
    names = ("conv1.weight", "layer1.0.conv1.weight", "fc.weight")
    assert layer_scales(names, 0.5, r"layer\d+\.\d+") == [0.25, 0.5, 1.0]
    assert layer_scales(("weight", "bias"), 1.0, None) == [1.0, 1.0]


@pytest.mark.parametrize("blocks", [None, r"layers\.\d+"])
def test_a_network_without_blocks_has_no_layer_decay(blocks):
    with pytest.raises(
        ValueError, match="layer_decay needs a network with blocks; none found among the parameters weight"
    ):
        layer_scales(("weight", "bias"), 0.5, blocks)
