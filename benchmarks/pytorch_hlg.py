"""HLG in PyTorch, our own twin: the code that its authors have published for classification does not run.

It is written from the paper's layout as PyTorch code usually is, and has the parameter names of our network, so that it
can be given the same weights:

    PYTHON benchmarks/pytorch_hlg.py FILE

FILE (.npz) has our parameters by their names, "image" (B, 3, S, S) and our "logits" (B, class_num) of it. The script
prints the largest difference of the twin's logits from these, divided by the largest logit. beside_pytorch.py calls it.
"""

from __future__ import annotations

import re
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional

CHANNELS, HEADS, MLP_RATIOS, STRIDES = (32, 64, 192, 384), (2, 4, 8, 16), (8, 8, 4, 4), (4, 8, 16, 32)
WINDOW = 7
NORM_EPSILON = 1e-7
INNER_NAMES = (
    ("gamma", "weight"),
    ("beta", "bias"),
    ("moving_mean", "running_mean"),
    ("moving_variance", "running_var"),
)


def layer_norm(channels: int) -> nn.LayerNorm:
    return nn.LayerNorm(channels, eps=NORM_EPSILON)


def gelu() -> nn.GELU:
    return nn.GELU(approximate="tanh")


class Stem(nn.Module):
    """(B, 3, S, S) -> (B, C, S / 4, S / 4)."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(3, channels, 3, stride=2, padding=1), nn.BatchNorm2d(channels)
        self.conv2, self.norm2 = nn.Conv2d(channels, channels, 3, padding=1), nn.BatchNorm2d(channels)
        self.conv3, self.norm3 = nn.Conv2d(channels, channels, 3, stride=2, padding=1), nn.BatchNorm2d(channels)
        self.act = gelu()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.act(self.norm1(self.conv1(x)))
        x = self.act(self.norm2(self.conv2(x)))
        return self.act(self.norm3(self.conv3(x)))


class Downsample(nn.Module):
    """(B, C, H, W) -> (B, C', H / 2, W / 2)."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(out_channels)
        self.act = gelu()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.act(self.norm(self.conv(x)))


class Attention(nn.Module):
    """Queries (B, N, C) look at (B, M, C) -> (B, N, C)."""

    def __init__(self, channels: int, num_heads: int):
        super().__init__()
        self.num_heads = num_heads
        self.to_q, self.to_k, self.to_v = (nn.Linear(channels, channels) for _ in range(3))
        self.proj = nn.Linear(channels, channels)

    def heads(self, x: torch.Tensor) -> torch.Tensor:
        """(B, N, C) -> (B, heads, N, C / heads)."""
        return x.unflatten(2, (self.num_heads, -1)).transpose(1, 2)

    def forward(self, x: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        q, k, v = self.heads(self.to_q(x)), self.heads(self.to_k(context)), self.heads(self.to_v(context))
        mixed = functional.scaled_dot_product_attention(q, k, v)
        return self.proj(mixed.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    def __init__(self, channels: int, ratio: int):
        super().__init__()
        self.ff1, self.ff2 = nn.Linear(channels, ratio * channels), nn.Linear(ratio * channels, channels)
        self.act = gelu()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.ff2(self.act(self.ff1(x)))


def spatial_smooth(channels: int) -> nn.Sequential:
    narrow = channels // 4
    return nn.Sequential(
        nn.Conv2d(channels, narrow, 1),
        nn.BatchNorm2d(narrow),
        gelu(),
        nn.Conv2d(narrow, narrow, 3, padding=1),
        nn.BatchNorm2d(narrow),
        gelu(),
        nn.Conv2d(narrow, channels, 1),
        nn.BatchNorm2d(channels),
    )


class LocalGlobalBlock(nn.Module):
    """Tokens (B, N, C) of a square map -> the same shape.

    dilated: a group takes every (side / WINDOW)-th row and column.
    """

    def __init__(self, channels: int, num_heads: int, ratio: int, side: int, *, dilated: bool):
        super().__init__()
        self.side, count = side, side // WINDOW
        self.sides = (WINDOW, count, WINDOW, count) if dilated else (count, WINDOW, count, WINDOW)
        self.axes = (0, 2, 4, 1, 3, 5) if dilated else (0, 1, 3, 2, 4, 5)  # those of the groups first
        self.spatial_smooth = spatial_smooth(channels)
        self.act = gelu()
        self.norm0, self.norm1, self.norm2 = (layer_norm(channels) for _ in range(3))
        self.attn = Attention(channels, num_heads)
        self.mlp = FeedForward(channels, ratio)

    def split(self, x: torch.Tensor) -> torch.Tensor:
        """(B, N, C) -> groups (B * G, WINDOW^2, C)."""
        batch, _, channels = x.shape
        return x.reshape(batch, *self.sides, channels).permute(self.axes).reshape(-1, WINDOW**2, channels)

    def join(self, groups: torch.Tensor, batch: int) -> torch.Tensor:
        """Groups (B * G, WINDOW^2, C) -> (B, N, C)."""
        count, channels = self.side // WINDOW, groups.shape[2]
        back = [self.axes.index(axis) for axis in range(6)]
        x = groups.reshape(batch, count, count, WINDOW, WINDOW, channels).permute(back)
        return x.reshape(batch, -1, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, _, channels = x.shape
        x = x.transpose(1, 2).reshape(batch, channels, self.side, self.side)
        x = self.act(x + self.spatial_smooth(x)).flatten(2).transpose(1, 2)
        groups = self.split(x)
        normed = self.norm0(groups)
        groups = groups + self.attn(normed, normed)
        means = groups.mean(1).reshape(batch, -1, channels)
        x = self.join(groups, batch)
        x = x + self.attn(self.norm1(x), means)
        return x + self.mlp(self.norm2(x))


class GlobalBlock(nn.Module):
    """(B, N, C) -> the same shape."""

    def __init__(self, channels: int, num_heads: int, ratio: int):
        super().__init__()
        self.norm1, self.norm2 = layer_norm(channels), layer_norm(channels)
        self.attn = Attention(channels, num_heads)
        self.mlp = FeedForward(channels, ratio)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        normed = self.norm1(x)
        x = x + self.attn(normed, normed)
        return x + self.mlp(self.norm2(x))


class HLG(nn.Module):
    """hlg_mobile without drop path: (B, 3, S, S) -> (B, class_num)."""

    def __init__(self, class_num: int, image_size: int = 224):
        super().__init__()
        self.sides = [image_size // stride for stride in STRIDES]
        sizes = zip(CHANNELS, HEADS, MLP_RATIOS, self.sides, strict=True)
        for stage, (channels, heads, ratio, side) in enumerate(sizes):
            last = stage == len(CHANNELS) - 1
            embed = Downsample(CHANNELS[stage - 1], channels) if stage else Stem(channels)
            setattr(self, f"patch_embed{stage + 1}", embed)
            setattr(self, f"pos_embed{stage + 1}", nn.Parameter(torch.zeros(1, side * side + last, channels)))
            for number in range(2):
                block = GlobalBlock(channels, heads, ratio)
                if not last:
                    block = LocalGlobalBlock(channels, heads, ratio, side, dilated=number == 1)
                setattr(self, f"block{stage + 1}_{number}", block)
        self.cls = nn.Parameter(torch.zeros(1, 1, CHANNELS[-1]))
        self.norm = layer_norm(CHANNELS[-1])
        self.head = nn.Linear(CHANNELS[-1], class_num)

    def stage(self, number: int, x: torch.Tensor) -> torch.Tensor:
        """A map (B, C, H, W) -> tokens (B, N, C'), in stage 4 with the class token in front."""
        x = getattr(self, f"patch_embed{number}")(x).flatten(2).transpose(1, 2)
        if number == len(CHANNELS):
            x = torch.cat([self.cls.expand(len(x), -1, -1), x], 1)
        x = x + getattr(self, f"pos_embed{number}")
        return getattr(self, f"block{number}_1")(getattr(self, f"block{number}_0")(x))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for number, side in enumerate(self.sides[:-1], start=1):
            x = self.stage(number, x).transpose(1, 2).unflatten(2, (side, side))
        return self.head(self.norm(self.stage(len(CHANNELS), x)[:, 0]))


def twin_name(name: str) -> str:
    """The twin's name of one of our parameters."""
    name = name.replace("spatial_smooth.0.", "spatial_smooth.")
    for ours, theirs in INNER_NAMES:
        name = re.sub(rf"\.{ours}$", f".{theirs}", name)
    return name


def difference(values: dict[str, np.ndarray]) -> float:
    """The largest difference of the logits, divided by the largest logit."""
    image, logits = (torch.from_numpy(values.pop(name)) for name in ("image", "logits"))
    weights = {twin_name(name): torch.from_numpy(value) for name, value in values.items()}
    network = HLG(logits.shape[1], image.shape[2]).eval()
    counters = {name: value for name, value in network.state_dict().items() if name.endswith("num_batches_tracked")}
    network.load_state_dict({**weights, **counters})
    with torch.inference_mode():
        return float((network(image) - logits).abs().max() / logits.abs().max())


if __name__ == "__main__":
    print(difference(dict(np.load(sys.argv[1]))))
