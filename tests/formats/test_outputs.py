"""What programs read: JSON and CSV are as docs/outputs.md and its schemas say, and so are the exit statuses."""

import copy
import csv
import io
import json
import os
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from audionet.cli import main as cli
from audionet.errors import ALL_DONE, NOTHING_DONE, SOME_SKIPPED
from audionet.settings import SAMPLE_RATE_HZ
from audionet.system import signals as interruption
from tests.conftest import ROOT, chirps, make_model, tone, write_wav
from tests.pages import inline_code

PAGE = ROOT / "docs" / "outputs.md"
COMMANDS = {
    "label": ("label", "test_audio", "--format"),
    "timeline": ("label", "test_audio", "--timeline", "--format"),
    "events": ("label", "test_audio/low, very/two words.wav", "--events", "--no-unknown", "--format"),
    "windows": ("label", "test_audio", "--windows", "--format"),
    "window": ("label", "--microphone", "lavfi:sine=frequency=300:duration=2", "--format"),
    "evaluate": ("evaluate", "test_audio", "--format"),
}


@pytest.fixture(scope="module")
def trained(low_and_high: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of three classes, and test_audio/ with one right, one strange and one silent clip, none of a class."""
    folder = tmp_path_factory.mktemp("trained")
    make_model(folder, {"low, very": (200, 400), "höher": (2000, 3000), "top": (5000, 6000)}, known=low_and_high)
    write_wav(folder / "test_audio" / unicodedata.normalize("NFD", "höher") / "one.wav", chirps(70, 2000, 3000, 4))
    write_wav(folder / "test_audio" / "low, very" / "two words.wav", tone(1000, 4))
    write_wav(folder / "test_audio" / "low, very" / "still.wav", np.zeros(2 * SAMPLE_RATE_HZ, np.int16))
    (folder / "test_audio" / "top").mkdir()
    return folder


@pytest.fixture(scope="module")
def printed(trained: Path) -> dict[tuple[str, str], str]:
    """What each command prints in each format: where a pipe's encoding is the system's old one, as on Windows."""
    command = [sys.executable, "-m", "audionet", *COMMANDS["label"], "json"]
    env = os.environ | {"PYTHONIOENCODING": "cp1252"}
    finished = subprocess.run(command, cwd=trained, env=env, capture_output=True, timeout=300, check=False)
    assert finished.returncode == 0, finished.stderr
    found = {("label", "json"): finished.stdout.decode("utf-8")}
    for name, form in [(name, "json") for name in COMMANDS if name != "label"] + [
        ("label", "csv"),
        ("timeline", "csv"),
        ("timeline", "rttm"),
        ("timeline", "text"),
    ]:
        pipe = io.BytesIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(trained)
            patch.setattr(sys, "stdout", io.TextIOWrapper(pipe, encoding="cp1252"))
            assert cli.main([*COMMANDS[name], form]) in (0, 1)
            sys.stdout.flush()
            found[name, form] = pipe.getvalue().decode("utf-8")
    return found


def schema(name: str) -> Any:
    return json.loads((ROOT / "docs" / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", COMMANDS)
def test_json_is_as_its_schema_says(name: str, printed: dict[tuple[str, str], str]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(name))
    text = printed[name, "json"]
    found = json.loads(text.splitlines()[0] if name == "window" else text)
    jsonschema.validate(found, schema(name))
    for changed in (*without_a_field(found), *with_another_field(found)):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(changed, schema(name))


def without_a_field(found: Any) -> Iterator[Any]:
    first = found[0] if isinstance(found, list) else found
    for field in first.keys() - {"reason", "typicality"}:  # of an unknown one alone, and of models that know it
        changed = copy.deepcopy(found)
        del (changed[0] if isinstance(changed, list) else changed)[field]
        yield changed


def with_another_field(found: Any) -> Iterator[Any]:
    changed = copy.deepcopy(found)
    (changed[0] if isinstance(changed, list) else changed)["undocumented"] = 1
    yield changed


@pytest.mark.parametrize("name", COMMANDS)
def test_the_page_names_every_field(name: str) -> None:
    fields = {field for properties in find(schema(name), "properties") for field in properties}
    assert fields <= set(inline_code(PAGE))


def find(tree: Any, key: str) -> Iterator[Any]:
    """All values of a key in JSON."""
    for inner in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from find(inner, key)
    if isinstance(tree, dict) and key in tree:
        yield tree[key]


def test_csv_says_what_json_says(printed: dict[tuple[str, str], str]) -> None:
    header, *rows = csv.reader(io.StringIO(printed["label", "csv"]))
    clips = json.loads(printed["label", "json"])
    assert header == ["clip", "label", "score", "score höher", "score low, very", "score top", "best", "reason"]
    assert [row[:2] for row in rows] == [[clip["clip"], clip["label"]] for clip in clips]
    for row, clip in zip(rows, clips, strict=True):
        shown = [float(number) for number in row[2:-2]]
        assert shown == pytest.approx([clip["score"], *(clip["scores"][name[6:]] for name in header[3:-2])], abs=1e-6)
        assert row[-2:] == [clip["best"], clip.get("reason", "")]
    assert "unknown" in [clip["label"] for clip in clips]
    header, *rows = csv.reader(io.StringIO(printed["timeline", "csv"]))
    clips = json.loads(printed["timeline", "json"])
    assert header == ["clip", "start_seconds", "end_seconds", "label", "score"]
    segments = [(clip["clip"], segment) for clip in clips for segment in clip["segments"]]
    assert [(row[0], row[3]) for row in rows] == [(clip, segment["label"]) for clip, segment in segments]
    for row, (_, segment) in zip(rows, segments, strict=True):
        values = [segment[name] for name in ("start_seconds", "end_seconds", "score")]
        assert [float(row[n]) for n in (1, 2, 4)] == pytest.approx(values, abs=0.006)


def test_text_and_rttm_say_what_json_says(printed: dict[tuple[str, str], str]) -> None:
    clips = json.loads(printed["timeline", "json"])
    segments = [segment for clip in clips for segment in clip["segments"]]
    rows = [line for line in printed["timeline", "text"].splitlines() if line.startswith(" ")]
    assert [row.rpartition("  ")[0].split("  ")[-1] for row in rows] == [segment["label"] for segment in segments]
    lines = [line.split(" ") for line in printed["timeline", "rttm"].splitlines()]
    assert {(len(line), line[0]) for line in lines} == {(10, "SPEAKER")}
    named = [segment for segment in segments if segment["label"] != "unknown"]
    assert [line[7] for line in lines] == [segment["label"].replace(" ", "_") for segment in named]
    for line, segment in zip(lines, named, strict=True):
        start, seconds = map(float, line[3:5])
        assert start == pytest.approx(segment["start_seconds"], abs=0.001)
        assert start + seconds == pytest.approx(segment["end_seconds"], abs=0.002)


def test_what_is_printed_is_utf_8_whatever_the_system_prefers(printed: dict[tuple[str, str], str]) -> None:
    assert "höher" in printed["label", "json"]


def test_a_class_is_known_by_its_name_as_macos_spells_it(printed: dict[tuple[str, str], str]) -> None:
    found = json.loads(printed["evaluate", "json"])
    assert found["per_class"]["höher"]["count"] == 1


def test_every_exit_status_is_on_the_page() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    shown = {int(row.split("|")[1]) for row in rows if row.split("|")[1].strip().isdigit()}
    assert shown == {ALL_DONE, SOME_SKIPPED, NOTHING_DONE, interruption.USUAL_STATUS}
