"""Time the networks on this machine: `make bench`, or python benchmarks/models.py [--quick] vig_s resnext152_64x4d

Each network and mode (forward at batch 1 and 8, training step at batch 8; DGCNet at batch 1) runs in its own process,
one at a time. It prints the median of several calls, images per second, the first call including compilation, the peak
memory, and the achieved GFLOP/s as a percentage of a matrix product in the same process. Machine speed varies: compare
the ratio to that reference, not the milliseconds. --quick makes fewer calls.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

NANOS = ("vig_nano", "pvig_nano", "dgmn2_nano", "hlg_nano", "resnext_nano", "dgcnet_nano")
NETWORKS = (*NANOS, "vig_s", "pvig_s", "dgmn2_tiny", "hlg_mobile", "resnext152_64x4d", "dgcnet_res101")
CLASSIFICATION_MODES = (("forward", 1), ("forward", 8), ("step", 8))
SEGMENTATION_MODES = (("forward", 1), ("step", 1))
# Image sizes that differ from the card's (pixels per side), and their multiply-adds (multiply_adds.py).
OTHER_SIZES = {"dgcnet_res101": (416, 195.3)}
CITYSCAPES_CLASSES = 19
NUM_CALLS, NUM_QUICK_CALLS, NUM_MATRIX_CALLS = 7, 3, 15
MATRIX = 1024
# Multiply-adds of a training step in units of a forward pass: the backward pass takes two.
STEP_FACTOR = 3
FIRST_LOSS_SCALE = 2.0**16


def main(words: list[str]) -> int:
    """Run every measurement in a process of its own and print a table."""
    arguments = _parse(words)
    if arguments.one:
        print(json.dumps(measure(*arguments.networks, arguments.one[0], int(arguments.one[1]), arguments)))
        return 0
    print(f"{'network':<20} {'mode':<10} {'median ms':>9} {'images/s':>8} {'first s':>7} {'peak GB':>7}", end=" ")
    print(f"{'GFLOP/s':>7} {'of peak':>7} {'matmul ms':>9}", flush=True)
    for name in arguments.networks or NETWORKS:
        for mode, batch in _modes(name):
            command = [sys.executable, __file__, name, "--one", mode, str(batch)]
            command += ["--quick"] * arguments.quick + ["--no-kernels"] * arguments.no_kernels
            finished = subprocess.run(command, capture_output=True, text=True, check=False)
            if finished.returncode:
                print(finished.stderr, file=sys.stderr)
                return finished.returncode
            _print_row(name, f"{mode} b{batch}", json.loads(finished.stdout.splitlines()[-1]))
    return 0


def _parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", help=f"default: {', '.join(NETWORKS)}")
    parser.add_argument("--quick", action="store_true", help=f"{NUM_QUICK_CALLS} calls instead of {NUM_CALLS}")
    parser.add_argument("--no-kernels", action="store_true", help="the framework's operators, as with --cpu_kernels 0")
    parser.add_argument("--one", nargs=2, metavar=("MODE", "BATCH"), help="this measurement, in this process, as JSON")
    return parser.parse_args(words)


def _modes(name: str) -> tuple[tuple[str, int], ...]:
    return SEGMENTATION_MODES if name.startswith("dgcnet") else CLASSIFICATION_MODES


def measure(name: str, mode: str, batch: int, how: argparse.Namespace) -> dict[str, float | None]:
    """Figures of one network in this process; seconds, 2^30 bytes, 1e9 floating-point operations a second."""
    from src.runtime.device import prepare_process, select_device

    prepare_process()
    select_device("CPU", None, pynative=False)

    import mindspore as ms
    import numpy as np

    from src.models import KERNEL_SOURCES, LayerContext, create_model, model_info
    from src.runtime.kernel_library import kernel_library

    info = model_info(name)
    size, flops_g = OTHER_SIZES.get(info.name, (info.image_size, info.flops_g))
    image = ms.Tensor(np.random.default_rng(0).standard_normal((batch, 3, size, size)), ms.float32)
    class_num = CITYSCAPES_CLASSES if info.task == "segmentation" else 1000
    kernels = "" if how.no_kernels else kernel_library(KERNEL_SOURCES)
    network = create_model(name, class_num, size, context=LayerContext(kernels=kernels))
    num_calls = NUM_QUICK_CALLS if how.quick else NUM_CALLS
    if mode == "step":
        step, label = training_step(network, class_num, kernels), labels(info.task, batch, size)
        first, median = timed(lambda: step(image, label).asnumpy(), num_calls)
    else:
        network.set_train(False)
        first, median = timed(lambda: network(image).asnumpy(), num_calls)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    matrix = ms.Tensor(np.ones((MATRIX, MATRIX)), ms.float32)
    _, reference = timed(lambda: ms.ops.matmul(matrix, matrix).asnumpy(), NUM_MATRIX_CALLS)
    work = flops_g and 2 * flops_g * batch * (STEP_FACTOR if mode == "step" else 1)
    return {
        "first": first,
        "median": median,
        "images_per_second": batch / median,
        "peak_gb": peak / 1024**2,
        "gflops": work / median if work else None,
        "matmul": reference,
        "matmul_gflops": 2 * MATRIX**3 / reference / 1e9,
    }


def labels(task: str, batch: int, size: int):
    """A class for each image, or for each pixel."""
    import mindspore as ms
    import numpy as np

    if task == "segmentation":
        return ms.Tensor(np.random.default_rng(1).integers(0, CITYSCAPES_CLASSES, (batch, size, size)), ms.int32)
    return ms.Tensor(np.arange(batch) % 10, ms.int32)


def training_step(network, class_num: int, kernels: str = "", amp_level: str = "O0"):
    """The network with its family's kind of loss and optimizer; in float16 with a loss scale that adapts.

    kernels: path of their library, or "".
    """
    import numpy as np

    from src.inference.networks import with_mixed_precision
    from src.loss import create_loss
    from src.optimizers import create_optimizer
    from src.step.loss_scale import LossScale
    from src.step.train_step import ScaledTrainStep, TrainStep

    weights, rates = network.trainable_params(), np.full(1000, 1e-4)
    if class_num == CITYSCAPES_CLASSES:
        loss = create_loss("ohem", class_num=class_num)
        optimizer = create_optimizer("momentum", weights, rates)
    else:
        loss = create_loss("ce_smooth", class_num=class_num, label_smoothing=0.1)
        optimizer = create_optimizer("adamw", weights, rates, weight_decay=0.05, kernels=kernels)
    forward = with_mixed_precision(network, amp_level).set_train(True)
    if amp_level == "O0":
        return TrainStep(forward, loss, optimizer)
    return ScaledTrainStep(forward, loss, optimizer, LossScale(FIRST_LOSS_SCALE, dynamic=True))


def timed(call, num_calls: int) -> tuple[float, float]:
    """(seconds of the first call, median seconds of `num_calls` later ones, the second call left out)"""
    seconds = []
    for _ in range(2 + num_calls):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return seconds[0], sorted(seconds[2:])[num_calls // 2]


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
