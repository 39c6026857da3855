"""What a report shows, before it is drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from audionet.dataset.checks import ClassData
from audionet.evaluation.predictions import Predictions
from audionet.training.calibrator import HistoryPoint


@dataclass(frozen=True)
class Map:
    """A flat map of chunks or clips: those that look alike to the network lie close together.

    points: float, one row (x, y) each. targets: the numbers of their classes. names: what each is called.
    tested: for each, its position in what was tested; -1 if it was not. caption: what near and far mean.
    """

    points: np.ndarray
    targets: np.ndarray
    names: Sequence[str]
    tested: Sequence[int]
    caption: str


@dataclass(frozen=True)
class Excerpt:
    """A chunk to look at and to listen to.

    position: in what was tested. start_seconds, seconds: the chunk's place in its recording.
    width: how much of the picture is sound, over 0 to 1; the rest are repeats.
    ticks: names of frequencies, with their heights in the picture, 0 to 1.
    jpg: its picture. mp3: its sound; None if it was not kept.
    slowed_down: how many times, to be heard.
    """

    position: int
    start_seconds: float
    seconds: float
    width: float
    ticks: Sequence[tuple[str, float]]
    jpg: bytes
    mp3: bytes | None
    slowed_down: int = 1


@dataclass(frozen=True)
class Report:
    """What a report shows.

    noun: what was tested, `chunk` or `clip`. recordings: how many recordings that is from.
    tested: None if nothing was held out. classes: what was learnt from, or of clips, what was tested.
    warnings: of the data. remarks: what else is to be known of the figures.
    card: terms and their values. key: what it was made of, so that it is not made again.
    """

    title: str
    noun: str
    labels: list[str]
    tested: Predictions | None
    recordings: int
    classes: Sequence[ClassData]
    warnings: Sequence[str]
    history: Sequence[HistoryPoint]
    map: Map | None
    excerpts: Sequence[Excerpt]
    card: Mapping[str, str]
    made: str
    key: str = ""
    remarks: Sequence[str] = ()
