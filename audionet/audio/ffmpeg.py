"""Any recording that ffmpeg reads -> 16 kHz mono samples, as a stream; and samples -> small MP3s.

The only module that starts a process. A recording may come from anyone, so ffmpeg is told to open that one file and
nothing else, and its time, memory and output are limited; docs/threats.md says against what.
"""

import functools
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import numpy as np

from audionet.errors import AudionetError, UnusableInput
from audionet.settings import SAMPLE_RATE_HZ
from audionet.system.files import require_file
from audionet.system.signals import Alarm

BLOCK_BYTES = 1 << 20  # read at a time: 32 s of sound
PIPE_BYTES = 1 << 20  # so far ffmpeg may run ahead, where the system lets it, while all threads draw
BYTES_PER_SAMPLE = 2
TO_MONO_16_KHZ = f"aformat=sample_fmts=s16:sample_rates={SAMPLE_RATE_HZ}:channel_layouts=mono"
# Samples that ffmpeg hands from thread to thread and writes at once. With those of an MP3's frame, 418, a quarter of
# its work is the handing. Where the format changes within a file (MP3s put together), up to so many are lost.
FRAME_SAMPLES = SAMPLE_RATE_HZ // 10
MP3_FRAME_SAMPLES = 576  # at 16 kHz
MP3_BITS_PER_SECOND = 24_000  # enough for speech to sound as it is
MP3_FRAME_BYTES = MP3_FRAME_SAMPLES * MP3_BITS_PER_SECOND // (8 * SAMPLE_RATE_HZ)  # of every frame, without a remainder
MP3_DELAY_FRAMES = 3  # at least what the encoder lags behind

# ffmpeg's names of what it may read: formats that hold sound, films among them. Left out are those that open other
# files or addresses (concat, hls, dash, image2, imf, rtsp, sdp, vobsub, webm_dash_manifest), run scripts (avisynth,
# vapoursynth), or hold no recording. A name that a release of ffmpeg does not know does no harm.
FORMATS = (
    "aac,ac3,aiff,alaw,amr,amrnb,amrwb,ape,asf,au,avi,caf,dsf,dss,dts,dtshd,dv,eac3,flac,flv,g722,g729,gsm,gxf,iff,"
    "ilbc,ircam,loas,matroska,mlp,mov,mp3,mpc,mpc8,mpeg,mpegts,mulaw,mxf,nistsphere,nut,ogg,oma,paf,pvf,qcp,rm,sln,"
    "sox,tak,truehd,tta,voc,vqf,w64,wav,wsd,wtv,wv,wve,xwma"
)
LONGEST_HOURS = 100  # a small file can hold any length of silence
WAIT_SECONDS, WAIT_SECONDS_PER_MB = 60.0, 30.0  # for all that ffmpeg makes of a file: far more than any takes
MEMORY_BYTES = 2 << 30  # of address space, where the system can limit that
LARGEST_ALLOCATION_BYTES = 512 << 20
LARGEST_PICTURE_PIXELS = 1 << 26  # in a film, or of a cover: ffmpeg looks at it to know what is in the file
MESSAGE_BYTES = 1 << 16  # kept of what ffmpeg complains of: of a damaged recording that may be a line a frame

# What ffmpeg prints -> what it means to a person.
EXPLANATIONS = {
    "Format not on whitelist": "is not audio that ffmpeg can read",
    "matches no streams": "has no sound in it",
    "does not contain any stream": "has no sound in it",
    "Invalid data found": "is not audio that ffmpeg can read",
    "Invalid argument": "is not audio that ffmpeg can read",  # release 5, of a text
    "Failed to find two consecutive MPEG audio frames": "is not audio that ffmpeg can read",
    "could not find codec parameters": "is not audio that ffmpeg can read",
    "moov atom not found": "is cut off or damaged: its table of contents is missing",
}


@functools.cache
def find_ffmpeg() -> str:
    """The system's ffmpeg, or else the one that the package imageio-ffmpeg carries.

    Raises AudionetError when there is neither.
    """
    found = shutil.which("ffmpeg")
    if found:
        return found
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:
        raise AudionetError(
            "ffmpeg was not found; install it (https://ffmpeg.org) or run: pip install imageio-ffmpeg"
        ) from error


@functools.cache
def ffmpeg_version() -> str:
    """As it calls itself: `7.1.1`. Raises AudionetError when it does not work."""
    return _check_works().split()[2]


def decode(path: Path) -> Iterator[np.ndarray]:
    """The first sound track of a file as blocks of int16 samples, mono, SAMPLE_RATE_HZ.

    A damaged file gives what can be read of it. Raises UnusableInput when nothing can, and when the file goes beyond
    the limits above; AudionetError when ffmpeg itself does not work.
    """
    size_bytes = require_file(path)
    try:
        # In a session of its own, so that Ctrl-C stops it through us alone and no file counts as damaged.
        process = subprocess.Popen(
            _command(path),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise AudionetError(_broken(error.strerror or str(error))) from error
    assert process.stdout is not None
    assert process.stderr is not None
    messages = bytearray()
    listener = threading.Thread(target=_keep_first, args=(process.stderr, messages), daemon=True)
    listener.start()
    length = 0
    try:
        _limit_memory(process.pid)
        _enlarge(process.stdout)
        for block in _read_in_time(process, path, WAIT_SECONDS + WAIT_SECONDS_PER_MB * size_bytes / 1e6):
            samples = np.frombuffer(block, "<i2", len(block) // BYTES_PER_SAMPLE)
            length += len(samples)
            if length > LONGEST_HOURS * 3600 * SAMPLE_RATE_HZ:
                raise UnusableInput(path, f"is longer than {LONGEST_HOURS} hours; cut it into parts")
            yield samples
        if process.returncode < 0:
            raise UnusableInput(path, "makes ffmpeg break down; convert it to another format")
        if process.returncode > 0 and b"Cannot allocate memory" in messages:
            raise UnusableInput(path, "needs more memory than a recording should; convert it to another format")
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
        listener.join()
        process.stderr.close()
    if not length:
        raise UnusableInput(path, _explain(messages.decode(errors="replace")))


def _command(path: Path) -> list[str]:
    # "file:" keeps a name that starts with a dash or holds a colon from being taken for an option or an address.
    options = [find_ffmpeg(), "-nostdin", "-v", "error", "-threads", "1", "-filter_threads", "1"]
    options += ["-max_alloc", str(LARGEST_ALLOCATION_BYTES)]
    options += ["-protocol_whitelist", "file", "-format_whitelist", FORMATS]
    options += ["-max_pixels", str(LARGEST_PICTURE_PIXELS)]
    options += ["-i", f"file:{path}", "-map", "0:a:0", "-af", f"{TO_MONO_16_KHZ},asetnsamples=n={FRAME_SAMPLES}:p=0"]
    return [*options, "-protocol_whitelist", "pipe", "-f", "s16le", "pipe:1"]


def _read_in_time(process: "subprocess.Popen[bytes]", path: Path, limit_seconds: float) -> Iterator[bytes]:
    """What a process writes, until it has ended. Time counts only while we wait for it, not while it waits for us.

    Nor does time in which we were stopped.

    Raises UnusableInput, and ends the process, after limit_seconds.
    """
    assert process.stdout is not None
    left = limit_seconds
    while True:
        with Alarm(left, process.kill) as alarm:
            block = process.stdout.read(BLOCK_BYTES)
            if not block:
                process.wait()
        left -= alarm.passed
        if alarm.has_rung:
            raise UnusableInput(path, f"keeps ffmpeg busy for more than {limit_seconds:.0f} seconds")
        if not block:
            return
        yield block


def _keep_first(pipe: IO[bytes], kept: bytearray) -> None:
    """Read a pipe to its end, and keep the beginning."""
    while data := pipe.read(1 << 12):
        kept += data[: MESSAGE_BYTES - len(kept)]


def _limit_memory(pid: int) -> None:
    """Where the system can limit a process that runs: code between fork and exec would not be safe with threads."""
    if sys.platform == "linux":
        import resource

        with suppress(OSError, ValueError):
            resource.prlimit(pid, resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def encode_mp3s(sounds: Sequence[np.ndarray]) -> list[bytes] | None:
    """Small MP3s of sounds (int16, mono, SAMPLE_RATE_HZ), to listen to; None if this ffmpeg can't make them.

    ffmpeg encodes them all as one, which costs one start. Its frames stand each for itself, so that it can be cut.
    """
    frames = [-(-len(sound) // MP3_FRAME_SAMPLES) + MP3_DELAY_FRAMES for sound in sounds]
    padded = [np.pad(s, (0, n * MP3_FRAME_SAMPLES - len(s))) for s, n in zip(sounds, frames, strict=True)]
    command = [find_ffmpeg(), "-nostdin", "-v", "error", "-f", "s16le", "-ar", str(SAMPLE_RATE_HZ), "-ac", "1"]
    command += ["-i", "pipe:0", "-c:a", "libmp3lame", "-b:a", str(MP3_BITS_PER_SECOND), "-reservoir", "0"]
    command += ["-compression_level", "9", "-write_xing", "0", "-id3v2_version", "0", "-f", "mp3", "pipe:1"]
    sound = b"".join(samples.astype("<i2").tobytes() for samples in padded)
    try:
        finished = subprocess.run(command, input=sound, capture_output=True, check=False, start_new_session=True)
    except OSError as error:
        raise AudionetError(_broken(error.strerror or str(error))) from error
    if finished.returncode != 0 or len(finished.stdout) < sum(frames) * MP3_FRAME_BYTES:
        return None
    ends = np.cumsum(frames) * MP3_FRAME_BYTES
    return [finished.stdout[end - n * MP3_FRAME_BYTES : end] for end, n in zip(ends, frames, strict=True)]


def _enlarge(pipe: IO[bytes]) -> None:
    """Let ffmpeg run ahead. Not Popen's pipesize: where the system refuses, that would take ffmpeg for broken."""
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def _explain(messages: str) -> str:
    """A reason for people from what ffmpeg printed.

    Raises AudionetError if it is ffmpeg that does not work, not the file.
    """
    for symptom, meaning in EXPLANATIONS.items():
        if symptom in messages:
            return meaning
    _check_works()
    lines = messages.strip().splitlines()
    return f"cannot be decoded ({lines[-1].rpartition(': ')[2].strip()})" if lines else "holds no sound"


def _check_works() -> str:
    """What it says of itself. Raises AudionetError when it says nothing."""
    try:
        finished = subprocess.run(
            [find_ffmpeg(), "-version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AudionetError(_broken(str(error))) from error
    if finished.returncode != 0 or not finished.stdout.startswith(b"ffmpeg version"):
        raise AudionetError(_broken(f"it ends with status {finished.returncode}"))
    return finished.stdout.decode(errors="replace")


def _broken(reason: str) -> str:
    return (
        f"{find_ffmpeg()} does not work ({reason}); reinstall ffmpeg, or remove it to use the one from imageio-ffmpeg"
    )
