"""PyTorch process of beside_pytorch.py: a network from the authors' own repository, called when asked.

It runs under a Python that has torch, torchvision and timm, and knows nothing of this project. The authors' files are
found below the folder with the checkouts by their names; none of them is changed. HLG is our own twin (pytorch_hlg.py).
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
import types
from collections.abc import Callable
from pathlib import Path

import numpy
import torch
from pytorch_hlg import HLG
from served_calls import repeated, serve
from torch import nn
from torch.nn import functional

CITYSCAPES_CLASSES = 19
HLG_CLASSES = 1001  # of its recipe
LABEL_SMOOTHING = 0.1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("network", choices=list(NETWORKS))
    parser.add_argument("mode", choices=("forward", "step"))
    parser.add_argument("batch", type=int)
    parser.add_argument("size", type=int)
    parser.add_argument("threads", type=int)
    parser.add_argument("device", choices=("cpu", "cuda"))
    parser.add_argument("num_steps", type=int, help="in a call")
    parser.add_argument("--amp", action="store_true", help="float16 where PyTorch takes it")
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        sys.exit("error: PyTorch finds no GPU here; give --device_target CPU")
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    torch.set_default_device(options.device)
    with contextlib.redirect_stdout(io.StringIO()):  # they print their settings
        network = NETWORKS[options.network](options.folder).to(options.device)
    image = torch.randn(options.batch, 3, options.size, options.size)
    step = step_of(network, image, options.amp) if options.mode == "step" else forward_of(network, image, options.amp)
    serve(
        repeated(step, options.num_steps, torch.Tensor.cpu),
        sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad),
        num_steps=options.num_steps,
        peak=cuda_peak if options.device == "cuda" else None,
    )
    return 0


def cuda_peak() -> float:
    """GB that this process took of the GPU's memory, without the 0.5 GB or so of the driver."""
    return torch.cuda.max_memory_reserved() / 1024**3


def forward_of(network: nn.Module, image: torch.Tensor, amp: bool) -> Callable[[], torch.Tensor]:
    """A call without gradients."""
    network.eval()

    def call() -> torch.Tensor:
        with torch.inference_mode(), torch.autocast(image.device.type, torch.float16, enabled=amp):
            return network(image)

    return call


def step_of(network: nn.Module, image: torch.Tensor, amp: bool) -> Callable[[], torch.Tensor]:
    """A call of forward, backward and update, with the family's kind of loss and optimizer; returns the loss."""
    network.train()
    is_segmentation = isinstance(network, DualGraphNetwork)
    if is_segmentation:
        label = torch.randint(0, CITYSCAPES_CLASSES, image.shape[:1] + image.shape[2:])
        optimizer = torch.optim.SGD(network.parameters(), 1e-4, momentum=0.9)
        loss = network.loss
    else:
        label = torch.arange(len(image)) % 10
        optimizer = torch.optim.AdamW(network.parameters(), 1e-4, weight_decay=0.05)
        loss = nn.CrossEntropyLoss(label_smoothing=LABEL_SMOOTHING)
    scaler = torch.amp.GradScaler(image.device.type, enabled=amp)

    def call() -> torch.Tensor:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(image.device.type, torch.float16, enabled=amp):
            value = loss(network(image), label)
        scaler.scale(value).backward()
        scaler.step(optimizer)
        scaler.update()
        return value.detach()

    return call


def enter(folder: Path, pattern: str, levels: int = 1) -> None:
    """Let Python import from the folder, `levels` above, of the file that matches the pattern.

    Raises:
        SystemExit: there is no such file: the checkout is missing.
    """
    found = sorted(folder.rglob(pattern))
    if not found:
        sys.exit(f"{folder}: no file {pattern}: check out its repository there")
    sys.path.insert(0, str(found[0].parents[levels - 1]))


def enter_vig(folder: Path, module: str) -> types.ModuleType:
    if not hasattr(numpy, "float"):  # their code is older than its removal
        numpy.float = float  # noqa: NPY001
    enter(folder, f"vig_pytorch/{module}.py")
    return __import__(module)


def vig(name: str) -> Callable[[Path], nn.Module]:
    """Vision GNN: huawei-noah/Efficient-AI-Backbones, vig_pytorch/."""

    def create(folder: Path) -> nn.Module:
        return getattr(enter_vig(folder, "pyramid_vig" if name.startswith("p") else "vig"), name)()

    return create


def dgmn2_tiny(folder: Path) -> nn.Module:
    """DGMN2: fudan-zvg/DGMN2, classification/; its sampler, which exists for CUDA only, as `DeformUnfold`."""
    enter(folder, "classification/dgmn2.py")
    dcn = types.ModuleType("dcn")
    dcn.DeformUnfold = DeformUnfold
    sys.modules["dcn"] = dcn
    return __import__("dgmn2").dgmn2_tiny()


def hlg_mobile(_folder: Path) -> nn.Module:
    return HLG(HLG_CLASSES)


def resnext50_32x4d(_folder: Path) -> nn.Module:
    from torchvision.models import resnext50_32x4d

    return resnext50_32x4d()


def resnext152_64x4d(_folder: Path) -> nn.Module:
    from torchvision.models.resnet import Bottleneck, ResNet

    return ResNet(Bottleneck, [3, 8, 36, 3], groups=64, width_per_group=4)


def dgcnet_res101(folder: Path) -> nn.Module:
    """DGCNet: lxtGH/GALD-DGCNet."""
    enter(folder, "libs/models/DualGCNNet.py", levels=3)
    from libs.core.loss import CriterionOhemDSN
    from libs.models.DualGCNNet import DualSeg_res101

    return DualGraphNetwork(DualSeg_res101(CITYSCAPES_CLASSES), CriterionOhemDSN())


class DualGraphNetwork(nn.Module):
    """The authors' network with their loss; in evaluation its logits at the image's size."""

    def __init__(self, network: nn.Module, loss: nn.Module):
        super().__init__()
        self.network, self.loss = network, loss

    def forward(self, image: torch.Tensor):
        outputs = self.network(image)
        if self.training:
            return outputs
        return functional.interpolate(outputs[0], image.shape[2:], mode="bilinear", align_corners=True)


class DeformUnfold(nn.Module):
    """Bilinear samples of x (B, C, H, W) at nine offsets around each pixel, zeros outside: (B, 9 C, H W).

    offset (B, 18, H, W): for each tap of a 3x3 window the rows and columns to add to its place.
    """

    def __init__(self, kernel_size: int, padding: int, dilation: int):
        super().__init__()
        assert (kernel_size, padding, dilation) == (3, 1, 1)

    def forward(self, x: torch.Tensor, offset: torch.Tensor) -> torch.Tensor:
        batch, channels, height, width = x.shape
        offset = offset.reshape(batch, 9, 2, height, width)
        taps = torch.arange(9)
        rows = (taps // 3 - 1).reshape(9, 1, 1) + torch.arange(height).reshape(1, height, 1) + offset[:, :, 0]
        columns = (taps % 3 - 1).reshape(9, 1, 1) + torch.arange(width).reshape(1, 1, width) + offset[:, :, 1]
        # From pixels to the -1 ... 1 between the centres of the first and the last.
        grid = torch.stack([2 * columns / max(width - 1, 1) - 1, 2 * rows / max(height - 1, 1) - 1], dim=-1)
        grid = grid.reshape(batch, 9 * height, width, 2)
        sampled = functional.grid_sample(x, grid, align_corners=True)
        return sampled.reshape(batch, channels * 9, height * width)


NETWORKS: dict[str, Callable[[Path], nn.Module]] = {
    "vig_s": vig("vig_s_224_gelu"),
    "pvig_s": vig("pvig_s_224_gelu"),
    "dgmn2_tiny": dgmn2_tiny,
    "hlg_mobile": hlg_mobile,
    "resnext50_32x4d": resnext50_32x4d,
    "resnext152_64x4d": resnext152_64x4d,
    "dgcnet_res101": dgcnet_res101,
}


if __name__ == "__main__":
    sys.exit(main())
