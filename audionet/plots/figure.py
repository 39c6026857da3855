"""Figures with axes, written to files by matplotlib, which is loaded when the first figure is drawn."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from audionet.errors import AudionetError
from audionet.system.files import write_atomically

DOTS_PER_INCH = 100
INK, ACCENT, FAINT = "#334155", "#2563eb", "#cbd5e1"
COLORMAP = "magma"  # dark to bright, in even steps also for the colour-blind and in grey print
# Without a date in it, the same figure gives the same bytes.
UNDATED: dict[str, dict[str, Any]] = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
# For names that matplotlib's own font has no letters for, where the system has them.
OTHER_FONTS = (
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Hiragino Sans", "PingFang SC", "Yu Gothic", "Microsoft YaHei",
    "Malgun Gothic", "Noto Sans Arabic", "Noto Sans Devanagari", "Nirmala UI", "Arial Unicode MS",
)  # fmt: skip


def check_figure_path(path: Path) -> None:
    """Raise AudionetError if no figure can be written under this name."""
    if path.suffix.lower() not in UNDATED:
        raise AudionetError(f"{path}: must end in {', '.join(UNDATED)}; name it {path.with_suffix('.png')}")


@contextmanager
def figure_in_file(path: Path, width: float, height: float, layout: Any = "constrained") -> Iterator[Any]:
    """A matplotlib figure (inches), written to `path` at the end. Raises AudionetError when the disk refuses."""
    file = io.BytesIO()
    with new_figure(file, width, height, path.suffix.lower(), layout) as figure:
        yield figure
    write_atomically(path, file.getvalue())


@contextmanager
def new_figure(
    file: io.BytesIO, width: float, height: float, suffix: str = ".png", layout: Any = "constrained"
) -> Iterator[Any]:
    """A matplotlib figure (inches), whose file with this suffix is written into `file` at the end."""
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    # The user's own settings (matplotlibrc) are for other figures: with LaTeX, say, none could be drawn here.
    style = {
        **matplotlib.rcParamsDefault,
        "font.family": ["DejaVu Sans", *(name for name in OTHER_FONTS if name in installed)],
        "font.size": 9,
        "text.color": INK,
        "text.parse_math": False,  # a dollar in a file's name is a dollar
        "axes.edgecolor": INK,
        "axes.labelcolor": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "svg.hashsalt": "audionet",
    }
    with matplotlib.rc_context(style), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout=layout, facecolor="white")
        yield figure
        figure.savefig(file, format=suffix[1:], metadata=UNDATED[suffix])
