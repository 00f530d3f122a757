"""The C++ program on a CPU: equal to the evaluation in Python, and one clear line after a mistake.

The models and what Python makes of them come from make_models.py beside this file.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scripts.create_imagenet2012_label import labels_of
from scripts.demo_cpp import MODELS, unpack
from scripts.postprocess import accuracy, mean_iou
from scripts.preprocess import main as preprocess
from src.datasets.synthetic import scenes as synthetic_scenes
from src.datasets.synthetic.digits import write_digits
from tests.support.images import write_noise
from tests.support.processes import PROJECT_ROOT

SOURCES = PROJECT_ROOT / "ascend310_infer"
THIRD_PARTY = SOURCES / "third_party"
TIME_LIMIT = 300  # seconds: Lite's threads can wait for each other for good
TOLERANCE = 1e-4  # of the largest logit
# Two candidates whose distances are this close (relative to the largest distance) can swap: the network then sees
# another neighbour, and its logits change by about 0.01.
NEARLY_EQUAL = 1e-6


@pytest.fixture(scope="module")
def program():
    """Path of the program, built by build.sh; a build of an earlier test run is only brought up to date."""
    missing = [
        name
        for name, found in {
            "cmake": shutil.which("cmake"),
            "OpenCV": [*Path("/usr").glob("l*/**/opencv4/OpenCVConfig.cmake")],
            "OpenVINO": (THIRD_PARTY / "openvino").is_dir(),
        }.items()
        if not found
    ]
    if missing:
        pytest.skip(f"{', '.join(missing)} not found: bash scripts/setup_cpp.sh")
    (SOURCES / "build").mkdir(exist_ok=True)
    with (SOURCES / "build" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        built = subprocess.run(["bash", SOURCES / "build.sh"], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout[-3000:] + built.stderr[-3000:]
    return SOURCES / "build" / "infer"


@pytest.fixture(scope="module", params=[".onnx", ".mindir"])
def ending(request):
    if request.param == ".mindir" and not (THIRD_PARTY / "mindspore_lite").is_dir():
        pytest.skip("MindSpore Lite not found: bash scripts/setup_cpp.sh")
    return request.param


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("digits")
    write_digits(folder)
    return folder


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """The drawn scenes that are validated on, and one other, since a data set has both."""
    folder = tmp_path_factory.mktemp("scenes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(synthetic_scenes.NUM_SCENES, "train", 1)
        synthetic_scenes.write_scenes(folder, 0)
    return folder


@pytest.fixture
def vig(tmp_path):
    """The ONNX of vig_nano in a folder of its own."""
    return unpack("vig_nano.onnx", tmp_path / "model")


@pytest.fixture
def pictures(tmp_path):
    """Three pictures of noise."""
    return write_noise(tmp_path / "pictures" / "a.png", 1).parent, [
        write_noise(tmp_path / "pictures" / name, 2) for name in ("b.png", "c.png")
    ]


def environment(**settings):
    """This process's environment without the log level that MindSpore in Python is given."""
    return {name: value for name, value in os.environ.items() if name != "GLOG_v"} | settings


def run(program, model, data, output, *options):
    """Run the program on a CPU to its end."""
    words = [program, "--mindir_path", model, "--dataset_path", data, "--output", output, "--device_target", "CPU"]
    words += options
    words = list(map(str, words))
    return subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=TIME_LIMIT, check=False)


def lines(finished):
    """The lines of stderr without those of the progress, which a slow machine prints."""
    return [line for line in finished.stderr.splitlines() if not line.endswith(" per second")]


def mistake(finished):
    """The one line that the program must have ended with after its user's mistake."""
    assert finished.returncode == 2, finished
    (line,) = [line for line in lines(finished) if not line.startswith("skipped: ")]
    return line.removeprefix("error: ")


def logits_of(results, data):
    """(N, K) logits of the pictures sorted by name."""
    files = [path.relative_to(data).with_suffix("") for path in sorted(data.rglob("*.png"))]
    return np.stack([np.fromfile(results / f"{name}_0.bin", np.float32) for name in files])


def check_logits(results, data):
    reference = np.load(MODELS / "vig_nano.npz")
    found, expected = logits_of(results, data), reference["logits"]
    np.testing.assert_array_equal(found.argmax(1), expected.argmax(1))
    differences = np.abs(found - expected).max(1) / np.abs(expected).max()
    assert differences[reference["gaps"] > NEARLY_EQUAL].max() <= TOLERANCE
    assert differences.max() <= 100 * TOLERANCE


def score(values):
    return f"top1 accuracy: {values['top1']:.5f}, top5 accuracy: {values['top5']:.5f}."


def test_digits_are_classified_as_by_python(program, ending, digits, tmp_path):
    model = unpack(f"vig_nano{ending}", tmp_path)
    finished = run(program, model, digits / "val", tmp_path)
    assert (finished.returncode, lines(finished)) == (0, [])
    results = tmp_path / "result_Files"
    check_logits(results, digits / "val")
    labels = labels_of(digits / "val", tuple(map(str, range(10))))
    assert accuracy(results, labels, 10) == f"Total data: 360, {score(np.load(MODELS / 'vig_nano.npz'))}"


def test_threads_and_batches_change_no_result(program, digits, tmp_path):
    model = unpack("vig_nano.onnx", tmp_path)
    finished = run(program, model, digits / "val", tmp_path, "--threads", 2, "--batch_size", 7, "--warmup", 1)
    assert (finished.returncode, lines(finished)) == (0, [])
    check_logits(tmp_path / "result_Files", digits / "val")
    report = (tmp_path / "time_Result" / "test_perform_static.txt").read_text()
    assert "batch size 7, 2 threads: p50 " in report


def test_inputs_of_preprocess_give_the_same_logits(program, digits, tmp_path):
    model = unpack("vig_nano.onnx", tmp_path)
    inputs = tmp_path / "inputs"
    assert preprocess([str(digits / "val"), f"{model}.json", str(inputs)]) == 0
    (inputs / "short.bin").write_bytes(b"1234")
    finished = run(program, model, inputs, tmp_path)
    assert finished.returncode == 0
    assert lines(finished) == ["skipped: short.bin: 4 bytes, the network's input has 12288"]
    check_logits(tmp_path / "result_Files", digits / "val")


def test_the_seeds_command_builds_runs_and_scores(program, vig, digits, tmp_path):
    (tmp_path / "imagenet_label.json").write_text("mine")
    words = ["bash", PROJECT_ROOT / "scripts" / "run_infer_310.sh", vig, digits, "0"]
    settings = environment(DEVICE_TARGET="CPU", PYTHON=sys.executable)
    subprocess.run(words, cwd=tmp_path, env=settings, capture_output=True, timeout=TIME_LIMIT, check=True)
    expected = f"Total data: 360, {score(np.load(MODELS / 'vig_nano.npz'))}\n"
    assert (tmp_path / "acc.log").read_text() == expected
    assert (tmp_path / "imagenet_label.json").read_text() == "mine"
    check_logits(tmp_path / "result_Files", digits / "val")


def test_scenes_are_segmented_as_by_python(program, ending, scenes, tmp_path):
    model = unpack(f"dgcnet_nano{ending}", tmp_path)
    finished = run(program, model, scenes / "leftImg8bit" / "val", tmp_path)
    assert (finished.returncode, lines(finished)) == (0, [])
    results, reference = tmp_path / "result_Files", np.load(MODELS / "dgcnet_nano.npz")
    maps = np.stack([np.asarray(Image.open(path)) for path in sorted(results.rglob("*_labels.png"))])
    assert np.mean(maps != reference["labels"]) <= 1e-5
    card = json.loads(Path(f"{model}.json").read_text())
    miou, pixels = reference["miou"], reference["pixel_accuracy"]
    line = mean_iou(results, scenes, card)
    assert line == f"Total data: 20, mIOU: {miou:.5f}, pixel accuracy: {pixels:.5f}."
    colors = np.asarray(Image.open(sorted(results.rglob("*_color.png"))[0]))
    assert {tuple(color) for color in np.unique(colors.reshape(-1, 3), axis=0)} <= set(map(tuple, card["palette"]))


def test_an_unreadable_picture_is_skipped_and_counted(program, vig, pictures, tmp_path):
    folder, (second, third) = pictures
    second.write_bytes(second.read_bytes()[:60])
    (folder / "notes.txt").write_text("no picture")
    finished = run(program, vig, folder, tmp_path)
    assert finished.returncode == 0
    assert "skipped: b.png: not an image, or damaged" in lines(finished)
    assert "skipped 1 unreadable pictures and 1 other files" in finished.stdout
    names = sorted(path.name for path in (tmp_path / "result_Files").iterdir())
    assert names == ["a_0.bin", "c_0.bin"]


def damage(vig, card, pictures):
    vig.write_bytes(vig.read_bytes()[:-9])


def remove(vig, card, pictures):
    vig.unlink()


def remove_card(vig, card, pictures):
    card.unlink()


def swap_card(vig, card, pictures):
    shutil.copy(MODELS / "dgcnet_nano.onnx.json", card)


def break_card(vig, card, pictures):
    card.write_text(card.read_text()[:-9])


def encrypt(vig, card, pictures):
    card.write_text(json.dumps(json.loads(card.read_text()) | {"encryption": "AES-GCM"}))


def misname_classes(vig, card, pictures):
    card.write_text(json.dumps(json.loads(card.read_text()) | {"class_names": ["one"]}))


def empty_folder(vig, card, pictures):
    for path in pictures.iterdir():
        path.unlink()


def damage_pictures(vig, card, pictures):
    for path in pictures.iterdir():
        path.write_bytes(b"no picture")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (damage, "(sha256 differs): it is damaged or of another export, copy both again"),
        (remove, "is not a file: give the path of a model that export.py wrote"),
        (remove_card, ".json is missing: copy it together with the model"),
        (swap_card, "(sha256 differs): it is damaged or of another export, copy both again"),
        (break_card, "is not a card of this project's export.py (not JSON): export the model again"),
        (encrypt, "is encrypted, this program reads plain files: export it without enc_key_file"),
        (misname_classes, "the model has 10 outputs per picture, its JSON says 1: export it again"),
        (empty_folder, "has no pictures"),
        (damage_pictures, "no picture can be read"),
    ],
)
def test_a_mistake_ends_with_one_line_and_keeps_earlier_results(program, vig, pictures, tmp_path, change, message):
    earlier = tmp_path / "result_Files" / "earlier"
    earlier.mkdir(parents=True)
    folder, _ = pictures
    change(vig, Path(f"{vig}.json"), folder)
    assert message in mistake(run(program, vig, folder, tmp_path))
    assert earlier.is_dir()
    assert not [path.name for path in tmp_path.iterdir() if ".partial" in path.name]


@pytest.fixture
def small_drive(request, tmp_path):
    """A drive of its own with the given limit."""
    folder = tmp_path / "drive"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", request.param, "tmpfs", folder]
    mounted = subprocess.run(words, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a small drive needs root: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize(
    ("small_drive", "message"),
    [
        ("size=64k", "cannot be written: is the drive full, or the folder not writable?"),
        ("size=4m,nr_inodes=4", "cannot be made (No space left on device): give another --output FOLDER"),
    ],
    indirect=["small_drive"],
)
def test_a_full_drive_ends_with_one_line_and_keeps_earlier_results(program, vig, digits, small_drive, message):
    earlier = small_drive / "result_Files" / "earlier"
    earlier.parent.mkdir()
    earlier.touch()
    assert message in mistake(run(program, vig, digits / "val", small_drive, "--threads", 2))
    assert [path for path in small_drive.rglob("*") if path.is_file()] == [earlier]
    assert [path.name for path in small_drive.iterdir()] == ["result_Files"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--device_id", "-1"), "--device_id -1: give a whole number from 0 to 1023"),
        (("--device_id", "zero"), "--device_id zero: give a whole number from 0 to 1023"),
        (("--device_target", "Ascend"), "runs on a CPU only: give --device_target CPU, or a .mindir file"),
        (("--threads", "0"), "--threads 0: give a whole number from 1 to 256"),
        (("--speed", "9"), "--speed is not an option: see --help"),
    ],
)
def test_a_wrong_option_ends_with_one_line(program, vig, pictures, tmp_path, options, message):
    assert message in mistake(run(program, vig, pictures[0], tmp_path, *options))


@pytest.mark.parametrize("ending", [".mindir"], indirect=True)
def test_without_an_ascend_driver_one_line_says_so(program, ending, pictures, tmp_path):
    model = unpack(f"vig_nano{ending}", tmp_path)
    line = mistake(run(program, model, pictures[0], tmp_path, "--device_target", "Ascend", "--device_id", "7"))
    assert line.startswith(
        f"Ascend device 7 does not run {model}: check the id (npu-smi info) and that driver and CANN"
    )


@pytest.mark.parametrize("ending", [".mindir"], indirect=True)
def test_a_model_of_a_newer_version_is_refused(program, ending, vig, pictures, tmp_path):
    card = json.loads(Path(f"{vig}.json").read_text())
    newer = vig.with_suffix(".mindir")  # a file that this Lite does not know, with a checksum that is right
    shutil.copy(vig, newer)
    Path(f"{newer}.json").write_text(json.dumps(card))
    assert "is not a model that this MindSpore Lite runs on a CPU" in mistake(
        run(program, newer, pictures[0], tmp_path)
    )
