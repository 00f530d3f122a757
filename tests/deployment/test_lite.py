"""Conversion by the real MindSpore Lite, where a Python 3.7 has it: LITE_PYTHON, python3.7, or one of pyenv's."""

import os
from pathlib import Path

import mindspore as ms
import numpy as np
import pytest

from src.commands.export import export_file
from src.config import UserError
from src.deployment.card import card_path
from src.deployment.formats import FormatOptions
from src.deployment.lite import NEEDED, check_python
from src.deployment.verification import Reference
from src.models import LayerContext, create_model
from tests.support.processes import PROJECT_ROOT

IMAGES = {"random": np.random.default_rng(0).standard_normal((2, 3, 20, 20)).astype(np.float32)}


@pytest.fixture(scope="module")
def python():
    pyenv = sorted(Path.home().glob(".pyenv/versions/3.7.*/bin/python"))
    prepared = PROJECT_ROOT / "ascend310_infer/third_party/python37/bin/python"  # by scripts/setup_cpp.sh
    for candidate in filter(None, [os.environ.get("LITE_PYTHON"), str(prepared), "python3.7", *map(str, pyenv)]):
        try:
            check_python(candidate, "try another")
            return candidate
        except UserError:
            continue
    pytest.skip(f"{NEEDED} was not found: bash scripts/setup_cpp.sh, or name one: LITE_PYTHON=/path/to/python")


@pytest.mark.parametrize("name", ["vig_nano", pytest.param("pvig_nano", marks=pytest.mark.slow)])
def test_a_converted_file_agrees_with_its_network(python, tmp_path, name):
    ms.set_context(mode=ms.GRAPH_MODE)
    size = 20 if name == "vig_nano" else 32
    images = {"random": np.resize(IMAGES["random"], (2, 3, size, size))}
    exporting = create_model(name, image_size=size, context=LayerContext(exporting=True)).set_train(False)
    reference = Reference(create_model(name, image_size=size).set_train(False))
    path = tmp_path / f"{name}.lite.mindir"
    options = FormatOptions(lite_python=python)
    assert set(export_file(exporting, images, reference, path, "LITE", options=options)) == {"random"}
    assert sorted(tmp_path.iterdir()) == [path, card_path(path)]


@pytest.mark.parametrize("python", ["/nowhere/python3.7", "/bin/false"])
def test_a_python_without_it_is_refused(python):
    with pytest.raises(UserError, match=f"^{python} is not a Python 3.7 with mindspore-lite .*: install it$"):
        check_python(python, "install it")
