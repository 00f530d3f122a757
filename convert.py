"""Convert published weights into a checkpoint of this zoo.

    python convert.py --backbone vig_s --input vig_s_80.6.pth --output vig_s.ckpt
    python convert.py --backbone resnext152_64x4d --input resnext152.ckpt --output converted/

Reads PyTorch (.pth; without PyTorch, and without executing anything in the file), safetensors, NumPy (.npz) and older
MindSpore checkpoints. Every tensor is either loaded or listed with the reason for ignoring it; if one is neither,
nothing is written.
"""

from __future__ import annotations

import sys

from src.runtime.entry import command_config, run_command


def main(argv: list[str]) -> int:
    """Read the configuration, convert, return the exit code."""
    resolved = command_config(argv, "convert", __doc__)
    if resolved is None:
        return 0
    from src.commands.convert import convert

    return convert(resolved)


if __name__ == "__main__":
    sys.exit(run_command(main))
