"""The READMEs and the model cards: what they name exists, and both languages say the same."""

from __future__ import annotations

import re
from itertools import zip_longest
from pathlib import Path

import pytest

from src.config.aliases import DIALECTS
from src.config.lookup import find_config
from src.config.schema import KEY_TYPES
from src.lr_schedulers.factory import SCHEDULES
from src.models import list_models, model_info
from src.optimizers.factory import OPTIMIZERS
from src.runtime.run_folder import RunFolder
from tests.support.processes import PROJECT_ROOT

ENGLISH, CHINESE = "README.md", "README_CN.md"
CARDS = sorted(str(path.relative_to(PROJECT_ROOT)) for path in PROJECT_ROOT.glob("src/models/*/README.md"))
PAGES = [ENGLISH, CHINESE, *CARDS]

SECTIONS = [
    ("# MindSpore vision research zoo", "# MindSpore 视觉研究模型库"),
    ("## Two commands", "## 两条命令"),
    ("## Networks", "## 网络"),
    ("## Use from Python", "## 在 Python 中使用"),
    ("## Your own data", "## 使用自己的数据"),
    ("## Training options", "## 训练选项"),
    ("## Evaluate, export, predict", "## 评估、导出、预测"),
    ("## Inference in C++", "## C++ 推理"),
    ("## Visualise the graph", "## 图结构可视化"),
    ("## Output of a run", "## 训练输出"),
    ("## Published weights", "## 公开权重"),
    ("## Segmentation", "## 语义分割"),
    ("## Segmentation on your own images", "## 用自己的图像做语义分割"),
    ("## Configuration", "## 配置"),
    ("## The older zoo's commands", "## 旧库的命令"),
    ("## Devices", "## 设备"),
    ("## What has been verified, and what has not", "## 已验证与未验证"),
    ("## Troubleshooting", "## 常见问题"),
    ("## Licence and citation", "## 许可与引用"),
]
# Options that are no configuration keys: the reader's own, and those of other programs.
OTHER_OPTIONS = {"config_path", "help", "no-deps"} | {"num_devices", "master_port", "logdir"}
# What commands make, and what the user brings: folders, and files that are named without one.
MADE_FOLDERS = (
    "converted/",
    "dgc_832/",
    ".venv",
    "demo/",
    "outputs/",
    "ckpt/",
    "evaluation",
    "predictions/",
    "pictures",
    "photos/",
    "train/",
    "val/",
)
MADE_FILES = {
    *("config.yml", "train.log", "metrics.jsonl", "curves.png"),
    *("result.json", "confusion_matrix.png", "per_class.csv", "vig_nano.mindir", "vig_nano.onnx"),
    *("predictions.png", "predictions.csv", "predictions.json", "resnext.ckpt", "samples.png", "lr.png"),
    *("vig_s.ckpt", "resnext50.ckpt", "dgmn2_tiny.ckpt", "resnet101.ckpt", "result/result.txt"),
    *("resnext152.mindir", "acc.log"),
}
# Public weights that a user brings to convert.py; .pth and .safetensors are no endings of ours.
PUBLIC_WEIGHTS = {"vig_s_patch16_224.ckpt", "hlg_mobile.ckpt", "resnext152.ckpt"}
# Paths of the seeds' documents: a recipe that is found by its name, a checkpoint of the user's.
SEED_PATHS = {"./src/configs/vig_s_patch16_224.yaml", "./ckpt_0/vig_s_patch16_224.ckpt"}
ENDINGS = r"py|ya?ml|md|txt|lock|sh|png|jpg|csv|jsonl?|log|ckpt|mindir|onnx|cff"


def text_of(page: str) -> str:
    return (PROJECT_ROOT / page).read_text(encoding="utf-8")


def code_blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text_of(page), re.MULTILINE | re.DOTALL)


def commands(page: str) -> list[str]:
    """The lines of the shell blocks without their comments, which are translated."""
    lines = [line for block in code_blocks(page, "bash") for line in block.splitlines()]
    return [line for line in lines if not line.startswith("#")]


def prose(page: str) -> str:
    """The page without its code blocks."""
    return re.sub(r"^```.*?^```", "", text_of(page), flags=re.MULTILINE | re.DOTALL)


def quoted(page: str) -> list[str]:
    """What stands between single backticks, outside the code blocks."""
    return re.findall(r"`([^`\n]+)`", prose(page))


def paths(page: str) -> set[str]:
    """Words that are written as paths: in commands and between backticks."""
    words = {word for line in [*commands(page), *quoted(page)] for word in re.split(r"[\s=\"]+", line)}
    return {word for word in words if re.fullmatch(rf"[\w./-]+(\.({ENDINGS})|/)", word)}


def links(page: str) -> list[str]:
    """Targets of links and pictures inside the project."""
    return [link for link in re.findall(r"\]\(([^)]+)\)", text_of(page)) if not link.startswith("http")]


def is_known(path: str) -> bool:
    made = path in MADE_FILES or path.startswith(MADE_FOLDERS)
    return made or path in SEED_PATHS | PUBLIC_WEIGHTS or (PROJECT_ROOT / path).exists()


@pytest.mark.parametrize("page", PAGES)
def test_each_path_exists_or_is_made_by_a_command(page):
    assert [path for path in sorted(paths(page)) if not is_known(path)] == []


@pytest.mark.parametrize("page", PAGES)
def test_each_link_leads_to_a_file(page):
    folder = (PROJECT_ROOT / page).parent
    assert [link for link in links(page) if not (folder / link).is_file()] == []


def test_the_paths_are_found_in_the_text():
    assert {"train.py", "src/config/aliases.py", "config/vig/vig_nano_digits.yml"} <= paths(ENGLISH)
    assert {"docs/img/demo_predictions.png", "config/defaults.yml", "LICENSE"} <= set(links(ENGLISH))


@pytest.mark.parametrize("page", PAGES)
def test_each_option_is_a_key_or_an_alias(page):
    known = set(KEY_TYPES) | OTHER_OPTIONS | {name for table in DIALECTS.values() for name in table}
    options = set(re.findall(r"(?<![\w-])--([a-zA-Z_][\w-]*)", text_of(page)))
    assert options
    assert sorted(options - known) == []


def test_all_networks_are_named_with_their_parameters():
    names = set(quoted(ENGLISH)) & set(list_models())
    assert names == set(list_models())
    table = re.search(r"^## Networks$.*?^## ", text_of(ENGLISH), re.MULTILINE | re.DOTALL)[0]
    for row in (line.split("|") for line in table.splitlines() if line.startswith("| ")):
        listed = [name for name in re.findall(r"`(\w+)`", row[2]) if name in list_models() and name != "resnext152"]
        if listed:
            cards = [model_info(name) for name in listed]
            assert row[3].strip() == ", ".join(f"{card.params_m:.2f}" for card in cards)
            assert row[4].strip() == ", ".join(f"{card.flops_g:g}" for card in cards)


def test_each_training_has_its_recipe_in_the_table():
    listed = {name for name in quoted(ENGLISH) if re.fullmatch(r"config/\w+/\w+\.ya?ml", name)}
    others = ("hlg_cloud", "dgmn2_config", "_eval", "_export")  # the same in another place, and what is no training
    trainings = [file for file in PROJECT_ROOT.glob("config/*/*") if not file.stem.endswith(others)]
    assert listed == {str(file.relative_to(PROJECT_ROOT)) for file in trainings}


@pytest.mark.parametrize(
    ("option", "values"),
    [
        ("lr_decay_mode", list(SCHEDULES)),
        ("opt", sorted(OPTIMIZERS)),
    ],
)
def test_the_training_options_list_all_values(option, values):
    (row,) = [line for line in text_of(ENGLISH).splitlines() if line.startswith("| ") and f"`--{option}`" in line]
    assert re.findall(r"`(\w+)`", row.partition(";")[0]) == values


def test_both_languages_have_the_same_sections():
    headings = [re.findall(r"^#+ .*$", prose(page), re.MULTILINE) for page in (ENGLISH, CHINESE)]
    assert list(zip_longest(*headings)) == SECTIONS


def test_both_languages_have_the_same_commands():
    assert commands(ENGLISH)[:2] == ["make demo", "make test"]
    assert commands(ENGLISH) == commands(CHINESE)
    assert code_blocks(ENGLISH, "python") == code_blocks(CHINESE, "python")


def test_both_languages_quote_the_same_names_and_numbers():
    assert sorted(quoted(ENGLISH)) == sorted(quoted(CHINESE))
    numbers = [sorted(re.findall(r"\d+\.\d+", text_of(page))) for page in (ENGLISH, CHINESE)]
    assert numbers[0] == numbers[1]


def test_the_python_example_is_python():
    (example,) = code_blocks(ENGLISH, "python")
    assert "load_model" in compile(example, ENGLISH, "exec").co_names


def test_the_run_folders_files_are_listed():
    run = RunFolder(Path("run"))
    listed = (run.config, run.log, run.metrics, run.curves, run.report, run.last, run.best)
    files = {str(file.relative_to("run")) for file in listed}
    assert files - set(quoted(ENGLISH)) == set()


def test_each_make_target_exists():
    makefile = text_of("Makefile")
    targets = {target for page in PAGES for target in re.findall(r"(?:`|^)make (\w+)", text_of(page), re.MULTILINE)}
    assert targets == {"cpp", "demo", "test", "help", "setup"}
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


def test_the_seeds_configuration_path_is_found():
    assert find_config("./src/configs/vig_s_patch16_224.yaml") == PROJECT_ROOT / "config/vig/vig_s_patch16_224.yaml"


@pytest.mark.parametrize("page", [ENGLISH, CHINESE])
def test_the_readmes_stay_short(page):
    assert len(text_of(page).splitlines()) < 250


def test_the_pictures_stay_small():
    sizes = {path.name: path.stat().st_size for path in (PROJECT_ROOT / "docs/img").iterdir()}
    assert [name for name, size in sizes.items() if size >= 200_000] == []
    assert {"demo_predictions.png", "demo_curves.png", "vig_show_graph.png", "resnext_groups.png"} <= set(sizes)
