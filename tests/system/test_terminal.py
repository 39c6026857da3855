import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from audionet.settings import PictureSettings
from audionet.system.progress import ProgressLines
from audionet.system.text import duration
from tests.conftest import Run, make_untrained_model, tone, write_wav


def on_a_terminal(folder: Path, *arguments: str, columns: int = 100, **environment: str) -> str:
    """What audionet shows on a terminal, standard output and error together."""
    terminal, ours = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))  # without a size there is no bar
    os.set_blocking(terminal, False)
    env = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"TERM": "xterm"} | environment
    command = [sys.executable, "-m", "audionet", *arguments]
    subprocess.run(command, cwd=folder, stdout=ours, stderr=ours, env=env, check=False)
    try:
        shown = os.read(terminal, 100_000).decode()  # while our end is open, or what was written is lost
    except BlockingIOError:
        shown = ""
    os.close(ours)
    os.close(terminal)
    return shown


def test_progress_is_a_bar_on_a_terminal_alone(low_and_high: Path, audionet: Run) -> None:
    command = ["prepare", "data_audio", "--chunk-seconds", "1", "--image-dir", "again", "--force"]
    assert audionet(*command, cwd=low_and_high).stderr == ""
    shown = on_a_terminal(low_and_high, *command)
    assert "recordings:   0%|" in shown
    assert "0 of 8" in shown
    assert "left" in shown
    assert on_a_terminal(low_and_high, *command, "--quiet") == ""


@pytest.mark.parametrize("columns", [40, 80])
def test_a_long_clip_has_a_bar_which_is_gone_before_anything_is_printed(
    columns: int, audionet: Run, tmp_path: Path
) -> None:
    make_untrained_model(tmp_path / "tf_files", PictureSettings())
    write_wav(tmp_path / "short.wav", tone(440, 1))
    write_wav(tmp_path / "long.wav", tone(440, 660, rate_hz=8000), rate_hz=8000)
    command = ["label", "short.wav", "gone.wav", "long.wav"]
    shown = on_a_terminal(tmp_path, *command, columns=columns, NO_COLOR="1")
    bars = [line for line in re.split("[\r\n]+", shown) if line.startswith("clips: ")]
    assert all(len(bar) <= columns for bar in bars)
    assert re.fullmatch(r"clips: +\d+%\|.{10}\| [\d:?]+ left, 2\.\d.*", bars[-1])
    plain = audionet(*command, cwd=tmp_path)
    lines = [line.strip("\r").rsplit("\r", 1)[-1] for line in shown.split("\n")]
    assert sorted(line for line in lines if line.strip()) == sorted((plain.stdout + plain.stderr).splitlines())
    assert "clips:" not in on_a_terminal(tmp_path, "label", "short.wav")


def test_colours_are_for_terminals_whose_users_want_them(low_and_high: Path, audionet: Run) -> None:
    command = ["label", "data_audio/low/low-0.wav", "gone.wav"]
    shown = on_a_terminal(low_and_high, *command)
    assert "\033[1m  low " in shown
    assert "\033[33maudionet: gone.wav: cannot be read" in shown
    assert "\033[31maudionet: gone" in on_a_terminal(low_and_high, "prepare", "gone")
    for plain in (
        on_a_terminal(low_and_high, *command, NO_COLOR="1"),
        on_a_terminal(low_and_high, *command, TERM="dumb"),
        audionet(*command, cwd=low_and_high).stdout,
    ):
        assert "  low " in plain
        assert "\033[" not in plain.replace("\033[A", "")


def test_without_a_terminal_lines_come_at_growing_intervals(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    progress = ProgressLines(lambda: now)
    progress("recordings", 0, 1000)
    for done in range(1, 1001):
        now = done * 2.0
        progress("recordings", done, 1000)
    assert caplog.messages[0] == "recordings: 5 of 1000, 2 seconds each, about 33 min left"
    assert caplog.messages[1].startswith("recordings: 10 of 1000")
    assert caplog.messages[-1].endswith(" s left")
    assert 30 < len(caplog.messages) < 50, "2000 seconds: 10 lines in the first 100, then fewer and fewer"


def test_short_stages_say_nothing(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    progress = ProgressLines(lambda: now)
    for stage in ("bottlenecks", "folds", "training"):
        for done in range(10):
            now += 0.9
            progress(stage, done, 9)
    assert caplog.messages == []


def test_verbose_tells_what_was_done_and_how_long_it_took(audionet_here: Run, tmp_path: Path) -> None:
    write_wav(tmp_path / "data_audio" / "a" / "good.wav", tone(440, 1))
    said = audionet_here("prepare", "data_audio", "--verbose").stderr
    assert "audionet: ffmpeg: " in said
    assert "audionet: data_audio/a/good.wav: chunks: 1" in said
    assert "audionet: recordings: 1 in " in said
    assert audionet_here("prepare", "data_audio", "-v", "-q").returncode == 2


@pytest.mark.parametrize(("seconds", "said"), [(99, "99 s"), (720, "12 min"), (3.4 * 3600, "3.4 h")])
def test_durations_are_for_people(seconds: float, said: str) -> None:
    assert duration(seconds) == said
