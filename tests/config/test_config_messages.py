"""Each mistake in a recipe or an option: one line with the key, the place where it stands and the remedy."""

import pytest

from src.config import read_config
from tests.support.recipes import resolve
from tests.support.user_errors import message_of


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed: 1\nlr_maxx: 1\n", ":2: lr_maxx is not a configuration key: did you mean lr_max?"),
        ("qqqq: 1\n", ":1: qqqq is not a configuration key: see --help for all keys"),
        ("warm_up_length: 3\n", ":1: warm_up_length is not a configuration key: did you mean warmup_length?"),
        ("seed: 1\nseed: 2\n", ":2: seed and {file}:1: seed both set seed: keep one"),
        (
            "backbone: vig_s\nbase_lr: 1\n\nlr_max: 2\n",
            ":4: lr_max and {file}:2: base_lr both set lr_max: keep one",
        ),
        (
            "backbone: vig_s\nimage_size: 224\neval_image_size: 256\n",
            ":3: eval_image_size and {file}:2: image_size both set eval_image_size: keep one",
        ),
        ("\nmax_epoch: ten\n", ":2: max_epoch must be a whole number, not 'ten'"),
        ("max_epoch: 1.5\n", ":1: max_epoch must be a whole number, not '1.5'"),
        ("max_epoch: true\n", ":1: max_epoch must be a whole number, not 'true'"),
        ("max_epoch:\n", ":1: max_epoch must be a whole number, not None"),
        ("lr_max: [1, 2]\n", ":1: lr_max must be a number, not [1, 2]"),
        ("lr_max: .inf\n", ":1: lr_max must be a number, not '.inf'"),
        ("lr_max: 2022-06-05\n", ":1: lr_max must be a number, not '2022-06-05'"),
        ("gc_flag: 2\n", ":1: gc_flag must be 0 or 1, not '2'"),
        ("name: {a: 1}\n", ":1: name has no plain value: put it in quotes"),
        ("mean: [0.5, x, 1]\n", ":1: mean must be a number, not 'x'"),
        ("std: [0.5]\n", ":1: std must be a list of 3 values, not [0.5]"),
        ("lr_max: 0\n", ":1: lr_max must be greater than 0, not 0"),
        ("batch_size: 0\n", ":1: batch_size must be at least 1, not 0"),
        ("crop_min: 1.5\n", ":1: crop_min must be between 0 and 1, not 1.5"),
        ("amp_level: O4\n", ":1: amp_level must be one of O0, O2, O3, not O4"),
        ("context_mode: 2\n", ":1: context_mode must be one of 0, 1, not 2"),
        ("backbone: vig_s\nnum_classes: 0\n", ":2: num_classes must be at least 1, not 0"),
        ("backbone: vig_s\nbeta: [0.9]\n", ":2: beta must be a list of 2 values, not [0.9]"),
        ("backbone: vig_s\nbeta: 0.9\n", ":2: beta must be a list of 2 values, not 0.9"),
        ("backbone: vig_s\nimage_size: [224, 192]\n", ":2: image_size must be square, not [224, 192]"),
        ("seed: 1\nname: [\n", ":3: not valid YAML: expected the node content, but found '<stream end>'"),
        ("seed: 1\nname: !me x\n", ":2: name has no plain value: put it in quotes"),
        ("name: !x 2022\n", ":1: name has no plain value: put it in quotes"),
        ("- seed\n", ": a configuration is a list of `key: value` lines"),
    ],
)
def test_a_mistake_in_a_recipe_is_named_with_file_and_line(tmp_path, text, message):
    file = f"{tmp_path}/recipe.yml"
    assert message_of(resolve, tmp_path, text) == file + message.replace("{file}", file)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--lr_maxx 1", "--lr_maxx is not a configuration key: did you mean lr_max?"),
        ("--confg_path 1", "--confg_path is not a configuration key: did you mean config_path?"),
        ("--lr_max 1 --lr_max=2", "--lr_max and --lr_max both set lr_max: keep one"),
        ("--base_lr 1 --lr_max 2", "--lr_max and --base_lr both set lr_max: keep one"),
        ("--vig_config a.yml", "--vig_config and --config_path both set config_path: keep one"),
        ("--max_epoch 0", "--max_epoch must be at least 1, not 0"),
        ("--epochs 0", "--epochs must be at least 1, not 0"),
        ("--max_epoch x", "--max_epoch must be a whole number, not 'x'"),
        ("--use_ema maybe", "--use_ema must be 0 or 1, not 'maybe'"),
        ("--device_target TPU", "--device_target must be one of CPU, GPU, Ascend, not TPU"),
        ("--mean 0.5", "--mean must be a list of 3 values, not [0.5]"),
        ("--beta 0.9", "--beta must be a list of 2 values, not 0.9"),
    ],
)
def test_a_mistake_in_an_option_is_named_with_its_dashes(tmp_path, words, message):
    assert message_of(resolve, tmp_path, "backbone: vig_s\n", *words.split()) == message


def test_a_recipe_that_is_no_text_is_named(tmp_path):
    path = tmp_path / "recipe.yml"
    path.write_bytes(b"\xff\xfe\x00")
    message = message_of(read_config, ["--config_path", str(path)])
    assert message.startswith(f"{path}: cannot be read as a configuration: ")
