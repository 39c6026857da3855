"""label --microphone: what a microphone hears -> the class of each window."""

import logging
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from audionet.audio.chunks import cut
from audionet.audio.microphone import Device, listen
from audionet.errors import AudionetError
from audionet.inference.clips import ClipScores, mean_scores
from audionet.inference.scoring import score_chunk, seconds_at_once
from audionet.model.bundle import Model
from audionet.settings import PictureSettings

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 3.0  # or a chunk, if that is shorter: enough to know a voice by, and soon enough for who waits


@dataclass(frozen=True)
class WindowPrediction:
    """The scores of one window, and when it was heard: at which time of day it began, and in seconds from the start.

    has_signal: there was any sound at all; a microphone that is switched off gives none.
    """

    time: datetime
    start_seconds: float
    end_seconds: float
    scores: ClipScores
    has_signal: bool


def label_heard(blocks: Iterable[np.ndarray], model: Model, allow_unknown: bool = True) -> Iterator[WindowPrediction]:
    """The class of each window of a stream of samples, mono, at the rate of the model, as soon as it is heard."""
    place, started = Path("microphone"), datetime.now().astimezone()
    seconds = seconds_at_once(WINDOW_SECONDS, model)
    windows = PictureSettings(seconds, 0, sample_rate_hz=model.settings.sample_rate_hz)
    for chunk in cut(blocks, windows):
        scored = score_chunk(chunk, place, model)
        scores = mean_scores(str(place), [scored], model, allow_unknown)
        time = started + timedelta(seconds=scored.start_seconds)
        yield WindowPrediction(time, scored.start_seconds, scored.end_seconds, scores, scored.has_signal)


def label_microphone(devices: Iterable[Device], model: Model, allow_unknown: bool) -> Iterator[WindowPrediction]:
    """The class of each window, as the first device that works hears them.

    Raises AudionetError when none does, or one is lost.
    """
    failed: list[AudionetError] = []
    for device in devices:
        heard = False
        with closing(_announced(device, model)) as blocks:
            try:
                for window in label_heard(blocks, model, allow_unknown):
                    heard = True
                    yield window
                return
            except AudionetError as error:
                if heard:
                    raise
                failed.append(error)
    raise failed[0]


def _announced(device: Device, model: Model) -> Generator[np.ndarray, None, None]:
    """What a device hears; a message says that it does, once it does."""
    with closing(listen(device, model.settings.sample_rate_hz)) as blocks:
        for number, block in enumerate(blocks):
            if number == 0:
                seconds = seconds_at_once(WINDOW_SECONDS, model)
                logger.info(
                    "listening to %s %s, a line every %g seconds; Ctrl-C ends it", device.kind, device.name, seconds
                )
            yield block
