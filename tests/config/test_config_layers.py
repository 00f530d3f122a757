"""Defaults < recipe < command line, and what a written value means."""

from types import SimpleNamespace

import pytest

from src.config import read_config
from src.config.reader import Setting, parse_arguments
from tests.support.recipes import resolve, values
from tests.support.user_errors import message_of


def test_recipe_wins_over_defaults_and_the_command_line_over_both(tmp_path):
    config = values(tmp_path, "lr_max: 0.01\nmax_epoch: 7\n", "--max_epoch", "9")
    assert (config["warmup_epochs"], config["lr_max"], config["max_epoch"]) == (5.0, 0.01, 9)


def test_given_names_the_keys_of_recipe_and_command_line_with_their_places(tmp_path):
    resolved = resolve(tmp_path, "seed: 3\nlr_max: 0.01\n", "--max_epoch", "9", "--lr_max=1")
    assert resolved.origins == {
        "seed": f"{tmp_path}/recipe.yml:1",
        "lr_max": "command line",
        "max_epoch": "command line",
    }
    assert resolved.given == {"seed", "lr_max", "max_epoch"}
    assert resolved.recipe == "recipe"
    assert resolved.notes == (f"configuration {tmp_path}/recipe.yml",)


def test_an_empty_recipe_is_the_defaults(tmp_path):
    assert resolve(tmp_path, "# nothing\n").given == frozenset()


def test_sections_hold_what_the_flat_keys_name(tmp_path):
    config = resolve(tmp_path, "lr_max: 0.25\nbackbone: vig_ti\nbatch_size: 4\n").config
    assert (config.schedule.lr_max, config.model.backbone, config.data.batch_size) == (0.25, "vig_ti", 4)
    assert config.with_values(batch_size=5).flat() == {**config.flat(), "batch_size": 5}


@pytest.mark.parametrize(
    ("written", "key", "expected"),
    [
        ("lr_min: 1e-5", "lr_min", 0.00001),  # a text in YAML 1.1
        ("lr_max: 5.", "lr_max", 5.0),
        ("max_epoch: 3.0", "max_epoch", 3),
        ("max_epoch: '1e2'", "max_epoch", 100),
        ("save_checkpoint: 0", "save_checkpoint", False),
        ("gc_flag: 1", "gc_flag", True),
        ("gc_flag: yes", "gc_flag", True),
        ("gc_flag: 'False'", "gc_flag", False),
        ("eval_offset: -1", "eval_offset", -1),
        ("interpolation: 'BILINEAR'", "interpolation", "bilinear"),
        ("device_target: cpu", "device_target", "CPU"),
        ("crop_pct: null", "crop_pct", None),
        ("crop_pct: none", "crop_pct", None),
        ("pretrained:", "pretrained", ""),
        ("name: 2022", "name", "2022"),
        ("lr_epochs: '30,60,90,120'", "lr_epochs", [30.0, 60.0, 90.0, 120.0]),
        ("lr_epochs: [30, 60]", "lr_epochs", [30.0, 60.0]),
        ("lr_epochs: 30", "lr_epochs", [30.0]),
        ("mean: [0.5, 0.25, 1]", "mean", [0.5, 0.25, 1.0]),
    ],
)
def test_a_recipe_line_has_the_value_that_its_writer_means(tmp_path, written, key, expected):
    value = values(tmp_path, written)[key]
    assert (value, type(value)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("words", "key", "expected"),
    [
        (["--lr_max", "1e-5"], "lr_max", 0.00001),
        (["--lr_max=1e-5"], "lr_max", 0.00001),
        (["--eval_offset", "-3"], "eval_offset", -3),
        (["--eval_offset=-3"], "eval_offset", -3),
        (["--gc_flag", "1"], "gc_flag", True),
        (["--gc_flag=False"], "gc_flag", False),
        (["--pretrained="], "pretrained", ""),
        (["--pretrained", "a=b.ckpt"], "pretrained", "a=b.ckpt"),
        (["--no-weight-decay-filter", "beta"], "no_weight_decay_filter", "beta"),
        (["--lr_epochs", "30,60"], "lr_epochs", [30.0, 60.0]),
        (["--lr_epochs", "[30, 60]"], "lr_epochs", [30.0, 60.0]),
        (["--crop_pct", "null"], "crop_pct", None),
        (["--print_config"], "print_config", True),
    ],
)
def test_an_option_has_the_value_that_its_writer_means(tmp_path, words, key, expected):
    value = values(tmp_path, "crop_pct: 0.9", *words)[key]
    assert (value, type(value)) == (expected, type(expected))


def test_options_are_taken_in_both_spellings():
    assert parse_arguments(["--a", "1", "--b=2=3", "--print_config", "--c", "-4"]) == [
        Setting("a", "1", "command line"),
        Setting("b", "2=3", "command line"),
        Setting("print_config", "1", "command line"),
        Setting("c", "-4", "command line"),
    ]


def carrying(config):
    return SimpleNamespace(meta={"config": config})


def test_a_checkpoint_carries_its_configuration():
    asked = []

    def open_checkpoint(path):
        asked.append(path)
        return carrying({"backbone": "vig_ti", "class_num": 10, "name": "its run", "resume": "auto", "gone_key": 1})

    resolved = read_config(["--pretrained", "x.ckpt", "--eval_batch_size", "3"], "eval", open_checkpoint)
    config = resolved.config
    assert asked == ["x.ckpt"]
    assert resolved.checkpoint.meta["config"]["class_num"] == 10  # opened once, handed on
    assert (config.model.backbone, config.model.class_num, config.model.pretrained) == ("vig_ti", 10, "x.ckpt")
    assert (config.run.name, config.checkpoint.resume, config.eval.eval_batch_size) == ("", "", 3)
    assert resolved.notes == ("configuration from x.ckpt",)
    assert (resolved.recipe, resolved.given) == ("vig_ti", {"pretrained", "eval_batch_size"})


def test_a_checkpoints_data_are_named_and_never_unpacked(tmp_path):
    (tmp_path / "images/val").mkdir(parents=True)
    (tmp_path / "packed/train").mkdir(parents=True)
    for archive in ("packed/train/x.tar", "lonely.tar", "unpacked.tar"):
        (tmp_path / archive).touch()
    (tmp_path / "unpacked").mkdir()

    def of_checkpoint(path, *words):
        carried = carrying({"backbone": "vig_ti", "class_num": 10, "dataset_path": str(path)})
        resolved = read_config(["--pretrained", "x.ckpt", *words], "eval", lambda _: carried)
        return resolved.config.data.dataset_path, resolved.notes[1:]

    for path in (tmp_path / "images", tmp_path / "unpacked.tar", "/not/there"):
        assert of_checkpoint(path) == (str(path), (f"dataset_path from the checkpoint: {path}",))
    for path in (tmp_path / "packed", tmp_path / "lonely.tar"):
        note = f"dataset_path {path} of the checkpoint would be unpacked: give --dataset_path {path} to allow it"
        assert of_checkpoint(path) == ("", (note,))
        assert of_checkpoint(path, "--dataset_path", str(path))[0] == str(path)


def test_a_recipe_wins_over_the_checkpoints_configuration(tmp_path):
    path = tmp_path / "mine.yml"
    path.write_text("class_num: 7\n")
    argv = ["--config_path", str(path), "--pretrained", "x.ckpt"]
    assert read_config(argv, "eval", lambda _: carrying({"class_num": 10})).config.model.class_num == 7


def test_training_from_a_checkpoint_keeps_its_own_configuration():
    config = read_config(["--pretrained", "x.ckpt"], "train", lambda _: carrying({"class_num": 10})).config
    assert config.model.class_num == 1000


def test_the_checkpoints_network_chooses_the_dialect():
    argv = ["--pretrained", "x.ckpt", "--optimizer", "adamw"]
    assert (
        read_config(argv, "eval", lambda _: carrying({"backbone": "vig_s"})).config.optimizer.opt == "adamweightdecay"
    )


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["train"], "unexpected argument 'train': options are written --key value (see --help)"),
        (["--"], "unexpected argument '--': options are written --key value (see --help)"),
        (["-h1"], "unexpected argument '-h1': options are written --key value (see --help)"),
        (["--seed"], "--seed needs a value: --seed VALUE (see --help)"),
        (["--seed", "--max_epoch", "3"], "--seed needs a value: --seed VALUE (see --help)"),
    ],
)
def test_a_command_line_that_cannot_be_read_says_how_it_is_written(argv, message):
    assert message_of(read_config, argv) == message
