"""The example runs as it stands, on another folder and for a smaller training."""

import pytest

from tests.support.few_digits import write_few_digits
from tests.support.processes import PROJECT_ROOT, run_python


@pytest.mark.slow
def test_the_example_trains_on_a_folder_and_predicts(tmp_path):
    folder = write_few_digits(tmp_path / "own")
    text = (PROJECT_ROOT / "examples/train_on_own_folder.py").read_text(encoding="utf-8")
    for old, new in (
        ('Path("data/digits")', f'Path("{folder}")'),
        ('"max_epoch": 2', '"max_epoch": 1, "warmup_epochs": 0, "backbone": "resnext_nano", "batch_size": 16'),
        ("Path(__file__).resolve().parents[1]", f'Path("{PROJECT_ROOT}")'),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    finished = run_python(f"import os; os.chdir({str(tmp_path)!r})\n" + text)
    assert finished.returncode == 0, finished
    assert "Data set check passed." in finished.stdout
    assert (tmp_path / "own_folder_samples.png").exists()
    assert (tmp_path / "outputs/own_folder/curves.png").exists()
    predictions = [line for line in finished.stdout.splitlines() if line.startswith(f"{folder}/val/0/")]
    assert [line.endswith(", is 0") for line in predictions] == [True] * len(predictions)
    assert predictions
