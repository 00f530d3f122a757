"""Segmentation demo on drawn street scenes in Cityscapes' layout.

python scripts/demo_seg.py [FOLDER]     # default: demo/segmentation
"""

from __future__ import annotations

import sys

from demo_steps import Demo, run_demo

SCENES = Demo(
    folder="demo/segmentation",
    create=("scripts/create_scenes.py", "--output"),
    data="scenes",
    recipe="config/dgcnet/dgcnet_nano_scenes.yml",
    network="dgcnet_nano",
    validation="leftImg8bit/val/drawn",
    result=lambda result: (
        f"Validation: {result['miou']:.2%} mIoU over {result['classes']} classes of {result['images']} drawn street "
        f"scenes, {result['pixel_accuracy']:.2%} of the pixels correct."
    ),
    pictures=("predictions/predictions.png", "evaluation/worst.png", "evaluation/best.png", "curves.png", "train.log"),
    following="Next: Cityscapes itself, config/dgcnet/dgcnet_res101_cityscapes.yml.",
)

if __name__ == "__main__":
    sys.exit(run_demo(SCENES, sys.argv[1:]))
