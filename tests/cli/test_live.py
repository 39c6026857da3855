"""`label --microphone` and `--watch` as processes, with ffmpeg's virtual inputs for a microphone."""

import csv
import io
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Run

LOW, HIGH = "lavfi:sine=frequency=300:duration=3", "lavfi:sine=frequency=2500:duration=3"
WAIT_SECONDS = 120
# As `python -m audionet`, and Ctrl-C is heard even where the tests themselves run in the background, which ignores it.
# A file that has not changed for half a second counts as whole.
COMMAND = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from audionet.__main__ import main
from audionet.inference import watch
watch.POLL_SECONDS, watch.SETTLED_SECONDS = 0.1, 0.5
sys.exit(main())
"""


class Live:
    """A running command, whose output can be waited for."""

    def __init__(self, folder: Path, *arguments: object) -> None:
        self._out, self._err = folder / "live.out", folder / "live.err"
        with open(self._out, "wb") as out, open(self._err, "wb") as err:
            self._process = subprocess.Popen(
                [sys.executable, "-c", COMMAND, *map(str, arguments)], cwd=folder, stdout=out, stderr=err
            )

    def wait_for(self, text: str, where: str = "out") -> None:
        """Wait until it has printed this, on standard output or on standard error (`err`)."""
        path = self._out if where == "out" else self._err
        deadline = time.monotonic() + WAIT_SECONDS
        while text not in path.read_text():
            assert time.monotonic() < deadline, f"{text!r} not in {path.read_text()!r} {self._err.read_text()!r}"
            assert self._process.poll() is None, self._err.read_text()
            time.sleep(0.1)

    def interrupt(self) -> tuple[int, str, str]:
        """Press Ctrl-C: exit status, standard output and standard error."""
        self._process.send_signal(signal.SIGINT)
        status = self._process.wait(WAIT_SECONDS)
        return status, self._out.read_text(), self._err.read_text()

    def end(self) -> None:
        """Leave nothing running."""
        self._process.kill()
        self._process.wait()


@pytest.fixture
def live(tmp_path: Path, low_and_high: Path) -> "object":
    """`live(arguments...)`: a command in tmp_path, with the model of low and high tones."""
    shutil.copytree(low_and_high / "tf_files", tmp_path / "tf_files")
    running: list[Live] = []

    def start(*arguments: object) -> Live:
        running.append(Live(tmp_path, *arguments))
        return running[-1]

    yield start
    for command in running:
        command.end()


def test_a_microphone_gives_a_line_a_window(low_and_high: Path, audionet_here: Run) -> None:
    for source, label in ((LOW, "low"), (HIGH, "high")):
        finished = audionet_here("label", "--microphone", source, "--no-unknown", cwd=low_and_high)
        assert finished.returncode == 0, finished.stderr
        lines = finished.stdout.splitlines()
        assert len(lines) == 3
        assert all(re.fullmatch(rf"\d\d:\d\d:\d\d  {label} +\d\.\d\d\d", line) for line in lines), lines
        assert "a line every 1 seconds; Ctrl-C ends it" in finished.stderr
    silent = audionet_here("label", "--microphone", "lavfi:anullsrc=duration=1", cwd=low_and_high)
    assert silent.stdout.split() == [silent.stdout.split()[0], "silence"]


def test_a_microphones_windows_as_json_lines_and_csv(low_and_high: Path, audionet_here: Run) -> None:
    finished = audionet_here("label", "--microphone", HIGH, "--no-unknown", "--format", "json", cwd=low_and_high)
    windows = [json.loads(line) for line in finished.stdout.splitlines()]
    assert [(w["start_seconds"], w["end_seconds"], w["label"]) for w in windows] == [
        (0, 1, "high"),
        (1, 2, "high"),
        (2, 3, "high"),
    ]
    assert all(w["audible"] and set(w["scores"]) == {"low", "high"} for w in windows)
    table = audionet_here("label", "--microphone", HIGH, "--no-unknown", "--format", "csv", cwd=low_and_high).stdout
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [row["start_seconds"] for row in rows] == ["0.00", "1.00", "2.00"]
    assert {row["label"] for row in rows} == {"high"}


def test_what_a_microphone_cannot_do_is_refused(low_and_high: Path, audionet_here: Run) -> None:
    for arguments, said in (
        (["--microphone", "lavfi:nonsense"], "microphone 'nonsense' can't be heard ("),
        (["--microphone", LOW, "--timeline"], "--timeline: not with --microphone"),
        (["--microphone", LOW, "--track", "2"], "--track: not with --microphone"),
        (["--microphone", LOW, "--channel", "left"], "--channel: not with --microphone"),
        (["--watch", ".", "--events", "--save-segments", "./x"], "x: lies in ., all of which is labelled, so that"),
        (["--microphone", LOW, "--watch", "."], "one of the three"),
        (["clip.mp3", "--watch", "."], "one of the three"),
        (["--watch", "gone"], "gone: no such folder; make it first"),
        (["--watch", "tf_files/retrained_graph.json"], "retrained_graph.json: is no folder; make it first"),
    ):
        finished = audionet_here("label", *arguments, cwd=low_and_high)
        assert (finished.returncode, finished.stdout) == (2, "")
        assert said in finished.stderr


def test_ctrl_c_ends_listening(live: Callable[..., Live]) -> None:
    command = live("label", "--microphone", "lavfi:sine=frequency=300,arealtime", "--no-unknown", "--format", "csv")
    command.wait_for("1.00,2.00,low")
    status, out, err = command.interrupt()
    assert status == 130
    assert out.endswith("\n")
    assert err.splitlines()[-1] == "audionet: stopped"
    assert "Traceback" not in err


def test_files_are_labelled_as_they_arrive(live: Callable[..., Live], low_and_high: Path, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    shutil.copy(low_and_high / "test_audio" / "high.wav", inbox / "first.wav")
    command = live("label", "--watch", "inbox", "--format", "json", "--plot", "plots")
    command.wait_for("first.wav")
    (inbox / "bad.wav").write_text("no sound")
    shutil.copy(low_and_high / "test_audio" / "a $low$ clip.wav", inbox / "second.wav.part")
    command.wait_for("bad.wav: is not audio that ffmpeg can read (skipped)", "err")
    shutil.copy(inbox / "second.wav.part", inbox / "first.wav")  # which has changed
    (inbox / "second.wav.part").rename(inbox / "second.wav")
    command.wait_for("second.wav")
    status, out, err = command.interrupt()
    assert status == 130
    found = [json.loads(line) for line in out.splitlines()]
    assert [(clip["clip"], clip["label"]) for clip in found] == [
        ("inbox/first.wav", "high"),
        ("inbox/first.wav", "low"),
        ("inbox/second.wav", "low"),
    ]
    assert err.splitlines()[-1] == "audionet: stopped"
    drawn = {path.name for path in (tmp_path / "plots").glob("*.png")}
    assert {"first.png"} <= drawn <= {"first.png", "second.png"}  # the second may not have been drawn yet
