"""Every bad input through all four commands: each is used, or named on standard error with its reason.

docs/inputs.md says what each gets; `make inputs` writes it anew.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from audionet.system.text import printable
from tests.bad_inputs import CLASS_FOLDERS, Input, bad_pictures, can_be_made, sounds
from tests.conftest import QUICK_LEARNER, ROOT, chirps, write_wav

pytestmark = pytest.mark.slow

DOC = ROOT / "docs" / "inputs.md"
COMMANDS = ("prepare", "retrain", "label", "evaluate")
USED, NOT_ITS_OWN = "used", "-"
# Root reads everything, but not without these.
AS_OTHERS = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]


def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The command as somebody who is not root."""
    limited = os.geteuid() == 0 and shutil.which("setpriv") is not None
    command = [*(AS_OTHERS if limited else []), sys.executable, "-c", QUICK_LEARNER, *arguments]
    finished = subprocess.run(
        command, cwd=folder, capture_output=True, timeout=300, check=False, stdin=subprocess.DEVNULL
    )
    out, err = finished.stdout.decode(), finished.stderr.decode()
    assert "Traceback" not in err, err
    return subprocess.CompletedProcess(command, finished.returncode, out, err)


def skipped(stderr: str) -> dict[str, str]:
    """What is named on standard error, with its reason."""
    found = re.findall(r"^audionet: (.*?): ((?:(?!: ).)*) \(skipped\)$", stderr, re.MULTILINE)
    assert len(found) == len(dict(found)), "named twice"
    assert len(found) == stderr.count("(skipped)")
    return dict(found)


@dataclass
class Outcome:
    """What became of each input by what it is; the runs by command."""

    cells: dict[str, dict[str, str]] = field(default_factory=dict)
    inputs: dict[str, Input] = field(default_factory=dict)
    runs: dict[str, "subprocess.CompletedProcess[str]"] = field(default_factory=dict)
    folder: Path = Path()


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("inputs")
    data, low = folder / "data_audio", folder / "data_audio" / "low"
    for n in range(3):
        write_wav(low / ("good.wav" if n == 0 else f"good {n}.wav"), chirps(n, 200, 400, 2))
        write_wav(data / "high" / f"good {n}.wav", chirps(10 + n, 2000, 3000, 2))
    for number, name in enumerate(CLASS_FOLDERS.values()):
        for n in range(2):
            write_wav(data / name / f"{n}.wav", chirps(20 + number + n, 500 + 200 * number, 650 + 200 * number, 2))
    found = Outcome(folder=folder)
    heard = [made for made in sounds() if can_be_made(made, low)]
    found.runs["prepare"] = run(folder, "prepare", "data_audio", "--chunk-seconds", "2", "--overlap", "0")

    images = folder / "tf_files" / "data_image" / "low"
    seen = [made for made in bad_pictures(images) if can_be_made(made, images) and can_be_made(made, low)]
    found.runs["retrain"] = run(folder, "retrain", "--steps", "20")
    inputs = heard + seen
    paths = [f"data_audio/low/{made.name}" for made in inputs]
    folders = [f"data_audio/{name}" for name in CLASS_FOLDERS.values()]
    found.runs["label"] = run(folder, "label", "--format", "json", *paths, *folders)
    found.runs["evaluate"] = run(folder, "evaluate", "--format", "json", "data_audio")

    used = _used(found)
    reasons = {command: skipped(finished.stderr) for command, finished in found.runs.items()}
    for made in inputs:
        found.inputs[made.what] = made
        path = f"data_audio/low/{made.name}"
        cells = {}
        for command in COMMANDS:
            named_as = f"tf_files/data_image/low/{made.name}" if command == "retrain" else path
            cells[command] = _cell(used[command], reasons[command], path, named_as)
        found.cells[made.what] = cells
    for what, name in CLASS_FOLDERS.items():
        path = f"data_audio/{name}"
        found.cells[what] = {command: _cell(used[command], reasons[command], path, path) for command in COMMANDS}
    return found


def _used(found: Outcome) -> dict[str, set[str]]:
    """The recordings, pictures and class folders that each command used, as paths."""
    files = found.folder / "tf_files"
    index = json.loads((files / "data_image" / "audionet.json").read_bytes().decode(errors="surrogateescape"))
    chunks = {f"data_audio/{key}": entry["chunks"] for key, entry in index["recordings"].items()}
    assert all(chunks.values())
    # retrain names the pictures that it does not use; the number of the others is what it printed.
    kept = sum(map(len, chunks.values()))
    assert f"{kept} pictures of " in found.runs["retrain"].stdout
    labelled = {clip["clip"] for clip in json.loads(found.runs["label"].stdout)}
    evaluation = json.loads(found.runs["evaluate"].stdout)
    left_out = {error["path"] for error in evaluation["skipped"]}
    classes = [name for name in os.listdir(found.folder / "data_audio") if name in evaluation["classes"]]
    clips = {f"data_audio/{name}/{file}" for name in classes for file in os.listdir(found.folder / "data_audio" / name)}
    assert evaluation["count"] == len(clips - left_out)
    used = {"prepare": set(chunks), "retrain": set(chunks), "label": labelled, "evaluate": clips - left_out}
    return {command: paths | {str(Path(path).parent) for path in paths} for command, paths in used.items()}


def _cell(used: set[str], reasons: dict[str, str], path: str, named_as: str) -> str:
    reason = reasons.get(printable(named_as))
    assert not (path in used and reason), f"{path} is used and named: {reason}"
    return USED if path in used else reason or NOT_ITS_OWN


def table(outcome: Outcome) -> list[str]:
    """The rows of docs/inputs.md."""
    return [
        f"| {what} | {' | '.join(cells[command] for command in COMMANDS)} |" for what, cells in outcome.cells.items()
    ]


def test_the_commands_do_the_rest_and_say_that_something_was_skipped(outcome: Outcome) -> None:
    assert {command: finished.returncode for command, finished in outcome.runs.items()} == dict.fromkeys(COMMANDS, 1)
    assert not (outcome.folder / "hacked").exists()


@pytest.mark.parametrize("command", ["prepare", "label", "evaluate"])
def test_what_can_be_heard_is_used_and_what_can_not_is_named(outcome: Outcome, command: str) -> None:
    for what, made in outcome.inputs.items():
        cell = outcome.cells[what][command]
        # A folder that is named to label is labelled whole, even by a link.
        if made.usable or (what == "a link to a folder" and command == "label"):
            assert cell == USED, (what, cell)
        elif not (command == "prepare" and made.name.endswith(".jpg")):
            assert cell not in (USED, NOT_ITS_OWN), what


def test_retrain_learns_from_what_prepare_drew_and_names_the_rest(outcome: Outcome) -> None:
    for what, made in outcome.inputs.items():
        cell = outcome.cells[what]["retrain"]
        if made.name.endswith(".jpg"):
            assert cell not in (USED, NOT_ITS_OWN), what
        else:
            assert cell == (USED if made.usable else NOT_ITS_OWN), what


def test_silence_makes_a_black_picture_and_is_called_unknown(outcome: Outcome) -> None:
    from PIL import Image

    (path,) = (outcome.folder / "tf_files" / "data_image" / "low").glob("silence_nohash_*.jpg")
    with Image.open(path) as image:
        assert np.asarray(image).max() == 0
    clips = {clip["clip"]: clip for clip in json.loads(outcome.runs["label"].stdout)}
    assert clips["data_audio/low/silence.wav"]["label"] == "unknown"
    for clip in clips.values():
        assert sum(clip["scores"].values()) == pytest.approx(1, abs=1e-4)  # never NaN


def test_the_table_says_what_each_input_gets(outcome: Outcome) -> None:
    rows = table(outcome)
    if os.environ.get("AUDIONET_WRITE_INPUTS"):
        head, _, _ = DOC.read_text(encoding="utf-8").partition("| input |")
        lines = ["| input | prepare | retrain | label | evaluate |", "| --- | --- | --- | --- | --- |", *rows, ""]
        DOC.write_text(head + "\n".join(lines), encoding="utf-8")
    written = DOC.read_text(encoding="utf-8").splitlines()
    assert [row for row in rows if row not in written] == []
