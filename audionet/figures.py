"""Figures with axes that people can read, in files: the home of matplotlib, which only they wait for."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from audionet.errors import AudionetError
from audionet.files import write_atomically

if TYPE_CHECKING:
    from audionet.spectrogram import Painter

DOTS_PER_INCH = 100
INK, ACCENT, FAINT = "#334155", "#2563eb", "#cbd5e1"
COLORMAP = "magma"  # dark to bright, in even steps also for the colour-blind and in grey print
TICKS_HZ = (125, 250, 500, 1000, 2000, 4000, 8000)
CLOSEST_TICKS = 0.06  # of the height of the axis
PITCH_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
# Steps of a time axis in seconds; it has at most MOST_TIMES.
TIME_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
MOST_TIMES = 10
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
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    style = {
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
        suffix, file = path.suffix.lower(), io.BytesIO()
        figure.savefig(file, format=suffix[1:], metadata=UNDATED[suffix])
    write_atomically(path, file.getvalue())


def displayable(text: str) -> str:
    """A file's or folder's name as one line that fonts can show."""
    text = text.encode(errors="backslashreplace").decode()
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def shortened(text: str, longest: int) -> str:
    """A text of at most `longest` letters; of a longer one the start and the end."""
    if len(text) <= longest:
        return text
    end = (longest - 1) // 2
    return f"{text[: longest - 1 - end]}\N{HORIZONTAL ELLIPSIS}{text[len(text) - end :]}"


def row_ticks(painter: "Painter") -> tuple[list[float], list[str]]:
    """Where on a picture's height (0 its foot, 1 its top) which frequencies lie, and what to write there."""
    centres = painter.row_hz
    if centres is None:
        return [(n + 0.5) / len(PITCH_NAMES) for n in range(len(PITCH_NAMES))], list(PITCH_NAMES)
    places: list[float] = []
    names = []
    for hertz in reversed(TICKS_HZ):
        place = float(np.interp(hertz, centres, (np.arange(len(centres)) + 0.5) / len(centres)))
        if not places or places[-1] - place >= CLOSEST_TICKS:
            places.append(place)
            names.append(f"{hertz / 1000:g} kHz" if hertz >= 1000 else f"{hertz} Hz")
    return places, names


def time_ticks(start_seconds: float, end_seconds: float) -> tuple[list[float], list[str]]:
    """Round times between two, and what to write there: seconds, or minutes and seconds, or hours too."""
    length = end_seconds - start_seconds
    step = next((step for step in TIME_STEPS if length / step <= MOST_TIMES), length / MOST_TIMES)
    count = int(np.floor(end_seconds / step + 1e-9)) - int(np.ceil(start_seconds / step - 1e-9)) + 1
    first = int(np.ceil(start_seconds / step - 1e-9))
    times = [(first + n) * step for n in range(count)]
    return times, [_time_name(time, end_seconds) for time in times]


def _time_name(seconds: float, longest: float) -> str:
    if longest < 60:
        return f"{seconds:.2f}".rstrip("0").rstrip(".") + " s"
    minutes, rest = divmod(round(seconds), 60)
    if longest < 3600:
        return f"{minutes}:{rest:02}"
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
