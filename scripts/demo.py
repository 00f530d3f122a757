"""Classification demo on handwritten digits.

python scripts/demo.py [FOLDER]     # default: demo
"""

from __future__ import annotations

import sys

from demo_steps import Demo, run_demo

DIGITS = Demo(
    folder="demo",
    create=("scripts/create_digits.py", "--output"),
    data="digits",
    recipe="config/vig/vig_nano_digits.yml",
    network="vig_nano",
    validation="val",
    result=lambda result: f"Validation accuracy: {result['top1']:.2%} top-1 of {result['images']} handwritten digits.",
    pictures=("predictions/predictions.png", "evaluation/confusion_matrix.png", "curves.png", "train.log"),
    following='Next: python train.py --help, or your own images: README.md, "Your own data".',
)

if __name__ == "__main__":
    sys.exit(run_demo(DIGITS, sys.argv[1:]))
