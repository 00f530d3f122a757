"""Train a network on your own image folder from Python.

The `# %%` lines separate cells: open the file in VS Code, Spyder or PyCharm (or convert it with jupytext) and run them
one by one, or run all with `python examples/train_on_own_folder.py`. Your folder has one subfolder per class,
FOLDER/train/<class>/*.jpg and FOLDER/val/<class>/*.jpg. If it is missing, handwritten digits are written there.
"""

# %% Settings: your folder and the training. Any key of config/defaults.yml is allowed.
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

FOLDER = Path("data/digits")
SETTINGS = {
    "config_path": "vig_nano_digits.yml",  # the base recipe
    "dataset_path": FOLDER,
    "max_epoch": 2,
    "name": "own_folder",
}

# %% Import the zoo. The process must be prepared before MindSpore is loaded.
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
    """SETTINGS with overrides, checked as on the command line; `class_num` is the number of class folders."""
    class_num = sum(path.is_dir() for path in (FOLDER / "train").iterdir())
    values = {**SETTINGS, "class_num": class_num, **more}
    return read_config([f"--{key}={value}" for key, value in values.items()])


# %% Check the data set. A UserError says what to fix.
check_dataset(configuration())

# %% Draw training images as the network receives them; open own_folder_samples.png.
show_batch(configuration(show_batch="own_folder_samples.png"))

# %% Train. Log, curves and checkpoints go to outputs/own_folder. An interrupted run continues.
train(configuration(resume="auto"))

# %% Predict with the best checkpoint.
model = load_model("outputs/own_folder/ckpt/best.ckpt")
pictures = sorted((FOLDER / "val").rglob("*.*"))[:5]
for prediction in model.predict(pictures):
    print(f"{prediction.path}: {prediction.labels[0]} ({prediction.probabilities[0]:.0%}), is {prediction.truth}")
