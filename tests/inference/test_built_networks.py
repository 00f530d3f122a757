"""When a configured network is built from the CPU kernels."""

import pytest
from mindspore import nn

from src.config import read_config
from src.inference.networks import build_network
from src.models.layers.cpu.kernels.batch_norm import KernelBatchNorm
from src.runtime.session import Session
from tests.support.commands import TINY
from tests.support.kernels import NEEDS_COMPILER

pytestmark = NEEDS_COMPILER


def norm_of(*words, device="CPU", exporting=False):
    """The class of a BatchNorm of the network of these options."""
    config = read_config(["--config_path", str(TINY), *words]).config
    return type(build_network(config, Session(device, 0, 1, ""), 32, exporting=exporting).bn1)


def test_by_default():
    assert norm_of() is KernelBatchNorm


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (("--cpu_kernels", "0"), {}),
        (("--amp_level", "O2"), {}),
        ((), {"exporting": True}),
        ((), {"device": "GPU"}),
    ],
)
def test_not_for_what_they_cannot_do(words, options):
    assert norm_of(*words, **options) is nn.BatchNorm2d
