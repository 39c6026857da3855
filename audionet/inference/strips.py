"""Many windows of a recording -> their scores, with the embedded network run once over the sound that they share."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audionet.audio.chunks import Strip, StripSettings
from audionet.audio.levels import decibels
from audionet.bottleneck.backbone import Network
from audionet.bottleneck.maps import MARGIN_COLUMNS, TILE_COLUMNS, PictureMaps, Window
from audionet.detection.pauses import SHORTEST_SECONDS, find_pauses, loudest_moments, reach_seconds, without_pauses
from audionet.detection.rises import NO_RISE, find_rises
from audionet.inference.scoring import WindowScores
from audionet.model.bundle import Model
from audionet.model.litert import ClassifierHead
from audionet.settings import PICTURE_SIZE
from audionet.spectrogram.out_of_range import lies_below
from audionet.spectrogram.steady_noise import reduce_steady_noise
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.training.unknown import comparable_distance

TILES = 4  # of a strip: runs of the network
BATCH = 8  # windows whose features, 1.2 MB, are held at once; with 32, they take twice as long
# A window's distance from the training is that of so much sound around it, or of a chunk if that is shorter: strangers
# differ more clearly from the classes in it (docs/experiments.md).
DISTANCE_SECONDS = 3.0


@dataclass(frozen=True)
class StripScorer:
    """Scores windows with the maps of the embedded network, and what was learnt.

    window_seconds: how much is scored at once. of_events: by each class against the rest.
    leaves_out_pauses: what lies far below the sound around counts as silence.
    """

    network: Network
    head: ClassifierHead
    renderer: SpectrogramRenderer
    window_seconds: float
    of_events: bool = False
    leaves_out_pauses: bool = True

    @classmethod
    def of(cls, model: Model, window_seconds: float, of_events: bool = False) -> "StripScorer | None":
        """The scorer of a model; None for one that does not stand on the embedded network.

        of_events: its scores are those of events, each class against the rest, which the model has learnt.
        """
        if model.embedded is None:
            return None
        # Where there is a background, it is what lies between the calls: there are no pauses.
        return cls(*model.embedded, model.renderer, window_seconds, of_events, model.detection is None)

    @property
    def _around_seconds(self) -> float:
        """The sound before a window, and that behind it, which its distance is of too."""
        longest = min(DISTANCE_SECONDS, self.renderer.settings.chunk_seconds)
        return max(0.0, (longest - self.window_seconds) / 2)

    def strip_settings(self, step: int) -> StripSettings:
        """How recordings are to be cut, with a window every `step` samples."""
        rate_hz, column = self.renderer.settings.sample_rate_hz, self.renderer.settings.chunk_samples / PICTURE_SIZE
        window, around = round(self.window_seconds * rate_hz), self._around_seconds * rate_hz
        windows = max(1, int((TILES * TILE_COLUMNS * column - window - 2 * around) // step))
        # The brightness of a column depends on those within a window's length, a pause on what is heard around it.
        longest_pause = (reach_seconds(column / rate_hz) + SHORTEST_SECONDS) * rate_hz if self.leaves_out_pauses else 0
        depends = max(window, longest_pause)
        margin = math.ceil(around + depends + (MARGIN_COLUMNS + 1) * column)
        return StripSettings(window, step, windows, margin, rate_hz)

    def score(self, strip: Strip) -> WindowScores:
        """The scores of the windows of a strip, in order."""
        rate_hz = self.renderer.settings.sample_rate_hz
        power = self.renderer.strip_power(strip.samples)
        columns_a_sample = power.shape[1] / len(strip.samples)
        loudness = power.sum(axis=0)
        column_seconds = 1 / columns_a_sample / rate_hz
        in_pause, noise_db, heard_power = np.zeros(len(loudness), bool), np.full(len(loudness), -np.inf), power
        if self.leaves_out_pauses:
            in_pause = find_pauses(loudness, column_seconds)
            heard_power, noise_db = reduce_steady_noise(without_pauses(power, in_pause), column_seconds)
        picture = self.renderer.draw_strip(heard_power, self.window_seconds)
        starts = np.array(strip.windows) - strip.start
        ends = np.minimum(starts + strip.window_samples, len(strip.samples))
        around = self._around_seconds * rate_hz
        wide_starts, wide_ends = np.maximum(starts - around, 0), np.minimum(ends + around, len(strip.samples))
        windows = [Window(*pair) for pair in columns_a_sample * np.stack([starts, ends], axis=1)]
        wide = [Window(*pair) for pair in columns_a_sample * np.stack([wide_starts, wide_ends], axis=1)]
        maps = PictureMaps.of(self.network, picture, [*windows, *wide], in_pause)
        distances_of = self.head.squared_distances  # that of a window is of the wider one around it
        heard = (
            (self._scores(own.bottlenecks), distances_of(wider.bottlenecks), own.sounding, wider.sounding)
            for own, wider in zip(maps.features(windows, BATCH), maps.features(wide, BATCH), strict=True)
        )
        scores, squares, sounding, wide_sounding = map(np.concatenate, zip(*heard, strict=True))
        rises, later = [NO_RISE] * len(windows), strip.start / rate_hz
        if self.of_events:
            rises = find_rises(power, windows, column_seconds)
        bounds = zip(starts, ends, strict=True)
        is_below = np.array([lies_below(strip.samples[a:b], self.renderer.settings) for a, b in bounds])
        seconds = (ends - starts) / rate_hz
        sounding_seconds = wide_sounding * (wide_ends - wide_starts) / rate_hz
        return WindowScores(
            start_seconds=np.array(strip.windows) / rate_hz,
            seconds=seconds,
            scores=scores,
            distance=comparable_distance(squares, sounding_seconds, self.renderer.settings.chunk_seconds),
            sounding_seconds=seconds * sounding,
            has_signal=(sounding > 0) & ~is_below,
            level_db=decibels(loudest_moments(loudness, windows)).astype(np.float64),
            is_below=is_below,
            noise_db=noise_db[[int((first + last) / 2) for first, last in windows]].astype(np.float64),
            rise=np.add(rises, (0, later, later)),
        )

    def _scores(self, bottlenecks: NDArray[np.float32]) -> NDArray[np.float32]:
        """Windows x classes, 0 to 1; but for those of events, each row is 1 in all."""
        if self.of_events:
            assert self.head.event_weights is not None
            return np.asarray(np.clip(bottlenecks @ self.head.event_weights + self.head.event_biases, 0, 1))
        logits = bottlenecks @ self.head.weights + self.head.biases
        scores = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(scores / scores.sum(axis=1, keepdims=True))
