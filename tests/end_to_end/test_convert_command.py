"""convert.py: public weights become a checkpoint that every command takes; mistakes leave nothing behind."""

import json
import pickle
import subprocess
import sys

import numpy as np
import pytest

from src.checkpoints import load_checkpoint
from src.models import create_model
from tests.checkpoints.test_torch_file import Attack
from tests.golden.names import torch_name
from tests.support.commands import PROJECT_ROOT, mistake, run_here, run_process
from tests.support.weights_files import write_torch

CLASSES = 10
UNCOMPILED = ("--context_mode", 1)  # compiling takes longer than all the rest


def nano_tensors(name="resnext_nano"):
    """Fresh weights under PyTorch's names."""
    parameters = create_model(name, CLASSES, seed=5).parameters_and_names()
    return {torch_name(key): parameter.asnumpy() for key, parameter in parameters}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file of resnext_nano's weights as PyTorch saves them."""
    tensors = nano_tensors() | {"bn1.num_batches_tracked": np.array(100, np.int64)}
    return write_torch(tmp_path_factory.mktemp("public") / "weights.pth", tensors)


@pytest.fixture(scope="module")
def converted(weights):
    """(what convert.py printed, the checkpoint)."""
    target = weights.with_name("nano.ckpt")
    finished = run_process("convert.py", "--backbone", "resnext_nano", "--input", weights, "--output", target)
    assert (finished.code, finished.err) == (0, "")
    return finished.out, target


def test_the_log_accounts_for_every_tensor(converted, weights):
    out, target = converted
    lines = [line.split(":INFO:")[1] for line in out.splitlines() if ":CPU kernels: " not in line]  # no g++
    assert lines == [
        f"read {weights}: {len(nano_tensors()) + 1} tensors",
        "ignored 1 (PyTorch's batch counter, which the running statistics do not need): bn1.num_batches_tracked",
        "stem_pool: pad, inferred from the names of the tensors",
        f"wrote {target}: 10 classes, 32 pixels",
    ]


def test_the_checkpoint(converted):
    checkpoint = load_checkpoint(converted[1])
    tensors = {torch_name(name): value for name, value in checkpoint.tensors.items()}
    assert tensors.keys() == nano_tensors().keys()
    assert all(np.array_equal(tensors[name], value) for name, value in nano_tensors().items())
    assert checkpoint.meta["task"] == "classification"
    assert checkpoint.meta["preprocessing"] == {
        "image_size": 32,
        "crop_pct": 0.875,
        "interpolation": "bilinear",
        "antialias": True,  # PyTorch's pipelines shrink by Pillow
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
    }
    assert (checkpoint.meta["config"]["class_num"], checkpoint.meta["config"]["backbone"]) == (10, "resnext_nano")
    assert checkpoint.meta["source"]["file"] == "weights.pth"


def test_evaluation_takes_the_folders_classes(converted, digits, tmp_path):
    options = ("--pretrained", converted[1], "--eval_path", digits / "val", "--output", tmp_path / "result")
    finished = run_here("eval.py", *options, *UNCOMPILED)
    assert (finished.code, finished.err) == (0, "")
    assert json.loads((tmp_path / "result" / "result.json").read_text())["images"] == 20


def test_prediction_and_export_number_the_classes(converted, digits, tmp_path):
    picture = sorted((digits / "val" / "3").iterdir())[0]
    options = ("--pretrained", converted[1], *UNCOMPILED)
    predicted = run_here("predict.py", *options, "--input", picture, "--output", tmp_path / "p")
    assert (predicted.code, predicted.err) == (0, "")
    (record,) = json.loads((tmp_path / "p" / "predictions.json").read_text())
    assert sorted(record["labels"]) == sorted(record["labels"], key=lambda label: int(label.removeprefix("class ")))
    exported = run_here("export.py", *options, "--file_name", tmp_path / "nano")
    assert exported.code == 0
    assert json.loads((tmp_path / "nano.mindir.json").read_text())["class_names"][9] == "class 9"


def test_another_number_of_classes_gets_a_new_head(weights, tmp_path):
    options = ("--load_path", weights, "--save_path", tmp_path)  # the DGCNet seed's names; a folder
    finished = run_here("convert.py", "--backbone", "resnext_nano", *options, "--class_num", 7)
    assert finished.code == 0
    assert "INFO:initialised, missing from the file: fc.weight, fc.bias\n" in finished.out
    assert load_checkpoint(tmp_path / "weights.ckpt").tensors["fc.weight"].shape == (7, 512)


def test_settings_win_over_what_the_file_says(weights, tmp_path):
    target = tmp_path / "x.ckpt"
    options = ("--stem_pool", "same", "--crop_pct", 0.95, "--mean", "0.5,0.5,0.5")
    finished = run_here("convert.py", "--backbone", "resnext_nano", "--input", weights, "--output", target, *options)
    assert finished.code == 0
    assert "stem_pool" not in finished.out
    meta = load_checkpoint(target).meta
    assert meta["config"]["stem_pool"] == "same"
    assert (meta["preprocessing"]["crop_pct"], meta["preprocessing"]["mean"]) == (0.95, [0.5, 0.5, 0.5])


@pytest.mark.slow
def test_an_imagenet_body_for_segmentation(tmp_path):
    own = {torch_name(key): p.asnumpy() for key, p in create_model("dgcnet_res101", 19).parameters_and_names()}
    body = {key: value + 1 for key, value in own.items() if not key.startswith(("head.", "dsn."))}
    body["fc.bias"] = np.zeros(1000, np.float32)
    source, target = write_torch(tmp_path / "resnet101.pth", body), tmp_path / "body.ckpt"
    options = ("--backbone", "dgcnet_res101", "--input", source, "--output", target)
    assert mistake(run_here("convert.py", *options)) == (
        f"input {source} has no head.bottleneck.3: give --class_num for a new one"
    )
    finished = run_here("convert.py", *options, "--class_num", 19)
    assert "ignored 1 (ImageNet's classifier, in whose place the segmentation heads stand): fc.bias\n" in finished.out
    assert "INFO:initialised, missing from the file: head.conva.0.weight, " in finished.out
    checkpoint = load_checkpoint(target)
    assert checkpoint.meta["task"] == "segmentation"
    tensors = {torch_name(name): value for name, value in checkpoint.tensors.items()}
    assert tensors.keys() == own.keys()
    assert all(np.array_equal(value, tensors[name]) for name, value in body.items() if name != "fc.bias")


@pytest.fixture
def told(weights, tmp_path):
    """Runs convert.py with a mistake; returns the line, after a look that nothing was written."""

    def run(*options, source=weights, target=tmp_path / "out" / "x.ckpt"):
        line = mistake(run_here("convert.py", "--input", source, "--output", target, *options))
        assert not (tmp_path / "out").exists()
        return line.replace(str(source or weights), "FILE")

    return run


def test_mistakes_in_what_is_asked_for(told, weights):
    nano = ("--backbone", "resnext_nano")
    assert told().startswith("backbone is missing: ")
    assert told("--backbone", "resnext_nan").startswith("backbone: unknown network 'resnext_nan'; nearest: ")
    assert told(*nano, source="").startswith("input is empty: ")
    assert told(*nano, target="") == "output is empty: give the checkpoint to write, --output weights.ckpt"
    assert told(*nano, "--class_num", 0) == "--class_num must be at least 1, not 0"
    assert told("--backbone", "vig_nano", "--train_image_size", 30).startswith("backbone vig_nano: image_size is 30; ")
    assert told(*nano, source=weights.with_name("none.pth")) == "input FILE: no such file"


def test_the_input_is_not_overwritten(told, converted):
    _, target = converted
    before = target.read_bytes()
    line = told("--backbone", "resnext_nano", source=target, target=target)
    assert line == "output FILE is the input file: give another --output"
    assert target.read_bytes() == before


def test_weights_that_do_not_fit(told, tmp_path):
    other = told("--backbone", "hlg_nano")
    assert other.startswith("input FILE does not match the network (another --backbone?): ")
    tensors = nano_tensors()
    del tensors["layer1.0.conv2.weight"]
    tensors["layer1.0.extra"] = np.ones(3, np.float32)
    lacking = write_torch(tmp_path / "lacking.pth", tensors)
    assert told("--backbone", "resnext_nano", source=lacking) == (
        "input FILE does not match the network (another --backbone?): "
        "1 missing in the file: layer1.0.conv2.weight (16, 4, 3, 3) | 1 not in the network: layer1.0.extra (3,)"
    )


def test_files_that_are_no_weights(told, weights, tmp_path):
    (tmp_path / "evil.pth").write_bytes(pickle.dumps({"state_dict": Attack(tmp_path / "trace")}))
    line = told("--backbone", "resnext_nano", source=tmp_path / "evil.pth")
    assert line.startswith("input FILE asks to call posix.mkdir, which no weights file needs: nothing was executed")
    assert not (tmp_path / "trace").exists()
    (tmp_path / "cut.pth").write_bytes(weights.read_bytes()[:-2000])
    line = told("--backbone", "resnext_nano", source=tmp_path / "cut.pth")
    assert line.startswith("input FILE is damaged or not a weights file: ")


@pytest.mark.slow
def test_a_full_disk_leaves_no_checkpoint(weights, tmp_path):
    target = tmp_path / "x.ckpt"
    options = ("--backbone", "resnext_nano", "--input", weights, "--output", target)
    finished = run_process("convert.py", *options, file_limit=100_000)
    assert finished.code == 2
    # The framework writes a line of its own first.
    assert finished.err.splitlines()[-1].startswith(f"error: checkpoint {target} could not be written")
    assert list(tmp_path.iterdir()) == []


def _pth2ckpt(*arguments, **environment):
    script = PROJECT_ROOT / "scripts" / "run_pth2ckpt.sh"
    variables = {"PATH": "/usr/bin:/bin", "PYTHON": sys.executable, **environment}
    return subprocess.run(["bash", str(script), *map(str, arguments)], capture_output=True, text=True, env=variables)


def test_the_seeds_script_writes_into_a_folder(weights, tmp_path):
    folder = tmp_path / "a folder" / "ckpt"
    finished = _pth2ckpt(weights, folder, BACKBONE="resnext_nano", CLASS_NUM="10")
    assert (finished.returncode, finished.stderr) == (0, "")
    assert [path.name for path in folder.iterdir()] == ["weights.ckpt"]


def test_the_seeds_script_says_how_it_is_used():
    finished = _pth2ckpt()
    assert finished.returncode == 2
    assert finished.stderr.startswith("usage: bash scripts/run_pth2ckpt.sh /path/weights.pth /path/containing/ckpt\n")
