"""Train a network.

    python train.py --config_path config/vig/vig_nano_digits.yml --dataset_path data/digits
    python train.py --config_path vig_s_patch16_224.yaml --dataset_path IMAGENET --resume auto
    python train.py --config_path ... --dataset_path IMAGENET --check_dataset    report problems in the data
    python train.py --config_path ... --dataset_path IMAGENET --show_batch samples.png    draw some training images
    python train.py --config_path ... --plot_lr lr.png    draw the learning-rate schedule
    python scripts/launch.py --num_devices 2 train.py --config_path ...    on two devices

The log, metrics, curves, report and checkpoints are written to outputs/<recipe>/.
"""

from __future__ import annotations

import sys

from src.runtime.entry import command_config, naming_assumed_recipe, run_command


def main(argv: list[str]) -> int:
    """Read the configuration, train, return the exit code."""
    from src.commands.list_models import network_names, silent_settings

    resolved = command_config(argv, "train", __doc__, silent_settings, network_names=network_names)
    if resolved is None:
        return 0
    # These imports load MindSpore, so they follow the preparation of the process.
    from src.commands.dataset import check_dataset, show_batch
    from src.commands.draw_schedule import draw_schedule
    from src.commands.list_models import describe_networks
    from src.training.trainer import train

    if resolved.config.run.list_models:
        print(describe_networks())
        return 0
    if resolved.config.run.check_dataset:
        return check_dataset(resolved)
    if resolved.config.run.show_batch:
        return show_batch(resolved)
    if resolved.config.run.plot_lr:
        return draw_schedule(resolved)
    with naming_assumed_recipe(resolved):
        return train(resolved)


if __name__ == "__main__":
    sys.exit(run_command(main))
