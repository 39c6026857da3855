"""Figures -> where the marks of a chart lie. The template draws them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from audionet.evaluation.predictions import CalibrationBin
from audionet.plots.axes import time_ticks
from audionet.report.content import Map
from audionet.report.sentences import percent
from audionet.training.calibrator import HistoryPoint

WIDTH, HEIGHT = 320, 200  # of the inside of a chart, in its own units
MAP_WIDTH, MAP_MARGIN = 600, 40
NAME_WIDTH, NAME_HEIGHT, LETTER_WIDTH = 90, 21, 14  # of a class's name on the map, about; on phones it is larger
COLORS = 8  # in the style sheet
SHAPES = ("circle", "square", "triangle", "diamond", "cross")
PARTS = {"train": "learnt from", "validation": "held out"}
LARGEST_DOT = 9.0
MOST_TIMES = 4  # under a chunk, or one more


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
    return [(name, (time - start_seconds) / seconds) for time, name in zip(times, names, strict=True)]


@dataclass(frozen=True)
class Dot:
    """A bin of the calibration chart; radius grows with what is in it."""

    x: float
    y: float
    radius: float
    bin: CalibrationBin


def calibration_dots(bins: Sequence[CalibrationBin]) -> list[Dot]:
    """Each bin's score to the right, what was right upwards."""
    most = max(each.count for each in bins)
    return [
        Dot(b.score * HEIGHT, (1 - b.right) * HEIGHT, max(3.0, LARGEST_DOT * (b.count / most) ** 0.5), b) for b in bins
    ]


@dataclass(frozen=True)
class Mark:
    """A point of the map. tested: its position in what was tested; -1 if it was not."""

    x: float
    y: float
    color: int
    shape: str
    name: str
    class_name: str
    tested: int


@dataclass(frozen=True)
class Place:
    """A class's name on the map: a little above the middle of its points."""

    x: float
    y: float
    name: str
    color: int
    shape: str


def map_marks(drawn: Map, labels: list[str]) -> tuple[list[Mark], list[Place], int]:
    """The points, and where the classes lie; the map is MAP_WIDTH wide, and as high as it is said last."""
    low, high = drawn.points.min(axis=0), drawn.points.max(axis=0)
    width, height = np.maximum(high - low, 1e-9)
    scale = (MAP_WIDTH - 2 * MAP_MARGIN) / max(width, height)
    map_height = max(MAP_WIDTH // 3, round(height * scale) + 2 * MAP_MARGIN)
    places = (drawn.points - (low + high) / 2) * scale * (1, -1) + (MAP_WIDTH / 2, map_height / 2)
    marks = [
        Mark(
            float(x), float(y), target % COLORS, SHAPES[target // COLORS % len(SHAPES)], name, labels[target], position
        )
        for (x, y), target, name, position in zip(
            places.round(1), drawn.targets.tolist(), drawn.names, drawn.tested, strict=True
        )
    ]
    named: list[Place] = []
    middles = {n: np.median(places[drawn.targets == n], axis=0) for n in np.unique(drawn.targets).tolist()}
    for number, (x, y) in sorted(middles.items(), key=lambda item: -float(item[1][1])):
        half = min(len(labels[number]) * LETTER_WIDTH / 2, MAP_WIDTH / 2)
        x, y = round(float(np.clip(x, half, MAP_WIDTH - half)), 1), round(float(y) - NAME_HEIGHT, 1)
        for other in named:  # names must not hide each other
            if abs(other.x - x) < NAME_WIDTH and abs(other.y - y) < NAME_HEIGHT:
                y = other.y - NAME_HEIGHT
        y = max(y, NAME_HEIGHT / 2)
        named.append(Place(x, y, labels[number], number % COLORS, SHAPES[number // COLORS % len(SHAPES)]))
    return marks, sorted(named, key=lambda place: labels.index(place.name)), map_height


def flat(features: np.ndarray) -> np.ndarray:
    """The two directions in which rows of features differ most (principal components): rows x 2.

    The signs are such that the row farthest out lies to the right, and above.
    """
    centred = features - features.mean(axis=0)
    # Through the rows' products: there are usually fewer rows than features.
    values, vectors = np.linalg.eigh(centred @ centred.T)
    best = np.argsort(-values, kind="stable")[:2]
    points = vectors[:, best] * np.sqrt(np.maximum(values[best], 0))
    if points.shape[1] < 2:
        points = np.pad(points, ((0, 0), (0, 2 - points.shape[1])))
    firsts = points[np.abs(points).argmax(axis=0), [0, 1]]
    return np.asarray(points * np.where(firsts < 0, -1, 1))
