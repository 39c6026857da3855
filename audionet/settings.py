"""What all steps have to agree on: constants, with their units and limits, and what several of them are told: how sound
becomes pictures, which sound of a file is heard, and how a cluster is reached."""

import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

from audionet.values import CheckedRecord, Rule, check, one_of, within

DATE_VARIABLE = "SOURCE_DATE_EPOCH"  # seconds since 1970, by custom: for files that are the same whenever they are made
# Of all sound inside the program, unless --sample-rate says otherwise; keeps frequencies up to half of it, 8 kHz.
SAMPLE_RATE_HZ = 16_000
# What 0 dB and 1.0 are in samples. These are float32 on the scale of 16 bits, -FULL_SCALE to FULL_SCALE: a recording's
# samples are shortened to 16 bits at its own rate, and not rounded again at another, since in quiet sound what rounding
# adds is seen (docs/experiments.md).
FULL_SCALE = 32768
LOWEST_SAMPLE_RATE_HZ, HIGHEST_SAMPLE_RATE_HZ = 8000, 384_000
PICTURE_SIZE = 299  # pixels, height and width: the input of Inception v3
# The window of one spectrum. Windows of 64 ms (at 16 kHz) tell voices, words and sounds of the world apart better than
# those of 128 ms (docs/experiments.md), which pitch classes need. The linear spectrogram is the original's, which draws
# windows of 256 points with matplotlib's specgram.
WINDOW_SAMPLES = {"mel": 1024, "spectrogram": 256, "chromagram": 2048}
SHORTEST_WINDOW_SAMPLES = 64
# The length to which a window is padded with zeros for its transform, whose bins the rows of a picture are made of.
TRANSFORM_SAMPLES = {"mel": 2048, "spectrogram": 256, "chromagram": 2048}
# Hann windows much farther apart than half their length would pass over some of the sound.
LONGEST_HOP = 11 / 20  # of a window
LONGEST_CHUNK_SAMPLES = 600 * SAMPLE_RATE_HZ  # more would not fit into memory
SHORT_CHUNK_SECONDS = 5.0  # chunks up to this length overlap by half unless told otherwise
MINIMUM_SECONDS = 0.1  # a recording shorter than this is not used

# What lies below is left out of new pictures: hum of the mains, rumble and offset decide nothing. Voices begin above.
HIGH_PASS_HZ = 65.0
LARGEST_HIGH_PASS_HZ = 1000.0

REPRESENTATIONS = ("mel", "spectrogram", "chromagram")
# What lies this far below a picture's loudest point is black. Chroma bands overlap, so they differ by less.
DYNAMIC_RANGE_DB = {"mel": 80.0, "spectrogram": 80.0, "chromagram": 30.0}

OWN_FOLDS = 0  # --folds without a number

MIX, EACH = "mix", "each"  # of all channels
SIDES = {"left": 0, "right": 1}
MOST_CHANNELS = 64

ANY_SAMPLE_RATE = within(LOWEST_SAMPLE_RATE_HZ, HIGHEST_SAMPLE_RATE_HZ)
ANY_HIGH_PASS = Rule(
    lambda hz: 0 <= hz <= LARGEST_HIGH_PASS_HZ,
    f"must be from 0 (nothing is left out) to {LARGEST_HIGH_PASS_HZ:g}",
)
TLS_ADDRESS = Rule(
    lambda address: address.startswith("tls://"), "is reached without TLS; its address begins with tls://"
)
FILE = Rule(lambda path: os.access(path, os.F_OK) and path.is_file(), "there is no such file")
TRACK = Rule(lambda number: 1 <= number <= 100, "must be from 1 to 100")
CHANNEL = Rule(
    lambda name: name in (MIX, EACH, *SIDES) or (re.fullmatch(r"\d{1,3}", name) and 1 <= int(name) <= MOST_CHANNELS),
    f"must be left, right, mix, each or a number from 1 to {MOST_CHANNELS}",
)


def available_cores() -> int:
    """The processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True)
class TlsScheduler(CheckedRecord):
    """The tls:// address of a Dask cluster, and the files (PEM) to reach it with, as dask scheduler calls them.

    tls_ca_file: of who vouches for the cluster. tls_cert, tls_key: of who we are; the key may be in the certificate's.
    """

    address: Annotated[str, TLS_ADDRESS]
    tls_ca_file: Annotated[Path, FILE]
    tls_cert: Annotated[Path, FILE]
    tls_key: Annotated[Path | None, FILE] = None


@dataclass(frozen=True)
class PictureSettings(CheckedRecord):
    """How sound becomes pictures; what `label` must know to make its pictures as `prepare` did.

    chunk_seconds: length of sound in one picture, 0.1 to 600; at most LONGEST_CHUNK_SAMPLES.
    overlap_seconds: sound that a chunk shares with the one before it, 0 to under chunk_seconds. None is half of a
        chunk of up to 5 seconds (more to learn from, and more votes), and 0 for longer ones.
    representation: mel (mel bands), spectrogram (linear frequency, as in 2018) or chromagram (12 pitch classes).
    colormap: `gray` or the name of a matplotlib colour map.
    high_pass_hz: the frequency below which sound is left out; 0 leaves out nothing.
    sample_rate_hz: of the sound that is drawn, LOWEST_SAMPLE_RATE_HZ to HIGHEST_SAMPLE_RATE_HZ: a picture shows what
        lies below half of it.
    window_samples: the length of the sound that one spectrum is of, SHORTEST_WINDOW_SAMPLES to transform_samples. It is
        the same at every sample rate, so that a window lasts less long at a higher one. 0 is what suits the
        representation.
    every_column: whether each column has a window of its own also where columns lie so close, as in short chunks, that
        a window for every other one does. It is so in pictures of before 2026-11-27, and False in all others.

    >>> PictureSettings(chunk_seconds=2).overlap_seconds
    1.0
    """

    chunk_seconds: float = 20.0
    overlap_seconds: float | None = None
    representation: Annotated[str, one_of(REPRESENTATIONS)] = "mel"
    colormap: str = "gray"
    high_pass_hz: Annotated[float, ANY_HIGH_PASS] = HIGH_PASS_HZ
    sample_rate_hz: Annotated[int, ANY_SAMPLE_RATE] = SAMPLE_RATE_HZ
    window_samples: int = 0
    every_column: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        longest = min(600, LONGEST_CHUNK_SAMPLES / self.sample_rate_hz)
        at = f" at --sample-rate {self.sample_rate_hz}" if longest < 600 else ""
        check(self, "chunk_seconds", within(MINIMUM_SECONDS, longest, at))
        if self.overlap_seconds is None:
            half = self.chunk_seconds / 2 if self.chunk_seconds <= SHORT_CHUNK_SECONDS else 0.0
            object.__setattr__(self, "overlap_seconds", half)
        shorter = f"must be at least 0 and less than --chunk-seconds ({self.chunk_seconds:g})"
        check(self, "overlap_seconds", Rule(lambda overlap: 0 <= overlap < self.chunk_seconds, shorter))
        step = Rule(lambda _: self.step_samples >= 1, "leaves no step between chunks; make it smaller")
        check(self, "overlap_seconds", step)
        object.__setattr__(self, "window_samples", self.window_samples or WINDOW_SAMPLES[self.representation])
        check(self, "window_samples", within(SHORTEST_WINDOW_SAMPLES, self.transform_samples))
        object.__setattr__(self, "every_column", self.every_column and self._are_columns_close)

    @property
    def chunk_samples(self) -> int:
        """Samples in a full chunk."""
        return round(self.chunk_seconds * self.sample_rate_hz)

    @property
    def step_samples(self) -> int:
        """Samples from the start of one chunk to the start of the next."""
        return self.chunk_samples - round((self.overlap_seconds or 0) * self.sample_rate_hz)

    @property
    def highest_hz(self) -> float:
        """The frequency below which sound is drawn."""
        return self.sample_rate_hz / 2

    @property
    def transform_samples(self) -> int:
        """Samples that a window is padded to with zeros; its spectrum has half as many bins, and one."""
        return TRANSFORM_SAMPLES[self.representation]

    @property
    def longest_hop_samples(self) -> int:
        """Samples from one window to the next, at most."""
        return int(self.window_samples * LONGEST_HOP)

    @property
    def _are_columns_close(self) -> bool:
        # Hann windows have to overlap by half, so that nothing is lost between them (docs/experiments.md).
        return 2 * self.chunk_samples / PICTURE_SIZE <= self.window_samples / 2

    @property
    def columns_a_window(self) -> int:
        """2 where every other column has a window of its own, and those between are interpolated; 1 otherwise."""
        return 2 if self._are_columns_close and not self.every_column else 1

    @property
    def dynamic_range_db(self) -> float:
        """Decibels from black to white."""
        return DYNAMIC_RANGE_DB[self.representation]

    def as_json(self) -> dict[str, Any]:
        """The options and the constants that they stand on, as plain values."""
        # Without what there was not before, where there is none of it: old pictures keep their fingerprint.
        newer = {"high_pass_hz": self.high_pass_hz} if self.high_pass_hz else {}
        newer |= {"columns_a_window": self.columns_a_window} if self.columns_a_window > 1 else {}
        return newer | {
            "chunk_seconds": self.chunk_seconds,
            "overlap_seconds": self.overlap_seconds,
            "representation": self.representation,
            "colormap": self.colormap,
            "sample_rate_hz": self.sample_rate_hz,
            "window_samples": self.window_samples,
            "longest_hop_samples": self.longest_hop_samples,
            "picture_size": PICTURE_SIZE,
            "dynamic_range_db": self.dynamic_range_db,
        }


@dataclass(frozen=True)
class SoundChoice(CheckedRecord):
    """Which sound of a file is heard.

    track: of a film with several sound tracks, by its number from 1; None is the one that players choose.
    channel: left, right, a number from 1, mix (all in equal parts or as the layout has it), or each (one after the
        other, by who lists the clips). None is the mix, unless its channels cancel each other out.
    is_told: whether a warning says what is odd about the file.
    """

    track: Annotated[int | None, TRACK] = None
    channel: Annotated[str | None, CHANNEL] = None
    is_told: bool = field(default=True, compare=False)

    @property
    def number(self) -> int | None:
        """The channel's number from 0, if it is a certain one."""
        if self.channel in (None, MIX, EACH):
            return None
        return SIDES[self.channel] if self.channel in SIDES else int(self.channel) - 1

    def of_channel(self, number: int) -> "SoundChoice":
        """The same track, and the channel of a number from 0; what is odd about the file is told with the first."""
        return replace(self, channel=str(number + 1), is_told=self.is_told and number == 0)

    def untold(self) -> "SoundChoice":
        """The same, to be heard once more."""
        return replace(self, is_told=False)

    def to_json(self) -> dict[str, int | str]:
        """What was chosen, as plain values."""
        return {name: value for name, value in (("track", self.track), ("channel", self.channel)) if value is not None}
