"""Train a network on your own image folder from Python.

The `# %%` lines are cells: open the file in VS Code, Spyder or PyCharm (or convert it by jupytext) and run them one by
one, or all at once by `python examples/train_on_own_folder.py`. Your folder has one sub-folder a class,
FOLDER/train/<class>/*.jpg and FOLDER/val/<class>/*.jpg; without one, handwritten digits stand in for it.
"""

# %% Settings: your folder and the training. Every key of config/defaults.yml may stand here.
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

FOLDER = Path("data/digits")
SETTINGS = {
    "config_path": "vig_nano_digits.yml",  # the recipe to begin with
    "dataset_path": FOLDER,
    "max_epoch": 2,
    "name": "own_folder",
}

# %% The zoo. The process is prepared before MindSpore is loaded.
from src.runtime.device import prepare_process  # noqa: E402

prepare_process()

from src import load_model  # noqa: E402
from src.commands.dataset import check_dataset, show_batch  # noqa: E402
from src.config import read_config  # noqa: E402
from src.datasets.synthetic.digits import write_digits  # noqa: E402
from src.training.trainer import train  # noqa: E402

if not FOLDER.exists():
    write_digits(FOLDER)


def configuration(**more):
    """SETTINGS and some more, checked as on the command line; `class_num` is the number of class folders."""
    class_num = sum(path.is_dir() for path in (FOLDER / "train").iterdir())
    values = {**SETTINGS, "class_num": class_num, **more}
    return read_config([f"--{key}={value}" for key, value in values.items()])


# %% What is in the folder, and is anything wrong with it? A UserError says what to mend.
check_dataset(configuration())

# %% What does the network see? Open the picture.
show_batch(configuration(show_batch="own_folder_samples.png"))

# %% Train: outputs/own_folder gets the log, the curves and the checkpoints. A run that was broken off goes on.
train(configuration(resume="auto"))

# %% Predict with the best checkpoint.
model = load_model("outputs/own_folder/ckpt/best.ckpt")
pictures = sorted((FOLDER / "val").rglob("*.*"))[:5]
for prediction in model.predict(pictures):
    print(f"{prediction.path}: {prediction.labels[0]} ({prediction.probabilities[0]:.0%}), is {prediction.truth}")
