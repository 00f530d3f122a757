"""Figure in the common style that is written as a PNG file, completely or not at all."""

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.patches import Patch

from src.runtime.files import write_atomically
from src.runtime.logs import get_logger
from src.runtime.terminal import printable

DPI = 130
BLUE, ORANGE, GREEN, RED = "#2f6690", "#d17a22", "#2e7d4f", "#b3372f"
INK, GRAY, PALE = "#222222", "#767676", "#d9e4ec"

NamedColor = tuple[str, Sequence[int]]  # the colour as RGB, 0-255

# DejaVu (in matplotlib) has no Chinese, Japanese or Korean: the first of these that is installed is the fallback.
CJK_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "PingFang SC",
    "Microsoft YaHei",
    "SimHei",
)

STYLE = {
    "font.size": 10,
    "figure.constrained_layout.h_pad": 0.1,
    "figure.constrained_layout.w_pad": 0.12,
    "axes.titlesize": 11,
    "axes.titlepad": 8,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GRAY,
    "axes.labelcolor": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e6e6",
    "xtick.color": GRAY,
    "ytick.color": GRAY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "text.color": INK,
    "text.parse_math": False,  # a dollar sign in a class name is a dollar sign
}


@contextmanager
def canvas(path: str | Path, width: float, height: float, layout: str | None = "constrained") -> Iterator[Figure]:
    """Context that gives a figure of `width` x `height` inches and writes it to `path` as PNG on exit.

    With `layout` None the axes keep their positions. The style applies inside the context only: pyplot and the user's
    settings are not changed.
    """
    with matplotlib.rc_context({**STYLE, "font.family": _font_families()}), _missing_characters_reported():
        figure = Figure(figsize=(width, height), dpi=DPI, layout=layout)
        yield figure
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
    write_atomically(path, buffer.getvalue())


@contextmanager
def _missing_characters_reported() -> Iterator[None]:
    """Context in which characters that no font has, drawn as boxes, are reported in the log, once per process."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.filterwarnings("always", message="Glyph")
        yield
    missing = [each for each in caught if str(each.message).startswith("Glyph")]
    for other in caught:
        if other not in missing:
            warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)
    if missing:
        _report_boxes()


@cache
def _report_boxes() -> None:
    get_logger().warning(
        "pictures: no installed font has all characters of the names, some are drawn as boxes: install a font that has "
        "them (Chinese: apt-get install fonts-noto-cjk)"
    )


def legend_height(num_entries: int, num_columns: int) -> float:
    """Inches that `color_legend` takes below the axes; 0 without entries."""
    return 0.3 + 0.25 * -(-num_entries // num_columns) if num_entries else 0.0


def color_legend(figure: Figure, colors: Sequence[NamedColor], num_columns: int, place: str) -> None:
    """Name the colours of a figure below its axes.

    Args:
        place: matplotlib's word for the place, "outside lower center" in a constrained layout, else "lower center".
    """
    patches = [
        Patch(facecolor=[channel / 255 for channel in color], edgecolor=GRAY, linewidth=0.5, label=shorten(name, 24))
        for name, color in colors
    ]
    figure.legend(handles=patches, loc=place, ncols=num_columns, fontsize=9)


def _font_families() -> list[str]:
    installed = {font.name for font in fontManager.ttflist}
    return ["DejaVu Sans", *[name for name in CJK_FONTS if name in installed][:1]]


def shorten(text: str, max_length: int) -> str:
    """The text in one line, cut to `max_length` characters with an ellipsis when it is longer.

    What cannot be drawn (a name's undecodable bytes, control characters) appears as backslash escapes.
    """
    text = printable(" ".join(text.split()))
    return text if len(text) <= max_length else text[: max_length - 1].rstrip() + "…"
