"""Processes beside this one, which do what threads do."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import audionet
from audionet.errors import AudionetError, DiskFull, UnusableInput
from audionet.options import PrepareOptions
from audionet.parallel.processes import Processes
from audionet.settings import PictureSettings
from tests.conftest import ROOT, write_wav
from tests.crashes import MARK, alone_in_time, contents, hear_ctrl_c
from tests.parallel.errands import Errand


def test_each_item_gets_its_result_from_one_of_as_many_processes() -> None:
    items = [f"item {n}" for n in range(50)]
    assert sorted(Processes(2).run(Errand(), items)) == [(n, f"item-{n}") for n in range(50)]
    found = {result for _, result in Processes(3).run(Errand(), ["who"] * 60)}
    assert 1 <= len(found) <= 3
    assert str(os.getpid()) not in found


def test_what_is_unusable_is_its_items_result_and_other_errors_end_the_work() -> None:
    found = dict(Processes(2).run(Errand(), ["a", "unusable", "b"]))
    assert (found[0], found[2]) == ("a", "b")
    assert isinstance(found[1], UnusableInput)
    assert (found[1].path, found[1].reason) == ("file", "is of no use")
    with pytest.raises(DiskFull, match="the disk is full"):
        list(Processes(2).run(Errand(), ["a", "full", *"b" * 100]))


def test_a_process_that_dies_ends_the_work_with_a_sentence() -> None:
    with pytest.raises(AudionetError, match="run the same command again"):
        list(Processes(2).run(Errand(), ["a", "die", *"b" * 100]))


def test_what_a_process_logs_is_logged_here(caplog: pytest.LogCaptureFixture) -> None:
    (found,) = Processes(1).run(Errand(), ["warn who"])
    assert [record.getMessage() for record in caplog.records] == [
        f"a word from process {str(found[1]).removeprefix('warn-')}"
    ]


def test_when_the_work_is_left_the_processes_end() -> None:
    work = Processes(2).run(Errand(), ["who"] * 1000)
    found = {int(str(next(work)[1])) for _ in range(20)}
    work.close()
    for process in found:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def make_short(folder: Path, count: int) -> Path:
    """data_audio/ of short recordings, one of which is none."""
    random = np.random.default_rng(0)
    for n in range(count):
        write_wav(folder / "data_audio" / "ab"[n % 2] / f"{n:03}.wav", random.normal(0, 3000, 4000).astype(np.int16))
    (folder / "data_audio" / "a" / "no sound.wav").write_bytes(b"RIFF")
    return folder / "data_audio"


def test_many_short_recordings_are_drawn_as_a_few_are(tmp_path: Path) -> None:
    recordings = make_short(tmp_path, 110)
    pictures = PictureSettings(1, 0)
    reports = [
        audionet.prepare(recordings, PrepareOptions(tmp_path / name, pictures, jobs=jobs))
        for name, jobs in (("one", 1), ("many", 3))
    ]
    assert [(report.made, len(report.skipped)) for report in reports] == [(110, 1)] * 2
    assert contents(tmp_path / "one") == contents(tmp_path / "many")


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs Linux to see which processes are left")
def test_interrupted_among_many_short_recordings_it_leaves_no_process_and_goes_on(tmp_path: Path) -> None:
    recordings = make_short(tmp_path, 300)
    command = [sys.executable, "-m", "audionet", "prepare", str(recordings), "--chunk-seconds", "1", "--overlap", "0"]
    variables = os.environ | {MARK: os.urandom(8).hex(), "PYTHONPATH": str(ROOT)}

    def start(name: str) -> "subprocess.Popen[bytes]":
        to = ["--image-dir", str(tmp_path / name), "--jobs", "2"]
        return subprocess.Popen([*command, *to], env=variables, stderr=subprocess.PIPE, preexec_fn=hear_ctrl_c)

    process = start("stopped")
    while not list((tmp_path / "stopped").rglob("*.jpg")):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert b"Traceback" not in said
    assert alone_in_time(variables[MARK], 30)
    for name in ("stopped", "whole"):
        assert start(name).wait(timeout=60) == 1  # for the one that is no recording
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")
