"""Time the networks on this machine: `make bench`, or python benchmarks/models.py vig_s resnext50_32x4d

For each network and mode (forward at batch 1 and 8, training step at batch 8) a process of its own prints: the median
of several calls, images per second, the first call with compiling, the peak memory, and the achieved GFLOP/s as a share
of what a matrix product reaches in the same process. Machines drift: compare the ratio to that reference, not the
milliseconds.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

NETWORKS = ("vig_nano", "resnext_nano", "vig_s", "resnext50_32x4d")
MODES = (("forward", 1), ("forward", 8), ("step", 8))
NUM_CALLS = 7
MATRIX = 1024
# Multiply-adds of a training step in units of a forward pass: the backward pass takes two.
STEP_FACTOR = 3


def main(words: list[str]) -> int:
    """Run every measurement in a process of its own and print a table."""
    if words[:1] == ["--one"]:
        print(json.dumps(measure(words[1], words[2], int(words[3]))))
        return 0
    print(f"{'network':<20} {'mode':<10} {'median ms':>9} {'images/s':>8} {'first s':>7} {'peak GB':>7}", end=" ")
    print(f"{'GFLOP/s':>7} {'of peak':>7} {'matmul ms':>9}")
    for name in words or NETWORKS:
        for mode, batch in MODES:
            command = [sys.executable, __file__, "--one", name, mode, str(batch)]
            finished = subprocess.run(command, capture_output=True, text=True, check=False)
            if finished.returncode:
                print(finished.stderr, file=sys.stderr)
                return finished.returncode
            _print_row(name, f"{mode} b{batch}", json.loads(finished.stdout.splitlines()[-1]))
    return 0


def measure(name: str, mode: str, batch: int) -> dict[str, float | None]:
    """Figures of one network in this process."""
    from src.runtime.device import prepare_process, select_device

    prepare_process()
    select_device("CPU", None, pynative=False)

    import mindspore as ms
    import numpy as np

    from src.models import create_model, model_info

    info = model_info(name)
    image = np.random.default_rng(0).standard_normal((batch, 3, info.image_size, info.image_size))
    image, label = ms.Tensor(image, ms.float32), ms.Tensor(np.arange(batch) % 10, ms.int32)
    network = create_model(name, image_size=info.image_size)
    if mode == "step":
        step = _training_step(network)
        first, median = _time(lambda: step(image, label).asnumpy())
    else:
        network.set_train(False)
        first, median = _time(lambda: network(image).asnumpy())
    matrix = ms.Tensor(np.ones((MATRIX, MATRIX)), ms.float32)
    _, reference = _time(lambda: ms.ops.matmul(matrix, matrix).asnumpy())
    work = info.flops_g and 2 * info.flops_g * batch * (STEP_FACTOR if mode == "step" else 1)
    return {
        "first": first,
        "median": median,
        "images_per_second": batch / median,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2,
        "gflops": work / median if work else None,
        "matmul": reference,
        "matmul_gflops": 2 * MATRIX**3 / reference / 1e9,
    }


def _training_step(network):
    import numpy as np

    from src.engine.train_step import TrainStep
    from src.loss import create_loss
    from src.optimizers import create_optimizer

    network.set_train(True)
    loss = create_loss("ce_smooth", class_num=1000, label_smoothing=0.1)
    optimizer = create_optimizer("adamw", network.trainable_params(), np.full(100, 1e-4), weight_decay=0.05)
    return TrainStep(network, loss, optimizer)


def _time(call) -> tuple[float, float]:
    """(seconds of the first call, median seconds of NUM_CALLS later ones)"""
    seconds = []
    for _ in range(2 + NUM_CALLS):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return seconds[0], sorted(seconds[2:])[NUM_CALLS // 2]


def _print_row(name: str, mode: str, row: dict) -> None:
    gflops = f"{row['gflops']:.1f}" if row["gflops"] else "-"
    share = f"{row['gflops'] / row['matmul_gflops']:.0%}" if row["gflops"] else "-"
    print(
        f"{name:<20} {mode:<10} {1000 * row['median']:>9.1f} {row['images_per_second']:>8.1f} {row['first']:>7.1f} "
        f"{row['peak_gb']:>7.2f} {gflops:>7} {share:>7} {1000 * row['matmul']:>9.1f}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
