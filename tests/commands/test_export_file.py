"""A file that computes something else than the network is not kept."""

import numpy as np
import pytest
from mindspore import Tensor

from src.commands.export import ExportMismatch, export_file
from tests.support.small_step import Linear

INPUTS = {"random": np.random.default_rng(0).standard_normal((2, 3)).astype(np.float32)}
ALLOWED = {"random": 1e-4}


@pytest.fixture
def network():
    return Linear().set_train(False)


@pytest.mark.parametrize("form", ["MINDIR", "ONNX"])
def test_a_file_that_agrees_is_kept(network, tmp_path, form):
    reference = {"random": network(Tensor(INPUTS["random"])).asnumpy()}
    path = tmp_path / "sub" / "net.file"
    path = path.with_suffix({"MINDIR": ".mindir", "ONNX": ".onnx"}[form])
    differences = export_file(network, INPUTS, reference, ALLOWED, path, form)
    assert set(differences) == {"random"}
    assert differences["random"] < 1e-6
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("form", ["MINDIR", "ONNX"])
@pytest.mark.parametrize("wrong", [0.01, np.nan])
def test_a_file_that_differs_is_not(network, tmp_path, form, wrong):
    reference = {"random": network(Tensor(INPUTS["random"])).asnumpy() + np.float32(wrong)}
    path = tmp_path / {"MINDIR": "net.mindir", "ONNX": "net.onnx"}[form]
    with pytest.raises(ExportMismatch, match="differs from the network by .* the file is not kept"):
        export_file(network, INPUTS, reference, ALLOWED, path, form)
    assert list(tmp_path.iterdir()) == []
