"""Write a data set as MindRecord files, which are read faster, and again and again, where small files are slow.

    python scripts/create_mindrecord.py --dataset_path IMAGENET --output imagenet_mindrecord --class_num 1000
    python train.py --config_path ... --dataset mindrecord --dataset_path imagenet_mindrecord

Takes train.py's options for the data (dataset_path, eval_path, data_list, class_num, train_num_workers).
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
    # MindSpore is loaded here, after the process has been prepared for it.
    from src.commands.dataset import create_mindrecord

    return create_mindrecord(resolved)


if __name__ == "__main__":
    sys.exit(run_command(main))
