"""A clip as a figure: its spectrogram, with axes, and under it the classes that it was labelled with."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from audionet.audio.decoding import decode
from audionet.dataset.names import UNKNOWN
from audionet.inference.clips import ClipScores
from audionet.inference.windows import Timeline
from audionet.model.bundle import Model
from audionet.plots.axes import row_ticks, time_ticks
from audionet.plots.figure import ACCENT, COLORMAP, FAINT, INK, check_figure_path, figure_in_file
from audionet.settings import SoundChoice
from audionet.spectrogram import jpeg as pictures
from audionet.spectrogram.jpeg import ANY_SUFFIXES
from audionet.spectrogram.transform import SpectrogramRenderer, in_colors, power_spectrum, to_grey
from audionet.system.text import printable, shortened

COLUMN_SAMPLES = 160  # 10 ms at 16 kHz, in a clip of up to 24 seconds; more in longer ones
MOST_COLUMNS = 2400  # that a figure can show
PIECE_SAMPLES = 1024 * COLUMN_SAMPLES  # of sound, drawn at once
LONGEST_NAME, LONGEST_LABEL = 100, 30
NARROWEST_SCORE = 0.035  # of the width: a bar that has room for its score
WIDTH, SPECTROGRAM_HEIGHT, CLASS_HEIGHT = 10.0, 3.6, 0.24  # inches


class Spectrogram:
    """The spectrogram of a recording of any length, in memory that does not grow with it.

    Whenever there are too many columns, each two become one.
    """

    def __init__(self, renderer: SpectrogramRenderer) -> None:
        self._renderer = renderer
        self._columns: list[np.ndarray] = []
        self._column_samples = COLUMN_SAMPLES
        self._samples = 0

    @property
    def seconds(self) -> float:
        """The length of the sound that has been added."""
        return self._samples / self._renderer.settings.sample_rate_hz

    def add_all(self, blocks: Iterable[np.ndarray]) -> None:
        """Add a recording in blocks of samples."""
        waiting = np.empty(0, np.float32)
        for block in blocks:
            waiting = np.concatenate([waiting, block])
            while len(waiting) >= (size := max(PIECE_SAMPLES, self._column_samples)):
                self._add(waiting[:size])
                waiting = waiting[size:]
        if len(waiting) > self._renderer.settings.window_samples // 2 or (len(waiting) > 1 and not self._samples):
            self._add(waiting)

    def grey(self) -> np.ndarray:
        """Brightness: uint8, rows from the highest frequency x columns."""
        power = np.concatenate(self._columns).T
        return to_grey(power, self._renderer.settings.dynamic_range_db)[::-1]

    def _add(self, samples: np.ndarray) -> None:
        count = max(1, round(len(samples) / self._column_samples))
        power = power_spectrum(samples, count, self._renderer.settings)
        self._columns.append(power @ self._renderer.filter_bank.T)
        self._samples += len(samples)
        while sum(map(len, self._columns)) > MOST_COLUMNS:
            whole = np.concatenate(self._columns)
            pairs = whole[: len(whole) // 2 * 2].reshape(-1, 2, whole.shape[1]).mean(axis=1)
            self._columns = [pairs, whole[len(pairs) * 2 :]]
            self._column_samples *= 2


class Plotter:
    """Draws clips into the file `target`, or, where that names no file but a folder, into a PNG for each clip.

    top: how many of the best classes are shown. choice: the track and channel that are heard.
    folders: those that the clips come from; what lies in a folder of one of them is drawn into a folder of that name.
    """

    def __init__(self, target: Path, model: Model, top: int, folders: Sequence[Path], choice: SoundChoice) -> None:
        self._target, self._model, self._top = target, model, top
        self._folders, self._choice = folders, choice
        self._paths: dict[str, Path] = {}  # of the clips, by the names of their figures, in which case does not count

    def draw(self, path: Path, clip: ClipScores | Timeline) -> None:
        """Draw a clip, which lies in `path`, with its best classes or its timeline.

        Raises UnusableInput if the clip can no longer be read, AudionetError if the figure cannot be written.
        """
        if isinstance(clip, Timeline):
            shown, verdict = list(dict.fromkeys(segment.label for segment in clip.segments)), ""
        else:
            shown = [label for label, _ in clip.best_first()[: self._top]]
            verdict = f": {clip.label}" + (f" (most like {clip.best})" if clip.is_unknown else "")
        below = max(3, len(shown)) * CLASS_HEIGHT + 0.3
        target = self._target if is_file_name(self._target) else self._target / self._free_name(path)
        with figure_in_file(target, WIDTH, SPECTROGRAM_HEIGHT + below + 0.6) as figure:
            sound, classes = figure.subplots(2, 1, height_ratios=(SPECTROGRAM_HEIGHT, below))
            seconds = _draw_sound(sound, path, self._model, self._choice)
            sound.set_title(shortened(printable(clip.clip), LONGEST_NAME) + verdict, loc="left")
            if isinstance(clip, Timeline):
                _draw_timeline(classes, clip, shown, seconds)
            else:
                _draw_scores(classes, clip, shown)

    def _free_name(self, path: Path) -> str:
        """The name of a clip's figure, which no other clip has; one that is drawn again keeps its own."""
        folder = next((folder for folder in self._folders if path.is_relative_to(folder)), path.parent)
        stem = path.relative_to(folder).with_suffix("").as_posix()
        name, number = stem, 1
        while self._paths.setdefault(name.casefold(), path) != path:
            number += 1
            name = f"{stem}-{number}"
        return f"{name}.png"


def _draw_sound(axes: Any, path: Path, model: Model, choice: SoundChoice) -> float:
    """Draw the spectrogram of a recording, or a picture as it is, and return how many seconds it shows."""
    if path.suffix.lower() in ANY_SUFFIXES:
        return _draw_picture(axes, path, model)
    spectrogram = Spectrogram(model.renderer)
    spectrogram.add_all(decode(path, choice.untold(), model.renderer.settings.sample_rate_hz))
    extent = (0, spectrogram.seconds, 0, 1)
    image = axes.imshow(spectrogram.grey(), cmap=COLORMAP, vmin=0, vmax=255, aspect="auto", extent=extent)
    _label_axes(axes, model.renderer, 0, spectrogram.seconds)
    decibels = model.renderer.settings.dynamic_range_db
    # The name stands inside the margin of the axes, so that the chart below is as wide.
    bar = axes.figure.colorbar(image, cax=axes.inset_axes((1.01, 0, 0.012, 1)), ticks=np.linspace(0, 255, 5))
    bar.ax.set_yticklabels([f"{share * decibels - decibels:.0f} dB" for share in np.linspace(0, 1, 5)])
    bar.ax.set_ylabel("below the loudest")
    return spectrogram.seconds


def _draw_picture(axes: Any, path: Path, model: Model) -> float:
    """Draw a picture that `prepare` made, or any for a model of any pictures, and return how many seconds it shows."""
    data = pictures.read(path)
    if model.any_picture:
        axes.imshow(pictures.decode_any(data, path))
        axes.set_axis_off()
        return 0.0
    picture, origin = pictures.decode(data, path)
    # A shorter chunk's picture repeats until it is full: of that, the sound is shown once.
    picture = picture[:, : model.renderer.columns(origin.seconds)]
    end = origin.start_seconds + origin.seconds
    axes.imshow(in_colors(picture), aspect="auto", extent=(origin.start_seconds, end, 0, 1))
    _label_axes(axes, model.renderer, origin.start_seconds, end)
    return origin.seconds


def _label_axes(axes: Any, renderer: SpectrogramRenderer, start_seconds: float, end_seconds: float) -> None:
    axes.set_xticks(*time_ticks(start_seconds, end_seconds))
    axes.set_yticks(*row_ticks(renderer))
    axes.set_xlabel("time")
    axes.set_ylabel({"mel": "frequency (mel scale)", "chromagram": "pitch class"}.get(
        renderer.settings.representation, "frequency"
    ))  # fmt: skip


def _draw_scores(axes: Any, clip: ClipScores, shown: list[str]) -> None:
    """Draw a bar for each class, the best on top."""
    colors = [ACCENT if label == clip.label else FAINT for label in shown]
    scores = [clip.scores[label] for label in shown]
    bars = axes.barh(range(len(shown)), scores, color=colors)
    axes.bar_label(bars, [f"{score:.3f}" for score in scores], padding=3)
    _name_rows(axes, shown)
    axes.set_xlim(0, 1.1)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    axes.set_xlabel("score")


def _draw_timeline(axes: Any, clip: Timeline, shown: list[str], seconds: float) -> None:
    """Draw a line for each class, with the times at which it is heard."""
    for segment in clip.segments:
        color = INK if segment.label == UNKNOWN else ACCENT
        start, length, row = segment.start_seconds, segment.part.seconds, shown.index(segment.label)
        axes.broken_barh([(start, length)], (row - 0.4, 0.8), facecolor=color)
        if length >= NARROWEST_SCORE * seconds:
            text = {"ha": "center", "va": "center", "color": "white", "fontsize": 7}
            axes.text(start + length / 2, row, f"{segment.score:.2f}", **text)
    _name_rows(axes, shown)
    axes.set_xlim(0, seconds)
    axes.set_xticks(*time_ticks(0, seconds))
    axes.grid(axis="y", color=FAINT, linewidth=0.5)
    axes.set_axisbelow(True)


def _name_rows(axes: Any, labels: list[str]) -> None:
    names = [shortened(printable(label), LONGEST_LABEL) for label in labels]
    axes.set_yticks(range(len(labels)), names)
    axes.set_ylim(max(3, len(labels)) - 0.5, -0.5)
    axes.spines[["top", "right"]].set_visible(False)


def is_file_name(target: Path) -> bool:
    """Whether --plot names one file, not a folder. Raises AudionetError if it names one that can be no figure."""
    if target.is_dir() or not target.suffix:
        return False
    check_figure_path(target)
    return True
