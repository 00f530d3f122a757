"""Names in public checkpoints: each finds its place in the network, or a reason."""

import json

import numpy as np
import pytest

from src.checkpoints.translation import fit, translate
from src.models import PublicNames, create_model, public_names
from src.models.dgcnet.variants import NAMES as DGCNET
from tests.golden import reader

REFERENCES = {
    "vig_ti": "vig_ti",
    "vig_s": "vig_s",
    "vig_s_patch16_224": "vig_s_patch16_224_zoo_ms",
    "pvig_ti": "pvig_ti",
    "pvig_s": "pvig_s",
    "resnext50_32x4d": "resnext50_32x4d",
    "vig_b": "vig_b",
    "pvig_m": "pvig_m",
    "pvig_b": "pvig_b",
    "resnext152_64x4d": "resnext152_64x4d",
}
FAST = ("vig_s_patch16_224", "pvig_ti")
COUNTER = "PyTorch's batch counter, which the running statistics do not need"


def _tensors(reference):
    """Every name of a recorded state dict with a tensor of its shape that takes no memory."""
    entries = json.loads((reader.FOLDER / f"{reference}.state_dict.json").read_text())["state_dict"]
    return {name: np.broadcast_to(np.float32(1), entry["shape"]) for name, entry in entries.items()}


@pytest.mark.parametrize(
    "name", [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in REFERENCES]
)
def test_every_recorded_name_has_its_place(name):
    tensors = _tensors(REFERENCES[name])
    network = create_model(name)
    shapes = {key: parameter.shape for key, parameter in network.parameters_and_names()}
    translation = translate(tensors, public_names(name))
    fitted = fit(translation.tensors, shapes)
    assert {key: value.shape for key, value in fitted.items()} == shapes
    counters = [key for key in tensors if key.endswith("num_batches_tracked")]
    assert translation.ignored == ({COUNTER: counters} if counters else {})


def test_hlgs_unused_tensors_are_ignored():
    translation = translate(_tensors("hlg_mobile_zoo_ms"), public_names("hlg_mobile"))
    ((reason, ignored),) = translation.ignored.items()
    assert reason == "the seed's modules own it, but no forward pass reads it"
    assert (len(translation.tensors), len(ignored)) == (293, 100)


PLAIN = PublicNames(head="head")
ONE = np.ones(1, np.float32)


def _translated(*names, rules=PLAIN):
    return translate(dict.fromkeys(names, ONE), rules)


@pytest.mark.parametrize(
    "wrapper",
    ["module.", "network.", "_backbone.", "net.", "model.", "module.model.", "_orig_mod.", "module._orig_mod."],
)
def test_wrappers_are_taken_off(wrapper):
    assert list(_translated(f"{wrapper}stem.weight").tensors) == ["stem.weight"]


def test_training_state_is_ignored_with_the_reason():
    names = ["adam_m.a.weight", "adam_v.a.weight", "moments.a", "moment1.a", "accum.net.a", "stat.a"]
    counters = ["global_step", "learning_rate", "epoch_num", "scale_sense", "current_iterator_step", "beta1_power"]
    assert _translated("a.weight", *names, *counters).ignored == {
        "optimizer state of the old training": names,
        "counters of the old training": counters,
    }


def test_parts_are_joined_by_their_numbers():
    tensors = {f"a.conv2.convs.{number}.weight": np.full((2, 1), number) for number in (10, 2, 1)}
    joined = translate(tensors, public_names("resnext50_32x4d")).tensors
    assert {name: value[:, 0].tolist() for name, value in joined.items()} == {"a.conv2.weight": [1, 1, 2, 2, 10, 10]}


def test_resnext_names_of_all_origins():
    written = ["backbone.conv.weight", "backbone.bn.gamma", "backbone.layer1.0.down_sample.conv.weight"]
    written += ["backbone.layer1.0.down_sample.bn.beta", "layer2.0.down_sample.0.weight", "head.fc.bias"]
    translation = _translated(*written, "classifier.weight", rules=public_names("resnext152"))
    ours = ["conv1.weight", "bn1.gamma", "layer1.0.downsample.0.weight", "layer1.0.downsample.1.beta"]
    assert list(translation.tensors) == [*ours, "layer2.0.downsample.0.weight", "fc.bias", "fc.weight"]


@pytest.mark.parametrize(("marker", "border"), [("bn1.running_mean", "pad"), ("backbone.bn.moving_mean", "same")])
def test_the_names_tell_the_border_of_resnexts_pooling(marker, border):
    assert _translated(marker, rules=public_names("resnext152")).options == {"stem_pool": border}


def test_dgcnets_names_below_net_and_its_imagenet_body():
    rules = PublicNames(**DGCNET)
    translation = _translated("net.layer1.0.bn1.gamma", "accum.net.dsn.0.weight", "fc.weight", rules=rules)
    assert list(translation.tensors) == ["layer1.0.bn1.gamma"]
    assert list(translation.ignored.values()) == [["accum.net.dsn.0.weight"], ["fc.weight"]]


def test_two_tensors_of_one_name():
    with pytest.raises(ValueError, match=r"two of its tensors translate to a.weight, one of them module.a.weight"):
        _translated("a.weight", "module.a.weight")


def test_leaves_and_axes_of_length_one():
    tensors = {"norm.weight": np.ones(4), "norm.running_var": np.ones(4), "conv.weight": np.ones((4, 3, 1))}
    shapes = {"norm.gamma": (4,), "norm.moving_variance": (4,), "conv.weight": (4, 3, 1, 1)}
    assert {name: value.shape for name, value in fit(tensors, shapes).items()} == shapes


def test_what_does_not_fit_stays_as_it_is():
    tensors = {"conv.weight": np.ones((3, 4)), "other.weight": np.ones(2)}
    fitted = fit(tensors, {"conv.weight": (4, 3)})
    assert {name: value.shape for name, value in fitted.items()} == {"conv.weight": (3, 4), "other.weight": (2,)}
