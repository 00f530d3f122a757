"""A file that computes something else than the network is not kept."""

import hashlib
import json

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn

from src.commands.export import export_file
from src.deployment.card import card_path
from src.deployment.formats import FormatOptions
from src.deployment.verification import ExportMismatch, Reference
from tests.support.small_step import Linear

INPUTS = {"random": np.random.default_rng(0).standard_normal((2, 3)).astype(np.float32)}


@pytest.fixture
def network():
    return Linear().set_train(False)


@pytest.mark.parametrize(("form", "dynamic"), [("MINDIR", False), ("MINDIR", True), ("ONNX", False)])
def test_a_file_that_agrees_is_kept(network, tmp_path, form, dynamic):
    path = tmp_path / "sub" / {"MINDIR": "net.mindir", "ONNX": "net.onnx"}[form]
    options = FormatOptions(dynamic_batch=dynamic)
    comparisons = export_file(network, INPUTS, Reference(network), path, form, options=options)
    batches = {f"a batch of {size} random" for size in (1, 3, 8)} if dynamic or form == "ONNX" else set()
    assert set(comparisons) == {"random"} | batches
    assert max(found.difference for found in comparisons.values()) < 1e-6
    assert sorted(file.name for file in path.parent.iterdir()) == [path.name, f"{path.name}.json"]
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_file_appears_with_its_card_or_not_at_all(network, tmp_path):
    options = network, INPUTS, Reference(network), tmp_path / "net.mindir", "MINDIR"
    with pytest.raises(KeyError):
        export_file(*options, lambda comparisons: {"random": comparisons["real"].difference})
    assert list(tmp_path.iterdir()) == []
    export_file(*options, lambda comparisons: {"compared": list(comparisons), "class": "odd\udcff"})
    card = json.loads((tmp_path / "net.mindir.json").read_text())
    digest = hashlib.sha256((tmp_path / "net.mindir").read_bytes()).hexdigest()
    assert card == {"compared": ["random"], "class": "odd\udcff", "sha256": digest}
    assert sorted(file.name for file in tmp_path.iterdir()) == ["net.mindir", "net.mindir.json"]


class Off(nn.Cell):
    """What another cell computes, and a little more in its last output."""

    def __init__(self, cell, little):
        super().__init__(auto_prefix=False)
        self.cell, self.little = cell, Tensor(little, ms.float32)

    def construct(self, x):
        found = self.cell(x)
        if isinstance(found, tuple):
            return found[0], found[1] + self.little
        return found + self.little


@pytest.mark.parametrize("form", ["MINDIR", "ONNX"])
@pytest.mark.parametrize("little", [0.01, np.nan])
def test_a_file_that_differs_is_not(network, tmp_path, form, little):
    path = tmp_path / {"MINDIR": "net.mindir", "ONNX": "net.onnx"}[form]
    with pytest.raises(ExportMismatch, match="differs from the network by .* the file is not kept"):
        export_file(network, INPUTS, Reference(Off(network, little)), path, form)
    assert list(tmp_path.iterdir()) == []


class TwoOutputs(nn.Cell):
    """(2, 3) -> (2, 3), (2, 3)"""

    def __init__(self):
        super().__init__()
        self.first = nn.ReLU()

    def construct(self, x):
        return self.first(x), 100.0 * x


def remove(path):
    for file in (path, card_path(path)):
        file.unlink()


@pytest.mark.parametrize("form", ["MINDIR", "ONNX"])
def test_every_output_is_compared_by_its_own_measure(tmp_path, form):
    network = TwoOutputs().set_train(False)
    path = tmp_path / {"MINDIR": "net.mindir", "ONNX": "net.onnx"}[form]
    found = export_file(network, INPUTS, Reference(network), path, form)["random"]
    assert 1e-3 < found.allowed < 1e-1  # 100 times a normal number
    remove(path)
    export_file(Off(network, 1e-4), INPUTS, Reference(network), path, form)
    remove(path)
    with pytest.raises(ExportMismatch, match="differs from the network by .* in output 1 "):
        export_file(Off(network, 0.5), INPUTS, Reference(network), path, form)
    assert list(tmp_path.iterdir()) == []
