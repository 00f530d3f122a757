"""predict.py: a table, CSV, JSON and a picture."""

import csv
import json
import shutil

import mindspore as ms
import numpy as np
import pytest
from PIL import Image

from src import load_model
from tests.support.commands import mistake, run_here, run_process


@pytest.fixture(scope="module")
def predicted(reference, tmp_path_factory):
    """(what predict.py printed, its result folder) for the validation folder: 20 pictures, two calls of 16."""
    folder = tmp_path_factory.mktemp("predicted") / "results"
    options = ("--pretrained", reference.best, "--input", reference.digits / "val", "--top_k", 3, "--output", folder)
    finished = run_process("predict.py", *options)
    assert (finished.code, finished.err) == (0, "")
    return finished.out, folder


@pytest.fixture(scope="module")
def records(predicted):
    return json.loads((predicted[1] / "predictions.json").read_text())


def test_each_picture_has_its_truth_and_ranked_probabilities(reference, records):
    assert [record["file"] for record in records] == sorted(map(str, (reference.digits / "val").rglob("*.png")))
    for record in records:
        assert record["truth"] == record["file"].split("/")[-2]
        first, second, third = record["probabilities"]
        assert 1 > first >= second >= third > 0
        assert len(set(record["labels"])) == 3


def test_it_agrees_with_the_evaluation(reference, records):
    best = max(record.get("top1", 0) for record in reference.records)
    assert sum(record["labels"][0] == record["truth"] for record in records) == 20 * best


def test_the_table_has_a_line_a_picture(predicted, records):
    lines = [line.split(":INFO:", 1)[1] for line in predicted[0].splitlines()]
    table = [line for line in lines if line.endswith(")") and "(is " in line]
    for line, record in zip(table, records, strict=True):
        name, best = "/".join(record["file"].split("/")[-2:]), record["labels"][0]
        assert line.startswith(f"{name}  {best} {record['probabilities'][0]:.1%}")
        assert line.endswith(f"(is {record['truth']})")


def test_the_csv_has_a_row_a_rank(predicted, records):
    rows = list(csv.reader((predicted[1] / "predictions.csv").open()))
    assert rows[0] == ["file", "truth", "rank", "label", "probability"]
    assert len(rows) == 1 + 20 * 3
    first = records[0]
    assert rows[1] == [first["file"], first["truth"], "1", first["labels"][0], f"{first['probabilities'][0]:.6f}"]


def test_the_picture_opens(predicted):
    with Image.open(predicted[1] / "predictions.png") as picture:
        assert picture.format == "PNG"


def test_a_single_picture_of_unknown_truth_beside_earlier_results(reference, predicted, tmp_path):
    source = next((reference.digits / "val" / "3").iterdir())
    picture = shutil.copyfile(source, tmp_path / "mine.png")
    options = ("--pretrained", reference.best, "--input", picture, "--top_k", 99, "--output", predicted[1])
    assert run_here("predict.py", *options).code == 0
    (record,) = json.loads((predicted[1].with_name("results-2") / "predictions.json").read_text())
    assert record["truth"] is None
    assert len(record["labels"]) == 10
    assert sum(record["probabilities"]) == pytest.approx(1)


def test_one_bad_picture_is_one_row(reference, tmp_path):
    good = sorted((reference.digits / "val").rglob("*.png"))[:2]
    for name, content in {"empty.png": b"", "page.jpg": b"<html>404</html>"}.items():
        (tmp_path / name).write_bytes(content)
    odd = tmp_path / "a,b.png"
    shutil.copyfile(good[0], odd)
    files = (*good, odd, tmp_path / "empty.png", tmp_path / "page.jpg")
    finished = run_here("predict.py", "--pretrained", reference.best, "--input", *files, "--output", tmp_path / "p")
    assert finished.code == 0, finished
    found = json.loads((tmp_path / "p/predictions.json").read_text())
    assert [record["file"] for record in found] == [str(file) for file in files]
    assert [record.get("unreadable") for record in found] == [None, None, None, "empty file", "not an image"]
    assert found[0]["labels"] == found[2]["labels"]
    rows = [row for row in csv.reader((tmp_path / "p/predictions.csv").open()) if row[0].endswith(".jpg")]
    assert rows == [[str(files[4]), "", "", "unreadable (not an image)", ""]]
    for name in ("empty.png (empty file)", "page.jpg (not an image)"):
        assert name.split()[0] in finished.out


def test_pictures_that_are_none(reference, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.png").write_text("no picture")
    options = ("--pretrained", reference.best, "--output", tmp_path / "results", "--input")
    for name, message in {
        "missing.png": f"input: {tmp_path}/missing.png does not exist",
        "empty": f"input: no pictures below {tmp_path}/empty (.jpg, ",
        "text.png": f"{tmp_path}/text.png: cannot be read as an image (not an image): ",
    }.items():
        assert mistake(run_here("predict.py", *options, tmp_path / name)).startswith(message)
    assert mistake(run_here("predict.py", "--pretrained", reference.best)).startswith("input is empty: ")
    assert not (tmp_path / "results").exists()


def test_from_python_it_is_the_same(reference, records):
    model = load_model(str(reference.best))
    predictions = model.predict([record["file"] for record in records], top_k=3)
    assert [item.labels for item in predictions] == [record["labels"] for record in records]
    assert [item.truth for item in predictions] == [record["truth"] for record in records]
    assert model.network(ms.Tensor(np.zeros((1, 3, 32, 32), np.float32))).shape == (1, 10)
