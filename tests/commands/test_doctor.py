import os
import re
import shutil
from pathlib import Path

import pytest

from audionet.audio.ffmpeg import find_ffmpeg
from audionet.bottleneck.backbone import ROWS_SHA256
from audionet.commands import doctor
from audionet.commands.doctor import examine
from audionet.options import TF_FILES
from audionet.parallel.child import Children
from tests.conftest import Run


def test_a_healthy_machine(low_and_high: Path, audionet: Run) -> None:
    lines = [line.split(maxsplit=2) for line in audionet.done("doctor", cwd=low_and_high).splitlines()]
    assert {verdict for verdict, _, _ in lines} == {"ok"}
    told = {name: text for _, name, text in lines}
    assert list(told) == ["audionet", "packages", "ffmpeg", "trunk", "folder", "model", "machine"]
    assert find_ffmpeg() in told["ffmpeg"]
    assert re.search(r"starts in \d+ ms, once for each recording", told["ffmpeg"])
    assert ROWS_SHA256[:16] in told["trunk"]
    assert told["model"] == "tf_files/retrained_graph.pb: knows high and low"
    assert re.match(r"\d+ cores?\b", told["machine"])


def test_each_problem_is_said_with_a_remedy(tmp_path: Path, audionet: Run) -> None:
    broken = tmp_path / "bin" / "ffmpeg"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    (tmp_path / "tf_files").write_text("a file where the folder should go")
    finished = audionet("doctor", env={"PATH": f"{broken.parent}{os.pathsep}{os.environ['PATH']}"})
    assert finished.returncode == 1
    problems = [line for line in finished.stdout.splitlines() if line.startswith("PROBLEM")]
    assert [line.split()[1] for line in problems] == ["ffmpeg", "folder"]
    assert "does not work (it ends with status 3); reinstall ffmpeg" in problems[0]
    assert "tf_files: cannot be written (Not a directory); go to a folder of your own" in problems[1]


def test_a_damaged_trunk_and_a_full_disk_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("audionet.bottleneck.backbone.ROWS_SHA256", "0" * 64)
    monkeypatch.setattr(doctor, "LITTLE_SPACE_BYTES", shutil.disk_usage(tmp_path).total * 2)
    told = {finding.name: finding for finding in examine(TF_FILES)}
    assert not told["trunk"].healthy
    assert "its checksum is wrong or missing; reinstall audionet" in told["trunk"].text
    assert not told["folder"].healthy
    assert "of free space" in told["folder"].text
    assert told["model"].healthy
    assert told["model"].text == "none in tf_files yet; audionet retrain makes one"
    assert os.listdir(tmp_path) == [], "the patient is left as found"


def test_a_libsndfile_that_reads_nothing_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audionet.audio.decoding._libsndfile", Children("no.such.module", 1 << 20))
    (told,) = (finding for finding in examine(tmp_path) if finding.name == "ffmpeg")
    assert not told.healthy
    assert "does not start; run: pip install --force-reinstall audionet soundfile" in told.text


def test_the_version_tells_what_matters(audionet: Run) -> None:
    lines = audionet("--version").stdout.splitlines()
    assert re.fullmatch(r"audionet \d+\.\d+\.\d+", lines[0])
    assert re.match(r"Python 3\.\d+\.\d+, ", lines[1])
    assert re.fullmatch(rf"ffmpeg \S+ \({re.escape(find_ffmpeg())}\)", lines[2])
    assert re.match(r"tensorflow \d+\.\d+\.\d+, ai-edge-litert ", lines[3])
