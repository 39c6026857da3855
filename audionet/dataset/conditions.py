"""Differences between the recordings of two classes that are not their sound, and that the model may learn instead."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from audionet.audio.levels import RUMBLE_HZ, Conditions
from audionet.dataset.samples import Sample
from audionet.settings import HIGH_PASS_HZ, LOWEST_SAMPLE_RATE_HZ, PictureSettings
from audionet.spectrogram.out_of_range import where_it_lies
from audionet.system.grouping import grouped
from audionet.system.text import count, listed

FEWEST_COMPARED = 3  # recordings of a class, to say what they have in common
MOST_IN_COMMON = 0.1  # of a class's recordings may lie on the other class's side
NOTICEABLE_OFFSET = 0.005  # of full scale
RUMBLE_DB = -32.0  # of the whole: from here on it is strong
CLEAR_DB = 15.0  # between two classes, of rumble and of the noise in pauses
LOUDNESS_DB = 25.0  # between two classes; the pictures do not show it, but what is so faint was recorded otherwise
PAUSES_DB = -20.0  # of the whole: what is not so much fainter is no pause, but sound that goes on
NARROWER = 0.85  # of the other class's highest frequency


class _Difference(NamedTuple):
    """Two classes whose recordings nearly all differ: the one with the lowest values and the one with the highest.

    least, most: the medians of their values. amount: by how much these differ.
    """

    low: str
    least: float
    high: str
    most: float

    @property
    def amount(self) -> float:
        return self.most - self.least


def out_of_range(needed: Mapping[str, int | None], settings: PictureSettings) -> list[str]:
    """Sentences about recordings whose sound lies above or below the frequencies that are drawn.

    needed: for each recording the sample rate that would show it, see spectrogram/out_of_range.py.
    """
    rates_hz = {name: rate_hz for name, rate_hz in needed.items() if rate_hz is not None}
    above = {name: rate_hz for name, rate_hz in rates_hz.items() if rate_hz > 2 * settings.highest_hz}
    sentences = []
    for names in (above, rates_hz.keys() - above.keys()):
        if names:
            place, options = where_it_lies(max(rates_hz[name] for name in names), settings)
            # One such recording among many may be a pause that was marked, or a microphone that was off.
            condition = "if it is what is to be told apart, " if 10 * len(names) < len(needed) else ""
            sentences.append(
                f"the sound of {count(len(names), 'recording')} lies {place.replace(' the', '')}, where nothing is "
                f"drawn: {condition}add {options} --force to audionet prepare ({listed(sorted(names))})"
            )
    return sentences


def unlike_conditions(samples: Sequence[Sample], settings: PictureSettings) -> list[str]:
    """Sentences about such differences, each with a remedy; none if there are none. settings: of the pictures."""
    recordings = {(s.class_name, s.recording): s.conditions for s in samples if s.conditions is not None}
    by_class = grouped((class_name, measured) for (class_name, _), measured in sorted(recordings.items()))
    classes = {name: measured for name, measured in by_class.items() if len(measured) >= FEWEST_COMPARED}
    if len(classes) < 2:
        return []
    return [*_offset(classes), *_rumble(classes, settings), *_cut_off(classes), *_floor(classes), *_loudness(classes)]


def _difference(
    classes: Mapping[str, Sequence[Conditions]], value: Callable[[Conditions], float], least: float = 0.0
) -> _Difference | None:
    """The two classes that lie farthest apart in a value, if hardly a recording of one is like those of the other, and
    their usual values differ by `least`."""
    values = {name: [value(recording) for recording in measured] for name, measured in classes.items()}
    medians = sorted((float(np.median(of_class)), name) for name, of_class in values.items())
    (low_median, low), (high_median, high) = medians[0], medians[-1]
    is_clear = np.quantile(values[low], 1 - MOST_IN_COMMON) < np.quantile(values[high], MOST_IN_COMMON)
    return _Difference(low, low_median, high, high_median) if is_clear and high_median - low_median >= least else None


def _offset(classes: Mapping[str, list[Conditions]]) -> Iterator[str]:
    if gap := _difference(classes, lambda recording: recording.offset, NOTICEABLE_OFFSET):
        yield (
            f"the recordings of {gap.high!r} have an offset ({gap.most:.1%} of full scale), those of "
            f"{gap.low!r} do not: they were made with other devices, and the model may know the classes by that; "
            "record all in the same way if you can"
        )


def _rumble(classes: Mapping[str, list[Conditions]], settings: PictureSettings) -> Iterator[str]:
    gap = _difference(classes, lambda recording: recording.rumble_db, CLEAR_DB)
    if gap and gap.most >= RUMBLE_DB:
        what = "sound"
        remedy = f"it is drawn; if it is hum, leave it out with prepare --high-pass {HIGH_PASS_HZ:g} --force"
        if settings.high_pass_hz >= RUMBLE_HZ:
            what = "hum or rumble"
            remedy = "what lies below --high-pass is left out, but record all in the same way if you can"
        yield (
            f"the recordings of {gap.high!r} have {what} below {RUMBLE_HZ:g} Hz ({abs(gap.most):.0f} dB "
            f"below the whole sound), {gap.amount:.0f} dB more than those of {gap.low!r}: {remedy}"
        )


def _cut_off(classes: Mapping[str, list[Conditions]]) -> Iterator[str]:
    gap = _difference(classes, lambda recording: recording.cut_off_hz)
    if gap and gap.least <= NARROWER * gap.most:
        low_khz, high_khz = gap.least / 1000, gap.most / 1000
        yield (
            f"the recordings of {gap.low!r} end at {low_khz:.1f} kHz, as of a telephone or a small MP3, those of "
            f"{gap.high!r} reach {high_khz:.1f} kHz: the model may know the classes by that; record all in the "
            f"same way, or draw all with --sample-rate {max(LOWEST_SAMPLE_RATE_HZ, int(gap.least // 1000) * 2000)}"
        )


def _floor_db(recording: Conditions) -> float:
    """How loud the pauses are, below the whole."""
    return recording.floor_db - recording.level_db


def _floor(classes: Mapping[str, list[Conditions]]) -> Iterator[str]:
    paused = {name: [each for each in measured if _floor_db(each) <= PAUSES_DB] for name, measured in classes.items()}
    # A class whose sound goes on without a pause shows no noise of its recordings.
    paused = {name: measured for name, measured in paused.items() if 2 * len(measured) > len(classes[name])}
    if len(paused) > 1 and (gap := _difference(paused, _floor_db, CLEAR_DB)):
        yield (
            f"in the pauses of {gap.high!r} there is {gap.amount:.0f} dB more noise than in those of "
            f"{gap.low!r}: the model may know the classes by that; record all in the same rooms if you can"
        )


def _loudness(classes: Mapping[str, list[Conditions]]) -> Iterator[str]:
    if gap := _difference(classes, lambda recording: recording.level_db, LOUDNESS_DB):
        yield (
            f"the recordings of {gap.low!r} are {gap.amount:.0f} dB fainter than those of {gap.high!r}: "
            "the pictures do not show that, but record all at the same distance and with the same microphone if you can"
        )
