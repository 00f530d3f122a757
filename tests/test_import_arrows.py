"""Who may know whom: the house's arrows, read from the import statements."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.processes import PROJECT_ROOT, run_python

BROTHERS = {
    *("callbacks", "datasets", "models", "loss", "lr_schedulers", "optimizers", "metrics", "checkpoints"),
    "visualization",
}
ARROWS = {
    "entry": {"runtime", "config", "engine"},
    "engine": BROTHERS | {"runtime", "config"},
    **{brother: {"runtime", "config"} for brother in BROTHERS},
    "runtime": {"config"},
    "config": set(),
}
# A script that makes a data set has no business with the engine.
DIRECT = {
    "scripts/create_digits.py": {"datasets"},
    "scripts/create_scenes.py": {"datasets"},
    "scripts/create_cityscapes_lists.py": {"datasets"},
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
    assert {"config", "runtime", "engine", "models"} - rooms == set()


def test_each_room_knows_its_neighbours_only():
    wrong = []
    for path in SOURCES:
        room = (*_module(path), "entry")[1]  # src/__init__.py opens the house to Python, like an entry point
        wrong += _arrows(path, ARROWS[room] | {room})
    assert wrong == []


def test_entry_points_know_the_engine():
    wrong = []
    for path in ENTRY_POINTS:
        wrong += _arrows(path, ARROWS["entry"] | DIRECT.get(str(path.relative_to(PROJECT_ROOT)), set()))
    assert wrong == []


def test_a_network_knows_the_layers_only():
    wrong = []
    for path in SOURCES:
        folder = path.relative_to(PROJECT_ROOT / "src").parent.parts
        if folder[:1] != ("models",) or len(folder) < 2:
            continue
        for place, module in _imports(path):
            if module[:3] not in (("src", "models", "layers"), ("src", "models", folder[1])):
                wrong.append(f"{place} {'.'.join(module)}")
    assert wrong == []


def test_the_imports_are_seen():
    modules = {module for _, module in _imports(PROJECT_ROOT / "src/runtime/entry.py")}
    assert ("src", "config", "UserError") in modules
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
