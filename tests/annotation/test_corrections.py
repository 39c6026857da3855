"""Corrections of parts of recordings, against a line of tenths of seconds that are painted over one by one."""

import math
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from audionet.annotation.corrections import corrected
from audionet.annotation.metadata import find_labelled_recordings
from audionet.audio.chunks import Part
from audionet.dataset.folders import Recording
from audionet.errors import AudionetError
from audionet.options import AnnotationOptions
from tests.annotation.test_tables import sounds

LENGTH = 300  # tenths of seconds


@pytest.fixture
def night(tmp_path: Path) -> Path:
    path = tmp_path / "data_audio" / "owl" / "night.wav"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"sound")
    return path


def learnt(night: Path, rows: list[str], parts: tuple[Part, ...] = ()) -> dict[str, tuple[Part, ...]]:
    """The parts of each class, of a recording of owls and what corrections say of it."""
    data_audio = night.parent.parent
    table = data_audio.parent / "corrections.csv"
    table.write_text("\n".join(["path,start,end,label", *rows]) + "\n")
    recordings, wrong = corrected([Recording("owl", "owl/night.wav", night, parts=parts)], table, data_audio)
    assert not wrong
    return {recording.class_name: recording.parts for recording in recordings}


@pytest.mark.parametrize("seed", range(10))
def test_each_second_is_of_the_last_correction_of_it(night: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    names = ["", "owl", "wren", "crow"]
    not_learnt = ("", "unknown")[seed % 2]  # which say the same
    painted = np.zeros(LENGTH, int)
    painted[20:100] = painted[150:250] = 1
    rows = []
    for start, length, name in random.integers([0, 1, 0], [LENGTH - 60, 60, 4], (25, 3)).tolist():
        rows.append(f"owl/night.wav,{start / 10},{(start + length) / 10},{names[name] or not_learnt}")
        painted[start : start + length] = name
    found = learnt(night, rows, (Part(2, 10), Part(15, 25)))
    heard = np.zeros(LENGTH, int)
    for name, parts in found.items():
        for start, end in parts:
            heard[round(start * 10) : round(end * 10)] = names.index(name)
    assert (heard == painted).all()


def test_parts_that_touch_stay_apart_where_nothing_is_corrected(night: Path) -> None:
    turns = (Part(0, 5), Part(5, 9), Part(9, 12), Part(20, 30))
    found = learnt(night, ["owl/night.wav,22,24,wren", "owl/night.wav,24,26,wren", "owl/night.wav,30,31,owl"], turns)
    assert found == {"owl": (*turns[:3], Part(20, 22), Part(26, 31)), "wren": (Part(22, 26),)}


def test_all_corrections_that_are_wrong_are_named_at_once(night: Path) -> None:
    rows = ["night.wav,5,3,wren", "night.wav,1,2,wren", "night.wav,x,3,crow", "night.wav,1,2,a:b"]
    with pytest.raises(
        AudionetError, match=r"line 2 marks 5 to 3 s; .*; and line 4 has .*; and line 5 has the class 'a:b'"
    ):
        learnt(night, rows)


def test_ten_thousand_corrections_of_one_recording_take_a_moment(night: Path) -> None:
    rows = [f"owl/night.wav,{n},{n + 1.5},{'wren' if n % 2 else 'crow'}" for n in range(10_000)]
    found = learnt(night, rows)
    assert [len(found[name]) for name in ("crow", "wren", "owl")] == [5000, 5000, 1]
    assert found["crow"][:2] == (Part(0, 1), Part(2, 3))
    assert found["owl"] == (Part(10_000.5, math.inf),)


def test_a_later_table_corrects_what_an_earlier_one_left_under_the_names_that_a_report_gives_it(night: Path) -> None:
    data_audio = night.parent.parent
    tables = [data_audio.parent / name for name in ("first.csv", "second.csv")]
    tables[0].write_text("path,label,start,end\nowl/night.wav,wren,1,2\nowl/night.wav,fox,5,6\n")
    tables[1].write_text("path,label,start,end\nwren/night.wav,robin,1,2\nowl/night.wav,,8,9\n")
    recordings, wrong = find_labelled_recordings(data_audio, AnnotationOptions(corrections=tables))
    assert wrong == []
    assert {recording.class_name: recording.parts for recording in recordings} == {
        "fox": (Part(5, 6),),
        "owl": (Part(0, 1), Part(2, 5), Part(6, 8), Part(9, math.inf)),
        "robin": (Part(1, 2),),
    }


def test_what_is_left_over_is_joined_before_it_is_too_short(night: Path) -> None:
    rows = [f"owl/night.wav,{n / 20},{n / 20 + 1},wren" for n in range(40)]
    found = learnt(night, [*rows, "owl/night.wav,3.05,10,crow"])
    assert found["wren"] == (Part(0, 2.95),)
    assert found["crow"] == (Part(3.05, 10),)
    assert found["owl"] == (Part(2.95, 3.05), Part(10, math.inf))


def test_a_correction_of_no_length_is_named(night: Path) -> None:
    table = night.parent.parent.parent / "corrections.csv"
    table.write_text("path,start,end,label\nowl/night.wav,2,2,wren\nowl/night.wav,3,4,wren\n")
    recordings, wrong = corrected([Recording("owl", "owl/night.wav", night)], table, night.parent.parent)
    assert {recording.class_name for recording in recordings} == {"owl", "wren"}
    assert [error.reason for error in wrong] == ["is corrected from 0:02.0 to 0:02.0 in line 2, which has no length"]


def test_a_path_that_no_file_can_have_is_named(night: Path) -> None:
    data_audio = night.parent.parent
    table = data_audio.parent / "corrections.csv"
    table.write_text(f"path,label\n{'x' * 5000}.wav,wren\n{'y/' * 3000},wren\nowl/night.wav,wren\n")
    recordings, wrong = corrected([Recording("owl", "owl/night.wav", night)], table, data_audio)
    assert [recording.class_name for recording in recordings] == ["wren"]
    assert len(wrong) == 2


@pytest.mark.parametrize(("folder", "typed"), [("anna", "Anna"), ("barn owl", "barn\u00a0owl"), ("owl", "owl\u200b")])
def test_a_class_that_is_typed_otherwise_is_no_second_one(
    tmp_path: Path, folder: str, typed: str, caplog: pytest.LogCaptureFixture
) -> None:
    paths = [tmp_path / "d" / name / "1.wav" for name in (folder, "ben")]
    for path in paths:
        path.parent.mkdir(parents=True)
        path.write_bytes(b"sound")
    recordings = [Recording(path.parent.name, f"{path.parent.name}/1.wav", path) for path in paths]
    (tmp_path / "c.csv").write_text(f"path,label\nben/1.wav,{typed}\n")
    found, _ = corrected(recordings, tmp_path / "c.csv", tmp_path / "d")
    assert [recording.class_name for recording in found] == [folder, folder]
    assert f"c.csv: line 2 has the class {typed!r}, which is taken for {folder!r}" in caplog.text


def test_accents_may_be_stored_as_folders_or_tables_have_them(tmp_path: Path) -> None:
    stored = unicodedata.normalize("NFD", "Bår")
    path = tmp_path / "d" / stored / "1.wav"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"sound")
    (tmp_path / "c.csv").write_text("path,label,start,end\n1.wav,Bår,1,2\n1.wav,,2,3\n")
    found, _ = corrected([Recording(stored, f"{stored}/1.wav", path)], tmp_path / "c.csv", tmp_path / "d")
    assert [(recording.class_name, recording.parts) for recording in found] == [
        (stored, (Part(0, 2), Part(3, math.inf)))
    ]


def test_a_new_class_is_told_and_what_it_may_be_mistyped_for(night: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert set(learnt(night, ["owl/night.wav,0,1,owls"])) == {"owl", "owls"}
    assert "corrections.csv: makes a new class: 'owls'; did you mean owl?" in caplog.text


@pytest.mark.parametrize(
    ("rows", "is_said"),
    [
        (["owl/night.wav,0,3,wren", "owl/night.wav,2,4,"], True),
        (["owl/night.wav,,,wren", "owl/night.wav,,,robin"], True),
        (["owl/night.wav,0,3,wren", "owl/night.wav,2,4,wren", "owl/night.wav,4,5,robin"], False),
    ],
)
def test_lines_that_contradict_each_other_are_told_of(
    night: Path, rows: list[str], is_said: bool, caplog: pytest.LogCaptureFixture
) -> None:
    learnt(night, rows)
    said = "corrections.csv: says two things of the same seconds" in caplog.text
    assert said is is_said is ("the last line about them counts" in caplog.text)


@pytest.mark.parametrize(
    ("path", "is_said"),
    [
        ("owl/night.wav", False),
        ("old/data_audio/owl/night.wav", False),
        ("Owl/night.mp3", False),
        ("wren/night.wav", True),
    ],
)
def test_a_correction_that_finds_its_recording_in_another_folder_is_told_of(
    night: Path, path: str, is_said: bool, caplog: pytest.LogCaptureFixture
) -> None:
    assert set(learnt(night, [f"{path},0,1,robin"])) == {"owl", "robin"}
    said = f"there is no {path}, so what is said of it is taken to be about {night}"
    assert (said in caplog.text) is is_said


def test_corrections_that_leave_nothing_are_told_apart_from_folders_without_recordings(night: Path) -> None:
    with pytest.raises(AudionetError, match=r"corrections.csv: leaves nothing to learn"):
        learnt(night, ["owl/night.wav,,,"])


@pytest.mark.parametrize("name", ["crow; raven", "[noise]", "a|b", "owl and wren", 'the "big" one', "x < y"])
def test_a_class_whose_folder_is_called_as_no_table_would_call_it_can_be_corrected_to(
    tmp_path: Path, name: str
) -> None:
    names, data_audio = ["owl", "wren", name], tmp_path / "data_audio"
    paths = {each: data_audio / each / "1.wav" for each in names}
    for path in paths.values():
        path.parent.mkdir(parents=True)
        path.write_bytes(b"sound")
    table = tmp_path / "corrections.csv"
    cell = name.replace('"', '""')
    table.write_text(f'path,label\nowl/1.wav,"{cell}"\nwren/1.wav,wren\n')
    before = [Recording(each, f"{each}/1.wav", path) for each, path in paths.items()]
    recordings, wrong = corrected(before, table, data_audio)
    assert not wrong
    assert sorted((r.class_name, r.path) for r in recordings) == sorted(
        [(name, paths["owl"]), ("wren", paths["wren"]), (name, paths[name])]
    )


def test_corrections_named_as_metadata_leave_the_other_recordings_where_they_are(
    night: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data_audio = night.parent.parent
    for n in range(3):
        (night.parent / f"{n}.wav").write_bytes(b"sound")
    table = data_audio.parent / "corrections (1).csv"
    table.write_text("path,label,start,end\nowl/night.wav,wren,,\n")
    as_metadata = find_labelled_recordings(data_audio, AnnotationOptions(metadata=table))
    assert "corrects what the folders say" in caplog.text
    assert as_metadata == find_labelled_recordings(data_audio, AnnotationOptions(corrections=table))
    assert [recording.class_name for recording in as_metadata[0]] == ["owl", "owl", "owl", "wren"]


def test_a_table_of_all_recordings_that_is_called_as_corrections_are_lists_them(night: Path) -> None:
    data_audio = night.parent.parent
    table = data_audio / "corrections.csv"
    table.write_text("path,label\nowl/night.wav,wren\n")
    found, _ = find_labelled_recordings(data_audio, AnnotationOptions(metadata=table))
    assert [recording.class_name for recording in found] == ["wren"]
    flat = data_audio.parent / "flat"
    flat.mkdir()
    for n in range(3):
        (flat / f"{n}.wav").write_bytes(b"sound")
    table.write_text("path,label\n0.wav,wren\n1.wav,owl\n")
    found, _ = find_labelled_recordings(flat, AnnotationOptions(metadata=table))
    assert [recording.class_name for recording in found] == ["owl", "wren"]


@pytest.mark.parametrize(("place", "rest", "is_told"), [("owl", "", True), ("wren", "", False), ("wren", ",1,2", True)])
def test_corrections_that_are_not_used_are_told_of_until_the_recordings_lie_where_they_say(
    tmp_path: Path, place: str, rest: str, is_told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    sounds(tmp_path, "owl/1.wav", "wren/1.wav", f"{place}/2.wav")
    (tmp_path / "corrections.csv").write_text(f"path,label,start,end\nowl/2.wav,wren{rest}\n")
    find_labelled_recordings(tmp_path, AnnotationOptions())
    assert ("it is with --corrections" in caplog.text) == is_told
