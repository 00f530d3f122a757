"""Public weights files made from the golden weights, and the converter's network against the golden numbers."""

import json
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mindspore import Tensor, nn

from src.checkpoints import load_checkpoint, load_weights
from src.models import create_model
from tests.golden import check_dgcnet, check_pvig, check_vig, compare, reader
from tests.golden.compare import Line
from tests.golden.names import NORM_LEAVES
from tests.support.commands import run_here
from tests.support.weights_files import write_mindspore, write_npz, write_safetensors, write_torch

Tensors = dict[str, np.ndarray]
MINDSPORE_LEAVES = {theirs: ours for ours, theirs in NORM_LEAVES.items()}


def reference_tensors(network: str) -> Tensors:
    """All tensors of a reference's state dict under its names: weights by the rule, counters, Pyramid ViG's tables."""
    entries = json.loads((reader.FOLDER / f"{network}.state_dict.json").read_text())["state_dict"]
    own = dict(create_model(network).parameters_and_names()) if network.startswith("pvig") else {}
    tensors = {}
    for name, entry in entries.items():
        if name.endswith("relative_pos"):
            tensors[name] = own[name].asnumpy()
        elif reader.is_generated(name):
            tensors[name] = reader.weight(name, tuple(entry["shape"]))
        else:
            tensors[name] = np.array(100, np.int64)  # num_batches_tracked
    return tensors


def with_training_state(tensors: Tensors) -> Tensors:
    """Of a checkpoint that the older zoo's training saved: a few slots and counters stand for all."""
    some = list(tensors)[:3]
    slots = {f"{slot}.{name}": tensors[name] for slot in ("adam_m", "adam_v", "moments", "accum") for name in some}
    counters = {"global_step": np.array([7], np.int32), "learning_rate": np.array(0.1, np.float32)}
    return tensors | slots | counters | {"scale_sense": np.array(1024, np.float32)}


def zoo_resnext(tensors: Tensors) -> Tensors:
    """As the older zoo has ResNeXt on Ascend: every grouped convolution as one small convolution a group."""
    named: Tensors = {}
    for name, value in tensors.items():
        if name.endswith("num_batches_tracked"):
            continue
        name = _zoo_resnext_name(name, value)
        if re.fullmatch(r".*\.conv2\.weight", name):
            groups = np.split(value, len(value) // value.shape[1])
            named |= {name.replace("conv2.", f"conv2.convs.{number}."): part for number, part in enumerate(groups)}
        else:
            named[name] = value
    return named


def _zoo_resnext_name(name: str, value: np.ndarray) -> str:
    stem, _, leaf = name.rpartition(".")
    if not name.startswith("fc.") and value.ndim == 1:
        name = f"{stem}.{MINDSPORE_LEAVES[leaf]}"
    name = name.replace("downsample.0", "down_sample.conv").replace("downsample.1", "down_sample.bn")
    return f"head.{name}" if name.startswith("fc.") else "backbone." + re.sub(r"^(conv|bn)1\.", r"\1.", name)


def zoo_dgcnet(tensors: Tensors) -> Tensors:
    """As the older zoo has DGCNet: below `net.`, its norms' leaves, convolutions over nodes as 2-d ones."""
    named = {}
    for name, value in tensors.items():
        stem, _, leaf = name.rpartition(".")
        if f"{stem}.running_mean" in tensors:
            leaf = MINDSPORE_LEAVES.get(leaf, leaf)
        if leaf != "num_batches_tracked":
            named[f"net.{stem}.{leaf}"] = value[..., None] if value.ndim == 3 else value
    some = list(named)[:3]
    return named | {f"{slot}.{name}": named[name] for slot in ("accum", "stat") for name in some}


@dataclass(frozen=True)
class Case:
    """A public file: whose weights, made how, in which format; `names`: whose state dict, when not the fixture's."""

    backbone: str
    fixture: str
    file: str
    write: Callable[[Path, Tensors], Path]
    prepare: Callable[[Tensors], Tensors] = dict
    options: tuple[str, ...] = ()
    names: str = ""


CASES = {
    "vig_ti authors pth": Case("vig_ti", "vig_ti", "vig_ti.pth", write_torch),
    "vig_s authors npz": Case("vig_s", "vig_s", "vig_s.npz", write_npz),
    "vig_s_patch16_224 zoo ckpt": Case(
        "vig_s_patch16_224", "vig_s_patch16_224_zoo_ms", "vig.ckpt", write_mindspore, with_training_state
    ),
    "pvig_ti authors pth": Case("pvig_ti", "pvig_ti", "pvig_ti.pth.tar", write_torch),
    "pvig_s authors safetensors": Case("pvig_s", "pvig_s", "pvig_s.safetensors", write_safetensors),
    "dgmn2_tiny authors pth": Case("dgmn2_tiny", "dgmn2_tiny", "dgmn2_tiny.pth", write_torch),
    "hlg_mobile zoo ckpt": Case("hlg_mobile", "hlg_mobile_zoo_ms", "hlg.ckpt", write_mindspore, with_training_state),
    "dgcnet_res101 authors pth": Case("dgcnet_res101", "dgcnet_97", "dgcnet.pth", write_torch, names="dgcnet_res101"),
    "dgcnet_res101 zoo ckpt": Case(
        "dgcnet_res101", "dgcnet_97", "dgcnet.ckpt", write_mindspore, zoo_dgcnet, names="dgcnet_res101"
    ),
    "resnext50 common library safetensors": Case(
        "resnext50_32x4d", "resnext50_32x4d", "model.safetensors", write_safetensors
    ),
    "resnext50 training pth": Case(
        "resnext50_32x4d",
        "resnext50_32x4d",
        "checkpoint.pth.tar",
        lambda path, tensors: write_torch(path, {f"module.{n}": v for n, v in tensors.items()}, entry="state_dict"),
    ),
    "resnext50 zoo ckpt": Case(
        "resnext50_32x4d",
        "resnext50_32x4d_samepool",
        "resnext50.ckpt",
        write_mindspore,
        lambda tensors: with_training_state(zoo_resnext(tensors)),
    ),
    "resnext152 common library pth": Case("resnext152_64x4d", "resnext152_64x4d", "resnext152.pth", write_torch),
    "resnext152 zoo ckpt": Case(
        "resnext152_64x4d",
        "resnext152_64x4d",
        "resnext152.ckpt",
        write_mindspore,
        lambda tensors: with_training_state(zoo_resnext(tensors)),
        ("--stem_pool", "pad"),  # as the numbers were recorded
    ),
}


def lines(case: Case) -> Iterator[Line]:
    """Convert the file by the command; the logits of the network that is built from the checkpoint alone."""
    with tempfile.TemporaryDirectory() as folder:
        source = case.write(Path(folder) / case.file, case.prepare(reference_tensors(case.names or case.fixture)))
        target = Path(folder) / "converted.ckpt"
        done = run_here("convert.py", "--backbone", case.backbone, "--input", source, "--output", target, *case.options)
        assert (done.code, done.err) == (0, ""), done
        network = network_of(target)
    fixture = reader.read(case.fixture, case.names)
    check = next((check for check in (check_vig, check_pvig) if case.fixture in check.NETWORKS), None)
    if check:
        check.force(network, fixture.arrays, "knn_eval", watch=False)
    network.set_train(False)
    if case.fixture in check_dgcnet.NETWORKS:
        main = network.maps(Tensor(fixture.images)).asnumpy()
        yield compare.relative("main", main, fixture.arrays["main"], check_dgcnet.LIMITS.logits)
    else:
        logits = network(Tensor(fixture.images)).asnumpy()
        yield compare.relative("logits", logits, fixture.arrays["logits"], 2e-5)


def network_of(path: Path) -> nn.Cell:
    """The network that a checkpoint describes, with its weights."""
    checkpoint = load_checkpoint(path)
    config = checkpoint.meta["config"]
    options = {"stem_pool": config["stem_pool"]} if config["stem_pool"] else {}
    network = create_model(config["backbone"], config["class_num"], config["train_image_size"], **options)
    class_num = (config["class_num"],) * 2
    load_weights(network, checkpoint.weights(False), origin=str(path), class_num=class_num, new_head=False)
    return network
