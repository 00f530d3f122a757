"""A file that computes something else than the network is not kept."""

import hashlib
import json

import numpy as np
import pytest
from mindspore import Tensor, nn

from src.commands.export import ExportMismatch, export_file, reference_outputs
from tests.support.small_step import Linear

INPUTS = {"random": np.random.default_rng(0).standard_normal((2, 3)).astype(np.float32)}
ALLOWED = {"random": [1e-4]}


@pytest.fixture
def network():
    return Linear().set_train(False)


@pytest.mark.parametrize("form", ["MINDIR", "ONNX"])
def test_a_file_that_agrees_is_kept(network, tmp_path, form):
    reference = {"random": [network(Tensor(INPUTS["random"])).asnumpy()]}
    path = tmp_path / "sub" / "net.file"
    path = path.with_suffix({"MINDIR": ".mindir", "ONNX": ".onnx"}[form])
    differences = export_file(network, INPUTS, reference, ALLOWED, path, form)
    assert set(differences) == {"random"}
    assert differences["random"] < 1e-6
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_file_appears_with_its_card_or_not_at_all(network, tmp_path):
    reference, path = {"random": [network(Tensor(INPUTS["random"])).asnumpy()]}, tmp_path / "net.mindir"
    options = network, INPUTS, reference, ALLOWED, path, "MINDIR"
    with pytest.raises(KeyError):
        export_file(*options, lambda differences: {"random": differences["real"]})
    assert list(tmp_path.iterdir()) == []
    differences = export_file(*options, lambda differences: {"largest": differences, "class": "odd\udcff"})
    card = json.loads((tmp_path / "net.mindir.json").read_text())
    digest = hashlib.sha256((tmp_path / "net.mindir").read_bytes()).hexdigest()
    assert card == {"largest": differences, "class": "odd\udcff", "sha256": digest}
    assert sorted(file.name for file in tmp_path.iterdir()) == ["net.mindir", "net.mindir.json"]


@pytest.mark.parametrize("form", ["MINDIR", "ONNX"])
@pytest.mark.parametrize("wrong", [0.01, np.nan])
def test_a_file_that_differs_is_not(network, tmp_path, form, wrong):
    reference = {"random": [network(Tensor(INPUTS["random"])).asnumpy() + np.float32(wrong)]}
    path = tmp_path / {"MINDIR": "net.mindir", "ONNX": "net.onnx"}[form]
    with pytest.raises(ExportMismatch, match="differs from the network by .* the file is not kept"):
        export_file(network, INPUTS, reference, ALLOWED, path, form)
    assert list(tmp_path.iterdir()) == []


class TwoOutputs(nn.Cell):
    """(2, 3) -> (2, 3), (2, 3)"""

    def __init__(self):
        super().__init__()
        self.first = nn.ReLU()

    def construct(self, x):
        return self.first(x), 100.0 * x


@pytest.mark.parametrize("form", ["MINDIR", "ONNX"])
def test_every_output_is_compared_by_its_own_measure(tmp_path, form):
    network = TwoOutputs().set_train(False)
    path = tmp_path / {"MINDIR": "net.mindir", "ONNX": "net.onnx"}[form]
    reference, allowed = reference_outputs(network, INPUTS)
    assert len(reference["random"]) == 2
    assert 50 * allowed["random"][0] < allowed["random"][1] < 0.1
    assert set(export_file(network, INPUTS, reference, allowed, path, form)) == {"random"}
    path.unlink()
    reference["random"][1] = reference["random"][1] + np.float32(0.5)
    with pytest.raises(ExportMismatch, match="in output 1 on random input"):
        export_file(network, INPUTS, reference, allowed, path, form)
    assert list(tmp_path.iterdir()) == []
