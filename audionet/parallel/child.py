"""A process of our own that answers one request after the other, bytes with bytes.

One that takes apart what may come from anyone has limits: it needs no file, and can open none. It is kept for the next
request; one that breaks down or takes too long is ended, at the cost of that one request. It ends with us, however we
end: its input is closed then.
"""

import os
import queue
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from types import MappingProxyType
from typing import IO

from audionet.errors import RAISE_LIMITS, AudionetError, explaining
from audionet.parallel.memory import KEPT_BYTES, LARGEST_KEPT_BLOCK_BYTES
from audionet.parallel.process import enlarge
from audionet.system.signals import Alarm, came, end_with_us, no_longer_ours

START_SECONDS = 60.0  # for Python to start there: a fraction of a second, but on a busy machine
LENGTH = struct.Struct("<Q")  # before each request and each answer
LARGEST_REQUEST_BYTES = 1 << 40  # no limit: what we ask is our own
STARTED = b"started"

# Before anything is imported, the child takes our places for modules, and not the folder that we happen to be in.
BOOT = "import sys; sys.path[:] = sys.argv[2:]; import runpy; runpy.run_module(sys.argv[1], run_name='__main__')"
# One thread for matrix products: as many children work as there are cores. And what a request took of memory is kept
# for the next one, as by `keep_freed_memory`, but from the start.
VARIABLES = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
VARIABLES |= {"MALLOC_MMAP_THRESHOLD_": str(LARGEST_KEPT_BLOCK_BYTES), "MALLOC_TRIM_THRESHOLD_": str(KEPT_BYTES)}
NOT_STARTED = "a process that reads recordings does not start; run: pip install --force-reinstall audionet soundfile"
PACKAGES = Path(__file__).resolve().parent.parent.parent


class ChildFailed(Exception):
    """A request that got no answer: the child took too long, or it broke down."""

    def __init__(self, took_too_long: bool) -> None:
        super().__init__("takes too long" if took_too_long else "breaks down")
        self.took_too_long = took_too_long


class PythonProcess:
    """A process that runs one of our modules, and ends with us. requests, answers: its input and its output."""

    def __init__(
        self, module: str, failure: str, flags: Sequence[str] = (), variables: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """failure: how the AudionetError begins that is raised if none can be started. flags: of Python. variables: of
        its environment, beside ours."""
        with explaining(failure, OSError, remedy=RAISE_LIMITS):
            # In a session of its own, so that Ctrl-C and Ctrl-Z reach it through us alone.
            self.process = subprocess.Popen(
                [sys.executable, *flags, "-c", BOOT, module, str(PACKAGES), *sys.path],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                env={**os.environ, **variables},
            )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.requests, self.answers = self.process.stdin, self.process.stdout
        self.kill = self.process.kill
        end_with_us(self.kill)

    def close(self) -> None:
        """End the process. Whoever reads its answers finds that there are no more."""
        no_longer_ours(self.kill)
        self.kill()
        with suppress(OSError):
            self.requests.close()
        self.process.wait()


def take_standard_output() -> IO[bytes]:
    """Standard output, for answers alone: what libraries print from now on is none, and goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return answers


class Children:
    """Processes that run one of our modules, as many as threads ask at once; each is started when it is needed.

    module: its name; run as a program, it calls `serve`. largest_answer: in bytes.
    """

    def __init__(self, module: str, largest_answer: int) -> None:
        self._module, self._largest_answer = module, largest_answer
        self._forget()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)  # those are not its children

    def ask(self, request: Sequence[bytes], limit_seconds: float) -> bytes:
        """The answer to a request. Raises ChildFailed; AudionetError if no process can be started, or we are to end."""
        with self._lock:
            child = self._idle.pop() if self._idle else None
        if child is None or child.has_ended():
            child = Child(self._module)
        try:
            answer = child.ask(request, limit_seconds, self._largest_answer)
        except BaseException:
            child.close()
            if came():
                raise AudionetError("the run was interrupted") from None
            raise
        with self._lock:
            self._idle.append(child)
        return answer

    def close(self) -> None:
        """End those that have nothing to do."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[Child] = []


class Child(PythonProcess):
    """One such process, which is started at once."""

    def __init__(self, module: str) -> None:
        # Without what `site` does, and what the environment says, Python starts in half the time.
        flags = ["-I", "-S", *(["-B"] if sys.flags.dont_write_bytecode else [])]
        super().__init__(module, "no process can be started to read recordings", flags, VARIABLES)
        enlarge(self.requests)
        enlarge(self.answers)
        self._has_started = False

    def has_ended(self) -> bool:
        """Whether it was ended by someone else."""
        if self.process.poll() is None:
            return False
        self.close()
        return True

    def ask(self, request: Sequence[bytes], limit_seconds: float | None, largest_answer: int) -> bytes:
        """The answer, which may take so long. Raises ChildFailed; AudionetError if the process does not start."""
        if not self._has_started:
            with Alarm(START_SECONDS, self.kill):
                has_started = receive(self.answers, len(STARTED)) == STARTED
            if not has_started:
                raise AudionetError(NOT_STARTED if not came() else "the run was interrupted")
            self._has_started = True
        alarm = None if limit_seconds is None else Alarm(limit_seconds, self.kill)
        with alarm or nullcontext():
            try:
                send(self.requests, request)
                answer = receive(self.answers, largest_answer)
            except OSError:
                answer = None  # it has ended: there is no answer either
        if answer is None:
            raise ChildFailed(alarm is not None and alarm.has_rung)
        return answer

    def close(self) -> None:
        """End the process."""
        super().close()
        self.answers.close()


def send(pipe: IO[bytes], parts: Sequence[bytes | memoryview]) -> None:
    """Write a request, or an answer, with its length before it."""
    pipe.writelines([LENGTH.pack(sum(map(len, parts))), *parts])
    pipe.flush()


def receive(pipe: IO[bytes], largest: int = LARGEST_REQUEST_BYTES) -> bytes | None:
    """The next request, or answer, of at most so many bytes; None if there is none that is whole."""
    header = pipe.read(LENGTH.size)
    length = LENGTH.unpack(header)[0] if len(header) == LENGTH.size else largest + 1
    content = pipe.read(length) if length <= largest else b""
    return content if len(content) == length else None


def serve(answer: Callable[[bytes], Sequence[bytes]], memory_bytes: int | None = None) -> None:
    """What the child does: answer each request on standard input, until there are no more.

    memory_bytes: beside what it takes already. With such a limit, it can open no file from now on: what `answer` needs
    has been imported and tried. None is for work on which there are no limits.
    """
    requests, answers = sys.stdin.buffer, take_standard_output()
    if memory_bytes is not None:
        limit_this_process(memory_bytes, no_files=True)

    def work() -> None:
        try:
            while True:
                send(answers, answer(waiting.get()))
        finally:
            os._exit(1)  # whoever waits need not wait for what this fails of

    send(answers, [STARTED])
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=work, daemon=True).start()
    # This thread only reads: when there is nothing more to read, whoever asks has gone, and so does the child.
    while (request := receive(requests)) is not None:
        waiting.put(request)
    os._exit(0)


def limit_this_process(memory_bytes: int, *, no_files: bool = False) -> None:
    """From now on, take no more memory than so much, and write no file; where the system can limit that.

    no_files: nor open any.
    """
    try:
        import resource
    except ImportError:  # Windows
        return
    limits = {resource.RLIMIT_FSIZE: 0, resource.RLIMIT_CORE: 0}
    if sys.platform == "linux":
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:
            used = next((int(line.split()[1]) << 10 for line in status if line.startswith("VmData:")), 0)
        limits[resource.RLIMIT_DATA] = used + memory_bytes
    if no_files:
        limits[resource.RLIMIT_NOFILE] = 0  # those that are open stay so
    for which, limit in limits.items():
        with suppress(OSError, ValueError):
            resource.setrlimit(which, (limit, limit))
