"""Write drawn street scenes in Cityscapes' layout: python scripts/create_scenes.py [--output FOLDER] [--seed NUMBER]"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from src.datasets.synthetic.scenes import write_scenes
from src.runtime.entry import run_command


def main(argv: list[str]) -> int:
    """Write leftImg8bit/, gtFine/ and datalist/ below FOLDER (default data/scenes)."""
    parser = argparse.ArgumentParser(prog="create_scenes.py", description="Drawn street scenes with exact labels.")
    parser.add_argument("--output", default="data/scenes", help="output folder (default: data/scenes)")
    parser.add_argument("--seed", type=int, default=0, help="random seed of the scenes (default: 0)")
    options = parser.parse_args(argv)
    counts = write_scenes(Path(options.output), options.seed)
    print(f"{options.output}: {counts['train']} training and {counts['val']} validation scenes of 512x256 pixels")
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
