"""Evaluate a checkpoint on the validation images.

    python eval.py --pretrained outputs/vig_nano_digits/ckpt/best.ckpt
    python eval.py --config_path dgmn2_eval.yml --eval_path IMAGENET/val --pretrained dgmn2_tiny.ckpt

Prints top-1 and top-5 accuracy (segmentation: mean IoU) and writes per-class results and report.html.
"""

from __future__ import annotations

import sys

from src.runtime.entry import command_config, run_command


def main(argv: list[str]) -> int:
    """Read the configuration, evaluate, return the exit code."""
    from src.commands.list_models import network_names, silent_settings
    from src.commands.opened_checkpoint import load_checkpoint

    readers = {"open_checkpoint": load_checkpoint, "network_names": network_names}
    resolved = command_config(argv, "eval", __doc__, silent_settings, **readers)
    if resolved is None:
        return 0
    from src.commands.evaluate import evaluate

    return evaluate(resolved)


if __name__ == "__main__":
    sys.exit(run_command(main))
