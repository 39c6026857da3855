"""The formats of other tools, read back by independent readers: the same times and labels."""

import csv
import html
import io
import itertools
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audionet.annotation.metadata import find_labelled_recordings
from audionet.annotation.readers import read_annotations
from audionet.errors import AudionetError
from audionet.formats.base import OneClipPrinter
from audionet.formats.names import FORMATS, ONE_CLIP_FORMATS
from audionet.formats.registry import OF_TOOLS, PRINTERS
from audionet.inference.clips import ClipScores
from audionet.inference.events import Events
from audionet.inference.scoring import ChunkScores, WindowScores
from audionet.inference.windows import Segment, Windows
from audionet.options import AnnotationOptions
from audionet.system.text import from_spreadsheet_cell, spreadsheet_cell
from tests.annotation.test_tables import sounds

LABELS = ["anna", 'Bår "B" & <ben>', "rain"]
SEGMENTS = [
    Segment(0.5, 2.25, "anna", 0.9),
    Segment(2.25, 61.125, LABELS[1], 0.8),
    Segment(3723.5, 3725.0, "rain", 0.7),
]
CLIP = Events("night one.wav", SEGMENTS, 4000.0)


def printed(name: str, capsys: pytest.CaptureFixture[str], *clips: Any, mode: str = "events") -> str:
    printer = PRINTERS[mode][name](LABELS)
    for clip in clips or (CLIP,):
        printer.add(clip)
    printer.finish()
    return capsys.readouterr().out


def same(found: list[tuple[float, float, str]]) -> bool:
    return [label for *_, label in found] == LABELS and np.allclose(
        [times for *times, _ in found], [[s.start_seconds, s.end_seconds] for s in SEGMENTS], atol=1e-3
    )


def test_audacity_labels_are_read_by_crowsetta(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    crowsetta = pytest.importorskip("crowsetta")
    path = tmp_path / "labels.txt"
    path.write_text(printed("audacity", capsys), encoding="utf-8")
    found = crowsetta.formats.seq.AudSeq.from_file(path)
    assert same(list(zip(found.start_times, found.end_times, found.labels, strict=True)))


def test_a_raven_selection_table_is_read_by_crowsetta(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    crowsetta = pytest.importorskip("crowsetta")
    path = tmp_path / "selections.txt"
    path.write_text(printed("raven", capsys), encoding="utf-8")
    boxes = crowsetta.formats.bbox.Raven.from_file(path, annot_col="Label").to_bbox()
    assert same([(box.onset, box.offset, box.label) for box in boxes])


def test_raven_times_run_on_from_recording_to_recording(capsys: pytest.CaptureFixture[str]) -> None:
    header, *rows = [line.split("\t") for line in printed("raven", capsys, CLIP, CLIP).splitlines()]
    assert [row[0] for row in rows] == list("123456")
    table = [dict(zip(header, row, strict=True)) for row in rows]
    assert [float(row["Begin Time (s)"]) for row in table[3:]] == [4000.5, 4002.25, 7723.5]
    assert [float(row["File Offset (s)"]) for row in table[3:]] == [0.5, 2.25, 3723.5]
    assert {Path(row["Begin Path"]).name for row in table} == {"night one.wav"}


@pytest.mark.parametrize(
    ("name", "recordings"), [("rttm", ["night_one"] * 2 + ["b"]), ("raven", ["night one.wav"] * 2 + ["b.wav"])]
)
def test_the_channels_of_a_recording_are_told_apart_by_their_numbers(
    name: str, recordings: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    of_one = [
        Events(f"night one.wav ({side})", SEGMENTS[:1], 9.0, recording="night one.wav", channel=number)
        for number, side in ((1, "left"), (2, "right"))
    ]
    text = printed(name, capsys, *of_one, Events("b.wav", SEGMENTS[:1], 9.0))
    if name == "rttm":
        rows = [line.split()[1:4] for line in text.splitlines()]
    else:
        rows = [[Path(row[7]).name, *row[2:4]] for row in (line.split("\t") for line in text.splitlines()[1:])]
    assert [row[0] for row in rows] == recordings
    assert [row[1] for row in rows] == ["1", "2", "1"]
    assert [float(row[2]) for row in rows] == [0.5, 0.5, 0.5 if name == "rttm" else 9.5]


def test_a_textgrid_is_read_by_praat(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parselmouth = pytest.importorskip("parselmouth")
    path = tmp_path / "clip.TextGrid"
    path.write_text(printed("textgrid", capsys), encoding="utf-8")
    grid, call = parselmouth.read(str(path)), parselmouth.praat.call
    assert call(grid, "Get end time") == 4000
    found = []
    for number in range(1, int(call(grid, "Get number of intervals", 1)) + 1):
        times = (call(grid, f"Get {which} time of interval", 1, number) for which in ("start", "end"))
        found.append((*times, call(grid, "Get label of interval", 1, number)))
    assert same([interval for interval in found if interval[2]])


def test_events_that_overlap_are_whole_in_tiers_of_their_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parselmouth = pytest.importorskip("parselmouth")
    events = [Segment(1, 9, "rain", 0.9), Segment(2, 4, "anna", 0.9), Segment(2, 3, "rain", 0.9)]
    events += [Segment(4, 5, "anna", 0.9), Segment(9, 10, "rain", 0.9)]
    clip = Events("a.wav", events, 10.0)
    (tmp_path / "a.TextGrid").write_text(printed("textgrid", capsys, clip))
    grid, call = parselmouth.read(str(tmp_path / "a.TextGrid")), parselmouth.praat.call
    found: dict[str, list[tuple[float, float, str]]] = {}
    for tier in range(1, int(call(grid, "Get number of tiers")) + 1):
        intervals = found[call(grid, "Get tier name", tier)] = []
        for number in range(1, int(call(grid, "Get number of intervals", tier)) + 1):
            start, end = (call(grid, f"Get {which} time of interval", tier, number) for which in ("start", "end"))
            assert start < end
            intervals.append((start, end, call(grid, "Get label of interval", tier, number)))
    assert {name: [i for i in intervals if i[2]] for name, intervals in found.items()} == {
        "audionet": [(1, 9, "rain"), (9, 10, "rain")],
        "audionet 2": [(2, 3, "rain"), (4, 5, "anna")],
        "audionet 3": [(2, 4, "anna")],
    }
    rows = list(csv.DictReader(io.StringIO(printed("elan", capsys, clip))))
    assert {(row["Tier"], float(row["Begin Time - ss.msec"]), row["Annotation"]) for row in rows} == {
        (name, start, label) for name, intervals in found.items() for start, _, label in intervals if label
    }


@pytest.mark.parametrize("name", ["rttm", "elan", "srt", "vtt"])
def test_rounded_times_neither_overlap_nor_vanish(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    thirds = [Segment(n / 3, (n + 1) / 3, "anna" if n % 2 else "rain", 0.9) for n in range(20)]
    text = printed(name, capsys, Events("a.wav", thirds, 7.0))
    if name == "rttm":
        spans = [(float(line.split()[3]), float(line.split()[4])) for line in text.splitlines()]
        spans = [(start, round(start + duration, 3)) for start, duration in spans]
    elif name == "elan":
        rows = list(csv.DictReader(io.StringIO(text)))
        names = ("Begin Time - ss.msec", "End Time - ss.msec", "Duration - ss.msec")
        times = [tuple(float(row[column]) for column in names) for row in rows]
        assert all(round(start + duration, 3) == end for start, end, duration in times)
        spans = [(start, end) for start, end, _ in times]
    else:
        lines = [line.replace(",", ".").split(" --> ") for line in text.splitlines() if "-->" in line]
        spans = [(seconds(start), seconds(end)) for start, end in lines]
    assert len(spans) == len(thirds)
    assert all(start < end for start, end in spans)
    assert all(end == following for (_, end), (following, _) in itertools.pairwise(spans))


@pytest.mark.parametrize("name", ["rttm", "elan", "srt", "vtt"])
def test_what_is_shorter_than_a_millisecond_has_a_length(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(name, capsys, Events("a.wav", [Segment(1.0, 1.0002, "anna", 0.9)], 7.0))
    assert re.search(r"0\.001 |1\.000,1\.001,0\.001|01[.,]000 --> 00:00:01[.,]001", text)


def test_a_gap_of_a_rounding_error_is_no_interval(capsys: pytest.CaptureFixture[str]) -> None:
    events = [Segment(0.1, 0.3, "anna", 0.9), Segment(0.1 + 0.2, 0.5, "rain", 0.9)]
    text = printed("textgrid", capsys, Events("a.wav", events, 0.5 + 1e-9))
    times = re.findall(r"xmin = (\S+)\n +xmax = (\S+)\n +text", text)
    assert times == [("0.000000", "0.100000"), ("0.100000", "0.300000"), ("0.300000", "0.500000")]


@pytest.mark.parametrize("name", ["srt", "vtt", "audacity", "textgrid", "raven", "elan"])
def test_what_is_printed_can_be_read_again(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suffixes = {"audacity": "txt", "raven": "txt", "elan": "csv"}
    path = tmp_path / f"night one.{suffixes.get(name, name)}"
    path.write_text(printed(name, capsys), encoding="utf-8")
    assert same([(each.start_seconds, each.end_seconds, each.label) for each in read_annotations(path)])


def test_a_class_called_as_praats_files_begin_is_read_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = Events("a.wav", [Segment(0.5, 2.0, "ooTextFile", 0.9)], 3.0)
    for name in ("rttm", "audacity"):
        printer = PRINTERS["events"][name](["ooTextFile"])
        printer.add(clip)
        (tmp_path / "a.txt").write_text(capsys.readouterr().out, encoding="utf-8")
        (found,) = read_annotations(tmp_path / "a.txt")
        assert (found.start_seconds, found.end_seconds, found.label) == (0.5, 2.0, "ooTextFile")


def test_classes_that_rttm_calls_alike_are_named(caplog: pytest.LogCaptureFixture) -> None:
    PRINTERS["events"]["rttm"](["barn owl", "wren"])
    assert caplog.text == ""
    PRINTERS["events"]["rttm"](["barn owl", "barn_owl", "wren"])
    assert "has no spaces, so that it calls 'barn owl' and 'barn_owl' alike" in caplog.text


@pytest.mark.parametrize("name", ["srt", "vtt"])
def test_subtitles_are_read_by_webvtt_py(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    webvtt = pytest.importorskip("webvtt")
    captions = webvtt.from_buffer(io.StringIO(printed(name, capsys)), format=name)
    assert same([(seconds(c.start), seconds(c.end), html.unescape(c.raw_text)) for c in captions])


def seconds(time: str) -> float:
    hours, minutes, rest = time.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def test_rttm_is_read_as_pyannote_reads_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    database = pytest.importorskip("pyannote.database.util")
    path = tmp_path / "clip.rttm"
    path.write_text(printed("rttm", capsys), encoding="utf-8")
    (annotation,) = database.load_rttm(path).values()
    found = [(s.start, s.end, label) for s, _, label in annotation.itertracks(yield_label=True)]
    assert [label for *_, label in found] == ["anna", 'Bår_"B"_&_<ben>', "rain"]
    assert same([(start, end, label) for (start, end, _), label in zip(found, LABELS, strict=True)])


def test_recordings_of_one_name_are_two_in_rttm(capsys: pytest.CaptureFixture[str]) -> None:
    clips = [
        Events(name, SEGMENTS[:1], 9.0) for name in ("x/a b.wav", "y/a b.mp3", "y/c.wav", "z/y/a b.mp3", "x/a b.wav")
    ]
    names = [line.split()[1] for line in printed("rttm", capsys, *clips).splitlines()]
    assert names == ["a_b", "y/a_b", "c", "z/y/a_b", "a_b"]


def test_recordings_of_one_name_are_all_called_by_their_folders(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else the first would be read as the one that lies in no folder."""
    clips = [sounds(tmp_path / "d", name) / name for name in ("a/x.wav", "b/x.wav", "x.wav", "b/y.wav")]
    printer = PRINTERS["events"]["rttm"](LABELS)
    printer.expect(clips)
    for number, clip in enumerate(clips):
        printer.add(Events(str(clip), [Segment(number, number + 1, "anna", 0.9)], 9.0))
    table = tmp_path / "all.rttm"
    table.write_text(capsys.readouterr().out)
    recordings, wrong = find_labelled_recordings(tmp_path / "d", AnnotationOptions(metadata=table))
    assert not wrong
    starts = {recording.path: recording.parts[0].start_seconds for recording in recordings}
    assert starts == {clip: number for number, clip in enumerate(clips)}


def test_elan_gets_a_table_with_a_tier(capsys: pytest.CaptureFixture[str]) -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.read_csv(io.StringIO(printed("elan", capsys)))
    assert list(table.columns[:3]) == ["Tier", "Begin Time - ss.msec", "End Time - ss.msec"]
    assert same(list(zip(table[table.columns[1]], table[table.columns[2]], table["Annotation"], strict=True)))


@pytest.mark.parametrize("name", sorted(OF_TOOLS))
def test_windows_can_be_had_in_each(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    windows = [ChunkScores(n / 2, 1.5, np.eye(3, dtype=np.float32)[n % 3], 0.0, 1.5, True) for n in range(4)]
    text = printed(name, capsys, Windows("a.wav", LABELS, WindowScores.of(windows)), mode="windows")
    assert text.count("anna") == 2


@pytest.mark.parametrize("name", ["text", "csv", *sorted(OF_TOOLS)])
def test_a_silent_window_is_of_no_class(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    windows = [ChunkScores(n, 1.0, np.array([0.9, 0.1, 0], np.float32), 0.0, 1.0, n == 1) for n in range(2)]
    text = printed(name, capsys, Windows("a.wav", LABELS, WindowScores.of(windows)), mode="windows")
    if name == "csv":
        assert [line.rpartition(",")[2] for line in text.splitlines()] == ["audible", "false", "true"]
    elif name == "text":
        assert [line.endswith("(silence)") for line in text.splitlines()] == [False, True, False]
    else:
        assert (text.count("anna"), text.count("unknown")) == (1, 0 if name == "rttm" else 1)


@pytest.mark.parametrize(
    ("mode", "name"),
    [(mode, name) for mode, names in PRINTERS.items() for name in names if name not in ONE_CLIP_FORMATS],
)
def test_a_clip_of_an_endless_folder_is_printed_as_soon_as_it_is_known(
    mode: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    windows = [ChunkScores(0.0, 1.5, np.eye(3, dtype=np.float32)[0], 0.0, 1.5, True)]
    clips = {
        "labels": ClipScores("a.wav", 1.0, dict(zip(LABELS, [0.75, 0.125, 0.125], strict=True))),
        "windows": Windows("a.wav", LABELS, WindowScores.of(windows)),
    }
    printer = PRINTERS[mode][name](LABELS, 1, endless=True)
    capsys.readouterr()
    printer.add(clips.get(mode, CLIP))
    printed_of_it = capsys.readouterr().out
    assert "anna" in printed_of_it
    assert name != "json" or json.loads(printed_of_it)


def test_the_names_are_those_of_the_printers() -> None:
    assert (*PRINTERS["labels"], *OF_TOOLS) == FORMATS
    assert {name for name, printer in OF_TOOLS.items() if issubclass(printer, OneClipPrinter)} == {*ONE_CLIP_FORMATS}


@pytest.mark.parametrize("name", ONE_CLIP_FORMATS)
def test_what_is_of_one_recording_refuses_a_second(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(AudionetError, match="is of one recording each; label one recording, or one channel"):
        printed(name, capsys, CLIP, CLIP)


@pytest.mark.parametrize("name", sorted(OF_TOOLS))
def test_a_clip_without_events_is_no_error(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "anna" not in printed(name, capsys, Events("still.wav", [], 5.0))


FORMULAS = ["=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1", "\r=1", " =1", "\uff1d1+1", "x;=1+1", "x\n-1+1", "'=1"]


def cells_of(text: str, separators: str) -> list[str]:
    """The cells of a table, for a spreadsheet that goes by some separator."""
    rows = [row for separator in separators for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator)]
    return [cell for row in rows for cell in row]


@pytest.mark.parametrize("name", FORMULAS)
def test_no_cell_of_a_table_is_a_formula_and_its_text_can_be_had_back(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for printer, mode in (("csv", "timeline"), ("csv", "events"), ("elan", "events"), ("raven", "events")):
        clip = Events(name, [Segment(0.5, 2.25, name, 0.9)], 3.0)
        found = PRINTERS[mode][printer]([name])
        found.add(clip)
        text = capsys.readouterr().out
        for cell in cells_of(text, "\t" if printer == "raven" else ",;\t"):
            assert re.fullmatch(r"-?[\d.]+", cell) or not re.match(r"\s*[=+\-@\uff1d]|[\t\r]", cell)
        if printer != "raven":  # which has the path of the file, and spells out line breaks
            (_, row) = csv.reader(io.StringIO(text, newline=""))
            assert [from_spreadsheet_cell(cell) for cell in row].count(name) == 2


@pytest.mark.parametrize("name", ["-5", "+1.5", "-", "a-b", "a.wav", "x;y", "1-1", "'quoted'", "Bår"])
def test_what_is_no_formula_stays_as_it_is(name: str) -> None:
    assert spreadsheet_cell(name) == name == from_spreadsheet_cell(name)


def test_a_csv_of_labels_has_no_formula_in_its_header_either(capsys: pytest.CaptureFixture[str]) -> None:
    scores = {"=1": 0.75, "x;=2": 0.25}
    printer = PRINTERS["labels"]["csv"](list(scores))
    printer.add(ClipScores("-x.wav", 1.0, scores))
    assert not [cell for cell in cells_of(capsys.readouterr().out, ",;") if cell.lstrip().startswith(("=", "-"))]


@pytest.mark.parametrize("name", ["   .wav", "\N{NO-BREAK SPACE}.wav", "a b.wav", "-"])
def test_no_field_of_rttm_is_empty(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = printed("rttm", capsys, Events(name, SEGMENTS[:1], 3.0)).splitlines()
    assert len(line.split(" ")) == 10
    assert all(line.split(" "))
