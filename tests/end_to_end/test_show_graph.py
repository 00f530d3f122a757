"""predict.py --show_graph: a sheet a picture, and predictions that stay as they are."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from src.checkpoints import save_checkpoint
from src.config import read_config
from src.inference.networks import arrays_of
from src.models import create_model
from tests.support.commands import TINY, mistake, run_here


@pytest.fixture(scope="module")
def untrained(tmp_path_factory):
    """A checkpoint of vig_nano with its first weights."""
    config = read_config(["--config_path", str(TINY), "--backbone", "vig_nano"]).config
    path = tmp_path_factory.mktemp("untrained") / "vig_nano.ckpt"
    meta = {"task": "classification", "config": config.flat(), "class_names": [*"0123456789"], "preprocessing": {}}
    save_checkpoint(path, arrays_of(create_model("vig_nano", 10, 32)), meta)
    return path


@pytest.fixture
def pictures(digits, tmp_path):
    """Two pictures of one name."""
    first, second = sorted((digits / "val").rglob("*.png"))[:2]
    for folder, source in (("a", first), ("b", second)):
        (tmp_path / folder).mkdir()
        shutil.copyfile(source, tmp_path / folder / "x.png")
    return f"{tmp_path}/a/x.png,{tmp_path}/b/x.png"


# PyNative spares the test two compilations.
@pytest.mark.parametrize("mode", [1, pytest.param(0, marks=pytest.mark.slow)])
def test_sheets_beside_the_same_predictions(untrained, pictures, tmp_path, mode):
    options = ("--pretrained", untrained, "--context_mode", mode, "--input", pictures, "--output")
    assert run_here("predict.py", *options, tmp_path / "plain").code == 0
    finished = run_here("predict.py", *options, tmp_path / "shown", "--show_graph", 1, "--nodes", "9,54")
    assert (finished.code, finished.err) == (0, "")
    assert finished.out.splitlines()[-1].endswith(f"see the graphs of 2 images in {tmp_path}/shown/graphs")
    records = [json.loads((tmp_path / name / "predictions.json").read_text()) for name in ("plain", "shown")]
    assert records[0] == records[1]  # probabilities to the last bit
    assert not (tmp_path / "plain" / "graphs").exists()
    sheets = sorted((tmp_path / "shown" / "graphs").iterdir())
    assert [sheet.name for sheet in sheets] == ["x-2.png", "x.png"]
    first, second = (np.asarray(Image.open(sheet)) for sheet in sheets)
    assert first.shape == second.shape  # two rows of five pictures
    assert (first != second).any()


def test_mistakes(reference, untrained, pictures, tmp_path):
    options = ("--input", pictures, "--output", tmp_path / "results", "--show_graph", 1)
    message = mistake(run_here("predict.py", "--pretrained", reference.best, *options))
    assert message == "show_graph: resnext_nano builds no graph; networks that do: dgmn2, hlg, pvig, vig"
    options = ("--pretrained", untrained, *options, "--nodes")
    message = mistake(run_here("predict.py", *options, "3,64"))
    expected = (
        "nodes: node 64 does not exist; vig_nano has 8 x 8 in its first layer, 0 to 63 (number = 8 * row + column)"
    )
    assert message == expected
    assert mistake(run_here("predict.py", *options, "-1")).startswith("nodes: node -1 does not exist; ")
    many = ",".join(map(str, range(13)))
    assert mistake(run_here("predict.py", *options, many)) == "nodes has 13 values: at most 12 fit on a sheet"
    assert not (tmp_path / "results").exists()
