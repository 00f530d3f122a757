"""Maker of the exported models in models/, which the tests and the demo of the C++ program run.

    python train.py --config_path config/vig/vig_nano_digits.yml --dataset_path data/digits
    python tests/ascend310_infer/make_models.py outputs/vig_nano_digits/ckpt/best.ckpt data/digits LITE_PYTHON
    python train.py --config_path config/dgcnet/dgcnet_nano_scenes.yml --dataset_path data/scenes --max_epoch 24
    python tests/ascend310_infer/make_models.py outputs/dgcnet_nano_scenes/ckpt/best.ckpt data/scenes LITE_PYTHON

LITE_PYTHON: ascend310_infer/third_party/python37/bin/python, of scripts/setup_cpp.sh. Beside the ONNX and its MINDIR of
MindSpore Lite stands NAME.npz, what the evaluation in Python makes of the same weights. The weights are rounded to
bfloat16 first: the compressed files are half as large.
"""

from __future__ import annotations

import json
import lzma
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from src.checkpoints import load_checkpoint, save_checkpoint
from src.runtime.entry import run_command

ROOT = Path(__file__).resolve().parents[2]
MODELS = Path(__file__).with_name("models")


def main(argv: list[str]) -> None:
    """Make the models of one checkpoint."""
    checkpoint, data, lite_python = Path(argv[0]), argv[1], argv[2]
    with tempfile.TemporaryDirectory() as folder:
        rounded = Path(folder, "rounded.ckpt")
        name = write_rounded(checkpoint, rounded)
        exported, mindir = Path(folder, f"{name}.onnx"), Path(folder, f"{name}.mindir")
        _run(
            "export.py",
            "--pretrained",
            rounded,
            "--file_format",
            "ONNX",
            "--file_name",
            exported,
            "--dataset_path",
            data,
        )
        _run("scripts/onnx_to_lite.py", exported, mindir, "--lite_python", lite_python)
        reference = scene_reference if name.startswith("dgcnet") else digit_reference
        np.savez_compressed(MODELS / f"{name}.npz", **reference(rounded, exported, Path(data)))
        for path in (exported, mindir):
            _keep(path)


def write_rounded(source: Path, target: Path) -> str:
    """Write the checkpoint's weights, averaged ones if it has them, rounded to bfloat16; returns the network's name."""
    checkpoint = load_checkpoint(str(source))
    weights = {name: _rounded(value) for name, value in checkpoint.weights(use_ema=True).items()}
    save_checkpoint(target, weights, checkpoint.meta)
    return checkpoint.meta["config"]["backbone"]


def _rounded(value: np.ndarray) -> np.ndarray:
    if value.dtype != np.float32:
        return value
    bits = np.ascontiguousarray(value).view(np.uint32)
    return ((bits + np.uint32(0x8000)) & np.uint32(0xFFFF0000)).view(np.float32)


def digit_reference(checkpoint: Path, exported: Path, data: Path) -> dict[str, np.ndarray]:
    """Python's evaluation, {logits: (N, K) of the pictures sorted by name, gaps: (N,), top1, top5}."""
    from src.commands.opened_checkpoint import OpenedCheckpoint
    from src.config import read_config
    from src.runtime.session import Session

    result = _evaluated(checkpoint, data)
    opened = OpenedCheckpoint.from_config(
        read_config(["--pretrained", str(checkpoint), "--device_target", "CPU"], "predict", load_checkpoint)
    )
    network = opened.network(Session(device="CPU", rank=0, num_ranks=1, isa=""))
    pictures = opened.task.inputs(sorted((data / "val").rglob("*.png")))
    logits, gaps = _outputs(network, pictures), neighbour_gaps(exported, pictures)
    return {"logits": logits, "gaps": gaps, "top1": result["top1"], "top5": result["top5"]}


def _outputs(network, inputs: np.ndarray) -> np.ndarray:
    import mindspore as ms

    ms.set_context(mode=ms.GRAPH_MODE)
    return np.concatenate([network(ms.Tensor(part)).asnumpy() for part in np.split(inputs, len(inputs) // 40)])


def neighbour_gaps(file: Path, inputs: np.ndarray) -> np.ndarray:
    """How nearly each picture's nearest rejected neighbour was selected.

    Returns:
        (N,): the smallest difference, over all nodes and layers, of the distances to the last selected and the first
        rejected neighbour, divided by the layer's largest distance.
    """
    model = onnx.load(str(file))
    for node in [node for node in model.graph.node if node.op_type == "TopK"]:
        for name, kind in ((node.input[0], onnx.TensorProto.FLOAT), (node.output[1], onnx.TensorProto.INT64)):
            model.graph.output.append(onnx.helper.make_tensor_value_info(name, kind, None))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return np.array([_smallest_gap(session.run(None, {name: one[None]})[1:]) for one in inputs])


def _smallest_gap(values: list[np.ndarray]) -> float:
    gaps = []
    for distances, chosen in zip(values[::2], values[1::2], strict=True):
        ordered, number = np.sort(distances, -1)[..., ::-1], chosen.shape[-1]  # the nearest have the largest value
        gaps.append(np.min(ordered[..., number - 1] - ordered[..., number]) / np.abs(distances).max())
    return float(min(gaps))


def scene_reference(checkpoint: Path, exported: Path, data: Path) -> dict[str, np.ndarray]:
    """Python's evaluation, {labels: (N, H, W) label ids of the pictures sorted by name, miou, pixel_accuracy}."""
    maps = checkpoint.with_name("maps")
    windows = ("--eval_mode", "window", "--eval_scales", "[1.0]", "--eval_flip", "0", "--submit", maps)
    result = _evaluated(checkpoint, data, *windows)
    labels = np.stack([np.asarray(Image.open(path)) for path in sorted(maps.iterdir())])
    return {"labels": labels, "miou": result["miou"], "pixel_accuracy": result["pixel_accuracy"]}


def _evaluated(checkpoint: Path, data: Path, *options: object) -> dict:
    output = checkpoint.with_name("evaluation")
    _run("eval.py", "--pretrained", checkpoint, "--dataset_path", data, "--output", output, *options)
    return json.loads((output / "result.json").read_text(encoding="utf-8"))


def _run(script: str, *arguments: object) -> None:
    subprocess.run([sys.executable, ROOT / script, *map(str, arguments)], check=True)


def _keep(path: Path) -> None:
    card = json.loads(Path(f"{path}.json").read_text(encoding="utf-8"))
    card["checkpoint"] = "made by tests/ascend310_infer/make_models.py"
    (MODELS / f"{path.name}.xz").write_bytes(lzma.compress(path.read_bytes(), preset=9 | lzma.PRESET_EXTREME))
    (MODELS / f"{path.name}.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(run_command(main))
