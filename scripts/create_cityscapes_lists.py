"""Write the list files of a Cityscapes data set: python scripts/create_cityscapes_lists.py DATA_FOLDER [LIST_FOLDER]"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from src.config import UserError
from src.config.errors import counted
from src.datasets.sources.cityscapes import write_lists
from src.runtime.entry import run_command


def main(argv: list[str]) -> int:
    """Write {train,val,trainval,test}.txt for the splits that DATA_FOLDER has (default: datalist/cityscapes)."""
    if not 1 <= len(argv) <= 2:
        raise UserError("give DATA_FOLDER (with leftImg8bit/ and gtFine/) and, optionally, LIST_FOLDER")
    folder = Path(argv[1] if len(argv) == 2 else "datalist/cityscapes")
    for name, count in write_lists(Path(argv[0]), folder).items():
        print(f"{folder / name}.txt: {counted(count, 'image')}")
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
