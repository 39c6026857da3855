"""A stranger's network in a process of its own: it answers, or is ended, and says why; nothing of it is left."""

import errno
import math
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audionet.errors import AudionetError
from audionet.model.bundle import Model
from audionet.parallel import sandbox
from audionet.parallel.child import Child
from audionet.parallel.sandbox import SandboxedNetwork
from audionet.settings import PictureSettings
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.system import signals
from audionet.system.signals import Alarm
from audionet.training.unknown import RejectionThresholds
from tests.conftest import run_program, start_program
from tests.crashes import MARK, alone_in_time, hear_ctrl_c

WHITE = np.full((4, 4, 3), 255, np.uint8)


def network(name: str, **options: Any) -> SandboxedNetwork:
    return SandboxedNetwork("tests.parallel.strange_networks", name.encode(), Path("strange.pb"), options)


def test_it_answers_many_threads_each_with_its_own() -> None:
    usual = network("usual")
    assert usual.output_shapes == [(2,), ()]
    with ThreadPoolExecutor(4) as pool:
        pictures = [np.full((4 + n % 3, 4, 3), n, np.uint8) for n in range(60)]
        for n, (scores, height) in enumerate(pool.map(usual.run, pictures)):
            assert scores == pytest.approx([n / 255, 1 - n / 255])
            assert height == 4 + n % 3


def test_it_can_be_pickled_as_for_a_cluster() -> None:
    copy = pickle.loads(pickle.dumps(network("usual")))
    assert copy.run(WHITE)[0] == pytest.approx([1, 0])


def test_what_is_no_network_is_told_from_one_that_misbehaves() -> None:
    with pytest.raises(ValueError, match="this is none"):
        network("no network")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fails", r"strange.pb: its network fails \(of its\); use another model, or train one with audionet retrain"),
        ("crashes", r"strange.pb: its network breaks down, or needs more than 2.0 GB of memory; use another model"),
        ("long", r"strange.pb: its network fails \(an answer of megabytes\)"),
    ],
)
def test_a_network_that_misbehaves_is_a_sentence(name: str, message: str) -> None:
    strange = network(name)
    for _ in range(2):  # and the next picture is told the same, not left to wait
        with pytest.raises(AudionetError, match=message):
            strange.run(WHITE)


@pytest.mark.skipif(sys.platform != "linux", reason="no such limit")
def test_a_network_that_takes_all_memory_is_ended() -> None:
    with pytest.raises(AudionetError, match=r"needs more than 2\.0 GB of memory"):
        network("memory").run(WHITE)


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit")
def test_a_network_can_write_no_file(tmp_path: Path) -> None:
    with pytest.raises(AudionetError, match="its network"):
        network("writes", target=str(tmp_path / "written")).run(WHITE)
    assert not (tmp_path / "written").exists() or not (tmp_path / "written").read_bytes()


def test_a_network_that_computes_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(sandbox, "LOAD_SECONDS", 0.3)
    endless = network("endless")
    assert endless.run(np.zeros_like(WHITE))[0] == pytest.approx([0, 1])
    for picture in (WHITE, WHITE):
        with pytest.raises(AudionetError, match=r"its network computes for more than \d+ seconds; use another model"):
            endless.run(picture)
    with pytest.raises(AudionetError, match=r"its network computes for more than"):
        network("endless at once")


@pytest.mark.parametrize(
    ("name", "message"), [("grows", "no score for each of its 2 classes"), ("no numbers", "no num")]
)
def test_a_model_checks_every_answer(name: str, message: str) -> None:
    renderer = SpectrogramRenderer.make(PictureSettings())
    model = Model(["a", "b"], renderer, network(name), RejectionThresholds(0.0, math.inf))
    if name == "grows":
        model.score(np.zeros_like(WHITE))
    with pytest.raises(AudionetError, match=message):
        model.score(WHITE)


PROGRAM = """
import sys, threading
from pathlib import Path
import numpy as np
from audionet.parallel.sandbox import SandboxedNetwork
from audionet.system import signals
signals.listen()
try:
    network = SandboxedNetwork("tests.parallel.strange_networks", b"endless", Path("x"))
    print("loaded", flush=True)
    if sys.argv[1] == "thread":  # as label does it
        worker = threading.Thread(target=lambda: network.run(np.ones((4, 4, 3), np.uint8)), daemon=False)
        worker.start()
        worker.join()
    else:
        network.run(np.ones((4, 4, 3), np.uint8))
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
@pytest.mark.parametrize("where", ["main", "thread"])
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGKILL"])
def test_it_ends_with_us_whatever_it_computes(name: str, where: str) -> None:
    mark = os.urandom(8).hex()
    process, line = start_program(
        PROGRAM, where, variables={MARK: mark}, stderr=subprocess.DEVNULL, preexec_fn=hear_ctrl_c
    )
    assert line == "loaded\n"
    time.sleep(0.2)
    process.send_signal(getattr(signal, name))
    out, _ = process.communicate(timeout=20)
    assert out == ("" if name == "SIGKILL" else "interrupted\n")
    if sys.platform == "linux":
        assert alone_in_time(mark, 20)


def test_python_ends_while_a_thread_still_waits_for_the_process() -> None:
    program = """
import sys, threading, time
from pathlib import Path
from audionet.parallel.sandbox import SandboxedNetwork
network = SandboxedNetwork("tests.parallel.strange_networks", b"usual", Path("x"))
threading.Thread(target=network._child.process.wait, daemon=True).start()  # as who listens to it does at its end
time.sleep(0.2)
"""
    mark = os.urandom(8).hex()
    run_program(program, variables={MARK: mark}, timeout=60)
    if sys.platform == "linux":
        assert alone_in_time(mark, 20)


def test_an_alarm_does_not_count_time_in_which_the_process_was_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "TICK_SECONDS", 0.01)
    rung = threading.Event()
    with Alarm(0.05, rung.set) as alarm:
        assert rung.wait(20)
    assert alarm.has_rung
    # To be stopped is to find, at the next look, that hours have passed on the clock.
    times = iter(range(0, 10**6, 10_000))
    monkeypatch.setattr("audionet.system.signals.time.monotonic", lambda: next(times))
    with Alarm(1000, pytest.fail) as alarm:
        threading.Event().wait(0.05)
    assert alarm.passed < 20
    assert not alarm.has_rung


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_a_process_that_is_stopped_for_a_while_loses_no_answer(tmp_path: Path) -> None:
    program = """
import subprocess, sys, threading
from audionet.system import signals
signals.TICK_SECONDS = 0.1
gone = threading.Event()
with signals.Alarm(1.5, gone.set) as alarm:
    print("begun", flush=True)
    gone.wait(0.8)
print(alarm.has_rung, flush=True)
"""
    process, line = start_program(program, folder=tmp_path)
    assert line == "begun\n"
    process.send_signal(signal.SIGSTOP)
    time.sleep(2.5)
    process.send_signal(signal.SIGCONT)
    assert process.communicate(timeout=20)[0] == "False\n"


def test_the_processes_that_work_for_us_can_be_ended_and_start_again() -> None:
    usual = network("usual")
    ends: list[Callable[[], None]] = list(signals._children)
    assert ends
    signals.end_children()
    for _ in range(100):
        try:
            assert usual.run(WHITE)[0] == pytest.approx([1, 0])
            return
        except AudionetError:
            time.sleep(0.05)  # it has not yet been seen that it is gone
    pytest.fail("never started again")


def test_too_many_open_files_are_a_sentence_with_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(AudionetError, match=r"strange.pb: no process can be started .*; close other .*ulimit -n"):
        network("usual")
    with pytest.raises(AudionetError, match=r"no process can be started to read .*; close other .*ulimit -n"):
        Child("tests.parallel.strange_answers")


@pytest.mark.parametrize("started", [0, 1])
def test_threads_that_cannot_start_are_a_sentence_and_leave_no_process(
    started: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, before = threading.Thread.start, len(signals._children)
    left = [started]

    def limited(thread: threading.Thread) -> None:
        if not left[0]:
            raise RuntimeError("can't start new thread")
        left[0] -= 1
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    with pytest.raises(AudionetError, match="lets no further thread start"):
        network("usual")
    assert len(signals._children) == before
