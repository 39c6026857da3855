"""From recordings that people annotated to a model, through the commands."""

import csv
import io
import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from tests.conftest import ROOT, Run, chirps, quick_learning, write_wav

OWL, WREN = (200.0, 400.0), (2000.0, 3000.0)
CALLS = ((1.0, 3.5, OWL), (5.0, 6.0, WREN), (7.0, 9.0, OWL), (10.0, 12.5, WREN), (14.0, 14.6, OWL))


def night(path: Path, seed: int) -> Path:
    """18 s of noise, with calls of owls and wrens in it, from when to when CALLS says, each night one second later."""
    sound = np.random.default_rng(seed).normal(0, 300, 18 * 16000).astype(np.int16)
    for number, (start, end, band) in enumerate(CALLS):
        first = round((start + seed) * 16000)
        sound[first : first + round((end - start) * 16000)] = chirps(10 * seed + number, *band, end - start)
    return write_wav(path, sound)


def rows(seed: int, template: str) -> str:
    """A line a call, as a tool has it."""
    names = {OWL: "owl", WREN: "wren"}
    return "".join(
        template.format(n=n, start=start + seed, end=end + seed, length=end - start, label=names[band])
        for n, (start, end, band) in enumerate(CALLS, start=1)
    )


def test_hand_made_annotations_train_a_model_that_finds_the_calls_of_another_night(
    tmp_path: Path, audionet_here: Run
) -> None:
    for seed, name in enumerate(("a", "b", "c")):
        night(tmp_path / "nights" / f"{name}.wav", seed)
    raven = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tBird\n"
    for view in ("Waveform 1", "Spectrogram 1"):
        raven += rows(0, "{n}\t" + view + "\t1\t{start}\t{end}\t100.0\t4000.0\t{label}\n")
    (tmp_path / "nights" / "a.Table.1.selections.txt").write_text(raven)
    (tmp_path / "nights" / "b.txt").write_text(rows(1, "{start:.6f}\t{end:.6f}\t{label}\n\\\t100.0\t4000.0\n"))
    (tmp_path / "nights" / "c.rttm").write_text(rows(2, "SPEAKER c 1 {start} {length} <NA> <NA> {label} <NA> <NA>\n"))

    prepared = audionet_here("prepare", "nights", "--unmarked", "background", "--chunk-seconds", 1, "--overlap", 0)
    assert prepared.returncode == 0, prepared.stderr
    assert "a.Table.1.selections.txt: its frequency limits are not used" in prepared.stderr
    with quick_learning():
        retrained = audionet_here("retrain", "--steps", 100)
    assert retrained.returncode == 0, retrained.stderr

    night(tmp_path / "test" / "another night.wav", 3)
    events = list(
        csv.DictReader(
            io.StringIO(audionet_here.done("label", "test", "--events", "--format", "csv", "--save-segments", "found"))
        )
    )
    assert [event["label"] for event in events] == ["owl" if band == OWL else "wren" for *_, band in CALLS]
    for event, (start, end, _) in zip(events, CALLS, strict=True):
        assert float(event["start_seconds"]) == pytest.approx(start + 3, abs=0.5)
        assert float(event["end_seconds"]) == pytest.approx(end + 3, abs=0.5)

    (tmp_path / "test" / "another night.txt").write_text(rows(3, "{start}\t{end}\t{label}\n"))
    found = json.loads(audionet_here("evaluate", "test", "--format", "json").stdout)
    assert (found["count"], found["correct"], found["detection"]["found_by"]) == (5, 5, "events")
    assert (found["detection"]["event_f1"], found["detection"]["event_recall"]) == (1, 1)
    schema = json.loads((ROOT / "docs" / "schemas" / "evaluate.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(found)

    again = audionet_here("prepare", "found", "--image-dir", "again", "--chunk-seconds", 1)
    assert again.stdout.startswith("5 recordings: 5 drawn")
    recordings = json.loads((tmp_path / "again" / "audionet.json").read_text(encoding="utf-8"))["recordings"]
    assert {key.partition("/")[0] for key in recordings} == {"owl", "wren"}
    assert {entry["group"] for entry in recordings.values()} == {"another night"}  # one side of a split
