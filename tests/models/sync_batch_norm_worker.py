"""One rank of the synchronised BatchNorm test: a training step on this rank's share of the batch, saved as arrays.

Arguments: folder to save in, "eager" or "compiled". Without a launcher it is the only rank and takes the whole batch.
"""

import os
import sys

from src.runtime.device import prepare_process


def main(folder: str, mode: str) -> None:
    prepare_process()
    import mindspore as ms
    import numpy as np
    from mindspore import Tensor, communication

    from src.models import LayerContext, create_model
    from tests.golden.compare import Sgd

    ms.set_context(mode=ms.PYNATIVE_MODE if mode == "eager" else ms.GRAPH_MODE)
    rank, num_ranks = 0, 1
    if os.environ.get("MS_ROLE"):
        communication.init()
        rank, num_ranks = communication.get_rank(), communication.get_group_size()
    context = LayerContext(rank=rank, num_ranks=num_ranks, sync_bn=True)
    network = create_model("resnext_nano", 10, context=context).set_train(True)
    images = np.random.default_rng(0).standard_normal((8, 3, 32, 32)).astype(np.float32) + 3.0
    labels = np.arange(8, dtype=np.int32)
    step = Sgd(network, 0.0)
    loss, _, gradients = step(Tensor(images[rank::num_ranks]), Tensor(labels[rank::num_ranks]))
    arrays = {p.name: g.asnumpy() for p, g in zip(step.optimizer.parameters, gradients, strict=True)}
    arrays |= {name: p.asnumpy() for name, p in network.parameters_and_names() if "moving" in name}
    np.savez(f"{folder}/{num_ranks}_{rank}.npz", loss=loss.asnumpy(), **arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])
