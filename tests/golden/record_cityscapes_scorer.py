"""Record what the data set's own scorer says of `tests.support.scored_scenes`.

In an environment with cityscapesScripts (2.3.0), from the project's root:
PYTHONPATH=. python tests/golden/record_cityscapes_scorer.py > tests/golden/cityscapes_scorer.json
The package is no requirement of the tests: it brings ten others, among them the `typing` backport of Python 2.7.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import tempfile
from importlib.metadata import version
from pathlib import Path

from src.datasets.sources.cityscapes_classes import to_label_ids
from src.visualization import submission_name, write_label_png
from tests.support.scored_scenes import NUM_SCENES, scored_scene


def main() -> None:
    """Write truths and predictions as a user would submit them, and score them."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        os.environ["CITYSCAPES_RESULTS"] = f"{folder}/results"
        os.environ["CITYSCAPES_DATASET"] = folder
        result = _score(Path(folder))
    scores = {"classScores": result["classScores"], "averageScoreClasses": result["averageScoreClasses"]}
    print(json.dumps({"cityscapesScripts": version("cityscapesScripts"), **scores}, indent=1))


def _score(folder: Path) -> dict:
    from cityscapesscripts.evaluation import evalPixelLevelSemanticLabeling as scorer

    truths = []
    for key in range(NUM_SCENES):
        label_ids, prediction = scored_scene(key)
        name = f"drawn_{key:06d}_000019"
        truths.append(folder / f"{name}_gtFine_labelIds.png")
        write_label_png(truths[-1], label_ids)
        write_label_png(folder / "results" / submission_name(f"{name}_leftImg8bit.png"), to_label_ids(prediction))
    scorer.args.evalInstLevelScore = False
    predictions = [scorer.getPrediction(scorer.args, str(truth)) for truth in truths]
    return scorer.evaluateImgLists(predictions, [str(truth) for truth in truths], scorer.args)


if __name__ == "__main__":
    main()
