"""Scaling over processes on this machine: `make bench`, or python benchmarks/scaling.py [NETWORK ...] [--batch 8]

For 1, 2 and 4 processes: images per second of the training step beside one process that has the same cores and the
joined batch, and the share of the step that the gradients' all-reduce takes when it is timed alone. `--gradients` only
sends the gradients of the given networks between two processes, and checks the means that arrive.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

NUMBERS = (1, 2, 4)
NETWORKS = ("vig_nano",)
CLASS_NUM = 1000
NUM_CALLS = 7


def main(words: list[str]) -> int:
    """Measure each network and print its lines."""
    arguments = _parse(words)
    if arguments.rank:
        measure = exchange_gradients if arguments.gradients else time_step
        figures, is_main = measure(arguments.networks[0], arguments.batch)
        if is_main:
            print(json.dumps(figures), flush=True)
        return 0
    for name in arguments.networks or NETWORKS:
        if arguments.gradients:
            _print_exchange(name, _run(2, name, arguments.batch, "--gradients"))
        else:
            _print_scaling(name, arguments.batch)
    return 0


def _parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", help=f"default: {', '.join(NETWORKS)}")
    parser.add_argument("--batch", type=int, default=8, help="images of a process (default: 8)")
    parser.add_argument("--gradients", action="store_true", help="send the gradients between two processes only")
    parser.add_argument(
        "--rank", action="store_true", help="be one of the processes; rank 0 prints its figures as JSON"
    )
    return parser.parse_args(words)


def _print_scaling(name: str, batch: int) -> None:
    print(
        f"{'network':<12} {'processes':>9} {'images/s':>8} {'step ms':>8} {'all-reduce ms':>13} {'share':>6}", end=" "
    )
    print(f"{'one process, joined batch':>25} {'scaling':>7}", flush=True)
    for number in NUMBERS:
        figures = _run(number, name, batch)
        joined = figures if number == 1 else _run(1, name, number * batch)
        rate, alone = number * batch / figures["step"], number * batch / joined["step"]
        print(
            f"{name:<12} {number:>9} {rate:>8.1f} {1000 * figures['step']:>8.0f} {1000 * figures['all_reduce']:>13.1f} "
            f"{figures['all_reduce'] / figures['step']:>6.1%} {alone:>25.1f} {rate / alone:>7.2f}",
            flush=True,
        )


def _print_exchange(name: str, figures: dict[str, float]) -> None:
    print(
        f"{name}: {figures['floats'] / 1e6:.1f} M gradients in {figures['buckets']} messages between 2 processes: "
        f"{figures['all_reduce']:.2f} s",
        flush=True,
    )


def _run(number: int, name: str, batch: int, *options: str) -> dict[str, float]:
    """Rank 0's figures of a measurement in `number` processes."""
    with tempfile.TemporaryDirectory() as folder:
        launcher = [str(ROOT / "scripts" / "launch.py"), "--num_devices", str(number), "--log_folder", f"{folder}/logs"]
        program = [__file__, name, "--batch", str(batch), "--rank", *options]
        command = [sys.executable, *launcher, *program]
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode:
        sys.exit(f"{' '.join(command)}: exit code {finished.returncode}\n{finished.stdout}{finished.stderr}")
    return json.loads(finished.stdout.splitlines()[-1])


def time_step(name: str, batch: int) -> tuple[dict[str, float], bool]:
    """({"step": s, "all_reduce": s}, whether this is rank 0): median seconds of a step and of its all-reduce alone."""
    session = _join()
    import mindspore as ms
    import numpy as np

    from src.loss import create_loss
    from src.models import create_model, model_info
    from src.optimizers import create_optimizer
    from src.step.train_step import TrainStep

    size = model_info(name).image_size
    network = create_model(name, CLASS_NUM, size).set_train()
    loss = create_loss("ce_smooth", class_num=CLASS_NUM, label_smoothing=0.1)
    optimizer = create_optimizer("adamw", network.trainable_params(), np.full(100, 1e-4), weight_decay=0.05)
    step = TrainStep(network, loss, optimizer, num_ranks=session.num_ranks)
    generator = np.random.default_rng(session.rank)
    image = ms.Tensor(generator.standard_normal((batch, 3, size, size)), ms.float32)
    label = ms.Tensor(generator.integers(0, CLASS_NUM, batch), ms.int32)
    seconds = _median(lambda: step(image, label).asnumpy())
    exchange = _exchange_seconds(step.all_reduce, network.trainable_params(), 0.0)[0] if session.num_ranks > 1 else 0.0
    return {"step": seconds, "all_reduce": exchange}, session.is_main


def exchange_gradients(name: str, _batch: int) -> tuple[dict[str, float], bool]:
    """(figures of an all-reduce of gradients like this network's, whether this is rank 0).

    Raises:
        ValueError: a mean that is not the ranks' mean.
    """
    session = _join()
    from src.models import create_model, model_info
    from src.step.gradients import AllReduceMean

    parameters = create_model(name, CLASS_NUM, model_info(name).image_size).trainable_params()
    all_reduce = AllReduceMean(parameters, session.num_ranks)
    seconds, means = _exchange_seconds(all_reduce, parameters, float(session.rank))
    expected = (session.num_ranks - 1) / 2
    wrong = [each.name for each, mean in zip(parameters, means, strict=True) if (mean.asnumpy() != expected).any()]
    if wrong:
        raise ValueError(f"the mean over the ranks is wrong for {', '.join(wrong)}")
    floats = sum(parameter.size for parameter in parameters)
    return {"floats": floats, "buckets": len(all_reduce.buckets), "all_reduce": seconds}, session.is_main


def _join():
    from src.config import read_config
    from src.runtime.session import join

    return join(read_config(["--device_target", "CPU"]).config)


def _exchange_seconds(all_reduce, parameters, value: float):
    """(median seconds of an all-reduce of gradients that are `value` everywhere, the last means)"""
    import mindspore as ms
    import numpy as np

    gradients = tuple(ms.Tensor(np.full(each.shape, value), ms.float32) for each in parameters)
    means = []

    def exchange() -> None:
        means[:] = all_reduce(ms.Tensor(value, ms.float32), gradients)[1]
        means[-1].asnumpy()

    return _median(exchange), means


def _median(call) -> float:
    """Median seconds of NUM_CALLS calls; two before them compile and warm up."""
    seconds = []
    for _ in range(2 + NUM_CALLS):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return sorted(seconds[2:])[NUM_CALLS // 2]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
