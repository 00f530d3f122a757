"""Train a network.

    python train.py --config_path config/vig/vig_nano_digits.yml --dataset_path data/digits
    python train.py --config_path vig_s_patch16_224.yaml --dataset_path IMAGENET --resume auto
    msrun --worker_num=2 --local_worker_num=2 --join=True train.py --config_path ...

Writes outputs/<recipe>/ with the log, the metrics, the curves and the checkpoints.
"""

from __future__ import annotations

import sys

from src.runtime.entry import command_config, run_command


def main(argv: list[str]) -> int:
    """Read the configuration, train, return the exit code."""
    resolved = command_config(argv, "train", __doc__)
    if resolved is None:
        return 0
    # MindSpore is loaded here, after the process has been prepared for it.
    from src.engine.networks import describe_networks
    from src.engine.trainer import train

    if resolved.config.run.list_models:
        print(describe_networks())
        return 0
    return train(resolved)


if __name__ == "__main__":
    sys.exit(run_command(main))
