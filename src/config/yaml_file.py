"""YAML files as `key: value` lines whose values keep their spelling; the key's type says later what they mean.

YAML 1.1 would make 7 of `name: 007`, true of `on` and 750 of `12:30`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from src.config.errors import UserError

MAX_BYTES = 100_000  # read in 2 s; config/defaults.yml has 15 000
MAX_DEPTH = 20
_TEXT, _NULL = "tag:yaml.org,2002:str", "tag:yaml.org,2002:null"
_PLAIN = _TEXT, "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"


class _Loader(yaml.SafeLoader):
    """Loader that ends at a depth which no configuration has: a thousand brackets take the library minutes."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise yaml.YAMLError("nested too deeply")
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


def yaml_lines(path: Path, shown: str) -> Iterator[tuple[str, Any, int]]:
    """(key, value, line number) of each top-level key: a text, None or a list of these.

    Args:
        shown: the path for messages.

    Raises:
        UserError: the file cannot be read, is no mapping, or a value is neither plain nor a list.
    """
    root = _compose(path, shown)
    if root is None:
        return
    if not isinstance(root, yaml.MappingNode):
        raise UserError(f"{shown}: a configuration is a list of `key: value` lines")
    for key, value in root.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise UserError(f"{shown}:{line}: a key is a plain word")
        try:
            yield key.value, _value(value), line
        except ValueError:
            raise UserError(f"{shown}:{line}: {key.value} has no plain value: put it in quotes") from None


def _compose(path: Path, shown: str) -> yaml.Node | None:
    try:
        if path.is_file() and path.stat().st_size > MAX_BYTES:
            raise UserError(f"{shown}: too large for a configuration (more than {MAX_BYTES} bytes)")
        return yaml.compose(path.read_text(encoding="utf-8"), Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise UserError(f"{shown}{line}: not valid YAML: {problem}") from None
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, a zero byte in the path
        raise UserError(f"{shown}: cannot be read as a configuration: {error}") from None


def _value(node: yaml.Node) -> Any:
    """A list's nodes are not followed any further: an alias cannot make it grow."""
    if isinstance(node, yaml.SequenceNode) and node.tag in _PLAIN:
        return [_scalar(item) for item in node.value]
    return _scalar(node)


def _scalar(node: yaml.Node) -> str | None:
    if not isinstance(node, yaml.ScalarNode):
        raise ValueError
    implicit = yaml.SafeLoader("").resolve(yaml.ScalarNode, node.value, (node.style is None, node.style is not None))
    if node.tag not in (_TEXT, implicit):  # `!name`, `!!int x`
        raise ValueError
    return None if node.tag == _NULL else node.value
