"""Write the embedded handwritten digits as an image folder: python scripts/create_digits.py [--output FOLDER]"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from src.datasets.synthetic.digits import write_digits
from src.runtime.entry import run_command


def main(argv: list[str]) -> int:
    """Write train/ and val/ below FOLDER (default data/digits)."""
    parser = argparse.ArgumentParser(prog="create_digits.py", description="Handwritten digits, one folder per class.")
    parser.add_argument("--output", default="data/digits", help="output folder (default: data/digits)")
    options = parser.parse_args(argv)
    counts = write_digits(Path(options.output))
    print(f"{options.output}: {counts['train']} training and {counts['val']} validation images of handwritten digits")
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
