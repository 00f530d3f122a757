"""The networks beside their authors' PyTorch code on this machine, in alternating calls.

    python benchmarks/beside_pytorch.py --peers FOLDER --peer_python PYTHON [--one vig_s] [--threads 1,2]
    python benchmarks/beside_pytorch.py --peers FOLDER --peer_python PYTHON --device_target GPU [--amp_level O2]

FOLDER has the checkouts that you made of huawei-noah/Efficient-AI-Backbones (ViG), fudan-zvg/DGMN2 and
lxtGH/GALD-DGCNet; PYTHON is that of an environment with torch, torchvision (ResNeXt) and timm. hlg_mobile's peer is our
own twin of it (pytorch_hlg.py), which must compute the same logits from the same weights. Both networks of a pair run
in processes of their own on the same cores (and the same GPU), and call in turn. Ratio: PyTorch's time / ours, the
median over the rounds; above 1 ours is faster. On a busy machine compare the processor seconds of one thread.

On a GPU a call is ten steps, of which only the last is waited for, and the peak is that of the GPU's memory. float16 is
`--amp_level O2` and PyTorch's autocast, both with a loss scale that adapts. TF32 is as both have it by default: in
convolutions, not in matrix products.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

NETWORKS = ("vig_s", "pvig_s", "dgmn2_tiny", "hlg_mobile", "resnext50_32x4d", "resnext152_64x4d", "dgcnet_res101")
# (mode, batch); of networks for images and for scenes.
MODES = {
    "CPU": ((("forward", 1), ("forward", 8), ("step", 8)), (("forward", 1), ("step", 1))),
    "GPU": ((("step", 32),), (("step", 4),)),
}
# Steps in a call: a GPU is given several before the program waits for it, as in training.
NUM_STEPS = {"CPU": 1, "GPU": 10}
SCENE_SIZE, IMAGE_SIZE = 416, 224
NUM_ROUNDS = 5
TWIN_TOLERANCE = 1e-4  # of the largest logit


@dataclass
class Figures:
    """What was measured of one program: seconds until its first call was done, and of each later call; peak in GB."""

    first: float
    wall: list[float]
    processor: list[float]
    peak: float


class Program:
    """A process that makes one call when asked.

    Attributes:
        num_parameters: of its network.
        first: seconds from its start until its first call was done.
    """

    def __init__(self, command: list[str], threads: int):
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "PYTHONWARNINGS": "ignore"}
        began = time.monotonic()
        self._process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=partial(os.sched_setaffinity, 0, range(threads)),  # noqa: PLW1509 (no threads here)
        )
        self.num_parameters = self._answer()
        self.call()
        self.first = time.monotonic() - began

    def call(self) -> tuple[float, float]:
        """(wall, processor) seconds of one call."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._answer()

    def end(self) -> float:
        """Its peak memory, GB."""
        self._process.stdin.close()
        return self._answer()

    def _answer(self):
        line = self._process.stdout.readline()
        if not line:
            sys.exit(f"{' '.join(self._process.args)}: exit code {self._process.wait()}")
        return json.loads(line)


def main(words: list[str]) -> int:
    """Print a row for each network, mode and number of threads."""
    options = _parse(words)
    if options.ours:
        _serve_ours(options, *options.ours[:2], *map(int, options.ours[2:]))
        return 0
    if options.weights:
        _write_weights(options.weights)
        return 0
    names = [options.one] if options.one else NETWORKS
    if options.device_target == "CPU":
        # Now, since a program that compiles them says so where its answer is expected.
        command = [sys.executable, str(ROOT / "scripts" / "compile_kernels.py")]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        if "hlg_mobile" in names:
            _check_twin(options.peer_python)
    print(f"{'':<33} {'wall ms':>17}       {'processor ms':>17}       {'peak GB':>11} {'first call s':>13}")
    print(f"{'network':<17} {'mode':<10} threads" + f"{'PyTorch':>9} {'ours':>7} {'ratio':>5}" * 2, end=" ")
    print(f"{'PyTorch':>7} {'ours':>5} {'PyTorch':>7} {'ours':>5}", flush=True)
    of_images, of_scenes = MODES[options.device_target]
    for threads in map(int, options.threads.split(",")):
        for name in names:
            for mode, batch in of_scenes if name.startswith("dgcnet") else of_images:
                _print_row(
                    f"{name:<17} {mode + ' b' + str(batch):<10} {threads:>7}",
                    *_measure(_start(options, name, mode, batch, threads), options.rounds),
                )
    return 0


def _parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, help="folder with the checkouts")
    parser.add_argument("--peer_python", default=sys.executable, help="Python with torch (default: this one)")
    parser.add_argument("--one", choices=NETWORKS, help="this network alone")
    parser.add_argument("--device_target", choices=list(MODES), default="CPU", help="(default: CPU)")
    parser.add_argument("--amp_level", choices=("O0", "O2"), default="O0", help="O2: float16, on a GPU (default: O0)")
    parser.add_argument("--threads", help="comma-separated numbers of cores (default: 1,2; beside a GPU all)")
    parser.add_argument("--rounds", type=int, default=NUM_ROUNDS, help=f"calls of each program (default: {NUM_ROUNDS})")
    parser.add_argument("--cpu_kernels", default="1", help="0: ours without its own kernels (default: 1)")
    parser.add_argument("--ours", nargs=4, metavar=("NETWORK", "MODE", "BATCH", "SIZE"), help=argparse.SUPPRESS)
    parser.add_argument("--weights", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    if not (options.ours or options.weights) and not (options.peers and options.peers.is_dir()):
        parser.error("--peers: give the folder with the checkouts")
    if options.amp_level != "O0" and options.device_target == "CPU":
        parser.error("--amp_level O2: give --device_target GPU")
    options.threads = options.threads or ("1,2" if options.device_target == "CPU" else str(os.cpu_count()))
    return options


def _check_twin(peer_python: str) -> None:
    """Print how far the logits of hlg_mobile's twin are from ours; end if that is more than rounding."""
    with TemporaryDirectory(prefix="twin-") as folder:
        weights = str(Path(folder, "weights.npz"))
        subprocess.run([sys.executable, __file__, "--weights", weights], check=True)
        twin = [peer_python, str(ROOT / "benchmarks" / "pytorch_hlg.py"), weights]
        difference = float(subprocess.run(twin, stdout=subprocess.PIPE, check=True).stdout)
    print(f"hlg_mobile's twin, given our weights: its logits differ from ours by {difference:.1e} of the largest")
    if not difference <= TWIN_TOLERANCE:
        sys.exit(f"The twin is another network: more than {TWIN_TOLERANCE:.0e}")


def _start(options: argparse.Namespace, name: str, mode: str, batch: int, threads: int) -> list[Program]:
    """The programs of PyTorch's network and of ours, each after its first call."""
    size = SCENE_SIZE if name.startswith("dgcnet") else IMAGE_SIZE
    what = [name, mode, str(batch), str(size)]
    amp_level, num_steps = options.amp_level, NUM_STEPS[options.device_target]
    peer = [options.peer_python, str(ROOT / "benchmarks" / "pytorch_peer.py"), str(options.peers), *what, str(threads)]
    peer += ["cpu" if options.device_target == "CPU" else "cuda", str(num_steps)] + ["--amp"] * (amp_level != "O0")
    ours = [sys.executable, __file__, "--cpu_kernels", options.cpu_kernels, "--ours", *what]
    ours += ["--device_target", options.device_target, "--amp_level", amp_level]
    programs = [Program(command, threads) for command in (peer, ours)]
    if len({program.num_parameters for program in programs}) > 1:
        sys.exit(f"{name}: PyTorch's has {programs[0].num_parameters} parameters, ours {programs[1].num_parameters}")
    return programs


def _measure(programs: list[Program], num_rounds: int) -> tuple[Figures, ...]:
    """The figures of each program; ends them."""
    rounds = [[program.call() for program in programs] for _ in range(1 + num_rounds)][1:]  # the first warms up
    return tuple(
        Figures(program.first, *map(list, zip(*calls, strict=True)), program.end())
        for program, calls in zip(programs, zip(*rounds, strict=True), strict=True)
    )


def _print_row(title: str, peer: Figures, ours: Figures) -> None:
    print(title, end="")
    for theirs, mine in ((peer.wall, ours.wall), (peer.processor, ours.processor)):
        ratio = statistics.median(their / my for their, my in zip(theirs, mine, strict=True))
        print(f"{1000 * statistics.median(theirs):>9.0f} {1000 * statistics.median(mine):>7.0f} {ratio:>5.2f}", end="")
    print(f" {peer.peak:>7.2f} {ours.peak:>5.2f} {peer.first:>7.1f} {ours.first:>5.1f}", flush=True)


def _write_weights(file: Path) -> None:
    """Write what pytorch_hlg.py reads: hlg_mobile's parameters, none as at the start, two images and the logits."""
    from src.runtime.device import prepare_process, select_device

    prepare_process()
    select_device("CPU", None, pynative=True)

    import mindspore as ms
    import numpy as np

    from src.models import create_model

    generator = np.random.default_rng(0)
    network = create_model("hlg_mobile", 10).set_train(False)
    for parameter in network.get_parameters():
        is_vector = len(parameter.shape) == 1  # among them variances, which stay positive
        noise = generator.uniform(0, 0.5, parameter.shape) if is_vector else generator.normal(0, 0.05, parameter.shape)
        parameter.set_data(ms.Tensor(parameter.asnumpy() + noise, ms.float32))
    image = generator.standard_normal((2, 3, IMAGE_SIZE, IMAGE_SIZE)).astype(np.float32)
    weights = {name: parameter.asnumpy() for name, parameter in network.parameters_and_names()}
    np.savez(file, image=image, logits=network(ms.Tensor(image)).asnumpy(), **weights)


def _serve_ours(options: argparse.Namespace, name: str, mode: str, batch: int, size: int) -> None:
    """Be the process of our network, built as for train.py."""
    from src.config import read_config
    from src.runtime.session import join

    words = ["--backbone", name, "--device_target", options.device_target, "--amp_level", options.amp_level]
    words += ["--cpu_kernels", options.cpu_kernels]
    if not name.startswith("dgcnet"):
        words += ["--drop_path_rate", "0"]
    config = read_config(words).config
    session = join(config)

    import mindspore as ms
    import numpy as np

    from benchmarks.models import labels, training_step
    from benchmarks.served_calls import repeated, serve
    from src.inference.networks import build_network, compiled_kernels, with_mixed_precision
    from src.models import model_info
    from src.runtime.compile_cache import cached

    network = build_network(config, session, size)
    inputs = [ms.Tensor(np.random.default_rng(0).standard_normal((batch, 3, size, size)), ms.float32)]
    num_parameters = sum(parameter.size for parameter in network.trainable_params())
    if mode == "forward":
        cell = with_mixed_precision(network, options.amp_level).set_train(False)
    else:
        kernels = compiled_kernels(config, session)
        cell = training_step(network, config.model.class_num, kernels, options.amp_level)
        inputs.append(labels(model_info(name).task, batch, size))
    cell, num_steps = cached(cell, session), NUM_STEPS[options.device_target]
    serve(
        repeated(lambda: cell(*inputs), num_steps, ms.Tensor.asnumpy),
        num_parameters,
        num_steps=num_steps,
        peak=None if options.device_target == "CPU" else lambda: ms.runtime.max_memory_reserved() / 1024**3,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
