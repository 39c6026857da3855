import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

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
