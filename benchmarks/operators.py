"""Operators of the networks' compiled graphs, and the devices that MindSpore documents for each.

    python benchmarks/operators.py                      write docs/operators.md for all networks below
    python benchmarks/operators.py --check vig_nano     compare a network's column of that page with its graphs

The graphs are those of the recipe's training step and of evaluation, with the layers' formulations for Ascend and GPU,
traced but not run. An operator's devices are the "Supported Platforms" of its own documentation, or of the function
that it stands for.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

PAGE = ROOT / "docs" / "operators.md"
NANOS = ("resnext_nano", "dgcnet_nano", "vig_nano", "dgmn2_nano", "hlg_nano", "pvig_nano")
NETWORKS = (*NANOS, "resnext152_64x4d", "dgcnet_res101", "dgmn2_tiny", "hlg_mobile", "vig_s", "pvig_s")
DEVICES = ("Ascend", "GPU", "CPU")
# What only ties operators together: no device computes it.
STRUCTURE = {"Constant", "Depend", "EqScalar", "Load", "MakeTuple", "Partial", "Return", "ScalarToTensor", "Switch"}
STRUCTURE |= {"TupleGetItem", "UpdateState"}
NONE_MISSING = "Every operator that is documented is documented for Ascend and GPU."
HEAD = """# Operators and the devices that they are documented for

Written by `python benchmarks/operators.py` from the graphs of the training step of each network's recipe (T) and of its
evaluation (E), with the formulations that the layers choose on Ascend and GPU. The devices are those of "Supported
Platforms" in the documentation of MindSpore {version}. With several devices `AllReduce` (Ascend, GPU, CPU) is added.

{missing}

`-`: the framework documents no devices for this operator. They are its own: the gradients of documented operators, and
what its compiler puts in an operator's place.

"""


def main(words: list[str]) -> int:
    """Write the page, check columns of it, or print one network's operators."""
    arguments = _parse(words)
    if arguments.one:
        print(json.dumps(operators(arguments.networks[0])))
        return 0
    if arguments.check:
        return _check({name: _in_own_process(name) for name in arguments.networks})
    found = {}
    for name in arguments.networks or NETWORKS:
        found[name] = _in_own_process(name)
        PAGE.write_text(page(found), encoding="utf-8")  # after each, since a network may take minutes
    return 0


def _parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", help=f"default: {', '.join(NETWORKS)}")
    parser.add_argument("--check", action="store_true", help="compare with the page instead of writing it")
    parser.add_argument("--one", action="store_true", help="print this network's operators as JSON")
    return parser.parse_args(words)


def _in_own_process(name: str) -> dict[str, str]:
    command = [sys.executable, __file__, name, "--one"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode:
        sys.exit(f"{' '.join(command)}: exit code {finished.returncode}\n{finished.stderr}")
    return json.loads(finished.stdout.splitlines()[-1])


def _check(found: dict[str, dict[str, str]]) -> int:
    rows = table_rows(PAGE.read_text(encoding="utf-8"))
    wrong = []
    for name, cells in found.items():
        on_page = {operator: row[name] for operator, row in rows.items() if row[name]}
        wrong += [
            f"{name}: {operator} is {cells.get(operator)}, the page says {on_page.get(operator)}"
            for operator in sorted({*on_page, *cells})
            if on_page.get(operator) != cells.get(operator)
        ]
        wrong += [
            f"{operator}: {_devices_cell(operator)}, the page says {rows[operator]['devices']}"
            for operator in on_page
            if rows[operator]["devices"] != _devices_cell(operator)
        ]
    print("\n".join(wrong) or f"{PAGE.name} is current for {', '.join(found)}")
    return 1 if wrong else 0


def table_rows(text: str) -> dict[str, dict[str, str]]:
    """{operator: {column: cell}} of the page's table."""
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    columns = [cell.strip() for cell in lines[0]]
    rows = [dict(zip(columns, (cell.strip() for cell in line), strict=True)) for line in lines[2:]]
    return {row["operator"]: row for row in rows}


def page(found: dict[str, dict[str, str]]) -> str:
    """The page: a row for each operator, a column for each network."""
    import mindspore

    names = sorted({operator for cells in found.values() for operator in cells})
    rows = [[name, _devices_cell(name), *(cells.get(name, "") for cells in found.values())] for name in names]
    missing = [
        f"`{name}` is documented for {devices} only."
        for name, devices, *_ in rows
        if devices != "-" and not {"Ascend", "GPU"} <= set(devices.split())
    ]
    table = [["operator", "devices", *found], ["---"] * (2 + len(found)), *rows]
    head = HEAD.format(version=mindspore.__version__, missing="\n".join(missing) or NONE_MISSING)
    return head + "\n".join(f"| {' | '.join(row)} |" for row in table) + "\n"


def _devices_cell(operator: str) -> str:
    return " ".join(documented_devices(operator)) or "-"


def operators(name: str) -> dict[str, str]:
    """{operator: "T" in training, "E" in evaluation, or "T E"} of a network in its recipe."""
    from src.runtime.device import prepare_process, select_device

    prepare_process()
    select_device("CPU", None, pynative=False)

    import mindspore as ms
    import numpy as np

    from src.config import read_config
    from src.inference.networks import build_network
    from src.models import model_info
    from src.runtime.session import Session
    from src.tasks.create import create_task
    from src.training.create_step import create_train_step

    task = create_task(read_config(["--backbone", name, "--device_target", "Ascend"]).config)
    size, there = model_info(name).image_size, Session("Ascend", rank=0, num_ranks=1, isa="")
    network = build_network(task.config, there, size)
    step = create_train_step(task.config, network, task.loss(), np.full(10, 1e-3, np.float32), there)
    image = ms.Tensor(np.zeros((2, 3, size, size)), ms.float32)
    label = ms.Tensor(np.zeros((2,) if task.name == "classification" else (2, size, size)), ms.int32)
    trained = traced_operators(step, image, label)
    evaluated = traced_operators(network.set_train(False), image)
    return {
        operator: " ".join(mark for mark, graph in (("T", trained), ("E", evaluated)) if operator in graph)
        for operator in sorted(trained | evaluated)
    }


def traced_operators(cell, *inputs) -> set[str]:
    """The operators of a cell's graph after the compiler's front end, which is what every device is given."""
    from mindspore.graph.api import _cell_graph_executor
    from mindspore.train.mind_ir_pb2 import ModelProto

    phase, _ = _cell_graph_executor.compile(cell, *inputs, phase="export.operators")  # "export": traced, not built
    graph = ModelProto()
    graph.ParseFromString(_cell_graph_executor._get_func_graph_proto(cell, phase, "mind_ir"))
    graphs = [graph.graph, *graph.functions]
    nodes = {node.op_type for each in graphs for node in each.node}
    # REF::NAME:NUMBER; a node whose type is the name of a graph calls it.
    names = {node.split(":")[2] if node.startswith("REF::") else node for node in nodes}
    return names - STRUCTURE - {each.name for each in graphs}


def documented_devices(operator: str) -> list[str]:
    """The devices of an operator's own documentation, else of a function that it refers to; [] where there is none."""
    from mindspore import Tensor, mint, ops
    from mindspore.ops import auto_generate, operations

    document = next(
        (_document(place, operator) for place in (operations, auto_generate) if hasattr(place, operator)), ""
    )
    documents = [document]
    for function in re.findall(r"`mindspore\.ops\.(\w+)`", document):
        stem = re.sub(r"(_ext|s)$", "", function)  # sum_ext is what Tensor.sum calls, muls a mul by a scalar
        documents += [
            _document(place, each) for each in (function, stem) for place in (ops, mint, auto_generate, Tensor)
        ]
    lists = [re.search(r"Supported Platforms:\s*\n\s*(.*)", text) for text in documents]
    listed = next((found[1] for found in lists if found), "")
    return [device for device in DEVICES if device in listed]


def _document(place, name: str) -> str:
    return getattr(getattr(place, name, None), "__doc__", None) or ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
