"""Annotations that lie beside recordings, or are named: which parts of which recordings are of which class."""

import cProfile
import math
import shutil
import unicodedata
from pathlib import Path

import pytest

import audionet
from audionet.annotation.metadata import find_annotated, find_labelled_recordings
from audionet.errors import AudionetError
from audionet.formats.csv import CsvTimelines
from audionet.formats.registry import OF_TOOLS
from audionet.inference.events import Events
from audionet.inference.windows import Segment
from audionet.options import AnnotationOptions, PrepareOptions
from tests.annotation.test_readers import AUDACITY, LONG, RAVEN, RTTM, TIMES, TWO_FILES
from tests.annotation.test_tables import sounds

Found = dict[str, list[tuple[float, float]]]
MARKED: Found = {"owl": [(1.5, 3.25)], "wren": [(61.0, 62.0)]}


def found(data_audio: Path, wrong: tuple[str, ...] = (), metadata: Path | None = None, **options: object) -> Found:
    """The parts of each recording by its key; and the names of what lies wrong."""
    recordings, errors = find_labelled_recordings(
        data_audio,
        AnnotationOptions(metadata=metadata, **options),  # type: ignore[arg-type]
    )
    assert tuple(Path(error.path).name for error in errors) == wrong
    return {r.key: [tuple(part) for part in r.parts] for r in recordings}  # type: ignore[misc]


def of(name: str, marked: Found = MARKED) -> Found:
    return {f"{label}/{name}": parts for label, parts in marked.items()}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.Table.1.selections.txt", RAVEN),
        ("a.txt", AUDACITY),
        ("a-labels.txt", AUDACITY),
        ("A.wav.txt", AUDACITY),
        ("a.TextGrid", LONG),
        ("a.rttm", RTTM),
        ("a.csv", "start,end,label\n1.5,3.25,owl\n61,62,wren\n"),
    ],
)
@pytest.mark.parametrize("folder", [".", "audio"])
def test_what_lies_beside_a_recording_is_about_it(tmp_path: Path, name: str, text: str, folder: str) -> None:
    sounds(tmp_path, f"{folder}/a.wav", f"{folder}/a2.wav", f"{folder}/b.wav")
    (tmp_path / folder / name).write_text(text)
    (tmp_path / ".git").mkdir()  # which is no class, and makes none of the other folders one
    assert found(tmp_path, wrong=("a2.wav", "b.wav")) == of((Path(folder) / "a.wav").as_posix())


def test_calls_in_class_folders_and_annotated_nights_go_together(tmp_path: Path) -> None:
    sounds(tmp_path, "owl/1.wav", "wren/1.wav", "wren/mixed.wav", "night.wav", "stray.wav")
    (tmp_path / "night.txt").write_text(AUDACITY)
    (tmp_path / "wren" / "mixed.txt").write_text(AUDACITY)
    (tmp_path / "wren" / "1.txt").write_text("A wren, at dawn.\n")
    assert found(tmp_path, wrong=("stray.wav",)) == {
        "owl/1.wav": [],
        "wren/1.wav": [],
        **of("night.wav"),
        "wren/mixed.wav": MARKED["wren"],
        "owl/wren/mixed.wav": MARKED["owl"],
    }


def test_folders_that_are_sides_of_a_split_are_no_classes(tmp_path: Path) -> None:
    sounds(tmp_path, "birds_train/a.wav", "birds_test/b.wav")
    for name in ("birds_train/a.txt", "birds_test/b.txt"):
        (tmp_path / name).write_text(AUDACITY)
    assert found(tmp_path) == of("birds_train/a.wav") | of("birds_test/b.wav")


def test_labels_that_are_no_folders_are_a_question(tmp_path: Path) -> None:
    sounds(tmp_path, "anna/1.wav", "ben/1.wav")
    (tmp_path / "anna" / "1.TextGrid").write_text(LONG.replace("owl", "hello").replace("wren", "world"))
    with pytest.raises(AudionetError, match=r"labels \(hello and world\) are not the folders \(anna\); add --annot"):
        found(tmp_path)
    assert found(tmp_path, use_beside=False) == {"anna/1.wav": [], "ben/1.wav": []}
    assert found(tmp_path, use_beside=True, wrong=("1.wav",)) == of(
        "anna/1.wav", {"hello": MARKED["owl"], "world": MARKED["wren"]}
    )


def test_of_labels_that_are_folders_but_for_one_that_is_named(tmp_path: Path) -> None:
    sounds(tmp_path, "owl/1.wav", "owl/2.wav", "wren/1.wav")
    for name, label in (("owl/1", "owl"), ("owl/2", "owls"), ("wren/1", "wren")):
        (tmp_path / f"{name}.txt").write_text(f"1\t2\t{label}\n")
    with pytest.raises(
        AudionetError, match=r"such as .*2.txt\), whose labels \(owls\) are not the folders \(owl and w"
    ):
        found(tmp_path)


def test_annotations_that_are_asked_for_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(AudionetError, match="no recording has annotations beside it"):
        found(sounds(tmp_path, "anna/1.wav"), use_beside=True)


def test_of_two_files_beside_a_recording_none_is_used_and_the_others_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sounds(tmp_path, "owl/a.wav", "wren/b.wav", "wren/c.wav")
    for name in ("owl/a", "wren/b"):
        (tmp_path / f"{name}.txt").write_text(AUDACITY)
    (tmp_path / "owl" / "a.rttm").write_text(RTTM)
    rest = {"wren/b.wav": MARKED["wren"], "owl/wren/b.wav": MARKED["owl"], "wren/c.wav": []}
    assert found(tmp_path, wrong=("a.wav",)) == rest
    sounds(tmp_path, "owl/a.flac")
    (tmp_path / "owl" / "a.rttm").unlink()
    assert found(tmp_path, wrong=("a.txt",), unmarked="background").keys() == {*rest, "background/wren/b.wav"}
    shutil.rmtree(tmp_path / "wren")
    with pytest.raises(AudionetError, match="none of its recordings can be used"):
        audionet.prepare(tmp_path, PrepareOptions(tmp_path.parent / f"{tmp_path.name}-images"))
    assert "a.txt: is it about " in caplog.text
    assert "owl/a.wav? Give each recording a name of its own; until then, a.flac and a.wav are left out" in caplog.text


def test_a_file_called_as_one_recording_and_about_another_leaves_out_both(tmp_path: Path) -> None:
    sounds(tmp_path, "a.wav", "b.wav", "c.wav")
    (tmp_path / "a.rttm").write_text(RTTM.replace(" night ", " b "))
    with pytest.raises(AudionetError, match=r"a.rttm: is called as .*a.wav, and about b.wav; which one is meant\?"):
        found(tmp_path)
    (tmp_path / "c.txt").write_text(AUDACITY)
    assert found(tmp_path, wrong=("a.rttm",)) == of("c.wav")
    (tmp_path / "a.rttm").write_text(RTTM.replace(" night ", " meeting "))
    assert found(tmp_path, wrong=("b.wav",)) == of("a.wav") | of("c.wav")


def test_recordings_of_one_name_in_several_folders_are_told_apart(tmp_path: Path) -> None:
    sounds(tmp_path, "owl/1.wav", "wren/1.wav")
    for folder in ("owl", "wren"):
        (tmp_path / folder / "1.txt").write_text(f"1\t2\t{folder}\n")
    (tmp_path / "wren" / "1.uem").write_text("1 1 0 10\n")
    parts = found(tmp_path, unmarked="background")
    assert parts["background/wren/1.wav"] == [(0, 1), (2, 10)]
    assert parts["background/owl/1.wav"] == [(0, 1), (2, math.inf)]
    assert parts.keys() == {"owl/1.wav", "wren/1.wav", "background/owl/1.wav", "background/wren/1.wav"}
    (tmp_path / "owl" / "1.txt").write_text("1\t2\twren\n")
    sounds(tmp_path, "wren/owl/1.wav", "wren/wren/owl/1.wav")
    assert found(tmp_path) == {
        "wren/owl/1.wav": [(1, 2)],
        "wren/1.wav": [(1, 2)],
        "wren/wren/owl/1.wav": [],
        "wren/wren/wren/owl/1.wav": [],
    }


def test_files_of_other_tools_beside_a_recording_are_none(tmp_path: Path) -> None:
    sounds(tmp_path, "a.wav")
    (tmp_path / "a.txt").write_text(AUDACITY)
    for suffix in (".PHN", ".svl", ".not.mat", ".cha", ".npy"):
        (tmp_path / f"a{suffix}").write_text("a 1 0.0 70.0\n")
    assert found(tmp_path) == of("a.wav")


def test_a_table_that_is_used_beside_its_recording_is_not_said_to_be_unused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sounds(tmp_path, "a.wav")
    columns = "Start (s),End (s),Common name,File\n"
    for name, text in (
        ("a.csv", f"{columns}1.5,3.25,owl,/x/a.wav\n61,62,wren,/x/a.wav\n"),
        (
            "a.selections.txt",
            "Selection\tBegin Time (s)\tEnd Time (s)\tBegin Path\tLabel\n"
            "1\t1.5\t3.25\t/x/a.wav\towl\n2\t61\t62\t/x/a.wav\twren\n",
        ),
    ):
        (tmp_path / name).write_text(text)
        assert found(tmp_path) == of("a.wav")
        assert "not used: add" not in caplog.text
        (tmp_path / name).unlink()
    (tmp_path / "other.csv").write_text(f"{columns}1.5,3.25,owl,/x/a.wav\n")
    (tmp_path / "a.rttm").write_text(RTTM.replace(" night ", " a "))
    found(tmp_path)
    assert f"other.csv marks parts of the recordings, and is not used: add --metadata {tmp_path}" in caplog.text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("1.txt", "1.5\t3.25\t\n61\t62\t\n"),  # of Audacity, with nothing typed
        ("1.Table.1.selections.txt", "Selection\tBegin Time (s)\tEnd Time (s)\n1\t1.5\t3.25\n2\t61\t62\n"),
    ],
)
def test_marks_without_labels_are_of_the_class_of_their_folder(
    tmp_path: Path, name: str, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    sounds(tmp_path, "owl/1.wav", "wren/2.wav")
    (tmp_path / "owl" / name).write_text(text)
    assert found(tmp_path) == {"owl/1.wav": [(1.5, 3.25), (61, 62)], "wren/2.wav": []}
    assert f"{name}: its marks have no labels, and are of the class of their folder, owl" in caplog.text
    (tmp_path / "wren" / "2.csv").write_text("start,end,who\n1,2,3\n")  # may be another's
    assert found(tmp_path, wrong=("2.csv",)) == {"owl/1.wav": [(1.5, 3.25), (61, 62)]}
    (tmp_path / "wren" / "2.csv").unlink()
    (tmp_path / "owl" / name).rename(tmp_path / name)
    (tmp_path / "owl" / "1.wav").rename(tmp_path / "1.wav")
    with pytest.raises(
        AudionetError, match=r"line \d has no label; write it .* or put the recording into the folder of"
    ):
        found(tmp_path / "wren" / "..", use_beside=True, metadata=tmp_path / name)


def test_a_table_that_lists_its_recording_gives_way_to_other_annotations_beside_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sounds(tmp_path, "night.wav")
    (tmp_path / "night.csv").write_text("start,end,label,infile\n5,8,jay,night.wav\n")
    assert found(tmp_path) == of("night.wav", {"jay": [(5, 8)]})
    (tmp_path / "night.txt").write_text(AUDACITY)
    assert found(tmp_path) == of("night.wav")
    assert f"{tmp_path / 'night.csv'} seems to say what is heard when, and is not used: add --metadata" in caplog.text


def test_marks_beside_recordings_that_a_table_elsewhere_lists_are_said_not_to_be_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    nights = sounds(tmp_path / "nights", "night.wav")
    (nights / "night.txt").write_text(AUDACITY)
    (tmp_path / "all.csv").write_text("path,start,end,label\nnight.wav,5,8,jay\n")
    assert found(nights) == of("night.wav", {"jay": [(5, 8)]})
    said = f"night.txt marks parts, and is not used: {tmp_path / 'all.csv'} says what the recordings are; add --annot"
    assert said in caplog.text
    assert found(nights, use_beside=True) == of("night.wav")


def test_what_may_be_about_any_recording_and_cannot_be_read_stops_all(tmp_path: Path) -> None:
    sounds(tmp_path, "owl/1.wav", "wren/1.wav")
    (tmp_path / "all.rttm").write_text("SPEAKER 1 1 2\n")
    with pytest.raises(AudionetError, match=r"all\.rttm: line 1 has 4 fields, where a SPEAKER of RTTM has at least 8"):
        found(tmp_path)


def test_what_is_named_as_corrections_is_no_annotation(tmp_path: Path) -> None:
    sounds(tmp_path, "owl/a.wav", "wren/b.wav")
    columns = "Selection\tBegin Time (s)\tEnd Time (s)\tBegin Path\tLabel\n"
    (tmp_path / "owl" / "a.selections.txt").write_text(f"{columns}1\t1\t2\towl/a.wav\twren\n")
    corrected = {"owl/a.wav": [(0, 1), (2, math.inf)], "wren/a.wav": [(1, 2)], "wren/b.wav": []}
    for corrections in (tmp_path / "owl" / "a.selections.txt", Path("owl/a.selections.txt")):
        assert found(tmp_path, corrections=corrections) == corrected


POINTS = '"ooTextFile"\n"TextGrid"\n0 9 <exists> 1 "TextTier" "clicks" 0 9 1 2.5 "click"\n'


def test_annotations_of_no_use_are_named_and_their_recording_alone_is_left_out(
    tmp_path: Path,
) -> None:
    sounds(tmp_path, "owl/a.wav", "owl/b.wav", "wren/c.wav")
    (tmp_path / "owl" / "a.TextGrid").write_text(POINTS)
    whole: Found = {"owl/b.wav": [], "wren/c.wav": []}
    assert found(tmp_path, wrong=("a.TextGrid",)) == whole
    (tmp_path / "owl" / "b.txt").write_text("1\t2\towl\nx\t3\towl\n")
    assert found(tmp_path, wrong=("a.TextGrid", "b.txt")) == {"wren/c.wav": []}
    annotated = find_annotated(tmp_path, AnnotationOptions())
    assert annotated is not None
    assert annotated.paths == set()  # for evaluate, nobody says that nothing is heard in them
    (tmp_path / "wren" / "c.rttm").write_bytes(b"\0\1\2\3")
    assert found(tmp_path, wrong=("a.TextGrid", "b.txt", "c.rttm")) == {}
    with pytest.raises(AudionetError, match=r"a\.TextGrid: marks points, which have no length"):
        found(tmp_path, metadata=tmp_path / "owl" / "a.TextGrid")
    (tmp_path / "named").mkdir()
    (tmp_path / "named" / "z.TextGrid").write_text(POINTS)  # of no recording, which nobody would learn whole
    (tmp_path / "named" / "c.rttm").write_text(RTTM)
    assert found(tmp_path, metadata=tmp_path / "named", wrong=("z.TextGrid",)) == {
        "owl/wren/c.wav": MARKED["owl"],
        "wren/c.wav": MARKED["wren"],
    }
    shutil.rmtree(tmp_path / "named")
    (tmp_path / "wren").rename(tmp_path / "audio2")
    (tmp_path / "owl").rename(tmp_path / "audio1")
    with pytest.raises(AudionetError, match=r"a\.TextGrid: marks points, which have no length"):
        found(tmp_path)
    (tmp_path / "audio2" / "c.rttm").write_text(RTTM)
    assert found(tmp_path, wrong=("a.TextGrid", "b.txt")) == of("audio2/c.wav")


def test_an_empty_file_among_annotations_leaves_out_its_recording(tmp_path: Path) -> None:
    sounds(tmp_path, "owl/a.wav", "owl/b.wav", "wren/c.wav")
    (tmp_path / "owl" / "a.txt").write_text("\n")  # of notes, or of marks that were lost
    (tmp_path / "wren" / "c.csv").write_text("")
    assert found(tmp_path).keys() == {"owl/a.wav", "owl/b.wav", "wren/c.wav"}
    (tmp_path / "owl" / "b.txt").write_text("1\t2\towl\n")
    assert found(tmp_path, wrong=("a.txt", "c.csv")) == {"owl/b.wav": [(1, 2)]}
    for name in ("owl/a.txt", "wren/c.csv"):
        (tmp_path / name).write_text("start,end,label\n")
    assert found(tmp_path) == {"owl/b.wav": [(1, 2)]}  # nothing is heard in the others


def test_nothing_is_learnt_of_what_nobody_listened_to(tmp_path: Path) -> None:
    sounds(tmp_path, "a.wav", "my night.wav")
    (tmp_path / "a.txt").write_text(AUDACITY)
    (tmp_path / "my night.txt").write_text(AUDACITY)
    (tmp_path / "A.uem").write_text("a 1 0 10\na 1 61.5 100\n")
    (tmp_path / "my night.UEM").write_text("my night 1 0:30 90\n")
    assert found(tmp_path, unmarked="background") == {
        "owl/a.wav": [(1.5, 3.25)],
        "wren/a.wav": [(61.5, 62.0)],
        "background/a.wav": [(0, 1.5), (3.25, 10), (62, 100)],
        "wren/my night.wav": [(61, 62)],
        "background/my night.wav": [(30, 61), (62, 90)],
    }


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "a 0 10",
            "line 2 is 'a 0 10', where a recording, a channel, a start and an end are needed, such as "
            "night 1 0.0 300.0",
        ),
        (
            "a 2 0 10",
            "line 2 is about channel 2, where left is 1: add --channel 2, or another, to go by that channel and its "
            "lines alone; or save the channels as recordings of their own",
        ),
        ("a 1 10 0", "line 2 marks 10 to 0 s; a part ends after it begins"),
        (
            "a 1 x 10",
            "line 2 has the times 'x' and '10'; times are seconds, such as 12.5, or 1:02:03.5 (in spreadsheets "
            "[HH]:MM:SS)",
        ),
    ],
)
def test_a_line_that_says_nothing_of_what_was_listened_to_is_named(tmp_path: Path, line: str, said: str) -> None:
    sounds(tmp_path, "a.wav")
    (tmp_path / "a.txt").write_text(AUDACITY)
    (tmp_path / "a.uem").write_text(f"a 1 0 10\n{line}\n")
    sounds(tmp_path, "b.wav")
    (tmp_path / "b.txt").write_text(AUDACITY)
    (error,) = find_labelled_recordings(tmp_path, AnnotationOptions(unmarked="background"))[1]
    assert str(error) == f"{tmp_path / 'a.uem'}: {said}; until that is mended or moved away, a.wav is left out"
    assert {key.partition("/")[2] for key in found(tmp_path, wrong=("a.uem",), unmarked="background")} == {"b.wav"}
    (tmp_path / "a.uem").write_text(";; nothing\n")
    assert {key.partition("/")[2] for key in found(tmp_path, wrong=("a.uem",), unmarked="background")} == {"b.wav"}
    (tmp_path / "all.uem").write_text("x\n")  # which nobody knows the recordings of
    with pytest.raises(AudionetError, match=r"all\.uem: line 1 is 'x'"):
        found(tmp_path)


def test_what_was_listened_to_is_no_annotation(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sounds(tmp_path, "owl/a.wav")
    (tmp_path / "owl" / "a.uem").write_text("a 1 0 10\n")
    with pytest.raises(AudionetError, match=r"a\.uem: says which stretches were annotated, not what is heard in them"):
        found(tmp_path, metadata=tmp_path / "owl" / "a.uem")
    assert found(tmp_path, uem=tmp_path / "owl" / "a.uem") == {"owl/a.wav": []}
    assert "no recording has marked parts, so that --uem changes nothing" in caplog.text
    with pytest.raises(AudionetError, match=r"none\.uem: is neither a file"):
        found(tmp_path, uem=Path("none.uem"))


@pytest.mark.parametrize(
    ("name", "text"), [("all.selections.txt", TWO_FILES), ("all.rttm", RTTM.replace("night 1 61", "b 1 61"))]
)
@pytest.mark.parametrize("folder", ["", "site1/"])
def test_a_file_about_several_recordings_may_lie_among_them(tmp_path: Path, name: str, text: str, folder: str) -> None:
    sounds(tmp_path, "site1/a.wav", "site1/b.wav", "site1/c.wav")
    (tmp_path / f"{folder}{name}").write_text(text.replace(" night ", " a "))
    with pytest.raises(AudionetError, match=rf"2 recordings with annotations .*{name}.*owl and wren.* not the folders"):
        found(tmp_path)
    parts = found(tmp_path, use_beside=True, wrong=("c.wav",))
    assert {key: len(of_class) for key, of_class in parts.items()} == {"owl/site1/a.wav": 1, "wren/site1/b.wav": 1}


def test_a_list_of_pitches_beside_a_recording_marks_nothing(tmp_path: Path) -> None:
    sounds(tmp_path, "anna/a.wav")
    (tmp_path / "anna" / "a.txt").write_text("0.010\t120.5\n0.020\t121.2\n")
    assert found(tmp_path) == {"anna/a.wav": []}


def test_names_in_rttm_have_no_spaces_and_may_be_those_of_several(tmp_path: Path) -> None:
    sounds(tmp_path / "d", "x/my night.wav", "x/day.wav", "y/day.wav")
    (tmp_path / "all.rttm").write_text(RTTM.replace(" night ", " my_night ") + RTTM.replace(" night ", " day "))
    assert found(tmp_path / "d", metadata=tmp_path / "all.rttm", wrong=("all.rttm",)) == of("x/my night.wav")
    _, wrong = find_labelled_recordings(tmp_path / "d", AnnotationOptions(metadata=tmp_path / "all.rttm"))
    assert str(wrong[0]).endswith("is about day, which is what 2 recordings are called")


def test_one_file_may_be_about_many_recordings(tmp_path: Path) -> None:
    sounds(tmp_path / "nights", "2024/a.wav", "2024/b.wav", "night.wav", "day.wav")
    (tmp_path / "raven.txt").write_text(TWO_FILES + "3\t80\t81\tc.wav\t1\towl\n")
    assert found(tmp_path / "nights", metadata=tmp_path / "raven.txt", wrong=("c.wav",)) == {
        "owl/2024/a.wav": [(1.5, 3.25)],
        "wren/2024/b.wav": [(11.0, 12.0)],
    }
    (tmp_path / "talks.rttm").write_text(RTTM + RTTM.replace(" night ", " day ") + RTTM.replace(" night ", " gone "))
    expected = of("night.wav") | of("day.wav")
    assert found(tmp_path / "nights", metadata=tmp_path / "talks.rttm", wrong=("talks.rttm",)) == expected
    (tmp_path / "talks.rttm").rename(tmp_path / "nights" / "talks.rttm")
    by_folder: Found = {"2024/a.wav": [], "2024/b.wav": []}
    assert found(tmp_path / "nights", wrong=("talks.rttm",)) == expected | by_folder


def test_a_file_or_a_folder_of_annotations_can_be_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    nights = sounds(tmp_path / "nights", "2024/a.wav", "b.wav")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.TextGrid").write_text(LONG)
    (tmp_path / "labels" / "notes.md").write_text("Heard by Ida.")
    assert found(nights, metadata=tmp_path / "labels" / "a.TextGrid") == of("2024/a.wav")
    (tmp_path / "labels" / "b.selections.txt").write_text(RAVEN)
    assert found(nights, metadata=tmp_path / "labels") == of("2024/a.wav") | of("b.wav")
    (tmp_path / "labels" / "b.txt").write_text("5\t6\towl\n")
    parts = MARKED | {"owl": [*MARKED["owl"], (5.0, 6.0)]}
    assert found(nights, metadata=tmp_path / "labels") == of("2024/a.wav") | of("b.wav", parts)
    assert "b.wav: what b.selections.txt and b.txt say of it counts alike" in caplog.text
    (tmp_path / "labels" / "b.txt").unlink()
    (tmp_path / "labels" / "c.txt").write_text(AUDACITY)
    assert found(nights, metadata=tmp_path / "labels", wrong=("c.txt",)) == of("2024/a.wav") | of("b.wav")
    (nights / "b.wav").unlink()
    (tmp_path / "Label Track.txt").write_text(AUDACITY)
    assert found(nights, metadata=tmp_path / "Label Track.txt") == of("2024/a.wav")  # there is no other
    (tmp_path / "empty").mkdir()
    with pytest.raises(AudionetError, match="is a folder, and holds no annotations"):
        found(nights, metadata=tmp_path / "empty")


@pytest.mark.parametrize("by_name", [False, True])
def test_what_label_called_unknown_is_neither_a_class_nor_background(
    tmp_path: Path, by_name: bool, caplog: pytest.LogCaptureFixture
) -> None:
    nights = sounds(tmp_path / "nights", "a.wav")
    table = (tmp_path if by_name else nights) / "a.csv"
    path, name = ("path,", "a.wav,") if by_name else ("", "")
    table.write_text(f"{path}start,end,label\n{name}0,2,owl\n{name}2,5,unknown\n{name}4.5,5,owl\n{name}7,8,Unknown\n")
    metadata = table if by_name else None
    assert found(nights, metadata=metadata, overlaps="refuse") == {"owl/a.wav": [(0, 2), (4.5, 5)]}
    parts = found(nights, metadata=metadata, unmarked="background")
    assert parts == {"owl/a.wav": [(0, 2), (4.5, 5)], "background/a.wav": [(5, 7), (8, float("inf"))]}
    found(nights, metadata=metadata)
    assert "2 parts marked as unknown: not learnt, since that is no class" in caplog.text
    # Of Kaleidoscope and BirdNET, NoID and nocall are no classes either; where nothing calls, there is background.
    sounds(nights, "b.wav")
    table.write_text(table.read_text().replace("unknown", "NoID").replace("Unknown", "nocall"))
    nothing = "start,end,label\n0,3,nocall\n"
    (nights / "b.csv").write_text("" if by_name else nothing)
    table.write_text(table.read_text() + ("b.wav,0,3,nocall\n" if by_name else ""))
    assert found(nights, metadata=metadata) == {"owl/a.wav": [(0, 2), (4.5, 5)]}
    assert "called nocall: nothing is heard there" in caplog.text
    parts = found(nights, metadata=metadata, unmarked="background")
    assert parts["background/a.wav"][-1] == (5 if by_name else 8, float("inf"))
    assert parts["background/b.wav"] == [(0, 3), (3, float("inf"))]
    sounds(nights, "nocall/c.wav")  # a folder's class is one
    assert found(nights, metadata=table, wrong=()).keys() == {
        "owl/a.wav",
        "nocall/a.wav",
        *(["nocall/b.wav"] * by_name),
    }


def test_of_several_tiers_those_count_that_are_chosen(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sounds(tmp_path, "night.wav")
    tiers = "".join(f'"IntervalTier"\n"{name}"\n0\n9\n1\n1\n2\n"{name[:3]}"\n' for name in ("bird", "call", "remark"))
    (tmp_path / "night.TextGrid").write_text(
        f'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n9\n<exists>\n3\n{tiers}'
    )
    assert list(found(tmp_path)) == ["bir/night.wav", "cal/night.wav", "rem/night.wav"]
    assert "night.TextGrid: all its tiers count (bird, call and remark); --tier, with a name, chooses" in caplog.text
    assert list(found(tmp_path, tier=("bird", "nothing"))) == ["bir/night.wav"]
    with pytest.raises(AudionetError, match="has no tier 'Bird' with marks, but 'bird', 'call' and 'remark'; name one"):
        found(tmp_path, tier=("Bird",))
    # A table has them in a column, whether it says which recording it is about or not.
    (tmp_path / "night.TextGrid").unlink()
    table = "Tier,Begin Time - ss.msec,End Time - ss.msec,Label,File\nbird,1,2,owl,night\nnote,1,2,wind,night\n"
    for name, text in (("night.csv", table.replace(",File", "").replace(",night", "")), ("all.csv", table)):
        path = tmp_path / name
        path.write_text(text)
        for named in (path, None):  # the one is found beside the recording, the other since it lists it
            assert list(found(tmp_path, tier=("bird",), metadata=named)) == ["owl/night.wav"]
        path.write_text(text.replace("Tier", "Row"))
        assert list(found(tmp_path, tier=("bird",), metadata=path)) == ["owl/night.wav", "wind/night.wav"]
        assert f"{name}: has no tiers, so that --tier changes nothing" in caplog.text
        path.unlink()


def test_a_folder_of_tables_that_name_their_recordings_can_be_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    nights = sounds(tmp_path / "nights", "a.wav", "b.wav")
    results = tmp_path / "results"
    results.mkdir()
    for name, label in (("a", "owl"), ("b", "wren")):
        rows = f"Start (s),End (s),Common name,Confidence,File\n1.0,4.0,{label},0.9,/home/ida/{name}.wav\n"
        (results / f"{name}.BirdNET.results.csv").write_text(rows)
    (results / "a.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nowl\n")
    assert found(nights, metadata=results) == {"owl/a.wav": [(1.0, 4.0)], "wren/b.wav": [(1.0, 4.0)]}
    assert "a.srt seems to say what is heard when, and is not used" in caplog.text


def test_of_annotated_recordings_too_those_of_a_sub_folder_stay_together(tmp_path: Path) -> None:
    names = [f"owl/{night}/{n}.wav" for night in ("may", "june", "july") for n in (1, 2)]
    sounds(tmp_path, *names, "wren/1.wav")
    for name in names[:3]:
        (tmp_path / name).with_suffix(".txt").write_text("0\t0.4\towl\n0.5\t1\twren\n")
    recordings, _ = find_labelled_recordings(tmp_path, AnnotationOptions())
    assert {(r.class_name, r.key.split("/")[-2], r.group) for r in recordings if len(r.key.split("/")) > 2} == {
        *(("owl", night, night) for night in ("may", "june", "july")),
        *(("wren", night, night) for night in ("may", "june")),
    }


def test_a_line_of_a_recording_without_times_and_label_says_that_nothing_is_heard_in_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    nights = sounds(tmp_path / "nights", "a.wav", "b.wav", "c.wav")
    metadata = tmp_path / "desed.tsv"
    rows = "filename\tonset\toffset\tevent_label\na.wav\t1.5\t3.25\towl\nb.wav\t\t\t\nc.wav\t0\t1\towl\nc.wav\t\t\t\n"
    metadata.write_text(rows)
    assert found(nights, metadata=metadata) == {"owl/a.wav": [(1.5, 3.25)], "owl/c.wav": [(0, 1)]}
    assert "nothing is heard in 1 recording, whose lines say of no class that it is (such as line 3)" in caplog.text
    assert found(nights, metadata=metadata, unmarked="background") == {
        "owl/a.wav": [(1.5, 3.25)],
        "owl/c.wav": [(0, 1)],
        "background/a.wav": [(0, 1.5), (3.25, float("inf"))],
        "background/b.wav": [],  # the whole of it
        "background/c.wav": [(1, float("inf"))],
    }


def test_where_somebody_looked_and_nothing_was_heard_there_is_background(tmp_path: Path) -> None:
    sounds(tmp_path, "a.wav", "b.wav")
    (tmp_path / "a.txt").write_text(RAVEN)
    (tmp_path / "b.txt").write_text(RAVEN.splitlines()[0])
    assert found(tmp_path) == of("a.wav")
    with_background = found(tmp_path, unmarked="background")
    assert with_background["background/b.wav"] == []  # the whole of it
    assert with_background["background/a.wav"][:2] == [(0.0, 1.5), (3.25, 61.0)]
    # As `label --events --format json` has it of quiet nights alone.
    quiet = sounds(tmp_path / "quiet", "a.wav", "b.wav")
    (tmp_path / "quiet.json").write_text('[{"clip": "a.wav", "events": []}, {"clip": "b.wav", "events": []}]')
    assert set(found(quiet, metadata=tmp_path / "quiet.json", unmarked="background")) == {
        "background/a.wav",
        "background/b.wav",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (AUDACITY.replace("owl", "owl;wren"), "line 1 has the label 'owl;wren': is that one class, or several"),
        (AUDACITY.replace("wren", "a/b"), "line 3 has the class 'a/b', which can't name a folder"),
        (AUDACITY.replace("wren", "un\u200bknown"), "line 3: no class can be called"),
        (AUDACITY.replace("wren", "x" * 300), r"line 3 has the class 'x{40}...', which can't name a folder"),
        (AUDACITY.replace("wren", "🦉" * 64), "line 3 has the class .*, which can't name a folder"),
        (AUDACITY.replace("wren", "@eaDir"), "line 3 has the class '@eaDir', as systems call folders of their own"),
        (AUDACITY.replace("wren", "Thumbs.db"), "line 3 has the class 'Thumbs.db', as systems"),
    ],
)
def test_labels_are_checked_as_those_of_tables(tmp_path: Path, text: str, message: str) -> None:
    sounds(tmp_path, "a.wav")
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(AudionetError, match=f"a.txt: {message}"):
        found(tmp_path)
    sounds(tmp_path, "b.wav", "c.wav")  # of which the others go on
    (tmp_path / "b.txt").write_text(AUDACITY)
    (tmp_path / "all.rttm").write_text(RTTM.replace(" night ", " c "))
    assert found(tmp_path, wrong=("a.txt",), unmarked="background").keys() == {
        f"{label}/{name}.wav" for label in ("owl", "wren", "background") for name in "bc"
    }


def test_of_a_file_about_many_recordings_those_with_a_label_of_no_use_are_left_out(tmp_path: Path) -> None:
    sounds(tmp_path, "a.wav", "b.wav")
    lines = RTTM.replace(" night ", " a ") + RTTM.replace(" night ", " b ").replace("wren", "a/b")
    (tmp_path / "all.rttm").write_text(lines)
    assert found(tmp_path, wrong=("all.rttm",)) == of("a.wav")
    assert found(tmp_path, wrong=("all.rttm",), metadata=tmp_path / "all.rttm") == of("a.wav")


def test_a_class_that_is_spelt_in_several_ways_is_one_which_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sounds(tmp_path, "a.wav", "b.wav", "c.wav")
    (tmp_path / "a.txt").write_text("1\t2\tWren\n3\t4\tUnknown\n5\t6\tunknown\n")
    (tmp_path / "b.txt").write_text("1\t2\twren\n3\t4\twren\n5\t6\twren\u200b\n")
    (tmp_path / "c.txt").write_text("1\t2\tWren\n5\t6\twren\n")
    parts: Found = {
        "wren/a.wav": [(1, 2)], "wren/b.wav": [(1, 2), (3, 4), (5, 6)], "wren/c.wav": [(1, 2), (5, 6)],
    }  # fmt: skip
    assert found(tmp_path) == parts
    taken = [record.getMessage() for record in caplog.records if "is taken for" in record.getMessage()]
    remedy = "if these are two classes, call one otherwise"
    assert taken == [
        f"{tmp_path / 'a.txt'}: line 1 has the class 'Wren', which is taken for 'wren', as in 1 other mark: {remedy}",
        f"{tmp_path / 'b.txt'}: line 3 has the class 'wren\\u200b', which is taken for 'wren': {remedy}",
    ]
    sounds(tmp_path, "Wren/1.wav")  # a folder says it for all
    assert found(tmp_path) == {"Wren/1.wav": []} | {key.replace("wren", "Wren"): part for key, part in parts.items()}
    (tmp_path / "a.txt").write_text("1\t2\tBackground\n")
    assert found(tmp_path, unmarked="background")["background/a.wav"][1] == (1, 2)


def test_accents_of_annotations_and_folders_may_be_stored_in_two_ways(tmp_path: Path) -> None:
    stored = unicodedata.normalize("NFD", "Bår")
    sounds(tmp_path, f"{stored}/1.wav", "a.wav", "b.wav")
    (tmp_path / "a.txt").write_text("1\t2\tBår\n", "utf-8")
    (tmp_path / "b.txt").write_text(f"1\t2\t{stored}\n", "utf-8")
    parts = [(1.0, 2.0)]
    assert found(tmp_path) == {f"{stored}/1.wav": [], f"{stored}/a.wav": parts, f"{stored}/b.wav": parts}


@pytest.mark.parametrize("name", ["audacity", "raven", "rttm", "textgrid", "elan", "csv"])
def test_what_label_wrote_comes_in_again(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    nights = sounds(tmp_path / "nights", "night.wav", "x;y/1.wav")
    path = tmp_path / ("night.rttm" if name == "rttm" else "night.txt")
    # A class whose folder is there may be called as no other would be; and where nothing is heard, that is said.
    three: Found = MARKED | {"x;y": [(62, 63)]}
    nothing: Found = {"background": []}
    for marks, parts in (([*TIMES, (62, 63, "x;y")], three), ([], nothing)):
        printer = (OF_TOOLS | {"csv": CsvTimelines})[name](["owl", "wren", "x;y"])
        printer.add(Events(str(nights / "night.wav"), [Segment(*times, 0.9) for times in marks], 70.0))
        path.write_text(capsys.readouterr().out)
        if path.read_text():  # of Audacity's labels, there are none
            assert found(nights, metadata=path, unmarked="ignore" if marks else "background") == of("night.wav", parts)


@pytest.mark.parametrize("name", ["raven", "rttm"])
def test_of_channels_that_label_heard_one_by_one_the_chosen_one_comes_in_again(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    nights = sounds(tmp_path / "nights", "night.wav")
    printer = OF_TOOLS[name](["owl", "wren"])
    recording = str(nights / "night.wav")
    for channel, times in enumerate(TIMES, start=1):
        printer.add(Events(f"{recording} ({channel})", [Segment(*times, 0.9)], 70.0, 16000, recording, channel))
    path = nights / ("night.rttm" if name == "rttm" else "night.txt")
    path.write_text(capsys.readouterr().out)
    for metadata in (path, None):
        assert found(nights, metadata=metadata, channel="left") == of("night.wav", {"owl": MARKED["owl"]})
        assert found(nights, metadata=metadata, channel="2") == of("night.wav", {"wren": MARKED["wren"]})
        with pytest.raises(AudionetError, match="is about channel 2, where left is 1: add --channel 2, or another, to"):
            found(nights, metadata=metadata)
    path.write_text("".join(line for line in path.read_text().splitlines(True) if "wren" not in line))
    assert found(nights, channel="2") == of("night.wav", {"owl": MARKED["owl"]})
    assert "names the first channel alone, as of any sound: --channel 2 goes by it" in caplog.text


AS_TABLE, TO_BE_NAMED = "a table would be, with the columns start", "add --metadata {} to use it"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.txt", "1.5 3.25 owl\n4 5 owl\n", AS_TABLE),
        ("a.txt", "[ 00:00:01.500 -->  00:00:03.250] A SPEAKER_00\n", AS_TABLE),  # as pyannote prints it
        ("a.txt", "[00:01.500 --> 00:03.250]  An owl.\n", AS_TABLE),  # and Whisper
        ("a.json", '{"project":{"pid":"__VIA_PROJECT_ID__"},"config":{}}', TO_BE_NAMED),
        ("a.txt", "default\t\t1.5\t3.25\towl\n", AS_TABLE),  # of ELAN, without the columns' names
        ("a.csv", "1.5,3.25,owl\n4,5,owl\n", AS_TABLE),
        ("a.csv", "Start (s),End (s),Common name,File\n0.0,3.0,Owl,/x/a.wav\n", TO_BE_NAMED),  # of BirdNET
        ("a.srt", "1\n00:00:01,000 --> 00:00:02,000\nowl\n", TO_BE_NAMED),
        ("a.lab", "0 3050000 sil\n3050000 9050000 owl\n", TO_BE_NAMED),
        ("a.lab", "HELLO WORLD\n", None),  # the words alone, for aligners
        ("a.json", '{"segments": [{"start": 1, "end": 2, "label": "owl"}]}', TO_BE_NAMED),
        ("a.tsv", "start\tend\ttext\n0\t2500\thello\n", AS_TABLE),  # of Whisper
        ("a.PHN", "0 3050 h#\n", AS_TABLE),
        ("a.txt", "owl\t1.5\t3.25\nowl\t4\t5\n", AS_TABLE),  # of Avisoft
        ("a.sbv", "0:00:01.500,0:00:03.250\nowl\n", AS_TABLE),  # of YouTube
        ("a.wav.data", '[[-1, -1, "None", -1, -1], [1.5, 3.25, 0, 0, "owl"]]', AS_TABLE),  # of an early AviaNZ
        ("a.Table", "tmin\ttext\ttmax\n1.5\towl\t3.25\n", None),  # of Praat
        (
            "a.csv",
            "Behavior,Behavior type,Time,Media file name\nsong,START,1.5,a.wav\nsong,STOP,3,a.wav\n",
            AS_TABLE,
        ),
        ("a.csv", "1.5,1000,1.5,owl\n3,1000,1.5,owl\n", AS_TABLE),  # of Sonic Visualiser, without the columns' names
        ("a.svl", "<?xml version='1.0'?><sv/>", AS_TABLE),
        ("a.csv", "Time,Label\n1.5,owl\n3,owl\n", AS_TABLE),
        ("a.csv", "Anfang;Ende;Art\n1,5;3,0;Eule\n", AS_TABLE),
        ("a.txt", "t0\tt1\ttext\n1.5\t3\towl\n", AS_TABLE),
        ("a.json", '{"text": "hu", "segments": [{"id": 0, "start": 0.0, "end": 2.0, "text": "hu"}]}', AS_TABLE),
        ("a.json", '{"recordist": "Ben", "started": "2024-05-01"}', None),
        ("a.csv", "time,temperature\n0,12.5\n10,12.6\n", None),
        ("a.csv", "date,observer\n2024-05-01,Ben\n", None),
        ("a.txt", "The owl of 3 in the morning.\n", None),
        ("a.txt", "0.01 220.5 0.9\n0.02 221.5 0.8\n", None),  # pitches
        ("a.csv", "date,time,weather\n2024-05-01,03:00,rain\n", None),
        ("b.srt", "1\n00:00:01,000 --> 00:00:02,000\nowl\n", None),  # of no recording
    ],
)
def test_marks_beside_a_recording_that_are_not_read_are_told_of_with_what_to_type(
    tmp_path: Path, name: str, text: str, said: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    sounds(tmp_path, "owl/a.wav", "wren/c.wav")
    (tmp_path / "owl" / name).write_text(text)
    assert found(tmp_path) == {"owl/a.wav": [], "wren/c.wav": []}
    sentence = f"{name} seems to say what is heard when, and is not used: "
    if said is None:
        assert sentence not in caplog.text
    else:
        assert sentence + said.format(tmp_path / "owl" / name) in caplog.text


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "owl/Label Track.txt",
            AUDACITY,
            "not used: it would be as night.txt beside night.wav, or with --metadata ",
        ),
        ("owl/a1.selections.txt", RAVEN, "a1.selections.txt is called as no recording beside it, and is not used"),
        ("owl/notes.txt", "It rained.\n", ""),
        ("owl/weather.csv", "date,rain\n2024-05-01,5\n", ""),
        ("x.rttm", RTTM, "x.rttm: is about night, which is not among the recordings; what it says is not used"),
        (
            "x.selections.txt",
            TWO_FILES.replace("a.wav", "z.wav"),
            "x.selections.txt: is about b.wav, which is not among",
        ),
    ],
)
def test_annotations_of_no_recording_are_told_of(
    tmp_path: Path, name: str, text: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    sounds(tmp_path, "owl/a.wav", "wren/c.wav")
    (tmp_path / name).write_text(text)
    assert found(tmp_path) == {"owl/a.wav": [], "wren/c.wav": []}
    assert said in caplog.text if said else caplog.text == ""


def test_marks_under_a_title_and_beside_a_name_with_its_accents_stored_otherwise_are_read(tmp_path: Path) -> None:
    sounds(tmp_path, "owl/h\N{LATIN SMALL LETTER U WITH DIAERESIS}.wav", "wren/c.wav")
    (tmp_path / "owl" / "hu\N{COMBINING DIAERESIS}.txt").write_text("1.5\t3.25\towl\n", encoding="utf-8")
    media = '"#file:///C:/x/c.wav -- offset: 0"\n\nTier\tBegin Time - ss.msec\tEnd Time - ss.msec\tAnnotation\n'
    (tmp_path / "wren" / "c.txt").write_text(f"{media}default\t61\t62\twren\n")
    assert sorted(found(tmp_path).values()) == [[(1.5, 3.25)], [(61.0, 62.0)]]


def test_a_table_that_marks_parts_of_the_recordings_under_names_of_another_tool_is_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sounds(tmp_path, "owl/a.wav", "wren/b.wav")
    table = tmp_path / "marks.csv"
    table.write_text("filename,onset,offset,event_label\na.wav,1,2,owl\nb.wav,3,4,wren\n")
    assert found(tmp_path) == {"owl/a.wav": [], "wren/b.wav": []}
    assert f"marks.csv marks parts of the recordings, and is not used: add --metadata {table}" in caplog.text
    assert found(tmp_path, metadata=table) == {"owl/owl/a.wav": [(1, 2)], "wren/wren/b.wav": [(3, 4)]}


def test_a_class_folder_may_be_a_link_to_elsewhere(tmp_path: Path) -> None:
    data = sounds(tmp_path / "data", "owl/a.wav")
    sounds(tmp_path / "disk", "a.wav", "b.wav")
    for place in (data / "owl", tmp_path / "disk"):
        (place / "a.txt").write_text(AUDACITY)
    (data / "wren").symlink_to(tmp_path / "disk")
    (data / "again").symlink_to(data)
    parts: Found = {"wren/b.wav": []}
    for folder in ("owl", "wren"):
        parts |= {f"{label}/{folder}/a.wav".replace(f"{folder}/{folder}", folder): MARKED[label] for label in MARKED}
    assert found(data, wrong=("again",)) == parts
    table = tmp_path / "list.csv"
    table.write_text("path,label,start,end\nb.wav,owl,1,2\na.wav,wren,1,2\n")
    assert found(data, metadata=table, wrong=("a.wav",)) == {"owl/wren/b.wav": [(1, 2)]}


@pytest.mark.parametrize(
    ("name", "text", "few", "many"),
    [
        ("note {}.txt", "It rained.\n", 100, 400),
        ("{}.rttm", "SPEAKER {} 1 1 1 <NA> <NA> owl <NA> <NA>\n", 20, 80),  # each beside a recording of its own
    ],
)
def test_the_work_with_texts_among_recordings_grows_with_their_number_alone(
    tmp_path: Path, name: str, text: str, few: int, many: int
) -> None:
    def calls_with(count: int) -> int:
        recordings = range(count) if name.endswith(".rttm") else "ab"
        folder = sounds(tmp_path / str(count), *(f"owl/{each}.wav" for each in recordings))
        for number in range(count):
            (folder / "owl" / name.format(number)).write_text(text.format(number))
        with cProfile.Profile() as profile:
            assert len(found(folder)) == len(recordings)
        return sum(entry.callcount for entry in profile.getstats())

    assert calls_with(many) < 6 * calls_with(few)


def test_rttm_and_stm_which_have_no_spaces_mean_the_folders_that_have(tmp_path: Path) -> None:
    sounds(tmp_path, "barn owl/1.wav", "wren/1.wav", "night.wav")
    (tmp_path / "night.rttm").write_text(RTTM.replace(" owl ", " barn_owl "))
    assert found(tmp_path) == {
        "barn owl/1.wav": [],
        "wren/1.wav": [],
        **of("night.wav", {"barn owl": MARKED["owl"], "wren": MARKED["wren"]}),
    }
    # So do they the classes of other annotations.
    (tmp_path / "dusk.txt").write_text("1\t2\ttawny owl\n")
    (tmp_path / "night.rttm").write_text(RTTM.replace(" owl ", " tawny_owl "))
    sounds(tmp_path, "dusk.wav")
    assert {key.partition("/")[0] for key in found(tmp_path, use_beside=True)} == {
        "barn owl",
        "tawny owl",
        "wren",
    }
    (tmp_path / "dusk.wav").unlink()
    stm = tmp_path.parent / f"{tmp_path.name}.stm"
    stm.write_text("night 1 barn_owl 1.5 3.25 whoo\nnight 1 inter_segment_gap 3.25 61\nnight 1 wren 61 62\n")
    assert found(tmp_path, metadata=stm) == of("night.wav", {"barn owl": MARKED["owl"], "wren": MARKED["wren"]})


def test_where_all_annotations_are_faulty_all_of_them_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sounds(tmp_path, "a.wav", "b.wav")
    (tmp_path / "a.txt").write_text("5\t3\towl\n")
    (tmp_path / "b.txt").write_text("1\t2\ta:b\n3\t4\tc|d\n")
    with pytest.raises(AudionetError, match=r"a\.txt: line 1 marks 5 to 3 s"):
        found(tmp_path)
    assert "b.txt: line 1 has the class 'a:b'" in caplog.text
    assert "b.txt: line 2 has the label 'c|d'" in caplog.text
