"""Bottlenecks of networks from sound: of the recordings that pictures were drawn from, at the network's sample rate.

The WAVs beside the pictures have the pictures' rate, which may be too low. So the recordings are decoded again; where
one is gone, a WAV of at least the network's rate does.
"""

import logging
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audionet.audio.channels import USUAL
from audionet.audio.chunks import Part, cut_out
from audionet.audio.decoding import read_wav_header
from audionet.audio.ffmpeg import decode
from audionet.bottleneck.backbone import Backbone
from audionet.bottleneck.cache import cache_path
from audionet.bottleneck.extractor import Entry, Extractor
from audionet.bottleneck.sound import SoundInput, as_heard, is_silent, pooled, windows
from audionet.bottleneck.sound_network import open_sound_network
from audionet.dataset.sources import ChunkSource
from audionet.errors import AudionetError, UnusableInput
from audionet.parallel.sandbox import PictureNetwork
from audionet.parallel.threads import Workers
from audionet.settings import PictureSettings, SoundChoice
from audionet.spectrogram.augmentation import FEW_PICTURES, ORIGINAL, Augmentation
from audionet.system.progress import Progress

logger = logging.getLogger(__name__)

BATCH = 128  # chunks between two writes to the cache: a recording is decoded once for so many of its chunks
PARTS = 4  # of a chunk, each a window alone, that are learnt from beside it, so that short clips are known too


def single_windows(pictures: int, sound: SoundInput, chunk_seconds: float) -> list[Augmentation]:
    """What to learn from beside so many chunks as they are: the first is ORIGINAL, the others are windows of them.

    They cost nothing, since the network has heard them. Without them a short clip, of one window, in which nothing
    deviates from the mean, would be like nothing that was learnt from.
    """
    if chunk_seconds <= sound.window_seconds:
        return [ORIGINAL]
    count, part = PARTS if pictures <= FEW_PICTURES else 1, sound.window_seconds / chunk_seconds
    return [ORIGINAL, *(Augmentation(part=part, start=(n + 0.5) / count * (1 - part)) for n in range(count))]


class SoundExtractor(Extractor):
    """Gives the bottlenecks of the sound behind pictures."""

    def __init__(
        self,
        backbone: Backbone,
        settings: PictureSettings,
        folder: Path,
        sources: Mapping[Path, ChunkSource],
        augmentations: Sequence[Augmentation],
        workers: Workers,
    ) -> None:
        """settings: of the pictures. sources: where the sound of each picture is. augmentations: as single_windows."""
        assert backbone.sound is not None
        network = open_sound_network(backbone)
        path = cache_path(folder, backbone, f"high pass {settings.high_pass_hz:g} Hz")
        super().__init__(backbone, path, 2 * network.output_shapes[0][-1], augmentations, workers)
        self._sources, self._has_warned = sources, False
        self._job = HearingJob(network, backbone.sound, settings.high_pass_hz, self.augmentations)

    @property
    def batch_size(self) -> int:
        """The number of chunks that are worked on between two writes to the cache."""
        return BATCH

    def identify(self, path: Path) -> bytes | UnusableInput:
        """The 32 bytes that the sound of a picture's chunk is known by."""
        source = self._sources[path]
        if not source.sha256:
            return UnusableInput(path, "is not listed in audionet.json, so that its recording is not known")
        return source.digest

    def make_missing(self, entries: Sequence[Entry], progress: Progress) -> None:
        """Decode the recordings of entries, and give the entries the bottlenecks that they lack, or an error."""
        by_file: dict[tuple[Path, SoundChoice], list[tuple[Part, Entry]]] = {}
        for entry in entries:
            try:
                path, choice, part = self._place(entry.path)
                by_file.setdefault((path, choice), []).append((part, entry))
            except UnusableInput as error:
                entry.error = error
        chunks = [sorted(of_file, key=lambda chunk: chunk[0]) for of_file in by_file.values()]
        wanted = [Heard(*file, tuple(part for part, _ in own)) for file, own in zip(by_file, chunks, strict=True)]
        ready = 0
        for position, results in self._workers.run(self._job, wanted):
            ready += len(chunks[position])
            progress("bottlenecks", ready, len(entries))
            for number, (_, entry) in enumerate(chunks[position]):
                result = results if isinstance(results, UnusableInput) else results[number]
                if isinstance(result, UnusableInput):
                    entry.error = UnusableInput(entry.path, result.reason)
                else:
                    entry.fill([result[n] for n in entry.missing])

    def _place(self, picture: Path) -> tuple[Path, SoundChoice, Part]:
        """The file to decode, its track and channel, and where the chunk lies in it. Raises UnusableInput."""
        source = self._sources[picture]
        if source.recording is not None:
            part = Part(source.start_seconds, source.start_seconds + source.seconds)
            return source.recording.absolute(), source.choice, part
        wav = picture.with_suffix(".wav")
        needed_hz = self._job.sound.sample_rate_hz
        header = read_wav_header(wav)
        rate_hz = header.rate_hz if header else 0
        if rate_hz < needed_hz:
            state = f"the WAV beside its picture has {rate_hz} Hz" if rate_hz else "there is no WAV of the chunk either"
            raise UnusableInput(
                picture,
                f"its recording is gone, and {state}, where the network hears {needed_hz} Hz; put the recording "
                "back and run audionet prepare again",
            )
        if not self._has_warned:
            logger.warning("%s: its recording is gone; the WAV beside it is heard, as of others that are gone", picture)
            self._has_warned = True
        return wav.absolute(), USUAL, Part(0.0, source.seconds)


ChunkBottlenecks = list[NDArray[np.float16]] | UnusableInput  # of a chunk, one an augmentation; or why there are none


class Heard(NamedTuple):
    """A file, its track and channel, and where chunks lie in it, in the order of their starts."""

    path: Path
    choice: SoundChoice
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class HearingJob:
    """A job for workers: decode recordings and run a network from sound on chunks of them."""

    network: PictureNetwork
    sound: SoundInput
    high_pass_hz: float
    augmentations: Sequence[Augmentation]

    def split(self, heard: Heard) -> Generator[NDArray[np.float32], None, None]:
        """The sound of the chunks. Raises UnusableInput."""
        rate_hz = self.sound.sample_rate_hz
        spans = [(round(start * rate_hz), round(end * rate_hz)) for start, end in heard.parts]
        for samples in cut_out(decode(heard.path, heard.choice.untold(), rate_hz), spans):
            if len(samples) < 2:
                raise UnusableInput(heard.path, "is shorter than it was when its pictures were made; run prepare again")
            yield samples

    def map(self, heard: Heard, samples: NDArray[np.float32]) -> ChunkBottlenecks:
        """The bottlenecks of a chunk, one for each augmentation. Raises AudionetError if they are not finite."""
        samples = as_heard(samples, self.sound.sample_rate_hz, self.high_pass_hz)
        parts = [(self.network.run(w.samples)[0], w.weight) for w in windows(samples, self.sound.window_samples)]
        rows = np.concatenate([rows for rows, _ in parts])
        weights = np.concatenate([np.full(len(rows), weight) for rows, weight in parts])
        pools = [pooled(rows, weights)]
        count = len(self.augmentations) - 1
        for n in range(count):
            window_rows, _ = parts[int((n + 0.5) / count * len(parts))]
            pools.append(pooled(window_rows, np.ones(len(window_rows))))
        with np.errstate(over="ignore"):
            bottlenecks = [features.astype(np.float16) for features in pools]
        if not all(np.isfinite(features).all() for features in bottlenecks):
            if is_silent(samples):
                return UnusableInput(heard.path, "is silent, and the network makes no finite numbers of silence")
            raise AudionetError(
                f"{heard.path}: the network gives no finite numbers for it, or too large ones, at "
                f"{self.sound.output!r}; choose another --backbone-output, or another network"
            )
        return bottlenecks

    def reduce(self, heard: Heard, bottlenecks: list[ChunkBottlenecks]) -> list[ChunkBottlenecks]:  # noqa: ARG002
        """The bottlenecks of the chunks, in their order."""
        return bottlenecks
