"""Write the embedded handwritten digits as an image folder: python scripts/create_digits.py [FOLDER]"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from src.datasets.sources.digits import write_digits
from src.runtime.entry import run_command


def main(argv: list[str]) -> int:
    """Write train/ and val/ below FOLDER (default data/digits)."""
    folder = Path(argv[0] if argv else "data/digits")
    counts = write_digits(folder)
    print(f"{folder}: {counts['train']} training and {counts['val']} validation images of handwritten digits")
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
