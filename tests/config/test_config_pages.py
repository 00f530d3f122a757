"""The pages for people: config/defaults.yml, --help, --print_config, and the recipes."""

from dataclasses import fields

import pytest
import yaml

from src.config import config_text, help_text, read_config
from src.config.help import COMMAND_KEYS, key_meanings
from src.config.lookup import CONFIG_ROOT
from src.config.reader import DEFAULTS_FILE
from src.config.schema import KEY_TYPES, SECTIONS
from src.models import list_models
from tests.support.recipes import resolve

RECIPES = sorted(str(path.relative_to(CONFIG_ROOT)) for path in CONFIG_ROOT.glob("*/*.y*ml"))

# The command line's surface: a key is added, renamed or removed on purpose only.
KEYS = """
T_max accumulate_steps amp_level antialias autoaugment backbone batch_size batch_statistics bce_threshold beta1 beta2
check_dataset checkpoint_url class_num clip_global_norm color_jitter compile_cache context_mode cpu_kernels crop_min
crop_pct cutmix data_list
data_path data_sink data_timeout data_url dataset dataset_path device_id device_target drop_path_rate drop_rate
dynamic_batch early_stop_patience ema_decay enable_modelarts enc_key_file enc_mode
eval_batch_size eval_flip eval_image_size eval_interval eval_mode
eval_num_workers eval_offset eval_path eval_scales eval_split file_format file_name freeze gc_flag hflip ignore_label
input interpolation is_dynamic_loss_scale keep_checkpoint_max label_smooth_factor layer_decay list_models lite_python
load_path
log_interval log_norms loss_name loss_scale lr_decay_mode lr_epochs lr_gamma lr_init lr_max lr_min lr_period
lr_period_mult lr_power max_bad_images max_epoch max_image_pixels max_steps mean mixup mixup_mode mixup_prob momentum
name no_weight_decay_filter nodes num_steps ohem_keep ohem_thres open_profiler opt output output_path overwrite plot_lr
pretrained print_config quantize re_count re_mode re_prob
recipe_global_batch repeated_augment report resume rgb run_distribute
save_checkpoint save_checkpoint_epochs save_checkpoint_path save_checkpoint_steps scale_lr seed show_batch show_graph
std stem_pool submit switch_prob sync_bn tensorboard top_k train_image_size train_num_workers train_scales train_url
upload_interval use_ema use_label_smooth warmup_epochs weight_decay
"""


def test_the_keys_are_these():
    assert sorted(KEY_TYPES) == KEYS.split()


def test_defaults_has_each_key_once_in_the_schemas_order():
    written = [key.value for key, _ in yaml.compose(DEFAULTS_FILE.read_text(encoding="utf-8")).value]
    assert written == list(KEY_TYPES)


def test_defaults_has_the_schemas_sections():
    lines = DEFAULTS_FILE.read_text(encoding="utf-8").splitlines()
    headings = [line for line in lines if line.startswith("# ==")]
    assert headings == [f"# == {section.__doc__} ==" for section in SECTIONS.values()]


def test_each_key_has_a_meaning():
    meanings = key_meanings()
    assert list(meanings) == list(KEY_TYPES)
    assert [key for key, (_, meaning) in meanings.items() if not meaning.strip()] == []
    assert meanings["lr_max"] == ("0.0005", "learning rate after the warm-up")


def test_help_lists_each_key_with_default_and_meaning():
    lines = help_text("train", "Train a network.", width=1000).splitlines()
    assert lines[:3] == [
        "usage: python train.py [--config_path RECIPE] [--key value | --key=value ...]",
        "",
        "Train a network.",
    ]
    for key, (default, meaning) in key_meanings().items():
        assert f"  --{key:<25} {meaning} [{default}]" in lines
    assert "  --lr_max                    learning rate after the warm-up [0.0005]" in lines


def test_help_has_a_heading_for_each_section():
    lines = help_text("train", "", width=1000).splitlines()
    keys = [f"--{field.name}" for field in fields(SECTIONS["schedule"])]
    first = lines.index("Learning rate:") + 1
    assert [line.split()[0] for line in lines[first : first + len(keys)]] == keys


@pytest.mark.parametrize("command", COMMAND_KEYS)
def test_the_page_of_another_command_has_its_own_keys_only(command):
    lines = help_text(command, "").splitlines()
    listed = {line.split()[0][2:] for line in lines if line.startswith("  --")}
    assert listed - {"config_path", "help", "print_config"} == set(COMMAND_KEYS[command].split()) <= set(KEY_TYPES)
    assert "lr_max" not in listed
    assert len(lines) < 90


@pytest.mark.parametrize("width", [60, 80, 120])
def test_help_fits_the_terminal(width):
    assert max(map(len, help_text("train", "", width).splitlines())) <= width


def test_the_printed_configuration_is_a_recipe(tmp_path):
    written = ["--lr_min=7e-8", "--mean=0.5,0.25,0.125", "--name=a: b # c", "--crop_pct=0.9", "--T_max=4"]
    config = resolve(tmp_path, "backbone: vig_s\noptimizer: adamw\nbeta: [0.8, 0.9]\n", *written).config
    assert resolve(tmp_path, config_text(config)).config == config


@pytest.mark.parametrize("recipe", RECIPES)
def test_each_recipe_resolves_and_survives_printing(tmp_path, recipe):
    config = read_config(["--config_path", str(CONFIG_ROOT / recipe)]).config
    assert config.model.backbone in list_models()
    assert resolve(tmp_path, config_text(config)).config == config


@pytest.mark.parametrize("recipe", RECIPES)
def test_each_recipe_opens_with_its_card(recipe):
    lines = (CONFIG_ROOT / recipe).read_text(encoding="utf-8").splitlines()
    card = [line.split()[1] for line in lines if line.startswith("#   ")]
    assert {"paper", "command"} <= set(card)
