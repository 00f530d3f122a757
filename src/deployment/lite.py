"""Conversion of ONNX models by MindSpore Lite 2.0, which runs in a Python 3.7 of its own."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto

from src.config import UserError

from .exported_file import Choices, ExportedFile, Outputs, with_choices

DEFAULT_PYTHON = "python3.7"  # as found in PATH; the release is for this version alone
NEEDED = "a Python 3.7 with mindspore-lite 2.0.0 and numpy"
TIMEOUT = 3600  # seconds
ROUNDING = 5e-5  # of whole networks: its exponential is off by up to 3e-6 of its value, its tanh by 1.2e-5

_CONVERT = """
import sys
import mindspore_lite as lite
source, target, name, *shape = sys.argv[1:]
converter = lite.Converter()
converter.save_type = lite.ModelType.MINDIR
converter.optimize = "general"
converter.input_shape = {name: [int(side) for side in shape]}
converter.convert(lite.FmkType.ONNX, source, target)
"""
_RUN = """
import sys
import mindspore_lite as lite
import numpy as np
path, value, result = sys.argv[1:]
context = lite.Context()
context.target = ["cpu"]
context.cpu.thread_num = 1
model = lite.Model()
model.build_from_file(path, lite.ModelType.MINDIR, context)
inputs = model.get_inputs()
inputs[0].set_data_from_numpy(np.load(value))
outputs = model.predict(inputs)
np.savez(result, **{str(number): output.get_data_to_numpy() for number, output in enumerate(outputs)})
"""


def check_python(python: str, remedy: str) -> None:
    """UserError with the remedy unless MindSpore Lite can be imported in this Python."""
    try:
        done = subprocess.run([python, "-c", "import mindspore_lite, numpy"], capture_output=True, check=False)
    except OSError:
        done = None
    if done is None or done.returncode != 0:
        raise UserError(f"{python} is not {NEEDED}: {remedy}")


def convert(model: ModelProto, target: Path, shape: list[int], python: str) -> None:
    """Write the model, after `for_lite`, as a MINDIR of MindSpore Lite, for this shape of its input only.

    Raises:
        UserError: the converter fails; its last words are in the message.
    """
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".lite-") as folder:
        source, made = Path(folder, "model.onnx"), Path(folder, "model.mindir")
        onnx.save(model, str(source))
        words = [str(source), str(made.with_suffix("")), model.graph.input[0].name, *map(str, shape)]
        said = _run(python, _CONVERT, words)
        if not made.exists():
            raise UserError(f"{python}: mindspore-lite did not convert the model: {said[-300:]}")
        made.chmod(0o644)
        made.replace(target)


def open_lite(path: Path, model: ModelProto, shape: list[int], python: str) -> ExportedFile:
    """What `convert` made of the model at `path`, in MindSpore Lite on the CPU.

    Lite shows no inner values either: if the model makes choices, what runs is a second conversion, with more outputs.
    """
    num_outputs = len(model.graph.output)
    watched, chosen = with_choices(model)
    if chosen:
        path = path.with_name("watched.mindir")
        convert(watched, path, shape, python)

    def run(value: np.ndarray) -> tuple[Outputs, Choices]:
        with tempfile.TemporaryDirectory() as folder:
            given, result = Path(folder, "input.npy"), Path(folder, "outputs.npz")
            np.save(given, value)
            said = _run(python, _RUN, [str(path), str(given), str(result)])
            if not result.exists():
                raise UserError(f"{python}: mindspore-lite does not run what it has converted: {said[-300:]}")
            with np.load(result) as arrays:
                found = [arrays[str(number)] for number in range(len(arrays.files))]
        return found[:num_outputs], found[num_outputs:]

    return ExportedFile({}, run, ROUNDING)


def _run(python: str, program: str, words: list[str]) -> str:
    """What the program prints, its errors first."""
    done = subprocess.run([python, "-c", program, *words], capture_output=True, text=True, check=False, timeout=TIMEOUT)
    return done.stderr or done.stdout
