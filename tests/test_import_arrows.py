"""Who may know whom: the house's arrows, read from the import statements."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from src.models import list_models
from src.models.registry import FAMILIES
from tests.support.processes import PROJECT_ROOT, run_python

BASE = {"runtime", "config"}
LEAVES = {
    *("callbacks", "datasets", "models", "loss", "lr_schedulers", "optimizers", "metrics", "checkpoints"),
    *("visualization", "deployment"),
}
ARROWS = {
    "entry": {"commands", "training"} | BASE,
    "commands": {"training", "tasks", "inference"} | LEAVES | BASE,
    "training": {"step", "tasks", "inference"} | LEAVES | BASE,
    "tasks": {"inference"} | LEAVES | BASE,
    "inference": {"models", "checkpoints"} | BASE,
    "step": set(),
    **dict.fromkeys(LEAVES, BASE),
    "runtime": {"config"},
    "config": set(),
}
# The one module of `tasks` that knows every task.
ALL_TASKS = PROJECT_ROOT / "src/tasks/create.py"
# A script that makes a data set or scores finished results has no business with the commands.
DIRECT = {
    "scripts/create_digits.py": {"datasets"},
    "scripts/create_scenes.py": {"datasets"},
    "scripts/create_cityscapes_lists.py": {"datasets"},
    "scripts/create_imagenet2012_label.py": {"datasets"},
    "scripts/preprocess.py": {"datasets"},
    "scripts/postprocess.py": {"datasets", "metrics"},
    "scripts/onnx_to_lite.py": {"deployment"},
}

SOURCES = sorted((PROJECT_ROOT / "src").rglob("*.py"))
ENTRY_POINTS = sorted([*PROJECT_ROOT.glob("*.py"), *(PROJECT_ROOT / "scripts").glob("*.py")])


def _place(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(PROJECT_ROOT)}:{node.lineno}"


def _module(path: Path) -> tuple[str, ...]:
    """src/models/vig/graph.py -> (src, models, vig, graph); a package's __init__ is the package."""
    parts = path.relative_to(PROJECT_ROOT).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def _imports(path: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(place, module) of each import of src; `from src.x import y` gives (src, x, y)."""
    package = path.relative_to(PROJECT_ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules = [tuple(alias.name.split(".")) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            named = tuple(node.module.split(".")) if node.module else ()
            modules = [(*base, *named, alias.name) for alias in node.names]
        else:
            continue
        yield from ((_place(path, node), module) for module in modules if module[0] == "src")


def _arrows(path: Path, allowed: set[str]) -> list[str]:
    """Imports from rooms of src that are not allowed."""
    return [f"{place} {'.'.join(module)}" for place, module in _imports(path) if module[1] not in allowed]


def test_each_room_is_in_the_plan():
    rooms = {_module(path)[1] for path in SOURCES if len(_module(path)) > 1}
    assert rooms - set(ARROWS) == set()
    assert set(ARROWS) - {"entry"} - rooms == set()


def test_each_room_knows_its_neighbours_only():
    wrong = []
    for path in SOURCES:
        room = (*_module(path), "entry")[1]  # src/__init__.py opens the house to Python, like an entry point
        wrong += _arrows(path, ARROWS[room] | {room})
    assert wrong == []


def test_entry_points_know_commands_and_training():
    wrong = []
    for path in ENTRY_POINTS:
        wrong += _arrows(path, ARROWS["entry"] | DIRECT.get(str(path.relative_to(PROJECT_ROOT)), set()))
    assert wrong == []


def test_a_task_knows_no_other_task():
    rooms = {path.parent for path in (PROJECT_ROOT / "src/tasks").glob("*/__init__.py")}
    wrong = []
    for path in SOURCES:
        if PROJECT_ROOT / "src/tasks" in path.parents and path != ALL_TASKS:
            for place, module in _imports(path):
                if PROJECT_ROOT.joinpath(*module[:3]) in rooms - {path.parent}:
                    wrong.append(f"{place} {'.'.join(module)}")
    assert len(rooms) >= 2
    assert wrong == []


# The seeds' own key names and the dialects, which are called after the networks.
NAMES_NETWORKS = PROJECT_ROOT / "src/config/aliases.py"


def test_settings_and_optimizers_name_no_network():
    families = {*FAMILIES, *(name.split("_")[0] for name in list_models())}
    networks = re.compile(rf"(?<![a-z0-9])({'|'.join(sorted(families, key=len, reverse=True))})(?![a-z0-9])", re.I)
    rooms = {PROJECT_ROOT / "src/config", PROJECT_ROOT / "src/optimizers"}
    places = [
        f"{path.relative_to(PROJECT_ROOT)}:{number} {found.group()}"
        for path in SOURCES
        if path.parent in rooms and path != NAMES_NETWORKS
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (found := networks.search(line))
    ]
    assert {"vig", "pvig", "resnext101"} <= families
    assert networks.search(NAMES_NETWORKS.read_text(encoding="utf-8"))
    assert places == []


def test_each_room_says_what_lives_there():
    unsaid = [
        str(folder)
        for folder in sorted((PROJECT_ROOT / "src").rglob("*/"))
        if any(folder.glob("*.py")) and not ast.get_docstring(ast.parse((folder / "__init__.py").read_text()))
    ]
    assert unsaid == []


def test_a_network_knows_the_layers_only():
    wrong = []
    for path in SOURCES:
        folder = path.relative_to(PROJECT_ROOT / "src").parent.parts
        if folder[:1] != ("models",) or len(folder) < 2:
            continue
        for place, module in _imports(path):
            if module[:2] != ("src", "models") or module[2] not in ("layers", "family", "graphs", folder[1]):
                wrong.append(f"{place} {'.'.join(module)}")
    assert wrong == []


def test_the_table_alone_knows_the_formulations_of_a_device():
    """`layers/cpu` and `layers/export` know layers only, and nobody but the table between them knows these rooms."""
    layers = ("src", "models", "layers")
    rooms = {(*layers, "cpu"), (*layers, "export")}
    inside = [path for path in SOURCES if _module(path)[:4] in rooms]
    outside = [path for path in SOURCES if path not in inside and _module(path) != (*layers, "formulations")]
    wrong = [f"{place} {'.'.join(to)}" for path in inside for place, to in _imports(path) if to[:3] != layers]
    wrong += [f"{place} {'.'.join(to)}" for path in outside for place, to in _imports(path) if to[:4] in rooms]
    assert len({_module(path)[3] for path in inside}) == 2
    assert wrong == []


def test_the_imports_are_seen():
    modules = {module for _, module in _imports(PROJECT_ROOT / "src/runtime/session.py")}
    assert ("src", "config", "Config") in modules
    assert ("src", "runtime", "distributed", "join_group") in modules


def _outside_runtime() -> list[Path]:
    return [path for path in [*SOURCES, *ENTRY_POINTS] if _module(path)[:2] != ("src", "runtime")]


def test_only_runtime_reads_the_environment():
    places = []
    for path in _outside_runtime():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else []
            if {getattr(node, "attr", ""), *names} & {"environ", "getenv", "putenv"}:
                places.append(_place(path, node))
    assert places == []


def test_only_runtime_knows_the_platforms_folders():
    places = []
    for path in _outside_runtime():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "/cache" in node.value:
                places.append(_place(path, node))
    assert places == []


def test_importing_everything_prints_nothing_and_reads_no_arguments():
    program = """
        import importlib, random, sys
        import numpy as np
        before = random.getstate(), np.random.get_state()[1].tolist(), sys.argv[:]
        for name in sys.argv[3:]:
            importlib.import_module(name)
        assert (random.getstate(), np.random.get_state()[1].tolist(), sys.argv) == before
    """
    finished = run_python(program, "--help", "--no_such_key", *(".".join(_module(path)) for path in SOURCES))
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")


def test_importing_an_entry_point_does_nothing():
    entry_points = [path.stem for path in PROJECT_ROOT.glob("*.py")]
    program = """
        import importlib, sys
        for name in sys.argv[3:]:
            importlib.import_module(name)
    """
    finished = run_python(program, "--help", "--no_such_key", *entry_points)
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")
    assert "train" in entry_points
