"""A program that reads a file that may come from anyone: its time, its memory and what it says are limited."""

import errno
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from audionet.errors import AudionetError, UnusableInput
from audionet.system.signals import Alarm

BLOCK_BYTES = 1 << 20  # read at a time: 32 s of sound
PIPE_BYTES = 1 << 20  # so far a program may run ahead, where the system lets it, while all threads draw
MEMORY_BYTES = 2 << 30  # of address space, where the system can limit that
MESSAGE_BYTES = 1 << 16  # kept of what ffmpeg complains of: of a damaged recording that may be a line per frame
ERROR_LINE = re.compile(r"(?:\[[^\]]*\] )*?\[(?:error|fatal|panic)\] (.*)")


class Messages:
    """What the program prints on standard error: the beginning and the end of it."""

    def __init__(self) -> None:
        self.kept = bytearray()
        self._ended = threading.Event()

    def listen(self, pipe: IO[bytes]) -> None:
        """Read a pipe to its end."""
        while data := os.read(pipe.fileno(), 1 << 12):
            self.kept += data
            if len(self.kept) > 2 * MESSAGE_BYTES:
                del self.kept[MESSAGE_BYTES : len(self.kept) - MESSAGE_BYTES]
        self._ended.set()

    def text(self, wait_for: bytes) -> str:
        """All of it, as soon as certain words have come, which the program prints before it gives any sound."""
        for _ in range(200):
            if wait_for in self.kept or self._ended.wait(0.005):
                break
        return bytes(self.kept).decode(errors="replace")

    def errors(self) -> str:
        """The lines that are of errors, without ffmpeg's marks before them."""
        lines = bytes(self.kept).decode(errors="replace").splitlines()
        matches = [ERROR_LINE.match(line) for line in lines]
        return "\n".join(match[1] for match in matches if match)


def read_program(command: Sequence[str], path: Path, limit_seconds: float, messages: Messages) -> Iterator[bytes]:
    """What a program writes about a file. Raises UnusableInput for a file that goes beyond the limits; OSError if the
    program can't be run.

    messages: get what it says on standard error.
    """
    try:
        process = start_program(command)
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):
            sentence = "too many files are open; raise the limit (ulimit -n), or use fewer --jobs"
            raise AudionetError(sentence) from error
        raise
    with listened_to(process, messages) as output:
        _limit_memory(process.pid)
        enlarge(output)  # so that ffmpeg may run ahead
        yield from _read_in_time(process, output, path, limit_seconds)
        if process.returncode < 0:
            raise UnusableInput(path, "makes ffmpeg break down; convert it to another format")
        if process.returncode > 0 and b"Cannot allocate memory" in messages.kept:
            raise UnusableInput(path, "needs more memory than a recording should; convert it to another format")


def start_program(command: Sequence[str]) -> "subprocess.Popen[bytes]":
    """A program that has just been started, in a session of its own, so that Ctrl-C stops it through us alone and no
    file counts as damaged. Raises OSError if it can't be run."""
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )


@contextmanager
def listened_to(process: "subprocess.Popen[bytes]", messages: Messages) -> Iterator[IO[bytes]]:
    """The output of a program, to be read; what it says meanwhile is kept. At the end, the program is ended too."""
    assert process.stdout is not None
    assert process.stderr is not None
    listener = threading.Thread(target=messages.listen, args=(process.stderr,), daemon=True)
    listener.start()
    try:
        yield process.stdout
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
        listener.join()
        process.stderr.close()


def _read_in_time(
    process: "subprocess.Popen[bytes]", output: IO[bytes], path: Path, limit_seconds: float
) -> Iterator[bytes]:
    """What a process writes to its output, until it has ended.

    Time counts only while we wait for it: not while it waits for us, nor while we are stopped.
    Raises UnusableInput, and ends the process, after limit_seconds.
    """
    left = limit_seconds
    while True:
        with Alarm(left, process.kill) as alarm:
            block = output.read(BLOCK_BYTES)
            if not block:
                process.wait()
        left -= alarm.passed
        if alarm.has_rung:
            raise UnusableInput(path, f"keeps ffmpeg busy for more than {limit_seconds:.0f} seconds")
        if not block:
            return
        yield block


def _limit_memory(pid: int) -> None:
    """Where the system can limit a process that runs: code between fork and exec would not be safe with threads."""
    if sys.platform == "linux":
        import resource

        with suppress(OSError, ValueError):
            resource.prlimit(pid, resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def enlarge(pipe: IO[bytes]) -> None:
    """Let a pipe hold PIPE_BYTES. Not Popen's pipesize: where the system refuses, a program would count as broken."""
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
