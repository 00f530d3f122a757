"""Values of a YAML file as they are written, and files that are no configuration."""

from pathlib import Path

import pytest

from src.config.yaml_file import MAX_BYTES, yaml_lines
from tests.support.recipes import resolve, values, write_recipe
from tests.support.user_errors import message_of


@pytest.mark.parametrize("name", ["007", "1.10", "on", "12:30", "1_000", "0x1F", "1e3", "2022-06-05", "~x", "None"])
def test_a_text_keeps_its_spelling(tmp_path, name):
    assert values(tmp_path, f"name: {name}")["name"] == name
    assert values(tmp_path, f"name: '{name}'")["name"] == name


@pytest.mark.parametrize("key", ["dataset_path", "pretrained", "output", "save_checkpoint_path", "resume"])
def test_a_path_is_text_too_and_may_begin_at_home(tmp_path, monkeypatch, key):
    monkeypatch.setenv("HOME", "/home/me")
    for text, path in (("0755", "0755"), ("~/runs", "/home/me/runs"), ("None", ""), ("~", ""), ("a~b/~", "a~b/~")):
        assert values(tmp_path, f"{key}: {text}")[key] == path
        assert values(tmp_path, "", f"--{key}={text}")[key] == path
    assert values(tmp_path, "input: 'a.png,~/b.png'")["input"] == "a.png,/home/me/b.png"


def test_a_recipe_may_be_at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert values(tmp_path, "seed: 5")["seed"] == 5
    from src.config import read_config

    assert read_config(["--config_path=~/recipe.yml"]).config.run.seed == 5


def test_a_number_is_the_same_in_a_file_and_on_the_command_line(tmp_path):
    assert values(tmp_path, "batch_size: 010")["batch_size"] == 10
    for text in ("1:30", "0x10", "1" * 400, "9007199254740993", ".inf", "inf", "2022-06-05", "[1]", "{a: 1}"):
        message = message_of(resolve, tmp_path, f"num_steps: {text}")
        assert message.startswith(f"{tmp_path}/recipe.yml:1: num_steps "), message
        assert len(message) < len(str(tmp_path)) + 200


BOMB = "a: &a [x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("lr_epochs: " + "[" * 19 + "]" * 19, "lr_epochs has no plain value"),
        ("lr_epochs: " + "[" * 20_000 + "]" * 20_000, "nested too deeply"),
        ("lr_epochs: [[1]]", ":1: lr_epochs has no plain value: put it in quotes"),
        ("num_steps: !!int ''", ":1: num_steps has no plain value: put it in quotes"),
        ("num_steps: !!python/object/apply:os.system [ls]", ":1: num_steps has no plain value: put it in quotes"),
        ("name: !mine x", ":1: name has no plain value: put it in quotes"),
        ("seed: 1\n? [a, b]\n: 2", ":2: a key is a plain word"),
        ("lr_epochs: &a [*a]", ":1: lr_epochs has no plain value: put it in quotes"),
        ("lr_epochs: *a", ":1: not valid YAML: found undefined alias 'a'"),
        ("seed: 1\n---\nseed: 2", ":2: not valid YAML: but found another document"),
        (BOMB, ":2: b has no plain value: put it in quotes"),
        ("#" * (MAX_BYTES + 1), f"too large for a configuration (more than {MAX_BYTES} bytes)"),
        ("seed: \x07", "not valid YAML: unacceptable character"),
        ("- seed", ": a configuration is a list of `key: value` lines"),
    ],
)
def test_what_is_no_configuration_is_one_line_(tmp_path, content, message):
    recipe = write_recipe(tmp_path, content)
    told = message_of(lambda: list(yaml_lines(Path(recipe), "x.yml")))
    assert told.startswith("x.yml:") and message in told
    assert "\n" not in told


def test_a_tag_that_says_what_is_so_is_read(tmp_path):
    assert values(tmp_path, "name: !!str 007\nseed: !!int 3\n")["seed"] == 3


@pytest.mark.parametrize("path", ["x" * 256, "a/" * 2100, "a\0b"])
def test_what_no_file_system_takes_is_told(tmp_path, path):
    for key in ("dataset_path", "config_path", "output"):
        message = message_of(resolve, tmp_path, "", f"--{key}", path)
        assert message.startswith(f"--{key} is no path, ") and len(message) < 200
