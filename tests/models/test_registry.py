"""Names, cards, options and errors of the registry."""

import dataclasses
import sys

import pytest

from src.models import create_model, list_models, model_info
from tests.golden import reader
from tests.golden.names import torch_name, vig_zoo_name

# Trained parameters at 1000 classes. Recorded from the published implementations, but for the *_nano (ours).
NUM_PARAMETERS = {
    "dgmn2_large": 48_286_762,
    "dgmn2_medium": 35_811_712,
    "dgmn2_nano": 700_512,
    "dgmn2_small": 20_968_360,
    "dgmn2_tiny": 12_101_464,
    "hlg_mobile": 6_147_272,
    "hlg_nano": 557_528,
    "pvig_b": 92_980_328,
    "pvig_m": 49_525_832,
    "pvig_nano": 870_120,
    "pvig_s": 27_251_912,
    "pvig_ti": 10_714_376,
    "resnext50_32x4d": 25_028_904,
    "resnext101_32x4d": 44_177_704,
    "resnext101_64x4d": 83_455_272,
    "resnext152_64x4d": 114_971_944,
    "resnext_nano": 870_584,
    "vig_b": 86_841_832,
    "vig_nano": 543_592,
    "vig_s": 22_747_752,
    "vig_s_patch16_224": 22_710_992,
    "vig_ti": 7_184_744,
}


@pytest.mark.parametrize("name", NUM_PARAMETERS)
def test_parameter_count(name):
    network = create_model(name)
    num_parameters = sum(parameter.size for parameter in network.trainable_params())
    assert num_parameters == NUM_PARAMETERS[name]
    if not name.endswith("_nano"):
        assert num_parameters == pytest.approx(model_info(name).params_m * 1e6, abs=500)


@pytest.mark.parametrize("name", list_models("*_nano"))
def test_parameter_count_of_the_small_variants(name):
    info = model_info(name)
    network = create_model(name, class_num=19 if info.task == "segmentation" else 10)
    assert sum(each.size for each in network.trainable_params()) == pytest.approx(info.params_m * 1e6, abs=500)


@pytest.mark.parametrize("name", ["vig_ti_patch16_224", "vig_b_patch16_224"])
def test_networks_without_recorded_count_are_built(name):
    channels = {"vig_ti_patch16_224": 192, "vig_b_patch16_224": 640}[name]
    assert create_model(name, 10).pos_embed.shape == (1, channels, 14, 14)


@pytest.mark.parametrize(
    ("name", "reference", "name_of"),
    [
        ("dgmn2_tiny", "dgmn2_tiny", torch_name),
        ("dgmn2_small", "dgmn2_small", torch_name),
        ("dgmn2_medium", "dgmn2_medium", torch_name),
        ("dgmn2_large", "dgmn2_large", torch_name),
        ("vig_b", "vig_b", torch_name),
        ("pvig_m", "pvig_m", torch_name),
        ("pvig_b", "pvig_b", torch_name),
        ("vig_s_patch16_224", "vig_s_patch16_224_zoo_ms", vig_zoo_name),
        ("resnext152_64x4d", "resnext152_64x4d", torch_name),
    ],
)
def test_names_and_shapes(name, reference, name_of):
    parameters = create_model(name).parameters_and_names()
    shapes = {name_of(name): parameter.shape for name, parameter in parameters if reader.is_generated(name)}
    assert shapes == reader.read_shapes(reference)


def test_list_models():
    assert list_models() == [
        "dgcnet_nano",
        "dgcnet_res101",
        "dgcnet_res50",
        "dgmn2_large",
        "dgmn2_medium",
        "dgmn2_nano",
        "dgmn2_small",
        "dgmn2_tiny",
        "hlg_mobile",
        "hlg_nano",
        "pvig_b",
        "pvig_m",
        "pvig_nano",
        "pvig_s",
        "pvig_ti",
        "resnext101_32x4d",
        "resnext101_64x4d",
        "resnext152",
        "resnext152_64x4d",
        "resnext50_32x4d",
        "resnext_nano",
        "vig_b",
        "vig_b_patch16_224",
        "vig_nano",
        "vig_s",
        "vig_s_patch16_224",
        "vig_ti",
        "vig_ti_patch16_224",
    ]
    assert list_models("vig_*_patch16_224") == ["vig_b_patch16_224", "vig_s_patch16_224", "vig_ti_patch16_224"]


def test_alias_is_the_seeds_backbone_name():
    assert model_info("resnext152") == model_info("resnext152_64x4d")


def test_cards():
    info = model_info("vig_s_patch16_224")
    assert (info.family, info.top1, info.top5, info.source) == ("vig", 80.4, 95.2, "zoo")
    assert (info.mean, info.crop_pct, info.interpolation) == ((0.485, 0.456, 0.406), 0.875, "bicubic")
    assert model_info("vig_s").mean == (0.5, 0.5, 0.5)
    assert model_info("vig_nano").image_size == 32
    with pytest.raises(dataclasses.FrozenInstanceError):
        info.top1 = 100.0


def test_unknown_name_names_the_nearest():
    with pytest.raises(ValueError, match=r"unknown network 'vig_small'; nearest: .*vig_s"):
        create_model("vig_small")
    with pytest.raises(ValueError, match="resnext50_32x4d"):
        model_info("resnext50")


def test_unknown_option_names_the_known_ones():
    with pytest.raises(ValueError, match=r"vig_nano has no option 'stem_pool'; it has: drop_path_rate, drop_rate"):
        create_model("vig_nano", stem_pool="same")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "vig_nano", "class_num": 0}, "class_num is 0; it must be at least 1"),
        ({"name": "vig_ti", "image_size": 230}, "image_size is 230; ViG takes 20, 24, ... 64 and 80, 96"),
        ({"name": "vig_nano", "image_size": 16}, "image_size is 16; ViG takes 20, 24, ... 64 and 80, 96"),
        ({"name": "pvig_ti", "image_size": 200}, "image_size is 200; pvig_ti takes 96, 128, 160, "),
        ({"name": "pvig_nano", "image_size": 16}, "image_size is 16; pvig_nano takes 24, 32, 40, "),
        ({"name": "dgmn2_tiny", "image_size": 200}, "image_size is 200; dgmn2_tiny takes 32, 64, 96, ..."),
        ({"name": "dgmn2_nano", "image_size": 8}, "image_size is 8; dgmn2_nano takes 16, 32, 48, ..."),
        ({"name": "hlg_mobile", "image_size": 256}, "image_size is 256; hlg_mobile takes 224, 448, 672, ..."),
        ({"name": "hlg_nano", "image_size": 16}, "image_size is 16; hlg_nano takes 32, 64, 96, ..."),
        ({"name": "resnext_nano", "image_size": 4}, "image_size is 4; resnext_nano takes 8 and more"),
        ({"name": "resnext50_32x4d", "stem_pool": "valid"}, "stem_pool is 'valid'; choose 'same' or 'pad'"),
        ({"name": "dgcnet_nano", "image_size": 4}, "image_size is 4; dgcnet_nano takes 8 and more"),
        ({"name": "vig_nano", "drop_rate": 1.0}, r"drop_rate is 1.0; it must be in \[0, 1\)"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        create_model(**arguments)


def test_other_image_sizes():
    assert create_model("vig_nano", 10).pos_embed.shape == (1, 64, 8, 8)
    assert create_model("vig_nano", 10, 64).pos_embed.shape == (1, 64, 16, 16)
    assert create_model("vig_nano", 10, 96).pos_embed.shape == (1, 64, 6, 6)
    assert create_model("hlg_nano", 10, 64).pos_embed1.shape == (1, 32 * 32, 16)
    assert create_model("hlg_nano", 10, 64).pos_embed4.shape == (1, 1 + 4 * 4, 96)
    pyramid = create_model("pvig_ti", 10, 96)
    assert pyramid.pos_embed.shape == (1, 48, 24, 24)
    assert pyramid.backbone[0][0].relative_pos.shape == (1, 576, 36)


KNOWN = ("src.models.layers", "src.models.family", "src.models.graphs")
FOLDERS = ("src.models.dgcnet", "src.models.dgmn2", "src.models.hlg", "src.models.resnext152", "src.models.vig")


def test_model_folders_know_only_layers_and_what_a_family_is():
    folders = [name for name in sys.modules if name.startswith(FOLDERS)]
    imported = {
        value.__module__
        for name in folders
        for value in vars(sys.modules[name]).values()
        if getattr(value, "__module__", "").startswith("src.")
    }
    assert imported
    assert [module for module in imported if not module.startswith((*KNOWN, *FOLDERS))] == []
