"""What the data set's own scorer, cityscapesScripts, says of `scored_scenes`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from src.datasets.sources.cityscapes import submission_name
from src.datasets.sources.cityscapes_classes import CITYSCAPES
from src.visualization import write_label_png
from tests.support.scored_scenes import NUM_SCENES, scored_scene


def official_scores(folder: Path) -> dict[str, Any]:
    """Write the truths, and the predictions as a user would submit them, below `folder`; score them.

    Returns:
        The scorer's own result: classScores by name (nan: neither in truth nor prediction), averageScoreClasses, ...
    """
    with pytest.MonkeyPatch.context() as environment:  # the scorer reads it when it is imported, and later
        environment.setenv("CITYSCAPES_DATASET", str(folder))
        environment.setenv("CITYSCAPES_RESULTS", str(folder / "results"))
        from cityscapesscripts.evaluation import evalPixelLevelSemanticLabeling as scorer

        truths = [_write_scene(folder, key) for key in range(NUM_SCENES)]
        scorer.args.evalInstLevelScore = False
        scorer.args.predictionPath = scorer.args.predictionWalk = None
        predictions = [scorer.getPrediction(scorer.args, truth) for truth in truths]
        return scorer.evaluateImgLists(predictions, truths, scorer.args)


def _write_scene(folder: Path, key: int) -> str:
    label_ids, prediction = scored_scene(key)
    name = f"drawn_{key:06d}_000019"
    truth = folder / f"{name}_gtFine_labelIds.png"
    write_label_png(truth, label_ids)
    write_label_png(
        folder / "results" / submission_name(Path(f"{name}_leftImg8bit.png")), CITYSCAPES.to_label_ids(prediction)
    )
    return str(truth)
