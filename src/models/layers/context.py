"""What a layer may know of the process it will run in: a frozen description handed in, never the environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LayerContext:
    """Where a network will run; layers choose their formulation by it at construction.

    device: "CPU", "GPU" or "Ascend".
    rank, num_ranks: this process among the data-parallel ones.
    sync_bn: batch statistics over all ranks.
    exporting: use only operators that ONNX can express, with no literal batch size in the graph.
    """

    device: str = "CPU"
    rank: int = 0
    num_ranks: int = 1
    sync_bn: bool = False
    exporting: bool = False

    @property
    def cpu_kernels(self) -> bool:
        """Whether the formulations that are only faster on the CPU, and can't be exported, are wanted."""
        return self.device == "CPU" and not self.exporting
