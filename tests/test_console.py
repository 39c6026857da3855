import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from audionet.confusion import Confusion
from audionet.console import CLASSES_IN_TABLE, print_confusion
from tests.conftest import tone, write_wav


def test_progress_is_shown_on_a_terminal_alone(tmp_path: Path) -> None:
    write_wav(tmp_path / "data_audio" / "a" / "a.wav", tone(440, 1))
    command = [sys.executable, "-m", "audionet", "prepare", "data_audio", "--force"]
    piped = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert piped.stderr == ""

    terminal, stderr = pty.openpty()
    fcntl.ioctl(
        stderr, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0)
    )  # a terminal without a size shows no bar
    os.set_blocking(terminal, False)
    subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=stderr, check=True)
    shown = os.read(terminal, 10000).decode()  # while our end is open, or what was written is lost
    os.close(stderr)
    os.close(terminal)
    assert "recordings" in shown
    assert "0/1" in shown  # work this short is over before the bar is drawn again


def test_of_many_classes_the_most_mixed_up_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    labels = [f"bird {n}" for n in range(CLASSES_IN_TABLE + 1)]
    truth = [*range(len(labels)), 3, 3, 3, 7]
    guesses = [*range(len(labels)), 5, 5, 1, 3]
    print_confusion(Confusion.of(labels, truth, guesses))
    assert capsys.readouterr().out.splitlines() == [
        "mixed up: bird 3 was taken for bird 5 2 times",
        "mixed up: bird 3 was taken for bird 1 1 time",
        "mixed up: bird 7 was taken for bird 3 1 time",
    ]
