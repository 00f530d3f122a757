"""Networks without their head, as maps of several resolutions."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor

from src.models import FeatureMaps, create_model
from tests.golden import check_hlg, check_resnext, reader

PYRAMIDS = {
    "resnext_nano": ((64, 128, 256, 512), (1, 2, 4, 8)),
    "pvig_nano": ((32, 64, 128), (2, 4, 8)),
    "dgmn2_nano": ((32, 64, 96, 128), (2, 4, 8, 16)),
    "hlg_nano": ((16, 32, 64, 96), (2, 4, 8, 16)),
}


@pytest.fixture(autouse=True)
def eager():
    before = ms.get_context("mode")
    ms.set_context(mode=ms.PYNATIVE_MODE)
    yield
    ms.set_context(mode=before)


def _image(size=32):
    return Tensor(np.random.default_rng(0).standard_normal((2, 3, size, size)).astype(np.float32))


@pytest.mark.parametrize("name", PYRAMIDS)
def test_maps_have_the_stated_channels_and_strides(name):
    network = create_model(name, features_only=True).set_train(False)
    assert (network.channels, network.strides) == PYRAMIDS[name]
    shapes = [(2, channels, 32 // stride, 32 // stride) for channels, stride in zip(*PYRAMIDS[name], strict=True)]
    assert [found.shape for found in network(_image())] == shapes


@pytest.mark.parametrize("name", PYRAMIDS)
def test_the_head_is_gone_and_the_rest_keeps_its_names(name):
    body = create_model(name, features_only=True).body
    whole = {key: parameter.shape for key, parameter in create_model(name).parameters_and_names()}
    left = {key: parameter.shape for key, parameter in body.parameters_and_names()}
    assert left.items() <= whole.items()
    assert {key.split(".")[0] for key in whole.keys() - left.keys()} == {
        "resnext_nano": {"fc"},
        "pvig_nano": {"prediction"},
        "dgmn2_nano": {"head"},
        "hlg_nano": {"head", "norm"},
    }[name]


def test_compiled_and_eager_maps_agree():
    network = create_model("resnext_nano", features_only=True).set_train(False)
    eager = [found.asnumpy() for found in network(_image())]
    ms.set_context(mode=ms.GRAPH_MODE)
    compiled = [found.asnumpy() for found in network(_image())]
    for ours, expected in zip(compiled, eager, strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-4 * np.abs(expected).max())


def test_isotropic_networks_have_one_resolution():
    with pytest.raises(ValueError, match="ViG has one resolution only: take a pyramid network"):
        create_model("vig_nano", features_only=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("check", "fixture", "stages"),
    [
        (check_hlg, "hlg_mobile_zoo_ms", ["stage1", "stage2", "stage3", "stage4"]),
        (check_resnext, "resnext50_32x4d", ["layer1", "layer2", "layer3", "layer4"]),
    ],
)
def test_maps_are_the_recorded_stages(check, fixture, stages):
    network, recorded = check.load(fixture)
    maps = FeatureMaps(network).set_train(False)(Tensor(recorded.images))
    for stage, found in zip(stages, maps, strict=True):
        found = found.asnumpy()
        facts = recorded.facts["eval"]["stages"][stage]
        if len(facts["shape"]) == 3:  # recorded as tokens, stage 4 with the class token in front
            tokens = found.reshape((*found.shape[:2], -1)).transpose((0, 2, 1))
            extra = facts["shape"][1] - tokens.shape[1]
            found = np.concatenate([np.full((len(tokens), extra, tokens.shape[2]), np.nan, np.float32), tokens], 1)
        assert list(found.shape) == facts["shape"]
        ours, expected = reader.sample(found, 64), recorded.arrays[f"stage.{stage}.slice"]
        known = ~np.isnan(ours)
        assert known.sum() >= 60
        np.testing.assert_allclose(ours[known], expected[known], atol=2e-5 * facts["absmax"])


@pytest.mark.parametrize("name", ["pvig_nano", "dgmn2_nano", "hlg_nano"])
def test_images_of_another_size_are_refused(name):
    network = create_model(name, features_only=True).set_train(False)
    with pytest.raises(ValueError, match="takes square images of the size that it was built for: give create_model"):
        network(_image(64))
