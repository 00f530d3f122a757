"""Write a data set as MindRecord files, which read faster than many small files on a slow drive.

    python scripts/create_mindrecord.py --dataset_path IMAGENET --output imagenet_mindrecord --class_num 1000
    python train.py --config_path ... --dataset mindrecord --dataset_path imagenet_mindrecord

Accepts train.py's data options (dataset_path, eval_path, data_list, class_num, train_num_workers).
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from src.runtime.entry import command_config, run_command


def main(argv: list[str]) -> int:
    """Write train and val below `output`."""
    resolved = command_config(argv, "train", __doc__)
    if resolved is None:
        return 0
    # This import loads MindSpore, so it follows the preparation of the process.
    from src.commands.dataset import create_mindrecord

    return create_mindrecord(resolved)


if __name__ == "__main__":
    sys.exit(run_command(main))
