"""A stranger's network runs in a process of its own, as ffmpeg does: with limits of time and memory, and no files.

A network that consists of arithmetic can neither read nor write anything, but it can compute without end, and ask for
any memory while it runs. So it is given to a child process, picture by picture or chunk by chunk of sound, over pipes.
What comes back is taken apart like anything else from outside. The child ends with us, however we end: its input is
closed then.
"""

import io
import json
import os
import struct
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from audionet.errors import NO_THREADS, AudionetError, explaining, message_of
from audionet.parallel.child import PythonProcess, limit_this_process, receive, send, take_standard_output
from audionet.settings import available_cores
from audionet.system.signals import Alarm, came, no_longer_ours

START_SECONDS = 300.0  # for LiteRT or TensorFlow to start: a few seconds, but on a busy machine
LOAD_SECONDS, ANSWER_SECONDS = 120.0, 60.0  # for a network to be read and tried, and for each picture
SAMPLES_IN_TIME = 1 << 20  # of sound, for which the latter is enough: of a longer chunk, it is so much longer
MEMORY_BYTES = 2 << 30  # beside what LiteRT or TensorFlow themselves take
MEMORY_TIMES_SIZE = 4  # and so many times the size of the network's file: it is read, taken apart and converted
LARGEST_ANSWER_BYTES = 1 << 20
REMEDY = "use another model, or train one with audionet retrain"

REQUEST = struct.Struct("<I")  # its number; then comes an array as NumPy saves it
ANSWER = struct.Struct("<IB")  # the number of the request, and the kind
OUTPUTS, SENTENCE, REASON = range(3)  # kinds of answers; REASON says why the content is no network
LONGEST_REASON = 200  # characters
STARTED, TRIED = 0, 1  # numbers of answers to the network itself: no outputs yet, and those for a black picture

Sizes = tuple[int, ...]
Answer = Future[tuple[int, bytes] | None]  # its kind and content; None if there is none, for the process has ended


class PictureNetwork(Protocol):
    """From a picture, or from sound, to some arrays."""

    def run(self, given: np.ndarray) -> list[np.ndarray]:
        """The outputs, float32, for a uint8 picture (height x width, or x 3), or for samples (float32)."""


class ShapedNetwork(PictureNetwork, Protocol):
    """A PictureNetwork that knows the shapes of its outputs: backbone.Network, frozen_graph.FrozenGraph."""

    output_shapes: list[Sizes]


class SandboxedNetwork:
    """A PictureNetwork that runs in a child process, for several threads at once. It can be pickled.

    module: of ours, which serves such networks when it is run. content: the network, as it was given. where: what to
    call it in sentences.
    The process is started when it is first needed, and again if it has been ended.
    """

    def __init__(self, module: str, content: bytes, where: Path, options: Mapping[str, Any] | None = None) -> None:
        """Raises ValueError when the content is no such network, AudionetError when it goes beyond its limits."""
        self.content = content
        self._module, self._where, self._options = module, where, dict(options or {})
        self._lock = threading.Lock()
        self._child: _Child | None = None
        self.output_shapes = self._running().output_shapes

    def run(self, given: np.ndarray) -> list[np.ndarray]:
        """The outputs, float32, for a uint8 picture (height x width, or x 3), or for samples (float32).

        Raises AudionetError when the network gives none, or goes beyond its limits.
        """
        return self._running().ask(given)

    def _running(self) -> "_Child":
        with self._lock:
            if self._child is None or self._child.has_ended:
                self._child = _Child(self._module, self.content, self._where, self._options)
            return self._child

    def __reduce__(self) -> "tuple[type[SandboxedNetwork], tuple[str, bytes, Path, dict[str, Any]]]":
        return SandboxedNetwork, (self._module, self.content, self._where, self._options)

    def release(self) -> None:
        """End the process, until it is needed again."""
        child = getattr(self, "_child", None)
        if child is not None:
            child.close()

    def __del__(self) -> None:
        # When Python ends, its other threads have stopped where they were, one perhaps as it waited for the process
        # with a lock that is never given back. The process ends then by itself: its input is closed.
        if not sys.is_finalizing():
            self.release()


class _Child(PythonProcess):
    """The process of one network."""

    def __init__(self, module: str, content: bytes, where: Path, options: Mapping[str, Any]) -> None:
        self.where = where
        memory_bytes = MEMORY_BYTES + MEMORY_TIMES_SIZE * len(content)
        self._memory_gb = memory_bytes / (1 << 30)
        self._write_lock, self._lock = threading.Lock(), threading.Lock()
        self._waiting: dict[int, Answer] = {}
        self._next = STARTED
        self.has_ended = False
        super().__init__(module, f"{where}: no process can be started for it")
        listener = threading.Thread(target=self._listen, name="sandbox", daemon=True)
        (_, started), (_, tried) = self._expect(), self._expect()
        try:
            listener.start()
            header = {"memory_bytes": memory_bytes, "where": str(where), "options": options}
            self._get(started, START_SECONDS, [json.dumps(header).encode()], [content])
            outputs = self._get(tried, LOAD_SECONDS)
        except BaseException as error:
            self.close()
            if isinstance(error, RuntimeError):  # of a thread that cannot start
                raise AudionetError(NO_THREADS) from error
            raise
        self.output_shapes = [output.shape for output in outputs]

    def ask(self, given: np.ndarray) -> list[np.ndarray]:
        """The outputs for a picture, or for sound."""
        number, answer = self._expect()
        file = io.BytesIO()
        np.save(file, given, allow_pickle=False)
        limit_seconds = ANSWER_SECONDS * max(1, given.size / SAMPLES_IN_TIME if given.ndim == 1 else 1)
        return self._get(answer, limit_seconds, [REQUEST.pack(number), file.getbuffer()])

    def _expect(self) -> tuple[int, Answer]:
        """The number of the next request, and the answer that it will have."""
        answer = Answer()
        with self._lock:
            number = self._next
            self._next += 1
            if self.has_ended:
                answer.set_result(None)
            else:
                self._waiting[number] = answer
        return number, answer

    def _get(self, answer: Answer, limit_seconds: float, *messages: Sequence[bytes | memoryview]) -> list[np.ndarray]:
        """Send what is asked, and wait for the answer. Raises AudionetError."""
        with Alarm(limit_seconds, self.kill) as alarm:
            with self._write_lock, suppress(OSError):  # it has ended: there is no answer either
                for message in messages:
                    send(self.requests, message)
            given = _interruptible(answer)
        if given is None:
            raise AudionetError(f"{self.where}: {self._why_it_ended(alarm)}")
        kind, payload = given
        if kind == REASON:
            raise ValueError(payload.decode(errors="replace"))
        if kind == SENTENCE:
            raise AudionetError(payload.decode(errors="replace"))
        return _unpack(payload, self.where)

    def _why_it_ended(self, alarm: Alarm) -> str:
        if came():
            return "the run was interrupted"
        if alarm.has_rung:
            return f"its network computes for more than {alarm.passed:.0f} seconds; {REMEDY}"
        return f"its network breaks down, or needs more than {self._memory_gb:.1f} GB of memory; {REMEDY}"

    def _listen(self) -> None:
        """Hand each answer to who waits for it, until there are no more."""
        with suppress(OSError, ValueError, struct.error):
            while (message := receive(self.answers, ANSWER.size + LARGEST_ANSWER_BYTES)) is not None:
                number, kind = ANSWER.unpack_from(message)
                with self._lock:
                    answer = self._waiting.pop(number, None)
                if answer is not None:
                    answer.set_result((kind, message[ANSWER.size :]))
        no_longer_ours(self.kill)
        self.kill()
        self.answers.close()
        with self._lock:
            self.has_ended = True
            for answer in self._waiting.values():
                answer.set_result(None)
        self.process.wait()


def _interruptible(answer: Answer) -> tuple[int, bytes] | None:
    """The answer, which is waited for in short turns: between them, Python hears of Ctrl-C on every system."""
    while True:
        with suppress(futures.TimeoutError):
            return answer.result(timeout=1.0)


def _pack(arrays: list[np.ndarray]) -> bytes:
    parts = []
    for array in arrays:
        array = np.asarray(array, "<f4")
        parts += [struct.pack(f"<B{array.ndim}I", array.ndim, *array.shape), array.tobytes()]
    return b"".join(parts)


def _unpack(payload: bytes, where: Path) -> list[np.ndarray]:
    """The arrays that `_pack` wrote. Raises AudionetError for anything else."""
    arrays, fault = list[np.ndarray](), f"{where}: its network gives no answer that can be read; {REMEDY}"
    with explaining(fault, struct.error, ValueError, MemoryError):
        while payload:
            shape = struct.unpack_from(f"<{payload[0]}I", payload, 1)
            start = 1 + 4 * len(shape)
            end = start + 4 * int(np.prod(shape, dtype=object))
            arrays.append(np.frombuffer(payload[start:end], "<f4").reshape(shape))
            payload = payload[end:]
    return arrays


def _outcome(number: int, work: Callable[[], list[np.ndarray]], where: str) -> tuple[int, bytes]:
    """The kind and the content of an answer: the outputs, or why there are none."""
    try:
        packed = _pack(work())
        if len(packed) > LARGEST_ANSWER_BYTES:
            raise ValueError("an answer of megabytes")
        return OUTPUTS, packed
    except AudionetError as error:
        return SENTENCE, str(error).encode(errors="replace")
    except MemoryError:
        os._exit(1)
    except Exception as error:  # whatever a network of a stranger's makes of TensorFlow
        reason = message_of(error)[:LONGEST_REASON]
        if number == TRIED:
            return REASON, reason.encode(errors="replace")
        return SENTENCE, f"{where}: its network fails ({reason}); {REMEDY}".encode(errors="replace")


def serve(start: Callable[[], object], make: Callable[[bytes, Path, dict[str, Any]], ShapedNetwork]) -> None:
    """What the child does: make the network that comes on standard input, and answer for each picture that follows.

    start: starts what runs networks, before there are limits.
    """
    requests, answers = sys.stdin.buffer, take_standard_output()
    lock = threading.Lock()
    header = json.loads(receive(requests) or b"")

    def answer(number: int, work: Callable[[], list[np.ndarray]]) -> None:
        kind, payload = _outcome(number, work, header["where"])
        with lock:
            send(answers, [ANSWER.pack(number, kind), payload])

    start()
    answer(STARTED, lambda: [])
    content = receive(requests) or b""
    limit_this_process(header["memory_bytes"])
    network: ShapedNetwork | None = None

    def load() -> list[np.ndarray]:
        nonlocal network
        network = make(content, Path(header["where"]), header["options"])
        return [np.zeros(shape, np.float32) for shape in network.output_shapes]

    # Only this thread reads: when there is nothing more to read, whoever asks has gone, and so does the child.
    pool = ThreadPoolExecutor(available_cores())
    pool.submit(answer, TRIED, load)
    while (request := receive(requests)) is not None:
        (number,) = REQUEST.unpack_from(request)
        given = np.load(io.BytesIO(request[REQUEST.size :]), allow_pickle=False)
        assert network is not None  # nobody asks before it is there
        pool.submit(answer, number, lambda given=given: network.run(given))  # type: ignore[misc]
    os._exit(0)
