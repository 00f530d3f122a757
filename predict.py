"""Predict images with a checkpoint.

    python predict.py --pretrained outputs/vig_nano_digits/ckpt/best.ckpt --input data/digits/val
    python predict.py --pretrained vig_s.ckpt --input cat.jpg,dog.jpg --top_k 3

Prints a table and writes it as CSV and JSON, together with an annotated overview (predictions/predictions.png).
"""

from __future__ import annotations

import sys

from src.runtime.entry import command_config, run_command


def main(argv: list[str]) -> int:
    """Read the configuration, predict, return the exit code."""
    from src.commands.list_models import network_names, silent_settings
    from src.commands.opened_checkpoint import load_checkpoint

    readers = {"open_checkpoint": load_checkpoint, "network_names": network_names}
    resolved = command_config(argv, "predict", __doc__, silent_settings, **readers)
    if resolved is None:
        return 0
    from src.commands.predict import predict

    return predict(resolved)


if __name__ == "__main__":
    sys.exit(run_command(main))
