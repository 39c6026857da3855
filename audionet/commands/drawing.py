"""The drawing of recordings: a job for threads or for a cluster."""

import shutil
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from glob import escape
from pathlib import Path
from typing import Any, NamedTuple

from audionet.audio.channels import USUAL
from audionet.audio.chunks import WAV_BYTES_PER_SAMPLE, Chunk, Part, read_chunks, to_wav
from audionet.audio.decoding import least_mp3_seconds, read_wav_header
from audionet.audio.levels import NO_SOUND_DB, Conditions, clipped_share, conditions, of_recording
from audionet.dataset.manifest import ChunkEntry, RecordingEntry
from audionet.dataset.names import NOHASH, chunk_name
from audionet.errors import DiskFull, UnusableInput, reading
from audionet.parallel.processes import run_many
from audionet.parallel.threads import Results, Threads, Workers
from audionet.settings import PictureSettings, SoundChoice
from audionet.spectrogram.augmentation import ORIGINAL
from audionet.spectrogram.jpeg import draw_and_look
from audionet.spectrogram.out_of_range import RangeCheck, drawn_level_db
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.system.files import require_file, sha256_of_file, write_atomically

SPACE = "free space or choose another folder"
SLOWEST_RATE_HZ = 1000  # lower rates hold no sound that a picture could show
PICTURE_BYTES = 40_000  # of a JPG of ours, about
MOST_MEASURED = 40  # recordings, spread over all, by which the length of chunks is chosen
NO_SPACE = f"does not fit on the disk; {SPACE}"


@dataclass(frozen=True)
class Source:
    """A recording to be drawn, or parts of it; the names of its chunks' files start with `stem`."""

    path: Path
    class_name: str
    stem: str
    parts: tuple[Part, ...] = ()


class DrawnChunk(NamedTuple):
    """A chunk whose files are written, and the conditions under which it was recorded."""

    entry: ChunkEntry
    conditions: Conditions | None


Step = Callable[[], RecordingEntry | DrawnChunk | int | None]


@dataclass(frozen=True)
class DrawingJob:
    """A job for workers: decode recordings, draw their chunks and write the files."""

    renderer: SpectrogramRenderer
    image_dir: Path
    keep_wav: bool
    keep_picture: bool = True
    choice: SoundChoice = USUAL

    def split(self, source: Source) -> Generator[Step, None, None]:
        """The steps: to describe the recording, to draw each of its chunks, and at last to look where its sound lies.

        They give its entry without chunks, a DrawnChunk each, and the sample rate that would show it all.
        """
        self._require_space(source)
        if (self.image_dir / source.class_name).is_symlink():
            raise UnusableInput(source.path, f"not drawn: {self.image_dir / source.class_name} is a link; delete it")
        yield partial(_describe, source.path)
        settings = self.renderer.settings
        check = RangeCheck(source.path, settings, self.choice)
        for number, chunk in enumerate(check.watch(read_chunks(source.path, settings, self.choice, source.parts))):
            yield partial(self._draw, source, number, chunk)
        yield check.needed_rate_hz

    def _require_space(self, source: Source) -> None:
        """Raises UnusableInput if a recording needs more space than there is, as far as that can be told."""
        needed = _bytes_needed(source.path, self.renderer.settings, self.keep_wav, source.parts)
        free = shutil.disk_usage(self.image_dir).free if needed else 0
        if needed > free:
            old = (self.image_dir / source.class_name).glob(f"{escape(source.stem)}{NOHASH}*")
            if needed > free + sum(path.lstat().st_size for path in old):
                lacking = f"{(needed - free) / 1e6:.1f} MB more than is free"
                raise UnusableInput(source.path, f"needs {needed / 1e6:.1f} MB, {lacking}; {SPACE}")

    def map(self, source: Source, step: Step) -> Any:  # noqa: ARG002
        """What a step gives."""
        return step()

    def _draw(self, source: Source, number: int, chunk: Chunk) -> DrawnChunk:
        """A chunk, once its files are written."""
        name = chunk_name(source.class_name, source.stem, number)
        level_db = drawn_level_db(chunk.samples, self.renderer.settings)
        jpg, seen = draw_and_look(chunk, self.renderer) if self.keep_picture else (None, ORIGINAL)
        entry = ChunkEntry(
            name,
            chunk.start_seconds,
            chunk.seconds,
            NO_SOUND_DB if level_db is None else level_db,
            clipped_share(chunk.samples),
            picture_bytes=self._write(source, f"{name}.jpg", jpg),
            sound_bytes=self._write(source, f"{name}.wav", to_wav(chunk) if self.keep_wav else None),
            sounding=seen,
        )
        return DrawnChunk(entry, conditions(chunk.samples, chunk.sample_rate_hz))

    def _write(self, source: Source, name: str, data: bytes | None) -> int | None:
        """Write a chunk's file, if it is to have one; its size."""
        if data is None:
            return None
        try:
            write_atomically(self.image_dir / name, data)
        except DiskFull as error:
            raise UnusableInput(source.path, NO_SPACE) from error
        return len(data)

    def reduce(self, source: Source, results: list[Any]) -> RecordingEntry:
        """The recording's entry, with its chunks. Raises UnusableInput if it is not what it was at the start."""
        entry: RecordingEntry
        drawn: list[DrawnChunk]
        entry, *drawn, needed_rate_hz = results
        if size_and_time(source.path) != (entry.size_bytes, entry.mtime_ns):
            raise UnusableInput(source.path, "changed while it was read; run the same command again")
        return replace(
            entry,
            chunks=tuple(chunk.entry for chunk in drawn),
            parts=source.parts,
            conditions=of_recording([chunk.conditions for chunk in drawn if chunk.conditions is not None]),
            needed_rate_hz=needed_rate_hz,
        )


@dataclass(frozen=True)
class MeasuringJob:
    """A job for workers: how many seconds recordings have, up to those of a chunk."""

    settings: PictureSettings
    choice: SoundChoice

    def split(self, _: Source) -> Generator[None, None, None]:
        """The recording as a whole."""
        yield

    def map(self, source: Source, _: None) -> float:
        """The length of its first chunk. Raises UnusableInput."""
        if least_mp3_seconds(source.path) > self.settings.chunk_seconds:
            return self.settings.chunk_seconds
        with closing(read_chunks(source.path, self.settings, self.choice)) as chunks:
            return next(chunks).seconds

    def reduce(self, _: Source, results: list[float]) -> float:
        """What was measured."""
        return results[0]


def measure(job: MeasuringJob, sources: Sequence[Source], longest_seconds: float, workers: Workers) -> list[float]:
    """How many seconds recordings have, at most those of a chunk, or each of their parts.

    Of many, MOST_MEASURED are measured, and fewer if more than a tenth turn out to be longer than longest_seconds. A
    recording that can't be read is passed over: whoever draws it says so.
    """
    measured = min(len(sources), MOST_MEASURED)
    chosen = [sources[number * len(sources) // measured] for number in range(measured)]
    lengths = [part.seconds for source in chosen for part in source.parts]
    whole = [source for source in chosen if not source.parts]
    expected = len(lengths) + len(whole)
    with closing(workers.run(job, whole)) as results:
        for _, result in results:
            if not isinstance(result, UnusableInput):
                lengths.append(result)
            if sum(length > longest_seconds for length in lengths) > expected / 10:
                break
    return lengths


def _bytes_needed(path: Path, settings: PictureSettings, keep_wav: bool, parts: Sequence[Part]) -> int:
    """About how much the pictures and WAVs of a recording, or of parts of it, will take; 0 if its header does not tell.

    Raises UnusableInput for a sample rate at which there is no sound.
    """
    header = read_wav_header(path)
    if header is None:
        return 0
    if header.rate_hz < SLOWEST_RATE_HZ:
        raise UnusableInput(path, f"has a sample rate of {header.rate_hz} Hz, at which there is no sound to see")
    seconds = header.seconds
    if parts:
        seconds = sum(max(0.0, min(part.end_seconds, header.seconds) - part.start_seconds) for part in parts)
    chunks = seconds * settings.sample_rate_hz / settings.step_samples + len(parts)
    sound_bytes = settings.chunk_samples * WAV_BYTES_PER_SAMPLE if keep_wav else 0
    return round(chunks * (PICTURE_BYTES + sound_bytes))


def _describe(path: Path) -> RecordingEntry:
    require_file(path)
    with reading(path):
        return RecordingEntry(*size_and_time(path), sha256_of_file(path), (), None, None)


def size_and_time(path: Path) -> tuple[int, int]:
    """A file's size in bytes and its time of change in nanoseconds. Raises UnusableInput."""
    with reading(path):
        status = path.stat()
    return status.st_size, status.st_mtime_ns


def written_chunks(image_dir: Path, source: Source) -> set[str]:
    """The names of the chunks of a recording that are there, listed or not."""
    folder = image_dir / source.class_name
    if not folder.is_dir() or folder.is_symlink():
        return set()
    return {f"{source.class_name}/{path.stem}" for path in folder.glob(f"{escape(source.stem)}{NOHASH}*")}


def draw_each(
    job: DrawingJob, sources: list[Source], workers: Workers, take_back: Callable[[Source], None]
) -> Results[RecordingEntry]:
    """The job's result for each recording, as `Workers.run` gives it.

    Recordings for which there was no space are tried again, one at a time, once the files of all of them have been
    taken back: a recording that fills the disk must not cost the others that were drawn at the same time.
    """
    again = []
    for position, result in run_many(workers, job, sources, [source.path for source in sources]):
        if isinstance(result, UnusableInput):
            take_back(sources[position])
            if result.reason == NO_SPACE:
                again.append(position)
                continue
        yield position, result
    for number, result in Threads(1).run(job, [sources[position] for position in again]):
        if isinstance(result, UnusableInput):
            take_back(sources[again[number]])
        yield again[number], result
