"""Any recording that ffmpeg reads -> mono samples of one rate, as a stream.

A recording may come from anyone, so ffmpeg is told to open that one file and nothing else, and its time, memory and
output are limited; docs/threats.md says against what.
"""

import functools
import re
import shutil
import subprocess
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import chain, repeat
from pathlib import Path
from typing import NamedTuple

import numpy as np

from audionet.audio import channels
from audionet.audio.channels import BYTES_PER_SAMPLE, USUAL, Container, StreamInfo
from audionet.audio.headers import what_ffmpeg_overlooks, what_is_wrong
from audionet.audio.levels import Loudest, loudest
from audionet.errors import UnusableInput, explaining
from audionet.parallel.process import BLOCK_BYTES, Messages, read_program
from audionet.settings import MIX, SAMPLE_RATE_HZ, SoundChoice
from audionet.system.files import require_file
from audionet.system.progress import telling

BLOCK_SAMPLES = BLOCK_BYTES // BYTES_PER_SAMPLE
# Samples that ffmpeg hands on at once: of those of an MP3's frame, a tenth of its work, or more, is the handing. They
# are joined before all else, or, where each has its time, once they are in their places and at the rate of the
# pictures. Where the format changes within a file (MP3s put together), up to so many are lost.
FRAME_SAMPLES, PLACED_FRAMES_A_SECOND = 4096, 10

# ffmpeg's names of what it may read: formats that hold sound, films among them. Left out are those that open other
# files or addresses (concat, hls, dash, image2, imf, rtsp, sdp, vobsub, webm_dash_manifest), run scripts (avisynth,
# vapoursynth), or hold no recording. A name that a release of ffmpeg does not know does no harm.
FORMATS = (
    "aac,ac3,aiff,alaw,amr,amrnb,amrwb,ape,asf,au,avi,caf,dsf,dss,dts,dtshd,dv,eac3,flac,flv,g722,g729,gsm,gxf,iff,"
    "ilbc,ircam,loas,matroska,mlp,mov,mp3,mpc,mpc8,mpeg,mpegts,mulaw,mxf,nistsphere,nut,ogg,oma,paf,pvf,qcp,rm,sln,"
    "sox,tak,truehd,tta,voc,vqf,w64,wav,wsd,wtv,wv,wve,xwma"
)
LONGEST_HOURS = 100  # a small file can hold any length of silence
# Of speech at 0.4 kbit/s, half of what the sparest codecs take, beyond the first ten minutes.
FEWEST_BYTES_PER_SECOND, SECONDS_IN_ANY_FILE = 50.0, 600.0
WAIT_SECONDS, WAIT_SECONDS_PER_MB = 60.0, 30.0  # for all that is made of a file: far more than any takes
LARGEST_ALLOCATION_BYTES = 512 << 20
LARGEST_PICTURE_PIXELS = 1 << 26  # in a film, or of a cover: ffmpeg looks at it to know what is in the file

MOST_KNOWN_CHANNELS = 8  # of more without a layout, releases of ffmpeg guess differently
LARGEST_LOOK_BYTES = 256 << 20  # of all channels of a block, looked at one by one


@functools.cache
def find_ffmpeg() -> str:
    """The system's ffmpeg, or else the one that the package imageio-ffmpeg carries.

    Raises AudionetError when there is neither.
    """
    installed = shutil.which("ffmpeg")
    if installed:
        return installed
    fault = "ffmpeg was not found; install it (https://ffmpeg.org) or run: pip install imageio-ffmpeg"
    with explaining(fault, ImportError, RuntimeError):
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())


@functools.cache
def ffmpeg_version() -> str:
    """The version of ffmpeg in its own words: `7.1.1`. Raises AudionetError when it does not work."""
    return _check_works().split()[2]


def decode(path: Path, choice: SoundChoice = USUAL, sample_rate_hz: int = SAMPLE_RATE_HZ) -> Iterator[np.ndarray]:
    """A file's sound at a sample rate, of the default track, or as `choice` says: blocks of float32 samples, mono, from
    -FULL_SCALE to FULL_SCALE (settings.py).

    A damaged file gives what can be read of it. Where the channels cancel each other out in the mix, the louder one is
    heard instead, and a warning says so. Raises UnusableInput when nothing can be read, and when the file goes beyond
    the limits above; AudionetError when ffmpeg itself does not work.
    """
    number = choice.number
    if number is not None and (reason := channels.why_not_heard(number, count_channels(path, choice))):
        raise UnusableInput(path, reason)
    run = _mono(path, choice, sample_rate_hz, () if number is None else (channels.one_channel(number),))
    first = next(blocks := run.samples(), None)
    if first is None and number is None and run.info().tracks:
        samples = channel_samples(path, choice, 0.0, 0.1)
        if samples is not None and (reason := channels.why_not_heard(0, samples.shape[1])):
            raise UnusableInput(path, reason)
        if samples is not None and samples.shape[1] > MOST_KNOWN_CHANNELS:
            run = _mono(path, choice, sample_rate_hz, (channels.equal_parts(samples.shape[1]),))
            first = next(blocks := run.samples(), None)
    if first is None:
        raise UnusableInput(path, _explain(run))
    heard = telling(chain([first], blocks), run.info().seconds * sample_rate_hz)
    yield from channels.noted(run, channels.mix_or_loudest(run, heard) if choice.channel is None else heard)


def count_channels(path: Path, choice: SoundChoice = USUAL) -> int:
    """How many channels the sound of a file has. Raises UnusableInput if there is none."""
    samples = channel_samples(path, choice, 0.0, 0.1)
    if samples is None:
        next(decode(path, SoundChoice(choice.track, MIX)))  # says what is wrong
        return 1
    return int(samples.shape[1])


def channel_samples(
    path: Path, choice: SoundChoice, start_seconds: float, seconds: float, sample_rate_hz: int = SAMPLE_RATE_HZ
) -> np.ndarray | None:
    """A part of a recording, int16 samples x channels; None if it can't be had."""
    sound = _sound_of(path, choice, start_seconds, seconds, ["-ar", str(sample_rate_hz)])
    return sound and sound[1]


def source_samples(
    path: Path, choice: SoundChoice, start_seconds: float, seconds: float
) -> tuple[int, np.ndarray] | None:
    """A part of a recording at its own sample rate: that, and int16 samples x channels; None if it can't be had.

    choice: of the channels, the one that it names is given alone.
    """
    sound, number = _sound_of(path, choice, start_seconds, seconds, []), choice.number
    return sound if sound is None or number is None else (sound[0], sound[1][:, number : number + 1])


def _sound_of(
    path: Path, choice: SoundChoice, start_seconds: float, seconds: float, options: Sequence[str]
) -> tuple[int, np.ndarray] | None:
    """A part of a recording: its sample rate, and int16 samples x channels; None if it can't be had."""
    place, container = ["-ss", f"{start_seconds:.3f}"] if start_seconds else [], Container.of(path)
    output = ["-t", f"{seconds:.3f}", "-c:a", "pcm_s16le", *options, *_pipe("wav")]
    reading = _reading(path, choice, [*place, *container.options()])
    run = _Run(path, choice, _Command(reading, ["anull", *container.filters], output, container), SAMPLE_RATE_HZ)
    try:
        sound = channels.sound_of_wav(run.whole())
    except UnusableInput:
        return None
    late_seconds = run.info().late_seconds(container, start_seconds)
    if sound is None or not late_seconds:
        return sound
    rate_hz, samples = sound
    silence = np.zeros((round(min(late_seconds, seconds) * rate_hz), samples.shape[1]), samples.dtype)
    return rate_hz, np.concatenate([silence, samples])[: round(seconds * rate_hz)]


def longest_wait_seconds(size_bytes: int) -> float:
    """How long whoever decodes a file may take."""
    return WAIT_SECONDS + WAIT_SECONDS_PER_MB * size_bytes / 1e6


class _Command(NamedTuple):
    """What ffmpeg is told: what it reads, what it does with the sound of that, and what it gives; and the container."""

    reading: list[str]
    filters: list[str]
    output: list[str]
    container: Container = Container()

    def words(self, *first: str) -> list[str]:
        """The command line; first: filters that come before the others."""
        return [*self.reading, "-af", ",".join([*first, *self.filters]), *self.output]


class _Run:
    """One run of ffmpeg on a file: the sound that it gives, and what it prints about the file and itself."""

    def __init__(self, path: Path, choice: SoundChoice, command: _Command, sample_rate_hz: int) -> None:
        """sample_rate_hz: of the samples that the command gives. Raises UnusableInput if there is no file to read."""
        self.path, self.choice, self.sample_rate_hz, self.wrong = path, choice, sample_rate_hz, 0
        self.size_bytes, self._command, self.messages = require_file(path), command, Messages()

    def samples(self) -> Generator[np.ndarray, None, None]:
        """The sound, mono. Raises UnusableInput for a file that goes beyond the limits."""
        length, blocks = 0, self._blocks()
        first = next(blocks, b"")
        late_seconds = self.info().late_seconds(self._command.container) if first else 0.0
        whole, rest = divmod(BYTES_PER_SAMPLE * round(late_seconds * self.sample_rate_hz), BLOCK_BYTES)
        for block in filter(None, chain(repeat(bytes(BLOCK_BYTES), whole), [bytes(rest) + first], blocks)):
            samples = channels.samples_of(block)
            length += len(samples)
            if length > LONGEST_HOURS * 3600 * self.sample_rate_hz:
                raise UnusableInput(self.path, f"is longer than {LONGEST_HOURS} hours; cut it into parts")
            if length / self.sample_rate_hz > SECONDS_IN_ANY_FILE + self.size_bytes / FEWEST_BYTES_PER_SECOND:
                raise UnusableInput(self.path, f"gives more sound than {self.size_bytes} bytes can hold; convert it")
            yield samples

    @property
    def is_mono(self) -> bool:
        """Whether it has but one channel; False where that is not known."""
        return self.info().is_mono

    def part(self, start_seconds: float, seconds: float) -> np.ndarray | None:
        """A part of it at this rate, samples x channels; None if it can't be had."""
        return channel_samples(self.path, self.choice, start_seconds, seconds, self.sample_rate_hz)

    def channel(self, number: int) -> Iterator[np.ndarray]:
        """Blocks of one channel, by its number from 0."""
        return _mono(self.path, self.choice, self.sample_rate_hz, (channels.one_channel(number),)).samples()

    def whole(self) -> bytes:
        """All that ffmpeg gives, up to LARGEST_LOOK_BYTES."""
        content = bytearray()
        for block in self._blocks():
            content += block
            if len(content) > LARGEST_LOOK_BYTES:
                break
        return bytes(content)

    def info(self) -> StreamInfo:
        """What is in the file; for a run that has given something, or has ended."""
        return channels.stream_info(self.messages.text(wait_for=b"] Output #0"))

    def _blocks(self) -> Generator[bytes, None, None]:
        with running_ffmpeg():
            first = next(blocks := self._read(), b"")
            if first and self.info().is_float:
                amplitude, self.wrong = _loudest_in(
                    self.path.absolute(), self.choice.track, self.path.stat().st_mtime_ns
                )
                # Recorders with floating point are bought so that nothing is clipped.
                louder = f"volume={1 / amplitude!r}:precision=float" if amplitude > 1 else ""
                if self.wrong:
                    louder = f"aeval='if(lte(abs(val(ch)),{amplitude!r}),val(ch)/{amplitude!r},0)':c=same"
                if louder:
                    blocks.close()
                    self.messages = Messages()
                    first = next(blocks := self._read(louder), b"")
            yield from filter(None, chain([first], blocks))

    def _read(self, *filters: str) -> Generator[bytes, None, None]:
        """All that ffmpeg gives, with some more filters before the others."""
        words = self._command.words(*filters)
        yield from read_program(words, self.path, longest_wait_seconds(self.size_bytes), self.messages)


@functools.lru_cache(maxsize=16)  # it is asked for each part of a file, and each of its channels
def _loudest_in(path: Path, track: int | None, _mtime_ns: int) -> Loudest:
    """The loudest samples in any channel of a file."""
    words = _Command(_reading(path, SoundChoice(track)), ["aformat=sample_fmts=flt"], _pipe("f32le")).words()
    blocks = read_program(words, path, longest_wait_seconds(require_file(path)), Messages())
    return loudest(np.frombuffer(block, "<f4", len(block) // BYTES_PER_SAMPLE) for block in blocks)


def _mono(path: Path, choice: SoundChoice, sample_rate_hz: int, filters: Sequence[str]) -> _Run:
    """A run that gives one channel at a sample rate."""
    # Left to itself, ffmpeg hands each of these small blocks to the pipe at once, for a twentieth of its time.
    output = ["-flush_packets", "0", *_pipe("f32le")]
    container, to_mono = Container.of(path), channels.mono_filters(sample_rate_hz, filters)
    placed = container.filters
    frames = f"asetnsamples=n={sample_rate_hz // PLACED_FRAMES_A_SECOND if placed else FRAME_SAMPLES}:p=0"
    steps = [to_mono, *placed, frames] if placed else [frames, to_mono]
    command = _Command(_reading(path, choice, container.options()), steps, output, container)
    return _Run(path, choice, command, sample_rate_hz)


def _pipe(form: str) -> list[str]:
    """How ffmpeg is told to give the sound in a form on its standard output, and to write nothing else."""
    return ["-protocol_whitelist", "pipe", "-f", form, "pipe:1"]


def _reading(path: Path, choice: SoundChoice, place: Sequence[str] = ()) -> list[str]:
    """How ffmpeg is told to open one file and nothing else. place: where in it to begin."""
    # "file:" keeps a name that starts with a dash or holds a colon from being taken for an option or an address.
    options = [find_ffmpeg(), "-nostdin", "-hide_banner", "-nostats", "-v", "level+info"]
    options += ["-threads", "1", "-filter_threads", "1", "-max_alloc", str(LARGEST_ALLOCATION_BYTES)]
    options += ["-protocol_whitelist", "file", "-format_whitelist", FORMATS]
    options += ["-max_pixels", str(LARGEST_PICTURE_PIXELS), "-guess_layout_max", str(MOST_KNOWN_CHANNELS), *place]
    options += [*what_ffmpeg_overlooks(path), "-i", f"file:{path}", "-vn", "-sn", "-dn"]
    # Without -map, ffmpeg takes the track that is marked as the default one.
    return options if choice.track is None else [*options, "-map", f"0:a:{choice.track - 1}"]


def _explain(run: _Run) -> str:
    """A reason for people why a file gave nothing, from what ffmpeg printed.

    Raises AudionetError if it is ffmpeg that does not work, not the file.
    """
    messages, track = run.messages.errors(), run.choice.track
    if track is not None and "matches no streams" in messages:
        return f"has no sound track {track}"
    meaning = what_is_wrong(run.path, messages, run.info().tracks > 0)
    if meaning:
        return meaning
    _check_works()
    first, _, _ = messages.strip().partition("\n")
    words = [part.strip() for part in first.split(": ") if re.search("[a-z]", part)]  # the last may be a number
    said, remedy = words[-1] if words else first, "if it plays elsewhere, convert it to WAV or FLAC there"
    return f"cannot be decoded ({said}); {remedy}" if first else "holds no sound"


def ask_ffmpeg(*arguments: str, given: bytes = b"", seconds: float | None = 30) -> subprocess.CompletedProcess[bytes]:
    """A run of ffmpeg that has ended, for what it prints. Raises AudionetError if it can't be started, or takes longer.

    given: on its standard input.
    """
    command = [find_ffmpeg(), *arguments]
    with running_ffmpeg():
        return subprocess.run(
            command, input=given, capture_output=True, timeout=seconds, check=False, start_new_session=True
        )


def _check_works() -> str:
    """What ffmpeg prints about its version. Raises AudionetError when it does not work."""
    finished = ask_ffmpeg("-version")
    with running_ffmpeg():
        if finished.returncode != 0 or not finished.stdout.startswith(b"ffmpeg version"):
            raise OSError(f"it ends with status {finished.returncode}")
    return finished.stdout.decode(errors="replace")


def running_ffmpeg() -> AbstractContextManager[None]:
    """What keeps ffmpeg from being started, heard or understood in here is raised as AudionetError."""
    remedy = "reinstall ffmpeg, or remove it to use the one from imageio-ffmpeg"
    return explaining(f"{find_ffmpeg()} does not work", OSError, subprocess.TimeoutExpired, remedy=remedy)
