"""The batch size of an exported file."""

import pytest

from src.commands.export import exported_batch_size
from src.config import config_text, read_config
from tests.support.commands import TINY


def size(recipe, *words):
    return exported_batch_size(read_config(["--config_path", str(recipe), *map(str, words)], "export"))


@pytest.mark.parametrize(("recipe", "expected"), [("dgmn2_export.yml", 64), ("hlg_export.yml", 1)])
def test_an_export_recipe_sets_it(recipe, expected):
    assert size(recipe) == expected


def test_the_seeds_way_sets_it_whatever_the_recipes_name(tmp_path):
    recipe = tmp_path / "mine.yml"
    recipe.write_text("backbone: dgmn2_tiny\nckpt_file: my.ckpt\nbatch_size: 5\n")
    assert size(recipe) == 5


def test_a_training_recipe_does_not(tmp_path):
    assert size(TINY) == 1
    run_folder = tmp_path / "config.yml"
    run_folder.write_text(config_text(read_config(["--config_path", str(TINY)]).config))
    assert size(run_folder) == 1


def test_the_command_line_does():
    assert size(TINY, "--batch_size", 2) == 2
    assert size("dgmn2_export.yml", "--batch_size", 3) == 3
