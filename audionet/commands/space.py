"""The space that the pictures of a recording need, where its length is known before anything is decoded: of a WAV."""

from collections.abc import Sequence
from pathlib import Path

from audionet.audio.chunks import WAV_BYTES_PER_SAMPLE, Part
from audionet.audio.decoding import read_wav_header
from audionet.errors import UnusableInput
from audionet.settings import PictureSettings

SLOWEST_RATE_HZ = 1000  # lower rates hold no sound that a picture could show
PICTURE_BYTES = 40_000  # of a JPG of ours, about


def bytes_needed(path: Path, settings: PictureSettings, keep_wav: bool, parts: Sequence[Part] = ()) -> int:
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
