"""Where `--config_path` looks, and which recipe a command without it uses."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from src.config import lookup, read_config
from src.config.lookup import PROJECT_ROOT, find_config, seed_recipe
from tests.support.user_errors import message_of

VIG = PROJECT_ROOT / "config/vig/vig_s_patch16_224.yaml"
DGMN2 = PROJECT_ROOT / "config/dgmn2/dgmn2_config.yml"
RESNEXT = PROJECT_ROOT / "config/resnext152/default_config.yaml"


@pytest.fixture
def zoo(tmp_path, monkeypatch):
    """A project with the seeds' four DGMN2 and HLG recipes."""
    for name in ("dgmn2/dgmn2_eval.yml", "dgmn2/dgmn2_export.yml", "hlg/hlg_eval.yml", "hlg/hlg_export.yml"):
        path = tmp_path / "config" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("seed: 1\n")
    (tmp_path / "config" / "defaults.yml").write_text("seed: 1\n")
    monkeypatch.setattr(lookup, "PROJECT_ROOT", tmp_path)
    monkeypatch.setattr(lookup, "CONFIG_ROOT", tmp_path / "config")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_existing_path_wins_over_the_recipe_of_that_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("vig_s_patch16_224.yaml").write_text("seed: 9\n")
    assert find_config("vig_s_patch16_224.yaml") == Path("vig_s_patch16_224.yaml")
    assert read_config(["--config_path", "vig_s_patch16_224.yaml"]).config.run.seed == 9


@pytest.mark.parametrize(
    "written",
    [
        "config/vig/vig_s_patch16_224.yaml",  # against the project's root, from any folder
        "./src/configs/vig_s_patch16_224.yaml",  # the ViG seed's own path
        "/path_to_code/config/vig_s_patch16_224.yml",
        "VIG_S_Patch16_224.YAML",
        "vig_s_patch16_224",
    ],
)
def test_other_spellings_find_the_recipe_below_config(tmp_path, monkeypatch, written):
    monkeypatch.chdir(tmp_path)
    assert find_config(written) == VIG


def test_the_seeds_names_find_their_recipes(zoo):
    assert find_config("/path_to_code/config/DGMN2_eval.yml") == zoo / "config/dgmn2/dgmn2_eval.yml"
    assert find_config("config/hlg_export.yaml") == zoo / "config/hlg/hlg_export.yml"


def test_the_network_of_the_checkpoint_chooses_among_several_recipes(zoo):
    assert find_config("config/export.yml", lambda: "hlg_mobile") == zoo / "config/hlg/hlg_export.yml"
    assert find_config("config/export.yml", lambda: "dgmn2_tiny") == zoo / "config/dgmn2/dgmn2_export.yml"
    checkpoint = SimpleNamespace(meta={"config": {"backbone": "hlg_mobile"}})
    words = ["--config_path", "config/export.yml", "--ckpt_file", "x.ckpt"]
    assert read_config(words, "export", lambda _: checkpoint).recipe == "hlg_export"
    assert "matches several recipes" in message_of(find_config, "config/export.yml", lambda: "vig_s")


def test_a_name_of_several_recipes_lists_them(zoo):
    assert message_of(find_config, "config/export.yml") == (
        "--config_path config/export.yml matches several recipes: give the path of one of "
        "config/dgmn2/dgmn2_export.yml, config/hlg/hlg_export.yml"
    )


def test_a_name_of_no_recipe_names_the_nearest(zoo):
    assert message_of(find_config, "hlg_eval_.yml") == (
        "--config_path hlg_eval_.yml: no such file; the nearest recipes are config/hlg/hlg_eval.yml, "
        "config/dgmn2/dgmn2_eval.yml, config/hlg/hlg_export.yml (+1 more)"
    )


def test_the_defaults_are_no_recipe(zoo):
    assert message_of(find_config, "defaults.yml").startswith("--config_path defaults.yml: no such file")


def test_the_recipe_in_use_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    resolved = read_config(["--vig_config", "./src/configs/vig_s_patch16_224.yaml"])
    assert resolved.notes == (f"configuration {VIG}",)
    assert resolved.config.model.backbone == "vig_s_patch16_224"


@pytest.mark.parametrize(
    ("backbone", "recipe"),
    [
        ("vig_ti", VIG),
        ("pvig_m", VIG),
        ("ViG_b", VIG),
        ("dgmn2_small", DGMN2),
        ("resnext50_32x4d", RESNEXT),
        (None, RESNEXT),
        ("", RESNEXT),
    ],
)
def test_without_a_configuration_the_networks_seed_recipe_is_used(backbone, recipe):
    assert seed_recipe(backbone) == recipe


def test_without_a_network_resnext152_is_trained_and_the_log_says_so(monkeypatch):
    monkeypatch.chdir(PROJECT_ROOT)
    resolved = read_config(["--data_dir", "imagenet/train/"])
    assert resolved.notes[0] == "no --config_path given: configuration config/resnext152/default_config.yaml"
    assert (resolved.recipe, resolved.config.model.backbone) == ("default_config", "resnext152")


@pytest.mark.parametrize("option", ["--backbone", "--arch"])
def test_the_chosen_network_wins_over_its_seeds_recipe(option):
    config = read_config([option, "vig_ti"]).config
    assert (config.model.backbone, config.schedule.lr_max) == ("vig_ti", 0.0005)


def test_a_network_without_a_recipe_asks_for_one(zoo):
    assert message_of(seed_recipe, "dgcnet_res101") == (
        "--backbone dgcnet_res101 has no recipe at config/dgcnet/dgcnet_res101_cityscapes.yml: give --config_path"
    )
