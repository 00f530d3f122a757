"""Self-contained HTML page of text, tables and pictures, without scripts or external links."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 1280px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.6em; margin-bottom: 0.2em; }
h2 { font-size: 1.2em; margin-top: 2em; border-bottom: 1px solid #d9e4ec; padding-bottom: 0.2em; }
nav a { margin-right: 1.2em; color: #2f6690; }
table { border-collapse: collapse; margin: 0.8em 0; }
th, td { text-align: left; padding: 0.2em 1.4em 0.2em 0; border-bottom: 1px solid #eee; vertical-align: top; }
th { font-weight: 600; color: #767676; }
td { font-variant-numeric: tabular-nums; overflow-wrap: break-word; }
pre { background: #f5f7f9; padding: 0.8em; overflow-x: auto; white-space: pre-wrap; font-size: 13px; }
img { max-width: 100%; height: auto; display: block; margin: 0.8em 0; }
.headline { font-size: 1.5em; font-weight: 600; color: #2f6690; margin: 0.4em 0; }
.columns { display: flex; flex-wrap: wrap; gap: 0 3em; align-items: flex-start; }
.columns > div { flex: 1 1 28em; min-width: 0; }
summary { cursor: pointer; color: #2f6690; }
"""


@dataclass(frozen=True)
class Section:
    """A heading and its content, as HTML from the functions of this module."""

    title: str
    content: str


def page(title: str, subtitle: str, sections: Sequence[Section]) -> str:
    """The HTML of the whole page."""
    anchors = [re.sub(r"\W+", "-", section.title.lower()) for section in sections]
    links = [f'<a href="#{anchor}">{_text(s.title)}</a>' for anchor, s in zip(anchors, sections, strict=True)]
    bodies = [
        f'<h2 id="{anchor}">{_text(section.title)}</h2>\n{section.content}'
        for anchor, section in zip(anchors, sections, strict=True)
    ]
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f"<title>{_text(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
            f"<h1>{_text(title)}</h1>\n<p>{_text(subtitle)}</p>\n<nav>{' '.join(links)}</nav>",
            *bodies,
            "</body>\n</html>\n",
        ]
    )


def paragraph(text: str) -> str:
    """A paragraph of text."""
    return f"<p>{_text(text)}</p>"


def headline(text: str) -> str:
    """A line in large letters."""
    return f'<p class="headline">{_text(text)}</p>'


def side_by_side(*contents: str) -> str:
    """Contents in columns of the same width, below each other where the window is narrow."""
    return '<div class="columns">\n' + "\n".join(f"<div>{content}</div>" for content in contents) + "\n</div>"


def table(rows: Iterable[Sequence[Any]], header: Sequence[str] = ()) -> str:
    """A table; cells are converted by `str`."""
    head = "<tr>" + "".join(f"<th>{_text(name)}</th>" for name in header) + "</tr>\n" if header else ""
    body = "\n".join("<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>\n{head}{body}\n</table>"


def halved_table(rows: Sequence[Sequence[Any]], header: Sequence[str]) -> str:
    """A long, narrow table as two that stand side by side."""
    half = (len(rows) + 1) // 2
    return side_by_side(*(table(part, header) for part in (rows[:half], rows[half:]) if part))


def code(text: str) -> str:
    """Preformatted text."""
    return f"<pre>{_text(text)}</pre>"


def folded(summary: str, content: str) -> str:
    """Content that is collapsed until it is clicked."""
    return f"<details><summary>{_text(summary)}</summary>\n{content}\n</details>"


def picture(draw: Callable[[Path], None], description: str) -> str:
    """The PNG written by `draw(path)`, embedded in the page."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "picture.png"
        draw(path)
        encoded = base64.b64encode(path.read_bytes()).decode()
    return f'<img alt="{_text(description)}" src="data:image/png;base64,{encoded}">'


def _text(value: Any) -> str:
    return html.escape(str(value))
