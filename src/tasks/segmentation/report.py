"""What the report of a run says of a segmentation network's last evaluation."""

from __future__ import annotations

from collections.abc import Sequence

from src.datasets.sources.cityscapes_classes import PALETTE
from src.metrics import SegmentationResult
from src.tasks.segmentation.examples import SceneExamples
from src.visualization import SegmentedImage, segmentation_sheet
from src.visualization.page import Section, paragraph, picture, table


def scene_sections(
    result: SegmentationResult, examples: SceneExamples, class_names: Sequence[str]
) -> tuple[Section, Section, Section]:
    """IoU of each class, best and worst images."""
    rows = [
        (name, "-" if iou != iou else f"{iou:.2%}", int(pixels))
        for name, iou, pixels in zip(class_names, result.iou, result.confusion.sum(1), strict=True)
    ]
    rows.append(("mean", f"{result.mean_iou:.2%}", result.num_pixels))

    def sheet(items: list[SegmentedImage], text: str) -> str:
        drawn = picture(lambda file: segmentation_sheet(items, class_names, PALETTE, file), text)
        return paragraph("By each image's own mean IoU.") + drawn

    return (
        Section("Intersection over union", table(rows, ("class", "IoU", "pixels"))),
        Section("Best examples", sheet(examples.best(), "pictures that the network was right about")),
        Section("Worst examples", sheet(examples.worst(), "pictures that the network was wrong about")),
    )
