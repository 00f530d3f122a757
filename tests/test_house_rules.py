"""House rules that a program can check: sizes of files and functions, and how a module introduces itself."""

from __future__ import annotations

import ast

import pytest

from tests.support.processes import PROJECT_ROOT

MAX_FILE, MAX_FUNCTION = 350, 80  # lines
SOURCES = sorted([*(PROJECT_ROOT / "src").rglob("*.py"), *(PROJECT_ROOT / "scripts").glob("*.py")])
# A module docstring begins with the noun that the module provides.
RIDDLES = {"What", "Which", "Where", "How", "Who", "When", "Why", "From", "Whether", "That"}


@pytest.fixture(scope="module")
def trees():
    return {path.relative_to(PROJECT_ROOT): ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}


def test_no_file_is_too_long():
    lengths = {path.relative_to(PROJECT_ROOT): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert {str(path): length for path, length in lengths.items() if length > MAX_FILE} == {}


def test_no_function_is_too_long(trees):
    functions = {
        f"{path}:{node.lineno}": node.end_lineno - node.lineno + 1
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert len(functions) > 1000
    assert {place: length for place, length in functions.items() if length > MAX_FUNCTION} == {}


def test_a_module_begins_with_the_noun_that_it_provides(trees):
    openings = {str(path): (ast.get_docstring(tree) or "").split(maxsplit=1)[:1] for path, tree in trees.items()}
    assert {path: words for path, words in openings.items() if not words or words[0] in RIDDLES} == {}
