"""The process that takes recordings apart: kept for the next one, and ended at the cost of one that makes it fail."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from audionet.parallel.child import ChildFailed, Children
from tests.conftest import start_program
from tests.crashes import hear_ctrl_c


@pytest.fixture
def children() -> Iterator[Children]:
    found = Children("tests.parallel.strange_answers", 1 << 20)
    yield found
    found.close()


def ask(children: Children, request: bytes, limit_seconds: float = 60.0) -> str:
    return children.ask([request[:2], request[2:]], limit_seconds).decode()


def test_one_process_answers_request_after_request(children: Children) -> None:
    first = ask(children, b"who")
    assert first != str(os.getpid())
    assert [ask(children, b"x" * size) for size in (2, 100_000, 10_000_000)] == [first] * 3


def test_as_many_work_as_ask_at_once(children: Children) -> None:
    with ThreadPoolExecutor(3) as pool:
        found = set(pool.map(lambda _: ask(children, b"who"), range(60)))
    assert 1 <= len(found) <= 3


@pytest.mark.parametrize("request_", [b"hang", b"crash", b"fail", b"endless"])
def test_one_that_fails_costs_its_request_alone(children: Children, request_: bytes) -> None:
    before = ask(children, b"who")
    with pytest.raises(ChildFailed) as caught:
        ask(children, request_, 0.5 if request_ == b"hang" else 60.0)
    assert caught.value.took_too_long == (request_ == b"hang")
    assert ask(children, b"who") not in (before, "")


def test_one_that_was_ended_while_it_waited_is_started_anew(children: Children) -> None:
    before = ask(children, b"who")
    os.kill(int(before), signal.SIGKILL)
    os.waitid(os.P_PID, int(before), os.WEXITED | os.WNOWAIT)
    assert ask(children, b"who") != before


@pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
def test_it_has_neither_memory_without_end_nor_files(children: Children) -> None:
    assert ask(children, b"memory") == "MemoryError"
    assert ask(children, b"open") == "OSError"


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("name", ["SIGKILL", "SIGINT"])
def test_it_ends_with_us_whatever_ends_us(name: str) -> None:
    program = """
import sys, time
from audionet.parallel.child import Children
from audionet.system import signals
signals.listen()
children = Children("tests.parallel.strange_answers", 1 << 20)
print(children.ask([b"who"], 60).decode(), flush=True)
children.ask([b"hang"], 600)
"""
    process, child = start_program(program, stderr=subprocess.DEVNULL, preexec_fn=hear_ctrl_c)
    time.sleep(0.3)  # so that it is at work
    process.send_signal(getattr(signal, name))
    process.communicate(timeout=60)
    for _ in range(600):
        if not Path(f"/proc/{child.strip()}").exists():
            return
        time.sleep(0.1)
    pytest.fail("the child goes on")
