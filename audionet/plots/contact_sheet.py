"""A contact sheet for each class: small pictures of its chunks side by side, to see at a glance what was drawn."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from audionet.dataset.manifest import ChunkEntry, PictureIndex
from audionet.dataset.names import class_of
from audionet.errors import UnusableInput
from audionet.plots.axes import row_ticks, time_ticks
from audionet.plots.figure import DOTS_PER_INCH, INK, figure_in_file
from audionet.settings import PICTURE_SIZE
from audionet.spectrogram import jpeg as pictures
from audionet.spectrogram.transform import SpectrogramRenderer, in_colors
from audionet.system.grouping import grouped
from audionet.system.progress import Progress, counted
from audionet.system.text import printable, shortened

logger = logging.getLogger(__name__)

SUFFIX = "-contact-sheet.png"
MOST_PICTURES = 48  # on a sheet; of a larger class, pictures at even distances are shown
COLUMNS = 6
SIZE = PICTURE_SIZE // 2  # pixels of a small picture
GAP, CAPTION = 12, 22  # pixels beside and under each
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 44, 34  # pixels around them all
LONGEST_CAPTION = 23  # letters under a picture
PAPER = 255


@dataclass(frozen=True)
class _Shown:
    """A chunk on a sheet: its recording's file name, its small picture, and its length as a share of the longest."""

    recording: str
    chunk: ChunkEntry
    picture: np.ndarray
    share: float


def write_contact_sheets(index: PictureIndex, image_dir: Path, progress: Progress) -> list[Path]:
    """Write `<class>-contact-sheet.png` beside each class's folder of pictures; where they are."""
    recordings = sorted(index.recordings.items())
    chunks = grouped((class_of(key), (key, chunk)) for key, entry in recordings for chunk in entry.chunks)
    classes = counted("contact sheets", chunks.items(), len(chunks), progress)
    return [_write_sheet(image_dir, class_name, of_class, index.renderer) for class_name, of_class in classes]


def delete_sheets(image_dir: Path, class_names: Iterable[str], index: PictureIndex) -> None:
    """Delete the sheets of classes that have no recordings left in the index."""
    for name in set(class_names) - set(map(class_of, index.recordings)):
        (image_dir / f"{name}{SUFFIX}").unlink(missing_ok=True)


def _write_sheet(
    image_dir: Path, class_name: str, chunks: Sequence[tuple[str, ChunkEntry]], renderer: SpectrogramRenderer
) -> Path:
    """Write the sheet of a class; where it is. chunks: all that it has, each with the name of its recording."""
    path, count = image_dir / f"{class_name}{SUFFIX}", min(len(chunks), MOST_PICTURES)
    chosen = [chunks[n * len(chunks) // count] for n in range(count)]
    whole = renderer.settings.chunk_seconds
    read = (_read(recording, chunk, image_dir, chunk.seconds / whole) for recording, chunk in chosen)
    shown = [picture for picture in read if picture is not None]
    rows = max(1, -(-len(shown) // COLUMNS))
    width, height = COLUMNS * (SIZE + GAP) - GAP, rows * (SIZE + CAPTION)
    whole_width, whole_height = LEFT + width + RIGHT, TOP + height + BOTTOM
    inches = whole_width / DOTS_PER_INCH, whole_height / DOTS_PER_INCH
    with figure_in_file(path, *inches, layout=None) as figure:
        place = LEFT / whole_width, BOTTOM / whole_height, width / whole_width, height / whole_height
        axes = figure.add_axes(place, xlim=(0, width), ylim=(height, 0))
        axes.imshow(_mosaic(shown, width, height), extent=(0, width, height, 0), interpolation="none")
        axes.spines[:].set_visible(False)
        axes.tick_params(length=2, labelsize=7)
        _tick(axes, rows, len(shown), renderer)
        for n, each in enumerate(shown):
            row, column = divmod(n, COLUMNS)
            x, y = column * (SIZE + GAP), row * (SIZE + CAPTION) + SIZE + 3
            axes.text(x, y, _caption(each), fontsize=7, color=INK, va="top")
        figure.text(LEFT / whole_width, 1 - 14 / whole_height, printable(class_name), fontsize=12, va="center")
        summary = _summary(chunks, len(shown))
        figure.text(LEFT / whole_width, 1 - 32 / whole_height, summary, fontsize=8, va="center")
    return path


def _read(recording: str, chunk: ChunkEntry, image_dir: Path, share: float) -> _Shown | None:
    """A chunk's picture at half its size; None, with a warning, if it cannot be read."""
    path = image_dir / f"{chunk.name}.jpg"
    try:
        picture, _ = pictures.decode(pictures.read(path), path)
    except UnusableInput as error:
        logger.warning("%s (left out of the contact sheet)", error)
        return None
    quarters = in_colors(picture)[: 2 * SIZE, : 2 * SIZE].reshape(SIZE, 2, SIZE, 2, 3)
    return _Shown(recording.rpartition("/")[2], chunk, quarters.mean(axis=(1, 3)).astype(np.uint8), share)


def _mosaic(shown: Sequence[_Shown], width: int, height: int) -> np.ndarray:
    mosaic = np.full((height, width, 3), PAPER, np.uint8)
    for n, each in enumerate(shown):
        row, column = divmod(n, COLUMNS)
        top, left = row * (SIZE + CAPTION), column * (SIZE + GAP)
        # A picture of a shorter chunk repeats until it is full: here it is shown once, on the axis of the others.
        width_shown = min(SIZE, max(1, round(SIZE * each.share)))
        mosaic[top : top + SIZE, left : left + width_shown] = each.picture[:, :width_shown]
    return mosaic


def _tick(axes: Any, rows: int, count: int, renderer: SpectrogramRenderer) -> None:
    """Frequencies at the left of the first column, times under the last row."""
    places, names = row_ticks(renderer)
    tops = [row * (SIZE + CAPTION) for row in range(rows)]
    axes.set_yticks([top + (1 - place) * SIZE for top in tops for place in places], names * rows)
    seconds = renderer.settings.chunk_seconds
    times, words = time_ticks(0, seconds)
    chosen = (0, len(times) // 2)  # the name of the last time would run into the first of the next picture
    lefts = [column * (SIZE + GAP) for column in range(min(count, COLUMNS))]
    axes.set_xticks(
        [left + times[n] / seconds * (SIZE - 1) for left in lefts for n in chosen],
        [words[n] for _ in lefts for n in chosen],
    )


def _caption(shown: _Shown) -> str:
    time = f"{shown.chunk.start_seconds:g} s"
    return f"{shortened(printable(shown.recording), LONGEST_CAPTION - len(time))} {time}"


def _summary(chunks: Sequence[tuple[str, ChunkEntry]], shown: int) -> str:
    recordings = len({recording for recording, _ in chunks})
    seconds = sum(chunk.seconds for _, chunk in chunks)
    duration = f"{seconds / 60:.1f} minutes" if seconds >= 60 else f"{seconds:.1f} seconds"
    some = f"; {shown} shown" if shown < len(chunks) else ""
    return f"recordings: {recordings}, chunks: {len(chunks)} ({duration}){some}; under each: where it starts"
