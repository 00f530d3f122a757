"""The C++ program beside OpenVINO's own benchmark_app, onnxruntime and MindSpore in Python, in turn on this machine.

    python benchmarks/cpp_inference.py PICTURES MODEL.onnx ... [--threads 1,2] [--rounds 3]

PICTURES is a folder of pictures, MODEL.onnx was written by export.py and has its JSON beside it. The program must be
built with OpenVINO: `bash scripts/setup_cpp.sh && bash ascend310_infer/build.sh`. Printed are pictures per second, the
median over the rounds:

    inputs         the program on the .bin files of scripts/preprocess.py: the network alone
    reading        the program on the pictures with a network that does next to nothing: reading and preprocessing alone
    whole flow     the program on the pictures
    of slower      whole flow / the lower of the two
    benchmark_app  OpenVINO's, synchronous with one thread, else with a stream per thread
    of app         inputs / benchmark_app
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.beside_pytorch import Program  # noqa: E402
from benchmarks.served_calls import serve  # noqa: E402

INFER = ROOT / "ascend310_infer"
SECONDS = 5  # of benchmark_app in each turn
CALLS = 5  # of onnxruntime and MindSpore in each turn
COLUMNS = ("inputs", "reading", "whole flow", "of slower", "benchmark_app", "of app", "onnxruntime", "MindSpore")
BENCHMARK_APP = "import sys; from openvino.tools.benchmark.main import main; sys.exit(main())"


def main(words: list[str]) -> int:
    """Print a row for each model and number of threads."""
    options = _parse(words)
    if options.serve_onnx:
        _serve_onnx(options.models[0], options.serve_onnx)
        return 0
    print(f"{'network':<18} threads " + " ".join(f"{column:>13}" for column in COLUMNS), flush=True)
    for model in options.models:
        with tempfile.TemporaryDirectory() as folder:
            _compare(options, model, Path(folder))
    return 0


def _parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path, help="folder of pictures, at any depth")
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL.onnx", help="with MODEL.onnx.json beside it")
    parser.add_argument("--threads", default="1,2", help="comma-separated numbers (default: 1,2)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each program (default: 3)")
    parser.add_argument("--serve_onnx", type=int, metavar="THREADS", help=argparse.SUPPRESS)
    return parser.parse_args(words)


def _compare(options: argparse.Namespace, model: Path, folder: Path) -> None:
    """Print the rows of one model; `folder` is for what is made on the way."""
    card = json.loads(Path(f"{model}.json").read_text(encoding="utf-8"))
    batch, _, size, _ = shape = card["input"]["shape"]
    inputs, reader = folder / "inputs", _reader(card, folder)
    _run(sys.executable, ROOT / "scripts" / "preprocess.py", options.pictures, f"{model}.json", inputs)
    for threads in map(int, options.threads.split(",")):
        onnx = [sys.executable, __file__, "--serve_onnx", str(threads), str(options.pictures), str(model)]
        ours = [sys.executable, str(ROOT / "benchmarks" / "beside_pytorch.py"), "--ours", card["backbone"], "forward"]
        served = [Program(command, threads) for command in (onnx, [*ours, str(batch), str(size)])]
        rates = _measure(
            options.rounds,
            {
                "inputs": partial(_program, model, inputs, threads),
                "reading": partial(_program, reader, options.pictures, threads),
                "whole flow": partial(_program, model, options.pictures, threads),
                "benchmark_app": partial(_benchmark_app, model, shape, threads),
                "onnxruntime": partial(_served, served[0], batch),
                "MindSpore": partial(_served, served[1], batch),
            },
        )
        for program in served:
            program.end()
        _print_row(card["backbone"], threads, rates)


def _reader(card: dict, folder: Path) -> Path:
    """A network for the same pictures and classes that does next to nothing, with its JSON; returns its path."""
    from onnx import TensorProto, helper, save

    batch, *image = card["input"]["shape"]
    class_num = len(card["class_names"])
    corner = [helper.make_tensor(name, TensorProto.INT64, [2], [end, end]) for name, end in (("begin", 0), ("end", 1))]
    axes = helper.make_tensor("axes", TensorProto.INT64, [2], [2, 3])
    weights = helper.make_tensor("weights", TensorProto.FLOAT, [3, class_num], [0.0] * (3 * class_num))
    nodes = [
        helper.make_node("Slice", ["x", "begin", "end", "axes"], ["pixel"]),
        helper.make_node("Flatten", ["pixel"], ["colour"]),
        helper.make_node("MatMul", ["colour", "weights"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "reader",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, *image])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [batch, class_num])],
        [*corner, axes, weights],
    )
    path = folder / "reader.onnx"
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    Path(f"{path}.json").write_text(json.dumps({**card, "dynamic_batch": False, "sha256": digest}), encoding="utf-8")
    return path


def _measure(rounds: int, programs: dict[str, Callable[[], float]]) -> dict[str, float]:
    """Pictures per second of each program, the median of `rounds` turns."""
    rates = [{name: rate() for name, rate in programs.items()} for _ in range(rounds)]
    return {name: statistics.median(turn[name] for turn in rates) for name in programs}


def _print_row(network: str, threads: int, rates: dict[str, float]) -> None:
    rates["of slower"] = rates["whole flow"] / min(rates["inputs"], rates["reading"])
    rates["of app"] = rates["inputs"] / rates["benchmark_app"]
    print(f"{network:<18} {threads:>7} " + " ".join(f"{rates[column]:>13.2f}" for column in COLUMNS), flush=True)


def _program(model: Path, pictures: Path, threads: int) -> float:
    """The C++ program's rate; start and warm-up are not in it."""
    with tempfile.TemporaryDirectory() as output:
        options = ("--mindir_path", model, "--dataset_path", pictures, "--threads", threads, "--output", output)
        said = _run(INFER / "build" / "infer", "--device_target", "CPU", *options)
    return float(re.search(r"([0-9.]+) pictures per second", said)[1])


def _benchmark_app(model: Path, shape: list[int], threads: int) -> float:
    """OpenVINO's rate; loading is not in it."""
    streams = ("-api", "sync") if threads == 1 else ("-nstreams", threads)
    options = ("-m", model, "-d", "CPU", "-hint", "none", *streams, "-nthreads", threads, "-infer_precision", "f32")
    shown = (f"[{','.join(map(str, shape))}]", "-t", SECONDS)
    said = _run(sys.executable, "-c", BENCHMARK_APP, *options, "-shape", *shown, path=INFER / "third_party")
    return float(re.search(r"Throughput: +([0-9.]+) FPS", said)[1])


def _served(program: Program, batch: int) -> float:
    """The rate of a process that makes calls of one batch."""
    return batch / statistics.median(program.call()[0] for _ in range(CALLS))


def _serve_onnx(model: Path, threads: int) -> None:
    """Be the process of onnxruntime."""
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    shape = json.loads(Path(f"{model}.json").read_text(encoding="utf-8"))["input"]["shape"]
    image = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    serve(lambda: session.run(None, {session.get_inputs()[0].name: image}), 0)


def _run(*command: object, path: Path | None = None) -> str:
    """Standard output of a command that must succeed; `path`: where its Python finds packages first."""
    environment = {**os.environ, "PYTHONPATH": str(path)} if path else None
    words = list(map(str, command))
    finished = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    if finished.returncode:
        sys.exit(f"{finished.stdout}{finished.stderr}{' '.join(words)}: exit code {finished.returncode}")
    return finished.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
