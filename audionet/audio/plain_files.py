"""A short WAV, FLAC or Ogg Vorbis file -> its samples, where nothing about it is out of the ordinary.

Thousands of short recordings are read with these, where to start an ffmpeg for each would take nearly all of the time.
A WAV's samples lie there as they are; FLAC and Vorbis are decoded by libsndfile, in a process of its own (this module,
run as a program). Of more than 16 bits, the upper 16 are kept. Whatever is long, damaged, cut off or unusual gives
None: it is ffmpeg's, whose samples these are, but for one in a thousand that is rounded otherwise. So what a file is
decides who reads it, and nothing else does.
"""

import io
import struct
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audionet.audio.headers import FOLLOWING_BYTES, RECORDING, WAV_FLOAT, WAV_PCM, chunks, is_more_sound, wav_form
from audionet.audio.levels import loudest
from audionet.audio.resampling import can_resample, resample, shortest
from audionet.settings import FULL_SCALE

LARGEST_FILE_BYTES = 48 << 20
MOST_SAMPLES = 1 << 23  # of all channels: a minute and a half in stereo at 44.1 kHz
MOST_OUTPUT_SAMPLES = 1 << 22  # of one channel, at the rate that is wanted: four minutes at 16 kHz
BYTES_PER_SAMPLE = 4
MOST_CHANNELS = 2  # how more of them are mixed is a matter of their layout
MEMORY_BYTES = 1 << 30  # of the process, beside its libraries

USUAL_MASKS = {1: (0, 4), 2: (0, 3)}  # of speakers, by the number of channels: unsaid, or centre, or left and right
SUBFORMAT_END = bytes.fromhex("000000001000800000aa00389b71")
# What coded sound in a WAV that calls itself PCM begins with: DTS in its four forms, and what goes over S/PDIF.
CODED_MARKS = tuple(
    bytes.fromhex(mark) for mark in ("7ffe8001", "fe7f0180", "1fffe800", "ff1f00e8", "72f81f4e", "f8724e1f")
)
SHORT_MARK = bytes.fromhex("0b77")  # which is one where the sound begins with it
CODED_WITHIN_BYTES = 1 << 14
WAV_BITS, FLAC_BITS = (16, 24, 32), (16, 24)  # what has 8, ffmpeg resamples more coarsely
MASK_TAG = b"WAVEFORMATEXTENSIBLE_CHANNEL_MASK"
OGG_BEGIN, OGG_END = 2, 4  # flags of a page

REQUEST = struct.Struct("<I?")  # before the content: what is wanted
HEADER = struct.Struct("<IBB")  # of an answer: rate, channels, rows of samples
NOTHING = HEADER.pack(0, 0, 0)
LARGEST_ANSWER_BYTES = HEADER.size + BYTES_PER_SAMPLE * MOST_CHANNELS * (MOST_OUTPUT_SAMPLES + 1)


class Wanted(NamedTuple):
    """What a file's sound is to become: of this rate (0: the file's own), each channel apart or all in one."""

    sample_rate_hz: int
    each_channel: bool


class PlainSound(NamedTuple):
    """The sound of a file. rate_hz: the file's own. samples: as `decode` gives them, one row, or one a channel."""

    rate_hz: int
    channels: int
    samples: NDArray[np.float32]

    def part(self, start_seconds: float, seconds: float, sample_rate_hz: int) -> NDArray[np.float32]:
        """A part of it, samples x channels; sample_rate_hz: of the samples."""
        start = round(start_seconds * sample_rate_hz)
        return np.asarray(self.samples[:, start : start + round(seconds * sample_rate_hz)].T)


class _Described(NamedTuple):
    """The sound of a file as its header describes it: so many samples of each channel. decode: gives all of them,
    shortened to 16 bits; None if they cannot be had."""

    rate_hz: int
    channels: int
    length: int
    decode: Callable[[], NDArray[np.int16] | None]


def is_compressed(content: bytes) -> bool:
    """Whether a file is one that libsndfile is asked for."""
    return content.startswith((b"fLaC", b"OggS"))


def is_plain(beginning: bytes) -> bool:
    """Whether this module may be able to read a file, by its first 12 bytes."""
    return is_compressed(beginning) or (beginning[:4] == b"RIFF" and beginning[8:12] == b"WAVE")


def read(content: bytes, wanted: Wanted) -> PlainSound | None:
    """The sound of a file at the rate that is wanted, mixed unless each channel is; None if the file is not for us."""
    marks = {b"RIFF": _describe_wav, b"fLaC": _describe_flac, b"OggS": _describe_vorbis}
    sound = marks[content[:4]](content)
    if sound is None:
        return None
    rate_hz, channels, length, decode = sound
    wanted_hz = wanted.sample_rate_hz or rate_hz
    is_usual = 1 <= channels <= MOST_CHANNELS and can_resample(rate_hz, wanted_hz)
    if not is_usual or not 0 < length * channels <= MOST_SAMPLES or length * wanted_hz > MOST_OUTPUT_SAMPLES * rate_hz:
        return None
    values = decode()
    if values is None or length < shortest(rate_hz, wanted_hz):
        return None
    values = values.reshape(length, channels)
    is_mixed = channels > 1 and not wanted.each_channel
    rows = []
    for row in [values.mean(axis=1, dtype=np.float64)] if is_mixed else values.T:
        samples = resample(row, rate_hz, wanted_hz)
        rows.append(np.clip(samples, -FULL_SCALE, FULL_SCALE, out=samples).astype(np.float32))
    return PlainSound(rate_hz, channels, np.array(rows))


def _describe_wav(content: bytes) -> _Described | None:
    """The sound of a WAV; None if anything about the file is out of the ordinary."""
    chunk = b""
    for name, body, length in chunks(content):
        if body + length > len(content):
            return None
        if name == b"data":
            end = body + length
            is_followed = RECORDING.match(content, end) or is_more_sound(content[end : end + FOLLOWING_BYTES])
            return None if is_followed else _pcm(chunk, memoryview(content)[body : body + length])
        if name == b"fmt ":
            if chunk:
                return None
            chunk = content[body : body + length]
    return None


def _pcm(chunk: bytes, data: memoryview) -> _Described | None:
    """What a WAV's data chunk holds, by what its fmt chunk says."""
    form = wav_form(chunk)
    # It may say more, such as that whole numbers are none: Cool Edit's floating point calls itself PCM.
    if form is None or form.more not in (b"", SUBFORMAT_END) or form.mask not in USUAL_MASKS.get(form.channels, ()):
        return None
    kind, bits = form.kind, form.bits
    count, rest = divmod(len(data), form.block_bytes or 1)
    beginning = bytes(data[:CODED_WITHIN_BYTES])
    is_coded = any(mark in beginning for mark in CODED_MARKS) or beginning.startswith(SHORT_MARK)
    if rest or form.block_bytes * 8 != form.channels * bits or form.valid_bits != bits or is_coded:
        return None

    def decode() -> NDArray[np.int16] | None:
        if kind == WAV_PCM and bits in WAV_BITS:  # of each sample, the two upper bytes
            return np.asarray(np.frombuffer(data, np.uint8).reshape(-1, bits // 8)[:, -2:].copy().view("<i2"))
        if (kind, bits) != (WAV_FLOAT, 32):
            return None
        values = np.frombuffer(data, "<f4")
        # Recorders with floating point are bought so that nothing is clipped.
        found = loudest([values])
        return None if found.wrong else _rounded(values / np.float32(found.amplitude))

    return _Described(form.rate_hz, form.channels, count, decode)


def _rounded(values: NDArray[np.float32]) -> NDArray[np.int16] | None:
    """Samples of -1 to 1 as ffmpeg shortens them to 16 bits; None if some are no numbers."""
    if not np.isfinite(values).all():
        return None
    return np.asarray(np.clip(np.rint(values * np.float32(FULL_SCALE)), -FULL_SCALE, FULL_SCALE - 1), np.int16)


def _describe_flac(content: bytes) -> _Described | None:
    # The block of its properties is always the first: 20 bits of rate, 3 of channels, 5 of depth, 36 of length.
    properties = int.from_bytes(content[18:26], "big")
    rate_hz, channels = properties >> 44, (properties >> 41 & 7) + 1
    bits, count = (properties >> 36 & 31) + 1, properties & ((1 << 36) - 1)
    if len(content) < 42 or content[4] & 127 or bits not in FLAC_BITS or MASK_TAG in content[: 1 << 16].upper():
        return None
    if content.find(content[:8], 8) >= 0:  # another follows, which libsndfile would leave out
        return None
    return _compressed(content, "int32", rate_hz, channels, count)


def _describe_vorbis(content: bytes) -> _Described | None:
    """The sound of one stream that is whole and alone in its file: its pages follow each other from first to last."""
    if content[28:35] != b"\x01vorbis":
        return None
    channels, rate_hz = struct.unpack_from("<BI", content, 39)
    serial, place, number, flags, count = content[14:18], 0, 0, OGG_BEGIN, 0
    while place + 27 <= len(content):
        flags, parts = content[place + 5], content[place + 26]
        expected = b"OggS\0", serial, number, number == 0
        marks = content[place : place + 5], content[place + 14 : place + 18]
        if (*marks, int.from_bytes(content[place + 18 : place + 22], "little"), bool(flags & OGG_BEGIN)) != expected:
            return None
        ends_at = int.from_bytes(content[place + 6 : place + 14], "little", signed=True)
        count = ends_at if ends_at >= 0 else count
        place, number = place + 27 + parts + sum(content[place + 27 : place + 27 + parts]), number + 1
    if place != len(content) or not flags & OGG_END:
        return None
    return _compressed(content, "float32", rate_hz, channels, count)


def _compressed(content: bytes, dtype: str, rate_hz: int, channels: int, length: int) -> _Described:
    """The sound of a file that libsndfile decodes, if it finds in it what the header says. dtype: of what it gives."""

    def decode() -> NDArray[np.int16] | None:
        import soundfile

        try:
            with soundfile.SoundFile(io.BytesIO(content)) as file:
                if (file.samplerate, file.channels, file.frames) != (rate_hz, channels, length):
                    return None
                read = file.read(dtype=dtype, always_2d=True)
        except (RuntimeError, ValueError, TypeError):  # its own errors, and what is too large for an array
            return None
        if len(read) != length:
            return None
        return _rounded(read) if dtype == "float32" else (read >> 16).astype(np.int16)

    return _Described(rate_hz, channels, length, decode)


def answer(request: bytes) -> list[bytes]:
    """What the process answers to a request: what is wanted, and behind it the bytes of the file."""
    try:
        sound = read(request[REQUEST.size :], Wanted(*REQUEST.unpack_from(request)))
    except MemoryError:
        sound = None
    if sound is None:
        return [NOTHING]
    return [HEADER.pack(sound.rate_hz, sound.channels, len(sound.samples)), sound.samples.astype("<f4").tobytes()]


def parse_answer(reply: bytes) -> PlainSound | None:
    """The sound in what `answer` said; None if there is none.

    A file that broke into the process could make it say anything. Raises ValueError for what cannot be an answer.
    """
    if len(reply) < HEADER.size:
        raise ValueError("no answer")
    rate_hz, channels, rows = HEADER.unpack_from(reply)
    if not rows:
        return None
    samples = np.frombuffer(reply, "<f4", offset=HEADER.size)
    if not 1 <= rows <= channels <= MOST_CHANNELS or not np.isfinite(samples).all():
        raise ValueError("an answer that cannot be")
    return PlainSound(rate_hz, channels, samples.reshape(rows, -1))


def trial_flac(samples: NDArray[np.int16], rate_hz: int) -> bytes:
    """A file to try libsndfile with."""
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, format="FLAC")
    return file.getvalue()


if __name__ == "__main__":
    from audionet.parallel.child import serve

    # This loads what would otherwise be loaded with the first file, when memory is already limited.
    read(trial_flac(np.zeros(1000, np.int16), 44_100), Wanted(16_000, each_channel=False))
    serve(answer, MEMORY_BYTES)
