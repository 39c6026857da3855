import os
import pty
import subprocess
import sys
from pathlib import Path

from tests.conftest import tone, write_wav


def test_progress_is_shown_on_a_terminal_alone(tmp_path: Path) -> None:
    write_wav(tmp_path / "data_audio" / "a" / "a.wav", tone(440, 1))
    command = [sys.executable, "-m", "audionet", "prepare", "data_audio", "--force"]
    piped = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert piped.stderr == ""

    terminal, stderr = pty.openpty()
    os.set_blocking(terminal, False)
    size = os.environ | {"COLUMNS": "100", "LINES": "24"}
    subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=stderr, env=size, check=True)
    shown = os.read(terminal, 10000).decode()  # while our end is open, or what was written is lost
    os.close(stderr)
    os.close(terminal)
    assert "recordings" in shown
    assert "1/1" in shown
