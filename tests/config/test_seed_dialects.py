"""The seeds' own key names, values and flags mean here what they mean there."""

import pytest
import yaml

from src.config import read_config
from src.config.aliases import DIALECTS, aliases_for, dialect_of
from src.config.schema import KEY_TYPES
from tests.config.seed_blocks import BLOCKS, DGMN2, DGMN2_MEANING
from tests.support.recipes import resolve, values

# Options that the seeds document on command lines: dialect, network, command, words, what they set.
FLAGS = [
    ("dgmn2_hlg", "dgmn2_tiny", "export", "--ckpt_file a.ckpt", {"pretrained": "a.ckpt"}),
    ("dgmn2_hlg", "hlg_mobile", "eval", "--pretrained a.ckpt", {"pretrained": "a.ckpt"}),
    ("vig", "vig_s", "train", "--device_id 3 --device_target Ascend", {"device_id": 3, "device_target": "Ascend"}),
    ("resnext152", "resnext152", "train", "--data_dir /data/train/", {"dataset_path": "/data/train/"}),
    ("resnext152", "resnext152", "train", "--platform Ascend --is_distributed 0", {"run_distribute": False}),
    ("resnext152", "resnext152", "eval", "--data_dir /data/val/", {"eval_path": "/data/val/"}),
    ("resnext152", "resnext152", "eval", "--platform GPU", {"device_target": "GPU"}),
    ("resnext152", "resnext152", "export", "--ckpt_file a.ckpt", {"pretrained": "a.ckpt"}),
    ("resnext152", "resnext152", "export", "--file_format ONNX", {"file_format": "ONNX"}),
    ("dgcnet", "dgcnet_res101", "eval", "--data_dir d", {"eval_path": "d"}),
    ("convert", "vig_s", "convert", "--load_path a.pth --save_path b", {"input": "a.pth", "output": "b"}),
]


@pytest.mark.parametrize("seed", BLOCKS)
def test_a_seeds_block_is_a_recipe(tmp_path, seed):
    text, meaning = BLOCKS[seed]
    resolved = resolve(tmp_path, text)
    flat = resolved.config.flat()
    assert {key: flat[key] for key in resolved.given} == meaning


@pytest.mark.parametrize("seed", BLOCKS)
def test_a_seeds_block_on_the_command_line_means_the_same(tmp_path, seed):
    text, meaning = BLOCKS[seed]
    words = [f"--{key}={value}" for key, value in yaml.safe_load(text).items()]
    resolved = resolve(tmp_path, "", *words)
    flat = resolved.config.flat()
    assert {key: flat[key] for key in resolved.given} == meaning


def test_dgmn2s_recipe_has_each_value_of_its_seed():
    flat = read_config(["--config_path", "/path_to_code/config/dgmn2_tiny_graph_O3.yml"]).config.flat()
    assert {key: flat[key] for key in DGMN2_MEANING} == DGMN2_MEANING


@pytest.mark.parametrize(("dialect", "backbone", "command", "words", "meaning"), FLAGS)
def test_a_seeds_options_mean_the_same(tmp_path, dialect, backbone, command, words, meaning):
    flat = values(tmp_path, f"backbone: {backbone}\n", *words.split(), command=command)
    assert {key: flat[key] for key in meaning} == meaning


@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_row_of_a_dialect_is_documented_by_its_seed(dialect):
    seeds = {"dgmn2_hlg": ("dgmn2", "hlg"), "convert": ()}.get(dialect, (dialect,))
    documented = {key for seed in seeds for key in yaml.safe_load(BLOCKS[seed][0])}
    documented |= {word[2:] for row in FLAGS for word in row[3].split() if row[0] == dialect and word.startswith("--")}
    documented |= {"vig_config"} if dialect == "vig" else set()  # see test_config_lookup
    assert set(DIALECTS[dialect]) - documented == set()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_row_of_a_dialect_stands_for_keys_of_the_schema(dialect):
    targets = {target for alias in DIALECTS[dialect].values() for target in alias.targets}
    assert targets - set(KEY_TYPES) - {"config_path"} == set()


def test_a_row_without_a_target_says_why():
    silent = {(d, name): alias.reason for d, t in DIALECTS.items() for name, alias in t.items() if not alias.targets}
    assert silent == {
        ("dgmn2_hlg", "dgmn2_config_path"): "the key backbone selects the network",
        ("dgmn2_hlg", "hlg_config_path"): "the key backbone selects the network",
        ("resnext152", "is_save_on_master"): "only rank 0 writes",
        ("resnext152", "rank"): "the launcher assigns each process its rank",
        ("resnext152", "group_size"): "the launcher assigns each process its rank",
    }


def test_a_key_without_effect_is_told_with_its_place(tmp_path):
    resolved = resolve(tmp_path, "backbone: resnext152\nrank: 0\n", "--group_size", "1")
    assert resolved.notes[2:] == (
        f"{tmp_path}/recipe.yml:2: rank has no effect here: the launcher assigns each process its rank",
        "--group_size has no effect here: the launcher assigns each process its rank",
    )


@pytest.mark.parametrize(
    ("backbone", "dialect"),
    [
        ("dgmn2_tiny", "dgmn2_hlg"),
        ("hlg_mobile", "dgmn2_hlg"),
        ("vig_s_patch16_224", "vig"),
        ("pvig_ti", "vig"),
        ("ResNeXt152_64x4d", "resnext152"),
        ("resnext101_64x4d", "resnext152"),
        ("dgcnet_res101", "dgcnet"),
        ("another", ""),
    ],
)
def test_the_network_chooses_the_dialect(backbone, dialect):
    assert dialect_of(backbone) == dialect


def test_adamw_is_the_frameworks_adamweightdecay_in_vigs_table_only(tmp_path):
    assert values(tmp_path, "backbone: vig_s\noptimizer: adamw\n")["opt"] == "adamweightdecay"
    assert values(tmp_path, "backbone: vig_s\noptimizer: AdamW\n")["opt"] == "adamweightdecay"
    assert values(tmp_path, "backbone: vig_s\noptimizer: momentum\n")["opt"] == "momentum"
    assert values(tmp_path, "backbone: vig_s\nopt: adamw\n")["opt"] == "adamw"


def test_data_url_is_the_data_set_for_vig_and_the_remote_for_the_others(tmp_path):
    vig = values(tmp_path, "backbone: vig_s\ndata_url: d\n")
    hlg = values(tmp_path, "backbone: hlg_mobile\ndata_url: d\n")
    assert (vig["dataset_path"], vig["data_url"]) == ("d", "")
    assert (hlg["dataset_path"], hlg["data_url"]) == ("", "d")


def test_data_url_is_the_remote_for_vig_too_where_the_data_set_has_its_own_name(tmp_path):
    vig = values(tmp_path, "backbone: vig_s\ndata_url: remote\ndataset_path: d\n")
    assert (vig["dataset_path"], vig["data_url"]) == ("d", "remote")


def test_load_path_is_the_weights_to_convert_for_convert_only(tmp_path):
    words = ["--load_path", "a.pth"]
    converting = values(tmp_path, DGMN2, *words, command="convert")
    training = values(tmp_path, DGMN2, *words)
    assert (converting["input"], converting["load_path"]) == ("a.pth", "/cache/model/dgmn2_tiny.ckpt")
    assert (training["input"], training["load_path"]) == ("", "a.pth")


def test_a_recipes_load_path_is_no_file_to_convert(tmp_path):
    assert values(tmp_path, DGMN2, command="convert")["input"] == ""


def test_the_command_line_wins_over_the_recipes_alias(tmp_path):
    assert values(tmp_path, "backbone: vig_s\nbase_lr: 1\n", "--lr_max", "2")["lr_max"] == 2.0
    assert values(tmp_path, "backbone: vig_s\nlr_max: 1\n", "--base_lr", "2")["lr_max"] == 2.0


def test_the_network_on_the_command_line_chooses_the_dialect(tmp_path):
    assert values(tmp_path, "backbone: hlg_mobile\ndata_url: d\n", "--arch", "vig_s")["dataset_path"] == "d"


def test_a_foreign_name_of_one_meaning_is_taken_in_each_dialect(tmp_path):
    flat = values(tmp_path, "backbone: hlg_mobile\nper_batch_size: 3\nepochs: 4\nplatform: GPU\n")
    assert (flat["batch_size"], flat["max_epoch"], flat["device_target"]) == (3, 4, "GPU")


@pytest.mark.parametrize(
    ("written", "expected"),
    [("0", "none"), ("1", "autoaugment"), ("true", "autoaugment"), ("False", "none"), ("rand-m9", "rand-m9")],
)
def test_autoaugment_is_a_flag_or_a_policy(tmp_path, written, expected):
    assert values(tmp_path, f"autoaugment: {written}\n")["autoaugment"] == expected
    assert values(tmp_path, "", "--autoaugment", written)["autoaugment"] == expected


@pytest.mark.parametrize(
    ("written", "expected"), [("0", "none"), ("true", "autoaugment"), ("rand-m9-n3", "rand-m9-n3")]
)
def test_vigs_auto_augment_is_too(tmp_path, written, expected):
    assert values(tmp_path, f"backbone: vig_s\nauto_augment: {written}\n")["autoaugment"] == expected


def test_own_keys_are_aliases_in_their_own_dialect_only():
    assert "data_url" not in aliases_for("resnext152", set(KEY_TYPES))
    assert aliases_for("vig", set(KEY_TYPES))["data_url"].targets == ("dataset_path",)


ITS_SEEDS = {
    "resnext152": {"backbone": "resnext152", "opt": "momentum", "lr_decay_mode": "cosine_annealing", "momentum": 0.9},
    "dgcnet": {
        "backbone": "dgcnet_res101",
        "opt": "sgd",
        "momentum": 0.9,
        "weight_decay": 0.0005,
        "class_num": 19,
        "loss_name": "ohem",
        "lr_decay_mode": "poly",
        "lr_power": 0.9,
        "warmup_epochs": 0.0,
    },
}


@pytest.mark.parametrize("seed", ITS_SEEDS)
@pytest.mark.parametrize("left_out", ["", "backbone", "backbone dataset"])
def test_a_seeds_block_alone_trains_as_the_seed_does(tmp_path, seed, left_out):
    """As YAML and on the command line without a recipe: what its code fixed comes from the seed's recipe."""
    block = {key: value for key, value in yaml.safe_load(BLOCKS[seed][0]).items() if key not in left_out.split()}
    from_file = values(tmp_path, yaml.safe_dump(block))
    from_words = read_config([f"--{key}={value}" for key, value in block.items()]).config.flat()
    expected = ITS_SEEDS[seed] if seed == "dgcnet" or not left_out else ITS_SEEDS[seed] | {"backbone": None}
    for flat in (from_file, from_words):
        assert {key: flat[key] for key, value in expected.items() if value} == {
            key: value for key, value in expected.items() if value
        }


def test_what_the_user_says_wins_over_what_the_seed_left_unsaid(tmp_path):
    resolved = resolve(tmp_path, "learning_rate: 0.01\nopt: lamb\n", "--loss_name", "ce")
    assert (resolved.config.optimizer.opt, resolved.config.loss.loss_name) == ("lamb", "ce")
    assert resolved.config.model.backbone == "dgcnet_res101"
    assert resolved.given == {"lr_max", "opt", "loss_name"}
    assert resolved.notes[1].startswith("backbone, class_num, dataset, eval_mode, loss_name, lr_decay_mode, ")
    assert resolved.notes[1].endswith("dgcnet_res101_cityscapes.yml: " + f"{tmp_path}/recipe.yml has its options")


def test_a_file_in_our_own_words_or_of_two_seeds_has_the_defaults(tmp_path):
    for text in ("lr_max: 0.1\nbackbone: resnext152\n", "per_batch_size: 1\nrestore_from: x\n"):
        assert values(tmp_path, text)["opt"] == "adamw"
    assert values(tmp_path, "backbone: vig_s\nper_batch_size: 8\n")["opt"] == "adamw"


def test_a_data_set_of_one_seed_chooses_its_recipe():
    assert read_config(["--dataset", "cityscapes"]).config.model.backbone == "dgcnet_res101"
    assert read_config(["--dataset", "cityscapes", "--backbone", "vig_s"]).config.model.backbone == "vig_s"
    assert read_config(["--dataset", "image_folder"]).config.model.backbone == "resnext152"


def test_the_seeds_words_for_schedule_and_loss(tmp_path):
    flat = values(tmp_path, "lr_decay_mode: cos\nloss_name: SoftTargetCrossEntropy\n")
    assert (flat["lr_decay_mode"], flat["loss_name"]) == ("cosine", "soft_target")
    assert values(tmp_path, "backbone: resnext152\nlr_scheduler: cos\n")["lr_decay_mode"] == "cosine"
