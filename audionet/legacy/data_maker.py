"""The three stages of data_maker.py, each by itself: MP3 -> WAV, recordings -> chunks, chunks -> spectrograms.

Together they do what `prepare` does: the pictures are the same to the byte, and each goes on where the other stopped.
"""

import wave
from dataclasses import replace
from pathlib import Path

import numpy as np

from audionet.audio.channels import USUAL
from audionet.audio.chunks import Chunk, pcm
from audionet.audio.decoding import decode
from audionet.commands.drawing import DrawingJob, Source
from audionet.commands.prepare import require_recordings
from audionet.dataset.folders import Recording, find_recordings
from audionet.dataset.manifest import ChunkEntry, PictureIndex, RecordingEntry
from audionet.dataset.names import chunk_stems
from audionet.errors import AudionetError, Skipped, UnusableInput, reading
from audionet.parallel.threads import work_through
from audionet.settings import PictureSettings
from audionet.spectrogram.jpeg import draw
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.system.files import atomic_writer, require_file, resolved, sha256_of_file, write_atomically
from audionet.system.locks import make_folder


def mp3_to_wav(data_audio: Path, data_wav: Path, image_dir: Path) -> tuple[int, Skipped]:
    """Each recording as a WAV (mono, 16 bits) below data_wav; how many, and those that could not be used.

    The sample rate is that of the pictures in image_dir, if there are any.
    The originals' folder is left as it is: a WAV beside its MP3 would count as a recording of its own.
    """
    skipped = Skipped()
    written, sample_rate_hz = 0, _index(image_dir).renderer.settings.sample_rate_hz
    for recording in _recordings(data_audio, skipped):
        target = data_wav / Path(recording.key).with_suffix(".wav")
        try:
            with atomic_writer(target) as whole, wave.open(whole, "wb") as file:
                file.setparams((1, 2, sample_rate_hz, 0, "NONE", ""))
                for block in decode(recording.path, USUAL, sample_rate_hz):
                    file.writeframes(pcm(block))
            written += 1
        except UnusableInput as error:
            target.unlink(missing_ok=True)
            skipped.add(error)
    return written, skipped


def make_chunks(data_audio: Path, image_dir: Path) -> tuple[int, Skipped]:
    """The chunks of each recording as WAVs below image_dir, listed in its audionet.json; how many were cut.

    Chunks of recordings that have not changed are left alone.
    """
    skipped = Skipped()
    recordings = _recordings(data_audio, skipped)
    index = _index(image_dir)
    stems = chunk_stems(sorted(index.recordings.keys() | {recording.key for recording in recordings}))
    written = 0
    job = DrawingJob(index.renderer, image_dir, keep_wav=True, keep_picture=False)
    make_folder(image_dir)  # of which the free space is looked at
    for recording in recordings:
        old = index.recordings.get(recording.key)
        try:
            with reading(recording.path):
                require_file(recording.path)
                if old is not None and _is_cut(recording, old, image_dir):
                    continue
                entry = work_through(job, Source(recording.path, recording.class_name, stems[recording.key]))
            if isinstance(entry, UnusableInput):
                raise entry
        except UnusableInput as error:
            skipped.add(error)
            continue
        for chunk in old.chunks if old else ():
            _file(image_dir, chunk, ".jpg").unlink(missing_ok=True)  # of other sound
            if chunk not in entry.chunks:
                _file(image_dir, chunk, ".wav").unlink(missing_ok=True)
        index.recordings[recording.key] = entry
        index.save(image_dir)
        written += len(entry.chunks)
    return written, skipped


def _is_cut(recording: Recording, entry: RecordingEntry, image_dir: Path) -> bool:
    """Whether a recording is as it was when it was listed, and all WAVs of its chunks are there. Raises OSError."""
    sounds = (_file(image_dir, chunk, ".wav") for chunk in entry.chunks)
    return sha256_of_file(recording.path) == entry.sha256 and all(sound.is_file() for sound in sounds)


def draw_spectrograms(image_dir: Path) -> tuple[int, Skipped]:
    """Draw the chunks in audionet.json that have no picture; how many, and those that could not be read.

    A chunk whose WAV was deleted, because it is of no use, is taken off the list.
    """
    index = PictureIndex.load(image_dir)
    if index is None or not index.recordings:
        raise AudionetError(f"{image_dir}: holds no chunks; cut them first with data_maker.py --mkchunks")
    drawn, skipped = 0, Skipped()
    sample_rate_hz = index.renderer.settings.sample_rate_hz
    for key, entry in index.recordings.items():
        chunks = []
        for chunk in entry.chunks:
            sound, picture = _file(image_dir, chunk, ".wav"), _file(image_dir, chunk, ".jpg")
            if not picture.is_file() and sound.is_file():
                try:
                    samples = np.concatenate(list(decode(sound, USUAL, sample_rate_hz)))
                except UnusableInput as error:
                    skipped.add(error)
                    chunks.append(chunk)
                    continue
                write_atomically(picture, draw(Chunk(chunk.start_seconds, samples, sample_rate_hz), index.renderer))
                drawn += 1
            if picture.is_file():
                chunks.append(chunk)
        index.recordings[key] = replace(entry, chunks=tuple(chunks))
    index.save(image_dir)
    return drawn, skipped


def _index(image_dir: Path) -> PictureIndex:
    """The index of a folder of pictures, or a new one with the usual settings."""
    return PictureIndex.load(image_dir) or PictureIndex(SpectrogramRenderer.make(PictureSettings()))


def _file(image_dir: Path, chunk: ChunkEntry, suffix: str) -> Path:
    path = image_dir / f"{chunk.name}{suffix}"
    if not resolved(path).is_relative_to(resolved(image_dir)):
        raise AudionetError(f"{image_dir}: its audionet.json names a file outside of it; make the pictures anew")
    return path


def _recordings(data_audio: Path, skipped: Skipped) -> list[Recording]:
    recordings, wrong = find_recordings(data_audio)
    require_recordings(data_audio, recordings)
    skipped.add(*wrong)
    return recordings
