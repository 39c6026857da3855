"""Any recording that ffmpeg reads -> 16 kHz mono samples, as a stream. The only module that starts a process."""

import functools
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

import numpy as np

from audionet.errors import AudionetError, UnusableInput
from audionet.settings import SAMPLE_RATE_HZ

BLOCK_BYTES = 1 << 20  # read at a time: 32 s of sound
PIPE_BYTES = 1 << 20  # so far ffmpeg may run ahead, where the system lets it, while all threads draw
BYTES_PER_SAMPLE = 2

# What ffmpeg prints -> what it means to a person.
EXPLANATIONS = {
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


def decode(path: Path) -> Iterator[np.ndarray]:
    """The first sound track of a file as blocks of int16 samples, mono, SAMPLE_RATE_HZ.

    A damaged file gives what can be read of it. Raises UnusableInput when nothing can, AudionetError when
    ffmpeg itself does not work.
    """
    _check_readable(path)
    # "file:" keeps a name that starts with a dash or holds a colon from being taken for an option or an address.
    command = [find_ffmpeg(), "-nostdin", "-v", "error", "-threads", "1", "-protocol_whitelist", "file"]
    command += ["-i", f"file:{path}", "-map", "0:a:0", "-ac", "1", "-ar", str(SAMPLE_RATE_HZ)]
    command += ["-protocol_whitelist", "pipe", "-f", "s16le", "pipe:1"]
    with tempfile.TemporaryFile() as messages:
        try:
            # In a session of its own, so that Ctrl-C stops it through us alone and no file counts as damaged.
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=messages, start_new_session=True
            )
        except OSError as error:
            raise AudionetError(_broken(error.strerror or str(error))) from error
        assert process.stdout is not None
        _enlarge(process.stdout)
        empty = True
        try:
            while block := process.stdout.read(BLOCK_BYTES):
                samples = np.frombuffer(block, "<i2", len(block) // BYTES_PER_SAMPLE)
                empty = empty and not len(samples)
                yield samples
            process.wait()
        finally:
            process.kill()
            process.stdout.close()
            process.wait()
        if empty:
            messages.seek(0)
            raise UnusableInput(path, _explain(messages.read().decode(errors="replace")))


def _enlarge(pipe: IO[bytes]) -> None:
    """Let ffmpeg run ahead. Not Popen's pipesize: where the system refuses, that would take ffmpeg for broken."""
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def _check_readable(path: Path) -> None:
    try:
        with open(path, "rb") as file:
            if not file.read(1):
                raise UnusableInput(path, "is empty")
    except OSError as error:
        raise UnusableInput(path, f"cannot be read ({error.strerror})") from error


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


def _check_works() -> None:
    try:
        finished = subprocess.run(
            [find_ffmpeg(), "-version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AudionetError(_broken(str(error))) from error
    if finished.returncode != 0 or not finished.stdout.startswith(b"ffmpeg version"):
        raise AudionetError(_broken(f"it ends with status {finished.returncode}"))


def _broken(reason: str) -> str:
    return (
        f"{find_ffmpeg()} does not work ({reason}); reinstall ffmpeg, or remove it to use the one from imageio-ffmpeg"
    )
