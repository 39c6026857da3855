"""The length of a WAV by its header, so that the space its pictures need is known before anything is decoded.

The length of other files is known once they have been decoded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from audionet.audio.chunks import WAV_BYTES_PER_SAMPLE, Part
from audionet.errors import UnusableInput
from audionet.settings import PictureSettings
from audionet.system.untrusted import is_file

SLOWEST_RATE_HZ = 1000  # lower rates hold no sound that a picture could show
PCM_FORMATS = (1, 3, 6, 7, 0xFFFE)  # whole numbers, floats, A-law, mu-law, extensible: blocks of equal length
HEADER_BYTES = 1 << 16  # that are searched for what is needed
PICTURE_BYTES = 40_000  # of a JPG of ours, about


@dataclass(frozen=True)
class WavHeader:
    """What the header of a WAV says, and the file's size bears out."""

    rate_hz: int
    seconds: float


def read_wav_header(path: Path) -> WavHeader | None:
    """The header of an uncompressed WAV; None for any other file, or if there is no file."""
    if not is_file(path):  # to open a named pipe would wait for whoever writes into it
        return None
    try:
        with open(path, "rb") as file:
            content = file.read(HEADER_BYTES)
            size_bytes = file.seek(0, 2)
    except OSError:
        return None
    if content[:4] not in (b"RIFF", b"RF64") or content[8:12] != b"WAVE":
        return None
    place, rate_hz, block_bytes = 12, 0, 0
    while place + 8 <= len(content):
        name, length = content[place : place + 4], int.from_bytes(content[place + 4 : place + 8], "little")
        body = content[place + 8 : place + 24]
        if name == b"fmt " and len(body) == 16 and int.from_bytes(body[:2], "little") in PCM_FORMATS:
            rate_hz, block_bytes = int.from_bytes(body[4:8], "little"), int.from_bytes(body[12:14], "little")
        if name == b"data":
            is_known = rate_hz > 0 and block_bytes > 0
            # Recorders that are cut off, and RF64, leave a length of 0 or all ones; the sound is all that follows.
            sound_bytes = min(length or size_bytes, size_bytes - place - 8)
            return WavHeader(rate_hz, sound_bytes / block_bytes / rate_hz) if is_known else None
        place += 8 + length + length % 2
    return None


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
