"""Figures -> where the marks of a chart lie. The template draws them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audionet.evaluation.predictions import CalibrationBin
from audionet.plots.axes import time_ticks
from audionet.report.content import Card, Map
from audionet.report.sentences import percent
from audionet.system.text import columns, shortened
from audionet.training.calibrator import HistoryPoint

WIDTH, HEIGHT = 320, 200  # of the inside of a chart, in its own units
MAP_WIDTH, MAP_MARGIN = 600, 40
MOST_ON_MAP = 600  # marks; more would hide each other
CLASSES_NAMED_ON_MAP = 20  # of more, the names would hide the marks; the legend has them
NAME_HEIGHT, LETTER_WIDTH = 30, 16  # of a class's name on the map, about, on a phone, where it is largest
LONGEST_NAME = 30  # letters that the map has room for, or half as many Japanese ones; the legend has the whole name
MARK_RADIUS = 11  # with the ring around a mistake
NAME_DISTANCES, NAME_DIRECTIONS = range(0, 240, 12), 24  # from the middle of a class, where its name may stand
COLORS = 8  # in the style sheet
SHAPES = ("circle", "square", "triangle", "diamond", "cross")  # as many as have no divisor in common with COLORS
MOST_MARKS = COLORS * len(SHAPES)  # that differ
PARTS = {"train": "learnt from", "validation": "held out"}
LARGEST_DOT = 9.0
MOST_TIMES = 4  # under a chunk, or one more; of those with long names, one less
LONGEST_TIME = 6  # letters


@dataclass(frozen=True)
class Line:
    """A curve: `M x y L x y ...`, what it is of, and where it ends."""

    name: str
    path: str
    last: float


@dataclass(frozen=True)
class LineChart:
    """Curves over training steps. ticks: values, with their heights."""

    title: str
    lines: list[Line]
    ticks: list[tuple[str, float]]
    steps: int


def learning_curves(history: Sequence[HistoryPoint]) -> list[LineChart]:
    """The accuracy and the cross entropy over the training; none if there was no training."""
    if not history:
        return []
    steps = max(point.step for point in history)
    losses = [point.cross_entropy for point in history]
    top = float(f"{max(losses) * 1.1:.1g}") if max(losses) > 0 else 1.0
    top = top if top >= max(losses) else top * 1.5
    ticks = [(f"{top * n / 4:.2g}", HEIGHT * (1 - n / 4)) for n in range(5)]
    shares = [(percent(n / 4), HEIGHT * (1 - n / 4)) for n in range(5)]
    accuracies = _lines(history, [point.accuracy for point in history], steps)
    return [
        LineChart("Share that is right", accuracies, shares, steps),
        LineChart("Cross entropy: how wrong the scores are", _lines(history, losses, steps, top), ticks, steps),
    ]


def _lines(history: Sequence[HistoryPoint], values: list[float], steps: int, top: float = 1.0) -> list[Line]:
    lines = []
    for part, name in PARTS.items():
        points = [(p.step, value) for p, value in zip(history, values, strict=True) if p.part == part]
        places = [f"{step / steps * WIDTH:.1f} {HEIGHT * (1 - value / top):.1f}" for step, value in points]
        if places:
            lines.append(Line(name, "M" + " L".join(places), points[-1][1]))
    return lines


def times_across(start_seconds: float, seconds: float) -> list[tuple[str, float]]:
    """Round times in a recording, and where they lie in a chunk of it, 0 to 1."""
    times, names = time_ticks(start_seconds, start_seconds + seconds, MOST_TIMES)
    if any(len(name) > LONGEST_TIME for name in names):
        times, names = time_ticks(start_seconds, start_seconds + seconds, MOST_TIMES - 1)
    return [(name, (time - start_seconds) / seconds) for time, name in zip(times, names, strict=True)]


@dataclass(frozen=True)
class ClipStrip:
    """When each class is heard in a clip, which is so many seconds long. rows: by class, the cards in order of time."""

    name: str
    seconds: float
    rows: Mapping[str, Sequence[Card]]


def strips(cards: Iterable[Card], lengths: Mapping[str, float]) -> list[ClipStrip]:
    """The strips of the clips that cards are of, in order; what is unknown comes last in each."""
    rows: dict[str, dict[str, list[Card]]] = {name: {} for name in lengths}
    for card in sorted(cards, key=lambda card: (card.is_unknown, card.start_seconds)):
        if card.name in rows:
            rows[card.name].setdefault(card.label, []).append(card)
    return [ClipStrip(name, lengths[name], by_class) for name, by_class in rows.items() if by_class]


@dataclass(frozen=True)
class Dot:
    """A bin of the calibration chart; the more predictions are in it, the larger its radius."""

    x: float
    y: float
    radius: float
    bin: CalibrationBin


def calibration_dots(bins: Sequence[CalibrationBin]) -> list[Dot]:
    """A dot for each bin: to the right its mean score, upwards its share of right predictions."""
    most = max(each.count for each in bins)
    return [
        Dot(b.score * HEIGHT, (1 - b.right) * HEIGHT, max(3.0, LARGEST_DOT * (b.count / most) ** 0.5), b) for b in bins
    ]


def evenly_chosen(count: int) -> NDArray[np.intp]:
    """The positions of those of so many chunks or clips that a map has room for: all, or some at even distances."""
    return np.unique(np.linspace(0, count - 1, min(count, MOST_ON_MAP)).round().astype(np.intp))


def caption(said: str, shown: int, count: int, noun: str) -> str:
    """What is said of a map, and how many of the chunks or clips it shows, if not all."""
    return said if shown == count else f"Of the {count:,} {noun}s, {shown:,} are shown. {said}"


@dataclass(frozen=True)
class LegendEntry:
    """A class with the color and the shape of its marks."""

    name: str
    color: int
    shape: str


@dataclass(frozen=True)
class Mark:
    """A point of the map. tested: its position in the tested predictions; -1 if it was not tested."""

    x: float
    y: float
    of_class: LegendEntry
    name: str
    tested: int


@dataclass(frozen=True)
class NameOnMap:
    """A class's name on the map: near the middle of its points, where it hides none of them."""

    x: float
    y: float
    name: str


@dataclass(frozen=True)
class MapChart:
    """What is drawn of a map, which is MAP_WIDTH wide. names: of the classes; none if there are too many of them."""

    marks: list[Mark]
    legend: list[LegendEntry]
    names: list[NameOnMap]
    height: int


def map_chart(drawn: Map, labels: list[str]) -> MapChart:
    """Where the points lie on the map, and the names of their classes."""
    low, high = drawn.points.min(axis=0), drawn.points.max(axis=0)
    width, height = np.maximum(high - low, 1e-9)
    scale = (MAP_WIDTH - 2 * MAP_MARGIN) / max(width, height)
    map_height = max(MAP_WIDTH // 3, round(height * scale) + 2 * MAP_MARGIN)
    places = (drawn.points - (low + high) / 2) * scale * (1, -1) + (MAP_WIDTH / 2, map_height / 2)
    legend = {
        number: LegendEntry(labels[number], number % COLORS, SHAPES[number % len(SHAPES)])
        for number in np.unique(drawn.targets).tolist()
    }
    marks = [
        Mark(x, y, legend[target], name, position)
        for (x, y), target, name, position in zip(
            places.round(1).tolist(), drawn.targets.tolist(), drawn.names, drawn.tested, strict=True
        )
    ]
    names: list[NameOnMap] = []
    if len(legend) <= CLASSES_NAMED_ON_MAP:
        for number, entry in legend.items():
            name = shortened(entry.name, LONGEST_NAME * len(entry.name) // max(1, columns(entry.name)))
            x, y = _free_place(name, places[drawn.targets == number], places, names, map_height)
            names.append(NameOnMap(x, y, name))
    return MapChart(marks, list(legend.values()), names, map_height)


def _free_place(
    name: str, own: np.ndarray, points: np.ndarray, named: Sequence[NameOnMap], map_height: int
) -> tuple[float, float]:
    """The middle of a name: where it hides fewest other names and marks, and of such places the nearest to its own."""
    half = _half_of_name(name)
    angles = 2 * np.pi * (np.arange(NAME_DIRECTIONS) / NAME_DIRECTIONS - 0.25)  # upwards first
    ways = np.column_stack([np.cos(angles), np.sin(angles)])
    wanted = np.median(own, axis=0) + np.concatenate([ways * distance for distance in NAME_DISTANCES])
    candidates = np.clip(wanted, half, np.maximum((MAP_WIDTH, map_height) - half, half))
    hidden = (np.abs(candidates[:, None] - points) < half + MARK_RADIUS).all(axis=2).sum(axis=1)
    for other in named:
        # Hiding a name is worse than hiding any number of marks.
        is_near = np.abs(candidates - (other.x, other.y)) < half + _half_of_name(other.name)
        hidden += is_near.all(axis=1) * (len(points) + 1)
    distances = np.linalg.norm(candidates[:, None] - own, axis=2).min(axis=1)
    x, y = candidates[np.lexsort((distances, hidden))[0]].round(1).tolist()
    return x, y


def _half_of_name(name: str) -> np.ndarray:
    """Half of the width and half of the height of a class's name on the map."""
    return np.array([min(columns(name) * LETTER_WIDTH, MAP_WIDTH) / 2, NAME_HEIGHT / 2])


def flat(features: np.ndarray) -> np.ndarray:
    """The two directions in which rows of features differ most (principal components): rows x 2.

    The signs are such that the row farthest out lies to the right, and above.
    """
    centred = features - features.mean(axis=0)
    # The eigenvectors of the rows' products give them; there are usually fewer rows than features.
    values, vectors = np.linalg.eigh(centred @ centred.T)
    best = np.argsort(-values, kind="stable")[:2]
    points = vectors[:, best] * np.sqrt(np.maximum(values[best], 0))
    if points.shape[1] < 2:
        points = np.pad(points, ((0, 0), (0, 2 - points.shape[1])))
    firsts = points[np.abs(points).argmax(axis=0), [0, 1]]
    return np.asarray(points * np.where(firsts < 0, -1, 1))
