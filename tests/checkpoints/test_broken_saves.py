"""A save that fails or is killed leaves the checkpoint before it as it was."""

import time

from src.checkpoints import load_checkpoint, save_checkpoint
from src.runtime.files import remove_partials
from tests.support.processes import run_python, start_python
from tests.support.user_errors import message_of

SAVE_TWICE = """
    import resource, sys
    from pathlib import Path
    from src.runtime.device import prepare_process
    prepare_process()
    import numpy as np
    from src.checkpoints import save_checkpoint
    from src.config import UserError

    META = {"config": {"backbone": "vig_s", "class_num": 2}}
    path, num_floats, limit = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    save_checkpoint(path, {"w": np.array([1.0, 2.0], np.float32)}, {**META, "step": 1})
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        save_checkpoint(path, {"w": np.ones(num_floats, np.float32)}, {**META, "step": 2})
    except UserError as error:
        print(error)
"""


def test_a_full_disk_leaves_the_checkpoint_and_nothing_else(tmp_path):
    path = tmp_path / "last.ckpt"
    finished = run_python(SAVE_TWICE, path, 1_000_000, 100_000)
    assert finished.returncode == 0
    (message,) = [line for line in finished.stdout.splitlines() if line.startswith("checkpoint")]
    assert message.startswith(f"checkpoint {path} could not be written (")
    assert message.endswith("): allow larger files (ulimit -f), or use another drive")
    assert [file.name for file in tmp_path.iterdir()] == ["last.ckpt"]
    checkpoint = load_checkpoint(path)
    assert (checkpoint.meta["step"], checkpoint.tensors["w"].tolist()) == (1, [1.0, 2.0])


def test_a_kill_in_the_middle_leaves_the_checkpoint(tmp_path):
    path = tmp_path / "last.ckpt"
    process = start_python(SAVE_TWICE, path, 20_000_000, 0)
    while process.poll() is None and _partial_size(tmp_path) < 1_000_000:
        time.sleep(0.005)
    process.kill()
    process.communicate()
    assert process.returncode == -9
    assert 1_000_000 <= _partial_size(tmp_path) < 80_000_000
    checkpoint = load_checkpoint(path)
    assert (checkpoint.meta["step"], checkpoint.tensors["w"].tolist()) == (1, [1.0, 2.0])
    remove_partials(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["last.ckpt"]


def test_a_folder_that_is_not_there_is_the_users_mistake(tmp_path):
    path = tmp_path / "nowhere" / "last.ckpt"
    message = message_of(save_checkpoint, path, {}, {})
    assert message.startswith(f"checkpoint {path} could not be written (")


def _partial_size(folder):
    sizes = []
    for file in folder.glob(".last.partial-*"):
        try:
            sizes.append(file.stat().st_size)
        except FileNotFoundError:  # renamed meanwhile
            continue
    return max(sizes, default=0)
