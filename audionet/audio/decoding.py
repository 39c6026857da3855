"""Any recording -> mono samples of one rate, as a stream, by whoever reads files of its kind.

Short, plain WAV, FLAC and Ogg Vorbis are read by plain_files.py, everything else by ffmpeg.py. What is in a file
decides that, not its name, nor how busy the machine is, nor what is installed.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from audionet.audio import ffmpeg, plain_files
from audionet.audio.channels import USUAL, mix_or_loudest, why_not_heard
from audionet.audio.headers import BEGINNING_BYTES, WAV_EVEN_BLOCKS, chunks, wav_form
from audionet.errors import AudionetError, UnusableInput, reading
from audionet.parallel.child import ChildFailed, Children
from audionet.settings import SAMPLE_RATE_HZ, SoundChoice
from audionet.system.files import open_file, read_beginning, require_file
from audionet.system.progress import telling

# A frame begins with eleven ones, two bits for the version of MPEG, and two for its layer, of which 01 is the third.
MP3_MASK, MP3_BEGIN = 0b11111111_11100110, 0b11111111_11100010
ID3_BYTES = 10  # before what an ID3 tag holds, such as the picture of an album
# MP3 has up to 320 kbit/s, and 640 in its free format, as Lame writes it.
MOST_MP3_BYTES_A_SECOND = 80_000

_libsndfile = Children("audionet.audio.plain_files", plain_files.LARGEST_ANSWER_BYTES)


class WavHeader(NamedTuple):
    """What the header of a WAV says, and the file's size bears out."""

    rate_hz: int
    seconds: float


def decode(path: Path, choice: SoundChoice = USUAL, sample_rate_hz: int = SAMPLE_RATE_HZ) -> Iterator[np.ndarray]:
    """A file's sound at a sample rate, of the default track, or as `choice` says: blocks of float32 samples, mono, from
    -FULL_SCALE to FULL_SCALE (settings.py).

    A damaged file gives what can be read of it. Where the channels cancel each other out in the mix, the louder one is
    heard instead, and a warning says so. Raises UnusableInput when nothing can be read, and when the file goes beyond
    its limits; AudionetError when what reads it does not work.
    """
    number = choice.number
    opened = _open(path, choice, sample_rate_hz)
    sound = opened.read(each_channel=number is not None) if opened else None
    if opened is None or sound is None:
        yield from ffmpeg.decode(path, choice, sample_rate_hz)
        return
    if number is not None and (reason := why_not_heard(number, sound.channels)):
        raise UnusableInput(path, reason)
    samples = sound.samples[number or 0]
    pieces = np.split(samples, range(ffmpeg.BLOCK_SAMPLES, len(samples), ffmpeg.BLOCK_SAMPLES))
    blocks = telling(pieces, len(samples))
    if choice.channel is None and not opened.is_mono:
        yield from mix_or_loudest(opened, blocks)
    else:
        yield from blocks


def count_channels(path: Path, choice: SoundChoice = USUAL) -> int:
    """How many channels the sound of a file has. Raises UnusableInput if there is none."""
    opened = _open(path, choice, SAMPLE_RATE_HZ)
    sound = opened.read(each_channel=False) if opened else None
    return sound.channels if sound else ffmpeg.count_channels(path, choice)


def source_samples(
    path: Path, choice: SoundChoice, start_seconds: float, seconds: float
) -> tuple[int, np.ndarray] | None:
    """A part of a recording at its own sample rate: that, and samples x channels, as `decode` gives them; None if it
    can't be had. Raises UnusableInput when what reads the file breaks down.

    choice: of the channels, the one that it names is given alone.
    """
    opened = _open(path, choice, 0)
    sound = opened.read(each_channel=True) if opened else None
    if sound is None:
        return ffmpeg.source_samples(path, choice, start_seconds, seconds)
    part, number = sound.part(start_seconds, seconds, sound.rate_hz), choice.number
    return sound.rate_hz, part if number is None else part[:, number : number + 1]


def read_wav_header(path: Path) -> WavHeader | None:
    """The header of an uncompressed WAV of any length; None for any other file, or if there is no file."""
    try:
        with open_file(path) as file:
            content, size_bytes = file.read(BEGINNING_BYTES), file.seek(0, 2)
    except (OSError, ValueError):
        return None
    if content[:4] not in (b"RIFF", b"RF64") or content[8:12] != b"WAVE":
        return None
    form = None
    for name, body, length in chunks(content):
        if name == b"fmt ":
            form = wav_form(content[body : body + 40])
        if name == b"data":
            if form is None or form.kind not in WAV_EVEN_BLOCKS or not form.rate_hz or not form.block_bytes:
                return None
            # Recorders that are cut off, and RF64, leave a length of 0 or all ones; the sound is all that follows.
            sound_bytes = min(length or size_bytes, size_bytes - body)
            return WavHeader(form.rate_hz, sound_bytes / form.block_bytes / form.rate_hz)
    return None


def least_mp3_seconds(path: Path) -> float:
    """How many seconds of sound an MP3 has at least, by the size of its file; 0 for anything else.

    What an MP3 says of its length may be wrong, and to decode it takes a process. Raises UnusableInput.
    """
    size, beginning = require_file(path), read_beginning(path, ID3_BYTES)
    if len(beginning) < ID3_BYTES:
        return 0.0
    tag_bytes = 0
    if beginning.startswith(b"ID3"):
        for seven_bits in beginning[6:]:
            tag_bytes = tag_bytes << 7 | seven_bits
    elif int.from_bytes(beginning[:2], "big") & MP3_MASK != MP3_BEGIN:
        return 0.0
    return max(0, size - ID3_BYTES - tag_bytes) / MOST_MP3_BYTES_A_SECOND


def check_libsndfile() -> None:
    """Raises AudionetError if libsndfile, or the process that it runs in, does not work."""
    samples = np.arange(SAMPLE_RATE_HZ, dtype=np.int16)
    opened = _PlainFile(Path("trial.flac"), USUAL, plain_files.trial_flac(samples, SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
    sound = opened.read(each_channel=False)
    if sound is None or not np.array_equal(sound.samples[0], samples):
        raise AudionetError("libsndfile reads sound wrongly; run: pip install --force-reinstall soundfile")


def _open(path: Path, choice: SoundChoice, sample_rate_hz: int) -> "_PlainFile | None":
    """A file, if this module may be able to read it; else None. Raises UnusableInput if it cannot be opened."""
    size_bytes = require_file(path) if choice.track is None else 0
    if not 0 < size_bytes <= plain_files.LARGEST_FILE_BYTES:
        return None
    with reading(path), open(path, "rb") as file:
        if not plain_files.is_plain(file.peek(12)[:12]):
            return None
        content = file.read(size_bytes)  # no more: Python reserves as much memory as it is told to read
    return _PlainFile(path, choice, content, sample_rate_hz)


class _PlainFile:
    """A channels.OpenRecording: a file that was read, and is decoded as often as it takes."""

    def __init__(self, path: Path, choice: SoundChoice, content: bytes, sample_rate_hz: int) -> None:
        self.path, self.choice, self.content, self.sample_rate_hz = path, choice, content, sample_rate_hz
        self.is_mono = False

    def read(self, each_channel: bool) -> plain_files.PlainSound | None:
        """Its sound; None if this module does not read such a file. Raises UnusableInput if libsndfile breaks down."""
        wanted = plain_files.Wanted(self.sample_rate_hz, each_channel)
        is_compressed = plain_files.is_compressed(self.content)
        sound = self._decompressed(wanted) if is_compressed else plain_files.read(self.content, wanted)
        if sound is not None:
            self.is_mono = sound.channels == 1
        return sound

    def _decompressed(self, wanted: plain_files.Wanted) -> plain_files.PlainSound | None:
        """What libsndfile makes of the file."""
        limit_seconds = ffmpeg.longest_wait_seconds(len(self.content))
        try:
            request = plain_files.REQUEST.pack(*wanted), self.content
            return plain_files.parse_answer(_libsndfile.ask(request, limit_seconds))
        except (ChildFailed, ValueError) as error:
            reason = "makes libsndfile break down; convert it to another format"
            if isinstance(error, ChildFailed) and error.took_too_long:
                reason = f"keeps libsndfile busy for more than {limit_seconds:.0f} seconds"
            raise UnusableInput(self.path, reason) from error

    def part(self, start_seconds: float, seconds: float) -> np.ndarray | None:
        """A part of it at this rate, samples x channels; None if it can't be had."""
        sound = self.read(each_channel=True)
        return sound and sound.part(start_seconds, seconds, self.sample_rate_hz)

    def channel(self, number: int) -> Iterator[np.ndarray]:
        """Blocks of one channel, by its number from 0."""
        sound = self.read(each_channel=True)
        yield from sound.samples[number : number + 1] if sound else ()
