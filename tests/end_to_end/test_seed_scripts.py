"""The seeds' shell scripts: their arguments become options, their output a log in the caller's folder."""

import os
import subprocess
import sys

import pytest

from tests.support.commands import TINY
from tests.support.few_scenes import write_few_scenes
from tests.support.processes import PROJECT_ROOT

DGCNET = PROJECT_ROOT / "config/dgcnet/dgcnet_res101_cityscapes.yml"
TRAINING = ["run_standalone_gpu_train.sh", "run_distributed_gpu_train2p.sh", "run_distributed_gpu_train8p.sh"]


def run(script, *words, cwd, **variables):
    return subprocess.run(
        ["bash", str(PROJECT_ROOT / "scripts" / script), *map(str, words)],
        cwd=cwd,
        env={**os.environ, "PYTHON": sys.executable, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("script", [*TRAINING, "run_standalone_gpu_eval.sh"])
def test_without_its_arguments_a_script_tells_them(script, tmp_path):
    finished = run(script, "data", "lists", cwd=tmp_path)
    assert finished.returncode == 2
    assert finished.stderr == (
        "error: 2 arguments instead of 3: give /path/dataset /path/datalist /path/ckpt [--key value ...]\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_arguments_with_spaces_arrive_and_the_log_stands_in_the_callers_folder(tmp_path):
    words = ("my data", "my lists", "my.ckpt", "--print_config", "1")
    finished = run("run_standalone_gpu_train.sh", *words, cwd=tmp_path)
    assert finished.returncode == 0, finished.stderr
    lines = (tmp_path / "train_1p.log").read_text().splitlines()
    assert {"dataset_path: my data", "data_list: my lists", "pretrained: my.ckpt", "device_target: GPU"} < set(lines)
    assert {"backbone: dgcnet_res101", "lr_max: 0.01", "num_steps: 60000", "train_image_size: 832"} < set(lines)
    assert finished.stdout.splitlines() == lines


def test_a_mistake_is_the_scripts_exit_code(tmp_path):
    words = ("none", "lists", "none.ckpt")
    finished = run("run_standalone_gpu_eval.sh", *words, cwd=tmp_path, DEVICE_TARGET="CPU")
    assert finished.returncode == 2
    command, message = finished.stdout.splitlines()
    assert command.split()[1:4] == [
        "--device_target=CPU",
        f"--config_path={DGCNET}",
        "--output_dir=./eval_dual_seg_r101_832",
    ]
    assert message == "error: checkpoint none.ckpt: no such file"
    assert (tmp_path / "eval.log").read_text() == finished.stdout


# script, arguments, the settings that they must become
FORMS = [
    ("run_standalone_train_ascend.sh", ["{recipe}"], {"device_target: Ascend", "backbone: vig_nano"}),
    ("run_standalone_train_ascend.sh", ["3", "{recipe}"], {"device_target: Ascend", "device_id: 3"}),
    ("run_standalone_train_gpu.sh", ["{recipe}"], {"device_target: GPU", "backbone: vig_nano"}),
    ("run_standalone_train.sh", ["1", "data"], {"device_id: 1", "dataset_path: data", "backbone: resnext152"}),
    ("run_eval_ascend.sh", ["{recipe}"], {"device_target: Ascend", "backbone: vig_nano"}),
    ("run_eval_ascend.sh", ["2", "{recipe}", "my.ckpt"], {"device_id: 2", "pretrained: my.ckpt"}),
    ("run_eval_gpu.sh", ["{recipe}"], {"device_target: GPU"}),
]


@pytest.mark.parametrize(("script", "words", "settings"), FORMS)
def test_each_form_of_the_seeds_becomes_settings(script, words, settings, tmp_path):
    recipe = PROJECT_ROOT / "config/vig/vig_nano_digits.yml"
    finished = run(script, *(word.format(recipe=recipe) for word in words), "--print_config", "1", cwd=tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert settings <= set(finished.stdout.splitlines())


def test_evaluation_by_device_data_checkpoint_and_platform(tmp_path):
    finished = run("run_eval.sh", "0", "data", "my.ckpt", "CPU", cwd=tmp_path)
    assert finished.returncode == 2
    assert finished.stderr == "error: checkpoint my.ckpt: no such file\n"
    assert finished.stdout.split()[1:] == [
        "--pretrained=my.ckpt",
        "--device_id=0",
        "--device_target=CPU",
        "--eval_path=data",
    ]


@pytest.mark.parametrize(
    ("script", "words", "said"),
    [
        ("run_distribute_train_ascend.sh", [], "no arguments: give RANK_TABLE_FILE CONFIG_PATH or"),
        ("run_distribute_train.sh", ["none.json", "data"], "rank table none.json cannot be read"),
        ("run_eval.sh", ["0", "1"], "0 and 1 are both taken for DEVICE_ID: give CONFIG_PATH or"),
    ],
)
def test_what_is_no_form_is_said_in_one_line(script, words, said, tmp_path):
    finished = run(script, *words, cwd=tmp_path)
    assert finished.returncode == 2
    (line,) = finished.stderr.splitlines()
    assert line.startswith(f"error: {said}")


TINY_OPTIONS = ("--max_epoch", 1, "--eval_interval", 0)
# A script that names its data instead of a recipe trains ResNeXt152, here its smallest form.
NANO_OPTIONS = ("--backbone", "resnext_nano", "--train_image_size", 32, "--batch_size", 16, *TINY_OPTIONS)
slow = pytest.mark.slow


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A rank table of two devices of this machine."""
    path = tmp_path_factory.mktemp("table") / "hccl_2p.json"
    tool = [sys.executable, PROJECT_ROOT / "scripts/hccl_tools.py", "--device_num", "[0,2)", "--device_target", "CPU"]
    subprocess.run([*map(str, tool), "--output", str(path)], check=True, capture_output=True)
    return path


# script, arguments, options, environment: trained for real
STARTS = [
    ("run_standalone_train_ascend.sh", ["0", TINY], TINY_OPTIONS, {}),
    pytest.param("run_standalone_train_gpu.sh", [TINY], TINY_OPTIONS, {}, marks=slow),
    pytest.param("run_standalone_train.sh", ["0", "{data}"], NANO_OPTIONS, {}, marks=slow),
    pytest.param("run_distribute_train_ascend.sh", ["{table}", TINY], TINY_OPTIONS, {}, marks=slow),
    pytest.param("run_distribute_train_ascend.sh", ["{table}", TINY], TINY_OPTIONS, {"USE_MSRUN": "1"}, marks=slow),
    pytest.param("run_distribute_train.sh", ["{table}", "{data}"], NANO_OPTIONS, {}, marks=slow),
    pytest.param("run_distribute_train_gpu.sh", [TINY], TINY_OPTIONS, {"NUM_DEVICES": "2"}, marks=slow),
]


@pytest.mark.parametrize(("script", "words", "options", "variables"), STARTS)
def test_a_training_script_trains(script, words, options, variables, digits, table, tmp_path):
    words = [str(word).format(data=digits / "train", table=table) for word in words]
    if TINY in options or str(TINY) in words:
        options = ("--dataset_path", digits, *options)
    finished = run(script, *words, *options, "--name", "tried", cwd=tmp_path, DEVICE_TARGET="CPU", **variables)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    several = "distribute" in script
    assert ("INFO:cluster: 2 processes, this is rank 0" in finished.stdout) == several
    assert "INFO:epoch[1], epoch time: " in finished.stdout
    assert (tmp_path / "outputs" / "tried" / "ckpt" / "last.ckpt").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"outputs", *(["launch_logs"] if several else [])}


EVALUATIONS = [
    ("run_eval_ascend.sh", ["0", TINY, "{checkpoint}"], ("--dataset_path", "{data}")),
    pytest.param("run_eval_gpu.sh", [TINY], ("--dataset_path", "{data}", "--pretrained", "{checkpoint}"), marks=slow),
    pytest.param("run_eval.sh", ["0", "{data}/val", "{checkpoint}", "CPU"], (), marks=slow),
]


@pytest.mark.parametrize(("script", "words", "options"), EVALUATIONS)
def test_an_evaluation_script_evaluates(script, words, options, digits, reference, tmp_path):
    words = [str(word).format(data=digits, checkpoint=reference.last) for word in (*words, *options)]
    finished = run(script, *words, cwd=tmp_path, DEVICE_TARGET="CPU")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert f"acc={reference.records[-1]['top1']:.2%}(TOP1)" in finished.stdout


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """(street scenes, their lists)"""
    folder = tmp_path_factory.mktemp("cityscapes")
    scenes = write_few_scenes(folder / "scenes")
    subprocess.run([sys.executable, "scripts/create_cityscapes_lists.py", scenes, folder / "lists"], cwd=PROJECT_ROOT)
    return scenes, folder / "lists"


RECIPE = {"CONFIG_PATH": str(TINY.with_name("tiny_segmentation.yml")), "DEVICE_TARGET": "CPU"}


@pytest.mark.slow
def test_two_processes_train_and_one_evaluates(scenes, tmp_path):
    words = (*scenes, "", "--batch_size", 1, "--sync_bn", 1, "--name", "two")
    finished = run("run_distributed_gpu_train2p.sh", *words, cwd=tmp_path, **RECIPE)
    assert finished.returncode == 0, finished.stdout
    log = (tmp_path / "train_2p.log").read_text()
    assert "iter = 3 of 4 completed,loss = " in log
    best = tmp_path / "outputs" / "two" / "ckpt" / "best.ckpt"
    finished = run("run_standalone_gpu_eval.sh", *scenes, best, cwd=tmp_path, **RECIPE)
    assert finished.returncode == 0, finished.stdout
    assert (tmp_path / "eval_dual_seg_r101_832" / "result" / "result.txt").read_text().startswith('{"meanIU": ')
    score = max(line.split("mIOU: ")[1] for line in log.splitlines() if "mIOU: " in line)
    assert f"mIOU: {score}" in finished.stdout


@pytest.mark.slow
@pytest.mark.parametrize(("script", "log"), [("run_standalone_gpu_train.sh", "train_1p.log")])
def test_dgcnets_other_training_scripts_train(script, log, scenes, tmp_path):
    # Two images: of one, the smallest map has one value a channel, which has no variance.
    finished = run(script, *scenes, "", "--batch_size", 2, "--eval_interval", 0, cwd=tmp_path, **RECIPE)
    assert finished.returncode == 0, finished.stdout
    assert "completed,loss = " in (tmp_path / log).read_text()
