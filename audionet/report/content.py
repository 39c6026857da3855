"""What a report shows, before it is drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from audionet.dataset.checks import ClassData
from audionet.dataset.names import UNKNOWN
from audionet.evaluation.detection import Detection
from audionet.evaluation.predictions import Predictions
from audionet.system.text import is_printable
from audionet.training.calibrator import HistoryPoint

Ticks = Sequence[tuple[str, float]]  # names of frequencies, with their heights in a picture, 0 to 1


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
    """The start of a chunk, to look at and to listen to.

    seconds: how much of it, as much as a picture holds.
    width: how much of the picture is sound, over 0 to 1; the rest are repeats.
    jpg: its picture. mp3: its sound; None if it was not kept.
    slowed_down: how many times, to be heard.
    """

    seconds: float
    width: float
    ticks: Ticks
    jpg: bytes
    mp3: bytes | None
    slowed_down: int = 1


@dataclass(frozen=True)
class Card:
    """A chunk, a clip or a whole recording to look at, to listen to, and to correct.

    number: of what it shows, in what was tested. positions: all that it stands for.
    path: of the recording, as a table of corrections names it; "" if it can't be corrected.
    is_whole: it is the whole recording that is corrected, not the seconds from start to end.
    own: the class of its folder; None if nobody has said. own_score: what that was given.
    scores: of all classes, the highest first; of what was found in the whole, that of its class alone.
    note: what to think of, a sentence.
    """

    number: int
    positions: tuple[int, ...]
    name: str
    path: str
    start_seconds: float
    end_seconds: float
    is_whole: bool
    own: str | None
    own_score: float
    scores: Sequence[tuple[str, float]]
    is_unknown: bool = False
    note: str = ""
    excerpt: Excerpt | None = None

    @property
    def can_be_corrected(self) -> bool:
        """Whether a table could hold its path."""
        return bool(self.path) and is_printable(self.path)

    @property
    def heard(self) -> str:
        """The class with the highest score, or, of what nobody has named, the one that it was taken for."""
        return self.scores[0][0]

    @property
    def label(self) -> str:
        """What is heard, or UNKNOWN."""
        return UNKNOWN if self.is_unknown else self.heard


@dataclass(frozen=True)
class Report:
    """What a report shows.

    noun: what was tested, `chunk` or `clip`. recordings: how many recordings that is from. groups: of recordings that
        belong together, if that is known. folds: parts that were held out in turn; 0 if it was one alone.
    verdict: the whole in a sentence, where it does not follow from what was tested.
    tested: None if nothing was held out. detection: what was found in annotated recordings as a whole.
    classes: what was learnt from, or of clips, what was tested.
    warnings: of the data. remarks: what else is to be known of the figures.
    lengths: of the clips in which it is shown what is heard when, in seconds.
    card: terms and their values. key: what it was made of, so that it is not made again.
    """

    title: str
    noun: str
    labels: list[str]
    recordings: int
    cards: Sequence[Card]
    card: Mapping[str, str]
    made: str
    groups: int | None = None
    folds: int = 0
    tested: Predictions | None = None
    classes: Sequence[ClassData] = ()
    warnings: Sequence[str] = ()
    history: Sequence[HistoryPoint] = ()
    map: Map | None = None
    key: str = ""
    remarks: Sequence[str] = ()
    lengths: Mapping[str, float] = field(default_factory=dict)
    detection: Detection | None = None
    verdict: str = "How good it is, is not known: no recording was held out to test on."
