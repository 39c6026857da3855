"""What was said of long recordings is kept beside the model, and is said again: the same, and without the network."""

import json
import shutil
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from audionet.model import kept_scores
from audionet.settings import PictureSettings
from tests.conftest import Run, chirps, environment, make_untrained_model, run_program, write_wav
from tests.crashes import PACKAGE, hear_ctrl_c
from tests.system.test_disk_full import files_up_to

NAME = "retrained_graph.scores"
EVENTS = ("label", "clip.wav", "--events", "--format", "json", "--graph", "model/retrained_graph.pb")

# Stops `label` by Ctrl-C when it has written what it has heard twice, and is about to do so again.
STOPPED = """
import os, runpy, signal, sys
times = []
def hook(event, arguments):
    if event == "open" and str(arguments[0]).endswith(".scores") and arguments[2] & os.O_RDWR:
        times.append(event)
        if len(times) == 3:
            os.kill(os.getpid(), signal.SIGINT)
sys.addaudithook(hook)
runpy.run_module("audionet", run_name="__main__")
"""


# `label` that keeps all, however short. What it is told is run when it looks for what is kept, once.
ALL_IS_KEPT = """
import runpy, sys
from audionet.model import kept_scores
kept_scores.HELD_BACK_SAMPLES = 0
told = [sys.argv.pop(1)]
sys.addaudithook(lambda event, given: event == "open" and ".scores" in str(given[0]) and told and exec(told.pop()))
runpy.run_module("audionet", run_name="__main__")
"""


@pytest.fixture
def all_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """However short."""
    monkeypatch.setattr(kept_scores, "HELD_BACK_SAMPLES", 0)


@pytest.fixture
def place(low_and_high: Path, tmp_path: Path) -> Path:
    """A folder with a model in model/, folders of clips, and a clip of low and high tones."""
    (tmp_path / "model").mkdir()
    for name in ("retrained_graph.tflite", "retrained_graph.json", "retrained_labels.txt"):
        shutil.copy(low_and_high / "tf_files" / name, tmp_path / "model")
    shutil.copytree(low_and_high / "data_audio", tmp_path / "data_audio")
    parts = [chirps(seed, *band, 3.0) for seed, band in enumerate([(200, 400), (2000, 3000), (200, 400)])]
    write_wav(tmp_path / "clip.wav", np.concatenate(parts))
    return tmp_path


@pytest.mark.slow
def test_a_night_that_was_interrupted_goes_on(tmp_path: Path, audionet: Run) -> None:
    make_untrained_model(tmp_path / "model", PictureSettings(chunk_seconds=20))
    shutil.copytree(tmp_path / "model", tmp_path / "undisturbed")
    with wave.open(str(tmp_path / "clip.wav"), "wb") as night:
        night.setparams((1, 1, 8000, 0, "NONE", ""))
        night.writeframes(np.random.default_rng(0).integers(100, 156, 40 * 60 * 8000).astype(np.uint8).tobytes())
    undisturbed = audionet.done(*EVENTS[:-1], "undisturbed/retrained_graph.pb")
    all_rows = len((tmp_path / "undisturbed" / NAME).read_bytes())
    stopped = run_program(STOPPED, *EVENTS, folder=tmp_path, check=False, preexec_fn=hear_ctrl_c)
    assert stopped.returncode == 130
    assert stopped.stdout == ""
    half = (tmp_path / "model" / NAME).read_bytes()
    assert audionet.done(*EVENTS) == undisturbed
    assert json.loads(undisturbed)
    # What had been heard is there once, so that it was not heard again.
    whole = (tmp_path / "model" / NAME).read_bytes()
    assert whole[kept_scores.HEADER_BYTES :].startswith(half[kept_scores.HEADER_BYTES :])
    assert len(half) < len(whole) == all_rows
    # A second look with other options hears nothing.
    others = audionet.done(*EVENTS, "--threshold", "0.9", "--min-seconds", "3", "--format", "csv")
    assert others != undisturbed
    assert (tmp_path / "model" / NAME).read_bytes() == whole


@pytest.mark.usefixtures("all_is_kept")
@pytest.mark.parametrize(
    "what",
    [
        ["label", "clip.wav", "--events"],
        ["label", "clip.wav", "--timeline", "--channel", "each"],
        ["label", "clip.wav", "--windows"],
        ["label", "clip.wav", "data_audio"],
        ["evaluate", "data_audio", "--no-report"],
        ["evaluate", "data_audio", "--no-report", "--metadata", "marks.txt"],
    ],
    ids=" ".join,
)
def test_each_command_says_the_same_again_and_hears_nothing(
    place: Path, audionet_here: Run, what: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(place / "clip.wav", place / "data_audio")
    (place / "marks.txt").write_text("Begin File\tBegin Time (s)\tEnd Time (s)\tclass\nclip.wav\t0\t3\tlow\n")
    command = [*what, "--format", "json", "--graph", "model/retrained_graph.pb"]
    first = audionet_here(*command)
    kept = (place / "model" / NAME).read_bytes()
    again = audionet_here(*command)
    assert (again.returncode, again.stdout, again.stderr) == (first.returncode, first.stdout, first.stderr)
    assert (place / "model" / NAME).read_bytes() == kept
    monkeypatch.setattr(kept_scores, "HELD_BACK_SAMPLES", 10**9)
    (place / "model" / NAME).unlink()
    without = audionet_here(*command)
    assert without.stdout == first.stdout
    assert not (place / "model" / NAME).exists()


def _flipped(content: bytes) -> bytes:
    return bytes(byte ^ 1 if n % 97 == 0 else byte for n, byte in enumerate(content))


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "bits flipped": lambda content: content[:64] + _flipped(content[64:]),
    "bits flipped in the beginning": _flipped,
    "cut off": lambda content: content[: len(content) // 2],
    "cut off in the beginning": lambda content: content[:10],
    "empty": lambda content: content[:0],
    "zeros": lambda content: bytes(len(content)),
    "rows in another order": lambda content: content[:64] + content[64 + 300 :] + content[64 : 64 + 300],
    "a place that is none": lambda content: content[:50] + b"\xff" * 14 + content[64:],
}


@pytest.mark.usefixtures("all_is_kept")
@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_changes_nothing(place: Path, audionet_here: Run, damage: Callable[[bytes], bytes]) -> None:
    first = audionet_here.done(*EVENTS)
    path = place / "model" / NAME
    path.write_bytes(damage(path.read_bytes()))
    assert audionet_here.done(*EVENTS) == first
    mended = path.read_bytes()
    again = audionet_here(*EVENTS)
    assert (again.stdout, again.stderr) == (first, "")
    assert path.read_bytes() == mended


@pytest.mark.usefixtures("all_is_kept")
@pytest.mark.parametrize("what", ["somebody's file", "a folder", "a link", "a full disk"])
def test_where_nothing_can_be_kept_nothing_is_said(place: Path, audionet_here: Run, what: str) -> None:
    path, other = place / "model" / NAME, place / "other"
    other.write_text("of somebody else")
    if what == "somebody's file":
        shutil.copy(other, path)
    elif what == "a folder":
        path.mkdir()
    elif what == "a link":
        path.symlink_to(other)
    with files_up_to(100):
        finished = audionet_here(*EVENTS)
    assert (finished.returncode, finished.stderr) == (0, "")
    path.rename(place / "aside")
    assert audionet_here.done(*EVENTS) == finished.stdout
    assert other.read_text() == "of somebody else"
    if what == "somebody's file":
        assert (place / "aside").read_text() == "of somebody else"


@pytest.mark.usefixtures("all_is_kept")
def test_another_model_in_the_same_place_hears_for_itself(place: Path, audionet_here: Run) -> None:
    before = audionet_here.done(*EVENTS)
    make_untrained_model(place / "model", PictureSettings(1, 0), ("low", "high"))
    make_untrained_model(place / "alone", PictureSettings(1, 0), ("low", "high"))
    after = audionet_here.done(*EVENTS)
    assert after == audionet_here.done(*EVENTS[:-1], "alone/retrained_graph.pb")
    assert after != before
    assert (place / "model" / NAME).stat().st_size == (place / "alone" / NAME).stat().st_size


@pytest.mark.usefixtures("all_is_kept")
def test_the_oldest_go_first(place: Path, audionet_here: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    path = place / "model" / NAME

    def is_heard(name: str) -> bool:
        before = path.read_bytes() if path.exists() else b""
        audionet_here.done("label", name, *EVENTS[2:])
        assert len(path.read_bytes()) <= kept_scores.HEADER_BYTES + kept_scores.LARGEST_BYTES
        return path.read_bytes() != before

    for number in range(5):
        write_wav(place / f"{number}.wav", chirps(number, 200, 400, 4))
    assert is_heard("0.wav")
    monkeypatch.setattr(kept_scores, "LARGEST_BYTES", 3 * path.stat().st_size)
    assert [is_heard(f"{n}.wav") for n in (1, 2, 3)] == [True] * 3
    assert [is_heard(f"{n}.wav") for n in (3, 2, 1)] == [False] * 3
    assert is_heard("0.wav")


def test_what_other_source_said_is_not_said_again(place: Path) -> None:
    """Not even where the package was updated while it was at work."""
    package = place / "source" / "audionet"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("weights", "__pycache__"))
    (package / "weights").symlink_to(PACKAGE / "weights")
    update = "open(sys.modules['audionet'].__file__, 'a').write('#')"
    headers = []
    for told in (update, "None", "None"):
        run_program(ALL_IS_KEPT, told, *EVENTS, folder=place, variables={"PYTHONPATH": str(package.parent)})
        headers.append((place / "model" / NAME).read_bytes()[: kept_scores.HEADER_BYTES])
    assert headers[0] != headers[1] == headers[2]


def test_two_at_once_do_no_harm(place: Path) -> None:
    command = [sys.executable, "-c", ALL_IS_KEPT, "None", *EVENTS]

    def start(_: int) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(command, cwd=place, env=environment(), stdout=subprocess.PIPE)

    at_once = {process.communicate()[0] for process in list(map(start, range(3)))}
    assert at_once == {start(3).communicate()[0]}
    assert json.loads(at_once.pop())
