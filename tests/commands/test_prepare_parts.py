"""prepare, of recordings of which parts are marked: what is drawn, said and learnt."""

import json
from pathlib import Path

import numpy as np
import pytest

import audionet
from audionet.options import PrepareOptions
from audionet.settings import SAMPLE_RATE_HZ, PictureSettings
from tests.conftest import Run, pitch_hz, read_wav, tone, write_wav

LOW, HIGH, REST = 400.0, 3000.0, 1000.0


@pytest.fixture
def night(tmp_path: Path) -> Path:
    """A folder with a recording of 10 s: 400 Hz from 2 to 3.5, 3000 Hz from 5 to 7.2 and 8 to 8.3, else 1000 Hz."""
    sound = tone(REST, 10)
    for frequency, start, end in ((LOW, 2, 3.5), (HIGH, 5, 7.2), (HIGH, 8, 8.3)):
        sound[round(start * SAMPLE_RATE_HZ) : round(end * SAMPLE_RATE_HZ)] = tone(frequency, end - start)
    write_wav(tmp_path / "nights" / "a.wav", sound)
    return tmp_path / "nights"


MARKS = "path,start,end,label\na.wav,2,3.5,owl\na.wav,5,7.2,wren\na.wav,8,8.3,wren\n"


def pictures(folder: Path) -> dict[str, list[tuple[float, float]]]:
    """From when to when the chunks of each recording are, as audionet.json has them."""
    recordings = json.loads((folder / "audionet.json").read_text(encoding="utf-8"))["recordings"]
    return {
        key: [(round(c["start_seconds"], 3), round(c["start_seconds"] + c["seconds"], 3)) for c in entry["chunks"]]
        for key, entry in recordings.items()
    }


def pitch(path: Path) -> float:
    return pitch_hz(read_wav(path)[1])


def test_a_table_with_start_and_end_learns_those_seconds_alone(night: Path, audionet_here: Run) -> None:
    tmp_path = night.parent
    (tmp_path / "marks.csv").write_text(MARKS)
    command = ["prepare", "nights", "--metadata", "marks.csv", "--chunk-seconds", 1, "--overlap", 0]
    first = audionet_here(*command)
    assert (first.returncode, first.stderr) == (0, "")
    assert "2 recordings: 2 drawn (5 pictures)" in first.stdout
    folder = tmp_path / "tf_files" / "data_image"
    assert pictures(folder) == {
        "owl/a.wav": [(2, 3), (3, 3.5)],
        "wren/a.wav": [(5, 6), (6, 7), (8, 8.3)],  # 0.2 s is too little of a chunk, but 0.3 s a whole part
    }
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.wav"))
    assert names == [f"owl/a_nohash_000{n}.wav" for n in (0, 1)] + [f"wren/a_nohash_000{n}.wav" for n in (0, 1, 2)]
    for name in names:
        assert pitch(folder / name) == pytest.approx(LOW if name.startswith("owl") else HIGH, abs=8), name
    again = audionet_here(*command)
    assert "2 recordings: 0 drawn (0 pictures), 2 unchanged (5 pictures)" in again.stdout


def test_marks_that_change_are_followed(night: Path, tmp_path: Path) -> None:
    options = PrepareOptions(tmp_path / "p", PictureSettings(1, 0), metadata=tmp_path / "marks.csv")
    (tmp_path / "marks.csv").write_text(MARKS)
    audionet.prepare(night, options)
    (tmp_path / "marks.csv").write_text(MARKS.replace("5,7.2,wren", "5,6.5,wren"))
    report = audionet.prepare(night, options)
    assert (report.made, report.kept) == (1, 1)
    assert pictures(tmp_path / "p")["wren/a.wav"] == [(5, 6), (6, 6.5), (8, 8.3)]
    (tmp_path / "marks.csv").write_text(MARKS.replace("5,7.2,wren\na.wav,8,8.3,wren", "5,7.2,owl"))
    audionet.prepare(night, options)
    assert pictures(tmp_path / "p") == {"owl/a.wav": [(2, 3), (3, 3.5), (5, 6), (6, 7)]}
    assert not (tmp_path / "p" / "wren").exists()
    # As a fresh start would have it.
    audionet.prepare(night, PrepareOptions(tmp_path / "q", PictureSettings(1, 0), metadata=tmp_path / "marks.csv"))
    for name in ("audionet.json", "owl/a_nohash_0002.jpg"):
        assert (tmp_path / "p" / name).read_bytes() == (tmp_path / "q" / name).read_bytes()


def test_what_is_not_marked_can_be_the_background(night: Path, tmp_path: Path) -> None:
    (tmp_path / "marks.csv").write_text(MARKS)
    options = PrepareOptions(
        tmp_path / "p", PictureSettings(1, 0), metadata=tmp_path / "marks.csv", unmarked="background"
    )
    report = audionet.prepare(night, options)
    assert report.skipped == []
    assert pictures(tmp_path / "p")["background/a.wav"] == [
        (0, 1), (1, 2), (3.5, 4.5), (4.5, 5), (7.2, 8), (8.3, 9.3), (9.3, 10)
    ]  # fmt: skip
    assert {round(pitch(path), -2) for path in (tmp_path / "p" / "background").glob("*.wav")} == {REST}
    parts = json.loads((tmp_path / "p" / "audionet.json").read_text())["recordings"]["background/a.wav"]["parts"]
    assert parts[-1] == [8.3, None]


def test_a_part_of_no_use_is_said_each_time(night: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = "a.wav,8.9,8.95,owl\na.wav,70,72,owl\na.wav,9.5,9.9,owl\na.wav,5,5,wren\na.wav,9.3,15,crow\n"
    (tmp_path / "marks.csv").write_text(MARKS + rows)
    options = PrepareOptions(tmp_path / "p", PictureSettings(1, 0), metadata=tmp_path / "marks.csv")
    for _ in range(2):
        report = audionet.prepare(night, options)
        assert [error.reason for error in report.skipped] == [
            "1:10.0 to 1:12.0 is marked as 'owl', and not used: shorter than 0.1 seconds, or behind the end of the "
            "recording",
            "0:05.0 to 0:05.0 is marked as 'wren', and not used: a point has no length; mark from where it begins to "
            "where it ends",
        ]
    said = "a.wav: is marked as 'crow' until 0:15.0, and ends at 0:10.0: is the mark about another recording?"
    assert caplog.text.count(said) == 2
    # What is too short for a picture has one with what is around it.
    assert pictures(tmp_path / "p")["owl/a.wav"][-3:] == [(3, 3.5), (8.875, 8.975), (9.5, 9.9)]


def test_corrections_replace_what_the_folders_say(tmp_path: Path, audionet_here: Run) -> None:
    for name, frequency in (("low", LOW), ("high", HIGH)):
        write_wav(tmp_path / "data" / name / "1.wav", tone(frequency, 4))
    write_wav(tmp_path / "data" / "low" / "wrong.wav", tone(HIGH, 4))
    mixed = np.concatenate([tone(LOW, 2), tone(HIGH, 1), tone(REST, 1), tone(LOW, 2)])
    write_wav(tmp_path / "data" / "low" / "mixed.wav", mixed)
    write_wav(tmp_path / "inbox" / "1.wav", tone(LOW, 2))
    (tmp_path / "corrections.csv").write_text(
        "path,label,start,end\n"
        "low/wrong.wav,high,,\n"
        "low/mixed.wav,high,2,3\n"
        "low/mixed.wav,,3,4\n"
        "low/mixed.wav,low,0,1\n"
        "high/1.wav,high,0,4\n"
        "inbox/1.wav,low,0,2\n"
        "low/gone.wav,high,,\n"
    )
    command = ["prepare", "data", "--corrections", "corrections.csv", "--chunk-seconds", 1, "--overlap", 0]
    done = audionet_here(*command)
    assert done.returncode == 1
    assert "gone.wav: is listed in line 8 of corrections.csv, but not there (skipped)" in done.stderr
    (tmp_path / "corrections.csv").rename(tmp_path / "data" / "corrections.csv")  # where it is looked for, too
    assert "6 recordings: 0 drawn (0 pictures), 6 unchanged" in audionet_here(*command).stdout
    folder = tmp_path / "tf_files" / "data_image"
    whole = [(float(n), n + 1.0) for n in range(4)]
    assert pictures(folder) == {
        "high/1.wav": whole,
        "high/mixed.wav": [(2, 3)],
        "high/wrong.wav": whole,
        "low/1.wav": whole,
        "low/inbox/1.wav": [(0, 1), (1, 2)],
        "low/mixed.wav": [(0, 1), (1, 2), (4, 5), (5, 6)],
    }
    for path in folder.rglob("*.wav"):
        assert pitch(path) == pytest.approx(LOW if path.parent.name == "low" else HIGH, abs=8), path
    again = audionet_here(*command)
    assert "6 recordings: 0 drawn (0 pictures), 6 unchanged" in again.stdout
    (tmp_path / "corrections-2.csv").write_text("path,label\nhigh/1.wav,low\nlow/1.wav,\n")
    both = audionet_here(*command, "--corrections", "corrections-2.csv")
    assert "more than once" not in both.stderr
    corrected_twice = {"high/mixed.wav", "high/wrong.wav", "low/high/1.wav", "low/inbox/1.wav", "low/mixed.wav"}
    assert set(pictures(folder)) == corrected_twice
    audionet_here(*command)
    without = audionet_here(*command[:2], *command[4:])
    assert "moved: high/wrong.wav is now low/wrong.wav" in without.stdout
    assert "corrections.csv is not used; it is with --corrections" in without.stderr
    assert set(pictures(folder)) == {"high/1.wav", "low/1.wav", "low/mixed.wav", "low/wrong.wav"}
    for first, second in (("low", "high"), ("mid", "alto")):
        (tmp_path / "corrections-2.csv").write_text(
            f"path,label,start,end\ninbox/1.wav,{first},0,1\ninbox/1.wav,{second},1,2\n"
        )
        done = audionet_here(*command[:2], "--corrections", "corrections-2.csv", *command[4:])
    for old, new in (("high", "alto"), ("low", "mid")):
        assert f"moved: {old}/inbox/1.wav is now {new}/1.wav" in done.stdout


@pytest.mark.parametrize("is_absolute", [True, False])
def test_a_clip_elsewhere_is_not_taken_for_a_recording_whose_path_ends_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_absolute: bool
) -> None:
    """As `evaluate` names clips: test_audio/low/1.wav beside data/low/1.wav."""
    monkeypatch.chdir(tmp_path)
    for name in ("low", "high"):
        write_wav(tmp_path / "data" / name / "1.wav", tone(LOW, 2))
    clip = write_wav(tmp_path / "test_audio" / "low" / "1.wav", tone(HIGH, 1))
    shown = clip if is_absolute else clip.relative_to(tmp_path)
    (tmp_path / "c.csv").write_text(f"path,label,start,end\n{shown},high,,\n")
    options = PrepareOptions(tmp_path / "p", PictureSettings(1, 0), corrections=tmp_path / "c.csv")
    assert not audionet.prepare(tmp_path / "data", options).skipped
    assert pictures(tmp_path / "p") == {
        "high/1.wav": [(0, 1), (1, 2)],
        "high/low/1.wav": [(0, 1)],
        "low/1.wav": [(0, 1), (1, 2)],
    }


def test_a_correction_that_can_be_no_class_is_refused(tmp_path: Path, audionet_here: Run) -> None:
    write_wav(tmp_path / "data" / "low" / "1.wav", tone(LOW, 4))
    for row, message in (
        ("low/1.wav,a/b,0,1", "line 2 has the class 'a/b', which can't name a folder"),
        ("low/1.wav,low,0,", "line 2 has no end"),
    ):
        (tmp_path / "c.csv").write_text(f"path,label,start,end\n{row}\nlow/1.wav,low,1,2\n")
        assert message in audionet_here.refused("prepare", "data", "--corrections", "c.csv")
