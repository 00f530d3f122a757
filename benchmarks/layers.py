"""The layers of the networks in each of their formulations, timed on a device.

    python benchmarks/layers.py [--device_target GPU] [--batch 32] [layer_norm linear ...]

Each layer is built as GPU and Ascend run it ("standard"), as the CPU does, from the CPU's kernels, and as it is
exported (src/models/layers/formulations.py), at a size of one of the networks, and compiled alone: milliseconds of a
forward pass, and of forward and backward together, the median of several. A formulation that the device refuses is
printed with the reason.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

DEVICES = ("CPU", "GPU", "Ascend")
NUM_CALLS = 15
MAX_REASON = 100  # characters


@dataclass(frozen=True)
class Case:
    """A layer at one size.

    Attributes:
        layer: its name in the table of formulations.
        build: called with a `context`, makes the cell.
        shapes: of the tensors that the cell is called with.
        last: arguments behind them that are no tensors.
        neighbours: (N, K) where whole numbers below N (B, N, K) follow the tensors.
    """

    layer: str
    build: Callable
    shapes: tuple[tuple[int, ...], ...]
    last: tuple = ()
    neighbours: tuple[int, int] | None = None

    @property
    def title(self) -> str:
        """The layer's name and the sizes that it is built with."""
        sizes = self.build.args if isinstance(self.build, partial) else ()
        return " ".join((self.layer, *(str(size) for size in sizes if type(size) is int)))


def cases(batch: int) -> list[Case]:
    """The layers at sizes of hlg_mobile, dgmn2_tiny, vig_s, resnext50 and dgcnet_res101; `batch` images."""
    from src.models import layers

    tokens, windows = batch * 3136, batch * 64

    return [
        Case("batch_norm", partial(layers.batch_norm, 256), ((batch, 256, 56, 56),)),
        Case("conv", partial(layers.conv, 64, 256, bias=True), ((batch, 64, 56, 56),)),
        Case("conv", partial(layers.conv, 64, 64, 3, bias=False), ((batch, 64, 56, 56),)),
        Case("conv", partial(layers.conv, 128, 128, 3, groups=32, bias=False), ((batch, 128, 56, 56),)),
        Case("linear", partial(layers.linear, 64, 192), ((tokens, 64),)),
        Case("linear", partial(layers.linear, 64, 512), ((tokens, 64),)),
        Case("layer_norm", partial(layers.layer_norm, 64, 1e-5), ((batch, 3136, 64),)),
        Case("layer_norm", partial(layers.layer_norm, 32, 1e-7), ((batch, 3136, 32),)),
        Case("gelu", layers.gelu, ((tokens, 512),)),
        Case("tanh_gelu", layers.tanh_gelu, ((tokens, 256),)),
        Case("multi_head_mixture", partial(layers.multi_head_mixture, 2), ((windows, 49, 32),) * 3),
        Case("row_transpose", layers.row_transpose, ((batch, 3136, 64),), last=((8, 7, 8, 7), (0, 2, 1, 3))),
        Case("row_mean", layers.row_mean, ((windows, 49, 32),)),
        Case("swapped_axes", layers.swapped_axes, ((batch, 3136, 64),)),
        Case("same_max_pool", partial(layers.max_pool_after_relu, "same"), ((batch, 64, 112, 112),)),
        Case("padded_max_pool", partial(layers.max_pool_after_relu, "pad"), ((batch, 64, 112, 112),)),
        Case("bilinear_resize", layers.bilinear_resize, ((batch, 64, 14, 14),), last=((53, 53),)),
        Case("neighbour_max", partial(layers.neighbour_max, 9), ((batch, 196, 320),), neighbours=(196, 9)),
        Case("nearest_neighbours", partial(layers.nearest_neighbours, 18, 2, True), ((batch, 196, 320),) * 2),
        Case(
            "sampled_mixture",
            partial(layers.sampled_mixture, layers.Sampling(56, 56, 1)),
            (*((tokens, 64),) * 3, (batch, 3136, 1, 18), (tokens, 9)),
        ),
    ]


def main(words: list[str]) -> int:
    """Print a row for each layer, size and formulation."""
    from src.runtime.device import select_device

    options = _parse(words)
    select_device(options.device_target, None, pynative=False)
    print(f"{'layer':<26} {'first input':<20} {'formulation':<11} {'forward ms':>10} {'and backward':>12}", flush=True)
    for case in cases(options.batch):
        if options.layers and case.layer not in options.layers:
            continue
        for name, context in contexts(case, options.device_target):
            try:
                forward, both = (f"{1000 * seconds:.2f}" if seconds else "-" for seconds in measure(case, context))
            except Exception as error:  # the framework's errors are of any kind
                forward, both = "-", f"  {type(error).__name__}: {str(error).strip()[:MAX_REASON].splitlines()[0]}"
            shape = " x ".join(map(str, case.shapes[0]))
            print(f"{case.title:<26} {shape:<20} {name:<11} {forward:>10} {both:>12}", flush=True)
    return 0


def _parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("layers", nargs="*", help="names in the table of formulations (default: all)")
    parser.add_argument("--device_target", choices=DEVICES, default="CPU", help="(default: CPU)")
    parser.add_argument("--batch", type=int, default=8, help="images (default: 8)")
    options = parser.parse_args(words)
    known = list(dict.fromkeys(case.layer for case in cases(1)))
    if unknown := [name for name in options.layers if name not in known]:
        parser.error(f"{unknown[0]} is not timed: choose from {', '.join(known)}")
    return options


def contexts(case: Case, device: str) -> Iterator[tuple[str, object]]:
    """The formulations that the layer has of its own, and that may run on the device."""
    from src.models import KERNEL_SOURCES, LayerContext
    from src.models.layers.formulations import TABLE
    from src.runtime.kernel_library import kernel_library

    ways = TABLE[case.layer]
    yield "standard", LayerContext(device="GPU")
    if ways.cpu:
        yield "cpu", LayerContext()
    if ways.export and ways.export is not ways.cpu:
        yield "export", LayerContext(exporting=True)
    if ways.kernels and device == "CPU" and (library := kernel_library(KERNEL_SOURCES)):
        yield "kernels", LayerContext(kernels=library)


def measure(case: Case, context) -> tuple[float, float | None]:
    """Seconds of a forward pass, and of one with the gradients of all inputs and parameters; None where it has none."""
    import mindspore as ms
    import numpy as np
    from mindspore import nn

    from benchmarks.models import timed
    from tests.support.gradients import Gradients

    generator = np.random.default_rng(0)
    inputs = [ms.Tensor(generator.standard_normal(shape), ms.float32) for shape in case.shapes]
    last = case.last
    if case.neighbours:
        below, number = case.neighbours
        last = (ms.Tensor(generator.integers(0, below, (case.shapes[0][0], below, number)), ms.int32), *last)

    class Layer(nn.Cell):
        """The layer, called with its tensors; of several outputs the first."""

        def __init__(self):
            super().__init__()
            self.layer, self.last = case.build(context=context).set_train(True), last

        def construct(self, *tensors):
            output = self.layer(*tensors, *self.last)
            return output[0] if isinstance(output, tuple) else output

    def seconds(call: Callable) -> float:
        return timed(lambda: _wait(call()), NUM_CALLS)[1]

    layer = Layer()
    output = layer(*inputs)
    if output.dtype != ms.float32:  # a choice
        return seconds(lambda: layer(*inputs)), None
    gradients, weight = Gradients(layer), ms.Tensor(generator.standard_normal(output.shape), ms.float32)
    return seconds(lambda: layer(*inputs)), seconds(lambda: gradients(*inputs, weight))


def _wait(output) -> None:
    import mindspore as ms

    while isinstance(output, tuple):
        output = output[0]
    if ms.get_context("device_target") == "CPU":
        output.asnumpy()
    else:
        ms.runtime.synchronize()


if __name__ == "__main__":
    from src.runtime.entry import run_command

    sys.exit(run_command(main))
