"""Every network of --list_models is exported to MINDIR and ONNX; the small ones always, the others are slow."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor

from src.commands.export import export_file
from src.deployment.verification import Reference
from src.models import LayerContext, create_model, list_models, model_info
from tests.golden import reader
from tests.golden.names import torch_name

NUM_CLASSES = {"classification": 10, "segmentation": 19}


def filled(name, **options):
    """A network in evaluation with the weights of the golden fixtures' rule.

    Fresh weights would let deep networks explode on untrained running statistics.
    """
    network = create_model(name, NUM_CLASSES[model_info(name).task], **options).set_train(False)
    for key, parameter in network.parameters_and_names():
        if reader.is_generated(key):
            parameter.set_data(Tensor(reader.weight(torch_name(key), parameter.shape)))
    return network


@pytest.mark.parametrize("form", ["MINDIR", "ONNX"])
@pytest.mark.parametrize(
    "name", [name if name.endswith("_nano") else pytest.param(name, marks=pytest.mark.slow) for name in list_models()]
)
def test_export(name, form, tmp_path):
    """Compared on one image, ONNX on three and eight too."""
    ms.set_context(mode=ms.GRAPH_MODE)
    size = model_info(name).image_size
    images = np.random.default_rng(0).standard_normal((1, 3, size, size)).astype(np.float32)
    exporting = filled(name, context=LayerContext(exporting=True))
    path = tmp_path / f"{name}.{form.lower()}"
    export_file(exporting, {"random": images}, Reference(filled(name)), path, form)
    assert path.stat().st_size > 1e6
