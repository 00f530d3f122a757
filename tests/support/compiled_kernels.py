"""A layer with kernels and its gradients, compiled with the cache on: prints where the graph is from, and their sum."""

from src.runtime.device import prepare_process

prepare_process()

import mindspore as ms  # noqa: E402
import numpy as np  # noqa: E402
from mindspore import nn  # noqa: E402

from src.models.layers import batch_norm, conv, gelu, norm_activation  # noqa: E402
from src.runtime.compile_cache import CachedCell  # noqa: E402
from tests.support.gradients import Gradients  # noqa: E402
from tests.support.kernels import kernels, normal  # noqa: E402

ms.set_context(mode=ms.GRAPH_MODE)
context = kernels()
layers = nn.SequentialCell(
    conv(3, 4, bias=False, context=context), *norm_activation(4, gelu, context), batch_norm(4, context)
)
layers[0].weight.set_data(ms.Tensor(normal(4, 3, 1, 1)))
cell = CachedCell(Gradients(layers.set_train(True)), rank=0)
(dx,), gradients = cell(ms.Tensor(normal(2, 3, 5, 5)), ms.Tensor(normal(2, 4, 5, 5, seed=1)))
moving = [parameter.asnumpy() for parameter in layers.untrainable_params()]
values = [dx.asnumpy(), *(each.asnumpy() for each in gradients), *moving]
print("loaded" if cell.loaded else "compiled", " ".join(f"{np.abs(each).sum():.8g}" for each in values))
