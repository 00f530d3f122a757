"""When the training step updates the weights by the compiled kernel."""

import numpy as np
import pytest
from mindspore import nn

from src.config import read_config
from src.inference.networks import build_network
from src.optimizers.adam import CompiledAdamWeightDecay
from src.runtime.session import Session
from src.training.create_step import create_train_step
from tests.support.commands import TINY
from tests.support.kernels import NEEDS_COMPILER

pytestmark = NEEDS_COMPILER


@pytest.mark.parametrize(("words", "expected"), [((), CompiledAdamWeightDecay), (("--cpu_kernels", "0"), type(None))])
def test_as_configured(words, expected):
    config = read_config(["--config_path", str(TINY), "--opt", "adamw", *words]).config
    session = Session("CPU", 0, 1, "")
    step = create_train_step(config, build_network(config, session, 32), nn.MSELoss(), np.ones(3), session)
    assert type(step.optimizer.all_at_once) is expected
