"""Tables as people have them, in any shape, and layouts of data sets as others pass them on."""

import contextlib
import json
import math
import os
from pathlib import Path

import pytest

from audionet.annotation.metadata import find_labelled_recordings
from audionet.errors import AudionetError
from audionet.options import AnnotationOptions
from audionet.system.text import printable
from audionet.tables.files import read_table
from tests.conftest import chirps, write_wav

SOUND = chirps(0, 200, 400, 0.2)


def sounds(folder: Path, *names: str) -> Path:
    for name in names:
        write_wav(folder / name, SOUND)
    return folder


def found(data_audio: Path, metadata: Path | None = None) -> list[tuple[str, str]]:
    """The label and path of each recording; nothing may lie wrong."""
    recordings, wrong = find_labelled_recordings(data_audio, AnnotationOptions(metadata=metadata))
    assert wrong == []
    return [(r.class_name, r.path.relative_to(data_audio).as_posix()) for r in recordings]


ROWS = [("robin", "a.wav"), ("wren", "b é.wav")]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("path,label\na.wav,robin\nb é.wav,wren\n", "utf-8"),
        ("path,label\r\na.wav,robin\r\nb é.wav,wren\r\n", "utf-8-sig"),
        ("path;label\na.wav;robin\nb é.wav;wren\n", "utf-8"),
        ("path\tlabel\na.wav\trobin\nb é.wav\twren\n", "utf-16"),
        ("path\tlabel\na.wav\trobin\nb é.wav\twren\n", "utf-16-le"),
        ("path\tlabel\na.wav\trobin\nb é.wav\twren\n", "utf-16-be"),
        ("path|label\na.wav|robin\nb é.wav|wren\n", "cp1252"),
        ("sep=;\r\nPath;Label\r\na.wav;robin\r\nb é.wav;wren\r\n", "cp1252"),
        ('"sep=;"\nPath;Label\na.wav;robin\nb é.wav;wren\n', "utf-8"),
        ("sep=\t\r\npath\tlabel\r\na.wav\trobin\r\nb é.wav\twren\r\n", "utf-16"),
        ("sep=\\t\npath\tlabel\na.wav\trobin\nb é.wav\twren\n", "utf-8"),
        ("path, label\na.wav, robin\nb é.wav , wren\n", "utf-8"),
        ('"path", "label"\n"a.wav", "robin"\n"b é.wav", "wren"\n', "utf-8"),
        ("Label,File Name,,\nrobin,a.wav,,\n,,,\nwren,b é.wav,,\n,,,\n,,,\n", "utf-8"),
        ("\n\nFILENAME,Species,notes\na.wav,robin,one;two;three;four\nb é.wav,wren,\n", "utf-8"),
        ("file_path,category\n./a.wav,robin\n.\\b é.wav,wren\n", "utf-8"),
        ("slice_file_name,CLASS\na.wav,robin\nb é.wav,wren\n", "utf-8"),
        ("fname,label\na.wav,robin\nb é.wav,wren\n", "utf-8"),  # Kaggle's
        ("audio_filepath,duration,label\na.wav,1.5,robin\nb é.wav,1.5,wren\n", "utf-8"),  # NeMo's
        ("wav_filename,wav_filesize,speaker\na.wav,32044,robin\nb é.wav,32044,wren\n", "utf-8"),  # DeepSpeech's
        (
            '{"audio_filepath": "a.wav", "duration": 1.5, "label": "robin"}\n'
            '{"audio_filepath": "b é.wav", "duration": 1.5, "label": "wren"}\n',
            "utf-8",
        ),
        ("filename\tscene_label\tidentifier\na.wav\trobin\tx\nb é.wav\twren\ty\n", "utf-8"),  # DCASE's
        ("primary_label,type,common_name,filename\nrobin,['call'],Robin,a.wav\nwren,['song'],Wren,b é.wav\n", "utf-8"),
        ("file,class\ndata/a.wav,robin\ndata/b é.wav,wren\n", "utf-8"),
        ("file,class\nC:\\old\\data\\a.wav,robin\nC:\\old\\data\\b é.wav,wren\n", "utf-8"),
        ("file,class\n/somewhere/else/a.wav,robin\n/somewhere/else/b é.wav,wren\n", "utf-8"),
        ("file,class\nwrong/base/a.wav,robin\nwrong/base/b é.wav,wren\n", "utf-8"),
        ("path,label\na.mp3,robin\nb é.mp3,wren\n", "utf-8"),
        ("path,label\na,robin\nb é,wren\n", "utf-8"),
        ("path,label\ra.wav,robin\rb é.wav,wren\r", "utf-8"),
        ('client_id\tpath\tsentence\tlabel\n1\ta.wav\t"Oh," he said.\trobin\n2\tb é.wav\t"Oh\twren\n', "utf-8"),
        ('path\tnotes\tlabel\na.wav\t"of\ttwo\nlines"\trobin\nb é.wav\t""\twren\n', "utf-8"),
        ("path;label\na.wav;robin\nb é.wav;wren\n", "utf-32"),
        ("Recordings of May, 2024;\n\n# by hand\nPath;Label\na.wav;robin\nb é.wav;wren\n", "utf-8"),
        ("path,label\nA.WAV,robin\nB e\u0301.wav,wren\n", "utf-8"),  # as a Mac stores accents
        ("path,label,Label\na.wav,robin,robin\nb é.wav,wren,wren \n", "utf-8"),
    ],
)
def test_a_table_is_read_however_it_was_written(tmp_path: Path, text: str, encoding: str) -> None:
    data = sounds(tmp_path / "data", "a.wav", "b é.wav")
    (tmp_path / "list.csv").write_bytes(text.encode(encoding))
    assert found(data, tmp_path / "list.csv") == ROWS


def test_absolute_paths_in_the_folder_are_read(tmp_path: Path) -> None:
    data = sounds(tmp_path / "data", "a.wav", "b é.wav")
    (tmp_path / "list.csv").write_text(f"path,label\n{data}/a.wav,robin\n{data}/./b é.wav,wren\n", encoding="utf-8")
    assert found(data, tmp_path / "list.csv") == ROWS


def test_audio_may_be_left_out_of_the_paths(tmp_path: Path) -> None:
    sounds(tmp_path / "data" / "audio", "a.wav")
    (tmp_path / "data" / "list.csv").write_text("path,label\na.wav,robin\n")
    assert found(tmp_path / "data") == [("robin", "audio/a.wav")]


def test_folders_in_another_case_or_with_other_accents_are_those_of_the_table(tmp_path: Path) -> None:
    data = sounds(tmp_path / "data", "Vögel/a.wav", "x/a.wav", "x/b.wav")
    (tmp_path / "list.csv").write_text("path,label\nx/b.wav,y\nX/a.wav,y\nvo\u0308gel/A.mp3,robin\n", encoding="utf-8")
    assert found(data, tmp_path / "list.csv") == [("robin", "Vögel/a.wav"), ("y", "x/a.wav"), ("y", "x/b.wav")]


@pytest.mark.skipif(os.name == "nt", reason="Windows forbids such names")
@pytest.mark.parametrize(
    "name", ["back\\slash.wav", "tab\t.wav", "line\nfeed.wav", "latin\udcfc.wav", "x/a\\b\t.wav", "\u202eturned.wav"]
)
def test_names_that_label_writes_otherwise_are_found_again(tmp_path: Path, name: str) -> None:
    data = sounds(tmp_path / "data", name, "slash.wav", "b.wav")
    (tmp_path / "list.txt").write_text(f"path\tlabel\n{printable(str(data / name))}\trobin\n{data / 'b.wav'}\twren\n")
    assert ("robin", name) in found(data, tmp_path / "list.txt")
    clips = [{"clip": str(data / name), "label": "robin"}, {"clip": str(data / "b.wav"), "label": "wren"}]
    (tmp_path / "list.json").write_text(json.dumps(clips))
    assert ("robin", name) in found(data, tmp_path / "list.json")


def test_a_name_that_several_recordings_have_is_said_to_be_so(tmp_path: Path) -> None:
    data, table = sounds(tmp_path / "data", "x/a.wav", "y/a.wav", "y/b.wav"), tmp_path / "list.csv"
    table.write_text("path,label\na.wav,robin\nb.wav,wren\n")
    recordings, wrong = find_labelled_recordings(data, AnnotationOptions(metadata=table))
    assert [recording.path.name for recording in recordings] == ["b.wav"]
    said = (
        "is listed in line 2 of list.csv; 2 recordings have this name (x/a.wav and y/a.wav): write the path of the one"
    )
    assert [error.reason for error in wrong] == [said]
    table.write_text("path,label\na.wav,robin\n")
    with pytest.raises(
        AudionetError, match=r"line 2 names no recording that can be used: .*2 recordings have this name"
    ):
        found(data, table)


@pytest.mark.parametrize("name", ["labels.tab", "labels.TXT", "labels.tsv"])
def test_a_table_of_another_suffix_is_found_too_and_no_recording(tmp_path: Path, name: str) -> None:
    data = sounds(tmp_path / "data", "2023/a.wav", "2024/b.wav")
    (data / name).write_text("file\tspecies\n2023/a.wav\trobin\n2024/b.wav\twren\n", encoding="utf-16")
    assert found(data) == [("robin", "2023/a.wav"), ("wren", "2024/b.wav")]


@pytest.mark.parametrize("place", ["data", "data/Metadata", "data/META", "."])
def test_a_table_in_the_folder_or_beside_it_is_found_by_its_columns(
    tmp_path: Path, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    data = sounds(tmp_path / "data", "2023/a.wav", "2024/b.wav", "2024/c.wav")
    (tmp_path / place).mkdir(exist_ok=True)
    (tmp_path / place / "Labels.CSV").write_text("file;species\n2023/a.wav;robin\n2024/b.wav;wren\n")
    (tmp_path / place / "results.csv").write_text("clip,label\n2023/a.wav,wren\n2024/b.wav,wren\n")
    assert found(data) == [("robin", "2023/a.wav"), ("wren", "2024/b.wav")]
    assert "Labels.CSV" in caplog.text
    assert "does not list 1 recording in" in caplog.text


@pytest.mark.parametrize(
    "name",
    ["corrections.csv", "corrections (1).csv", "Corrections_2.csv", "corrections - Kopie.tsv", "my-corrections.csv"],
)
def test_corrections_label_no_data_set_whatever_the_browser_calls_them(tmp_path: Path, name: str) -> None:
    sounds(tmp_path, "anna/1.wav", "ben/2.wav")
    (tmp_path / name).write_text("path,label\nanna/1.wav,anna\n")
    assert found(tmp_path) == [("anna", "anna/1.wav"), ("ben", "ben/2.wav")]


def test_a_table_of_other_recordings_is_not_this_folders(tmp_path: Path) -> None:
    data = sounds(tmp_path / "data", "anna/1.wav", "ben/1.wav", "ben/2.wav", "ben/3.wav")
    (tmp_path / "birds.csv").write_text("path,label\na.wav,robin\nben/3.wav,wren\n")
    assert found(data) == [("anna", "anna/1.wav"), *[("ben", f"ben/{n}.wav") for n in (1, 2, 3)]]


@pytest.mark.parametrize("label_of_ben", ["anna", "carl"])
def test_where_table_and_folders_contradict_each_other_it_asks(tmp_path: Path, label_of_ben: str) -> None:
    data, table = sounds(tmp_path / "data", "anna/1.wav", "ben/1.wav"), tmp_path / "labels.csv"
    table.write_text("path,label\nanna/1.wav,anna\nben/1.wav,ben\n")
    assert found(data) == [("anna", "anna/1.wav"), ("ben", "ben/1.wav")]
    table.write_text(f"path,label\nanna/1.wav,anna\nben/1.wav,{label_of_ben}\n")
    with pytest.raises(AudionetError, match=rf"line 3 says that ben/1.wav is '{label_of_ben}', its folder 'ben'; add"):
        found(data)
    assert found(data, table) == [("anna", "anna/1.wav"), (label_of_ben, "ben/1.wav")]


def test_two_tables_of_the_same_recordings_are_a_question(tmp_path: Path) -> None:
    data = sounds(tmp_path / "data", "x/1.wav", "y/1.wav")
    for name in ("one.csv", "two.csv"):
        (data / name).write_text("path,label\nx/1.wav,robin\ny/1.wav,wren\n")
    with pytest.raises(AudionetError, match=r"one.csv and .*two.csv list its recordings; name the one to use"):
        found(data)


URBAN = """slice_file_name,fsID,start,end,salience,fold,classID,class
1-0.wav,1,0.0,4.0,1,1,0,siren
2-1.wav,2,5,9,1,2,1,dog
"""
ESC = """filename,fold,target,category,esc10,src_file,take
1-1-A-0.wav,1,0,dog,True,1,A
2-2-A-1.wav,2,1,rooster,False,2,A
"""


@pytest.mark.parametrize(
    ("table", "audio", "pointed_at"),
    [
        ("US/metadata/UrbanSound8K.csv", "US/audio/fold{}", "US"),
        ("US/metadata/UrbanSound8K.csv", "US/audio/fold{}", "US/audio"),
        ("US/Metadata/URBANSOUND8K.csv", "US/audio/fold{}", "US"),
        ("US/UrbanSound8K.csv", "US/fold{}", "US"),
        ("US/UrbanSound8K.csv", "US/audio/fold{}", "US"),
        ("US/urban.csv", "US/fold{}", "US"),
        ("UrbanSound8K.csv", "US/fold{}", "US"),
    ],
)
def test_urbansound8k_is_known_in_its_usual_disguises(tmp_path: Path, table: str, audio: str, pointed_at: str) -> None:
    for fold, name in ((1, "1-0.wav"), (2, "2-1.wav")):
        sounds(tmp_path / audio.format(fold), name)
    (tmp_path / table).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / table).write_text(URBAN)
    for metadata in (None, tmp_path / table):
        recordings, wrong = find_labelled_recordings(tmp_path / pointed_at, AnnotationOptions(metadata=metadata))
        assert wrong == []
        assert [(r.key, r.group, r.fold) for r in recordings] == [
            ("dog/fold2/2-1.wav", "2", 2),
            ("siren/fold1/1-0.wav", "1", 1),
        ]


@pytest.mark.parametrize(
    ("table", "pointed_at"), [("E/esc50.csv", "E"), ("E/meta/esc50.csv", "E/audio"), ("E/META/ESC50.csv", "E")]
)
def test_esc50_is_known_in_its_usual_disguises(tmp_path: Path, table: str, pointed_at: str) -> None:
    sounds(tmp_path / "E" / "audio", "1-1-A-0.wav", "2-2-A-1.wav")
    (tmp_path / table).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / table).write_text(ESC)
    recordings, _ = find_labelled_recordings(tmp_path / pointed_at, AnnotationOptions())
    assert [(r.key, r.group, r.fold) for r in recordings] == [
        ("dog/1-1-A-0.wav", "1", 1),
        ("rooster/2-2-A-1.wav", "2", 2),
    ]
    with pytest.raises(AudionetError, match=r"holds a data set with a table of its own .*name its folder: .*E$"):
        find_labelled_recordings(tmp_path, AnnotationOptions())


@pytest.mark.parametrize(
    ("names", "remedy"),
    [
        (("fold1/a.wav", "fold2/b.wav"), "name the table of its labels with --metadata"),
        (("audio/a.wav",), "name the table"),
        (("train/anna/a.wav", "test/anna/b.wav"), r"if its classes are the folders in .*train, name that instead"),
        (("wav/id10001/x/a.wav", "wav/id10002/y/b.wav"), r"if its classes are the folders in .*wav, name that instead"),
        (("Training/a.wav", "Validation/b.wav"), "name the table"),
        (("subset1/a.wav", "subset2/b.wav"), "name the table"),
        (("Recordings/a.wav",), "name the table"),
        (("AudioWAV/1001_IEO_ANG_HI.wav",), "name the table"),
        (("Fold A/a.wav", "Fold B/b.wav"), "name the table"),
        (("k-fold-1/a.wav", "k-fold-2/b.wav"), "name the table"),
        (("train_audio/a.wav", "test_audio/b.wav"), "name the table"),
        (("train-clean-100/a.wav", "dev-other/b.wav"), "name the table"),
        (("raw_data/a.wav", "audio files/b.wav"), "name the table"),
    ],
)
def test_parts_of_a_data_set_are_not_taken_for_classes(tmp_path: Path, names: tuple[str, ...], remedy: str) -> None:
    with pytest.raises(AudionetError, match=f"are called as parts of a data set are, not as classes; .*{remedy}"):
        find_labelled_recordings(sounds(tmp_path, *names), AnnotationOptions())


def test_the_side_of_a_data_set_that_has_a_table_can_be_named(tmp_path: Path) -> None:
    sounds(tmp_path, "train/a.wav", "test/b.wav")
    (tmp_path / "train" / "metadata.csv").write_text("file_name,label\na.wav,robin\n")  # Hugging Face's
    with pytest.raises(AudionetError, match=r"if the labels of .*train are in the table in it, name that instead"):
        found(tmp_path)
    assert found(tmp_path / "train") == [("robin", "a.wav")]


@pytest.mark.parametrize("beside", ["txt/p225/p225_001.txt", "FSD.meta/train.csv", "docs/readme.md"])
@pytest.mark.parametrize("names", [("wav48",), ("FSDKaggle2018.audio_train", "FSDKaggle2018.audio_test")])
def test_parts_of_a_set_are_none_beside_folders_without_recordings(
    tmp_path: Path, names: tuple[str, ...], beside: str
) -> None:
    sounds(tmp_path, *(f"{name}/p225/a.wav" for name in names))
    (tmp_path / beside).parent.mkdir(parents=True)
    (tmp_path / beside).write_text("Please call Stella.")
    with pytest.raises(AudionetError, match="are called as parts of a data set are, not as classes"):
        found(tmp_path)


def test_one_class_called_train_among_others_is_one(tmp_path: Path) -> None:
    assert found(sounds(tmp_path, "train/a.wav", "bus/b.wav")) == [("bus", "bus/b.wav"), ("train", "train/a.wav")]


@pytest.mark.parametrize(
    "names",
    [
        ("1", "2"),
        ("sound 1", "sound 2"),
        ("a", "b"),
        ("noisy", "clean"),
        ("disc1", "cd2"),
        ("steam train", "toy train"),
    ],
)
def test_names_that_may_be_classes_are_taken_for_classes(tmp_path: Path, names: tuple[str, str]) -> None:
    labels = {label for label, _ in found(sounds(tmp_path, *(f"{name}/a.wav" for name in names)))}
    assert labels == set(names)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,label\n\n\n,\na.wav,x/y\n", "line 5 has the class 'x/y'"),
        ('path,label,notes\na.wav,x,"one\ntwo"\nb.wav,,\n', "line 4 has no label in the column label; write one"),
        ("sep=,\npath,label\na.wav,x/y\n", "line 3 has the class 'x/y'"),
        ("path,label\na.wav,robin;wren\n", "line 2 has the label 'robin;wren': is that one class, or several"),
        ('path,label\na.wav,x\nb.wav,y\na.wav,"x, y"\n', "line 4 has the label 'x, y': is that one class, or several"),
        ("path,label\na.wav,x\nb.wav,y\na.wav,X and Y\n", "line 4 has the label 'X and Y': is that one class, or"),
        ("path,label\na.wav,\"['x', 'y']\"\n", r"has the label .*: is that one class, or several"),
        ("path,label,label\na.wav,x,y\n", "line 2 says both 'x' and 'y' in columns of the same name"),
        ("of today\na.wav,x\n", "begins with 'of today', and is no table"),
        (
            "audio,mood,annotator,project\na.wav,sad,1,1\nb.wav,calm,1,1\n",
            "needs a column for its label",
        ),  # of Label Studio
        ("path\na.wav,x\n", "line 2 has 2 values, the first line names 1 column; name all columns, or put"),
        ("a 1 0.50 0.30 hello 0.9\n", "is CTM, which says what is said, not by whom, and no table: export CSV"),
        (
            "# Exported using VGG Image Annotator (x)\n# CSV_HEADER = x,y\n",
            "is what VIA exports .its project, .* WebVTT",
        ),
        ("Of today\npath,label\na.wav,x\nb.wav,\n", "line 4 has no label"),
        ("path,label\na.wav,un\u200bknown\n", "line 2: no class can be called"),
        ("path,label\nc.wav,x\n", "the recording that it lists is not in .* looked for as"),
        (
            "path,label\na.wav,x\nHello, world.wav,y\n",
            r"line 3 has 3 values, the first line names 2 columns; name all columns, or put",
        ),
        ('path,label\n"a.wav,x\nb.wav,y\n', "line 2 begins a row that can't be read"),
        ("path,label\na.wav,Unknown\n", "line 2: no class can be called 'Unknown'"),
        ("path,label\n", "lists no recordings"),
        ("", "is empty; it should have a line that names the columns"),
        (
            'audio,label\na.wav,"[{""start"": 1, ""labels"": [""x""]}]"\n',
            "line 2 has JSON in a cell, as Label Studio's CSV",
        ),
        ('[{"clip": "a.wav", "windows": []}]', "is JSON in which nothing says what is heard when"),
        (
            '[\n {"clip": "a.wav", "label": "x"},\n {"clip": "b.wav" "label": "y"}\n]',
            "line 3 is no JSON .Expecting ','",
        ),
        (
            "0 3050 h#\n3050 4559 sh\n",
            "begins with '0 3050 h#', and is no table; put tabs or commas between its columns, below a",
        ),
        ("{\\rtf1\\ansi path,label}", r"is rich text .RTF., and no table: export CSV"),
        ("<html><table><tr><td>path</td></tr></table></html>", "is a web page, and no table: export CSV"),
        ('<?xml version="1.0"?>\n<Trans/>\n', "is XML, and no table"),
        ("WEBVTT\n\n00:00.100 --> 00:00.300\n<v Anna>hello\n", "is subtitles, and no table"),
        ("1\n100:00:00,100 --> 100:00:01,300\nAnna: hello\n", "is subtitles, and no table"),
        ("\n \r\n", "is empty"),
        (
            "PK\x03\x04\x14",
            r"not a table as text, such as CSV \(it is a spreadsheet's own file, or an archive; save the table",
        ),
        ("1.5,3.25,x\n4,5,y\n", "begins with '1.5', where a line is needed that names the columns; write one above"),
        ("a.wav,x\nb.wav,y\n", "begins with 'a.wav', where a line is needed that names the columns; write one above"),
        (
            "path,label\ngone.wav,x\nlost.wav,y\n",
            "none of the 2 recordings that it lists is .* looked for as .*gone.wav",
        ),
        ("path,label,start,end\na.wav,x,,1\n", "line 2 marks a part of a recording: end '1'"),
        ("path,label,start,end\na.wav,x,0,1\nb.wav,y,2,\n", "line 3 has no end, which other lines have; write it"),
        (  # SpeechBrain's
            "ID,duration,path,start,stop,label\nx,1.5,a.wav,0,24000,x\n",
            "line 2 says 0, 24000 and 1.5: start, stop and duration do not agree; write all in seconds, or delete",
        ),
        ("path,label,start,end\na.wav,x,2,1\n", "line 2 marks 2 to 1 s; a part ends after it begins"),
        ("path,label,start,end\na.wav,x,0,1 x\n", "line 2 has the times '0' and '1 x'; times are seconds"),
        ("path,label,start,end\na.wav,x,-1,1\n", "line 2 has the times '-1' and '1'; times are seconds"),
        ("path,label,start_frame,end_frame\na.wav,x,0,1\n", "line 2 marks a part of a recording: start_frame '0'"),
        (
            "path,label,Start TC,End TC\na.wav,x,01:00:01:00,01:00:02:12\n",
            "a part of a recording: Start TC '01:00:01:00'",
        ),
        ("file,species,eventStart\na.wav,x,2024-05-01T05:00:01Z\n", "marks a part of a recording: eventStart '2024-"),
        ("path,label,accepted,start,end\na.wav,x,0,1,2\n", "line 2 says '0' in the column accepted: is its label not"),
        (
            "path,label,Begin Time (s)\na.wav,x,\nb.wav,y,3\n",
            r"line 3 marks a part of a recording: Begin Time \(s\) '3'",
        ),
        ("path,label,onset\na.wav,x,1\n", "onset '1'. Which part can be said with two columns"),
        ("recording,species,x1,x2\na.wav,x,0,1\n", "a part of a recording: x1 '0'. .* called start and end"),
        ("path,label,t_start,t_end\na.wav,x,0,1\n", "a part of a recording: t_start '0'. .* called start and end"),
        ("path,label,from,to\na.wav,x,0.5,1\n", "marks a part of a recording: from '0.5'"),
        ("path;label;Anfang;Ende\na.wav;x;0,5;1,0\n", "marks a part of a recording: Anfang '0,5'"),
        ("path,label,segmentStart,segmentEnd\na.wav,x,0:01,0:02\n", "marks a part of a recording: segmentStart '0:01'"),
        ("path,label,min_t,max_t\na.wav,x,0.5,1\n", "marks a part of a recording: min_t '0.5'"),
        ("path,label,first_sample,last_sample\na.wav,x,0,1\n", "marks a part of a recording: first_sample '0'"),
        ("path,label,startIdx,endIdx\na.wav,x,0,1\n", "marks a part of a recording: startIdx '0'"),
        ("path,label,ms_start,ms_end\na.wav,x,0,1\n", "marks a part of a recording: ms_start '0'"),
        ("path;label;Startzeit;Endzeit\na.wav;x;0,5;1\n", "marks a part of a recording: Startzeit '0,5'"),
        ("path,label,tiempo_inicio,tiempo_fin\na.wav,x,0,1\n", "marks a part of a recording: tiempo_inicio '0'"),
        ("path,label,begintijd,eindtijd\na.wav,x,0,1\n", "marks a part of a recording: begintijd '0'"),
        ("path,label,times\na.wav,x,0:04-0:05\n", "marks a part of a recording: times '0:04-0:05'"),
        ("path;label;Zeit\na.wav;x;4,0 \N{EN DASH} 5,5\n", "marks a part of a recording: Zeit '4,0 . 5,5'"),
        ("path,label,heard\na.wav,x,0:04 to 0:05\n", "marks a part of a recording: heard '0:04 to 0:05'"),
        ("path,label,Timecode In,Timecode Out\na.wav,x,1,2\n", "marks a part of a recording: Timecode In '1'"),
        (
            "path,label,start_min,start_s,end_min,end_s\na.wav,x,,30,,45\na.wav,x,1,30,1,45\n",
            "line 3 marks a part of a recording: start_min '1'. Which part can be said with two columns",
        ),
        ("path,label,start (mm.ss),end (mm.ss)\na.wav,x,0:05,1.30\n", r"a part of a recording: end \(mm.ss\) '1.30'"),
        ("path,label,present\na.wav,x,1\nb.wav,x,0\n", "line 3 says '0' in the column present: is its label not"),
        ("recording,species,validated,start,end\na.wav,x,Not present,1,2\n", "line 2 says 'Not present' in the"),
        ("path,label,start,end,unit\na.wav,x,0,1,s\na.wav,x,2,3,ms\n", "line 3 has times as 'ms'; .* write seconds"),
        ("path,label,seconds\na.wav,x,5\na.wav,y,10\n", "marks a part of a recording: seconds '5'"),
        ("filename,timestamp_s,label\na.wav,5.0,x\na.wav,9,x\n", "a part of a recording: timestamp_s '5.0'"),  # Perch's
        ("path,label,Time,Duration\na.wav,x,0.5,1\n", "marks a part of a recording: Time '0.5'"),
        (
            'path,label,start,end\na.wav,x,"1,234",1300.5\n',
            "line 2 has the time '1,234', and others have a point: is its comma that of thousands",
        ),
        (
            'path,label,start,end\na.wav,x,900,950\na.wav,x,"1,000","1,500"\n',
            "line 3 has the time '1,000': is its comma that of thousands",
        ),
        (
            "path;label;start;end\na.wav;x;0,0625;0,0625\na.wav;x;0,000752315;0,000810185\n",
            "line 3 has the times '0,000752315' and '0,000810185', and no line has longer parts: are they fractions",
        ),
        ("path,label,start,end\na.wav,x,12:01:05 AM,12:01:10 AM\n", "line 2 has the times '12:01:05 AM' and"),
        ("sound,class\na.wav,x\n", r"needs a column for the path of a recording, called path, .*'sound' and 'class'"),
        ("path,speaker,emotion\na.wav,x,y\n", "needs a column for its label, called label, class, category or species"),
        ("path,label\na.wav,robin: alarm\n", r"which can't name a folder \(there is ':' in it\)"),
        ("path,label\na.wav,aux.1\n", r"which can't name a folder \(Windows keeps that for itself\)"),
        ("path,label\na.wav,Turdus sp.\n", r"which can't name a folder \(it ends in a dot\)"),
        ("path,label,fold\na.wav,x,first\n", "line 2 has the fold 'first'; it should be a whole number"),
        ("path,label,fold\na.wav,x,1\na.wav,y,2\n", "line 3 lists a.wav again: in line 2 it has another group or fold"),
        ("path,owl,wren\na.wav,1,0\nb.wav,,\n", "line 3 says of no class whether it is heard; write 0 or 1, or delete"),
        ("path,owl,wren\na.wav,0.9,0.1\n", "needs a column for its label"),
        ("path,label,channel\na.wav,x,2\n", "line 2 is about channel '2'"),
        ("path,label,start,end,Channel\na.wav,x,0,1,1\n", "line 2 is about Channel '1'"),
        (
            "path,label,start,end\na.wav,x,5,3\na.wav,x,1,2\nb.wav,,1,2\na.wav,,2,3\na.wav,x,1,\na.wav,x;y,1,2\n"
            "a.wav,x,?,2\nb.wav,aux,1,2\nb.wav,x,6,3\n",
            r"line 2 marks 5 to 3 s; .*; and line 4 has no label in the column label; .* \(line 5 too\); and line 6 "
            "has no end, .*; and line 7 has the label 'x;y': .*; and line 8 has the times .*; and 2 more "
            "lines",
        ),
        ("path,label\na.wav,x,1\nb.wav,x\nb.wav,x,2\n", r"line 2 has 3 values, .* \(line 4 too\)"),
    ],
)
def test_what_can_not_be_used_is_said_with_line_and_remedy(tmp_path: Path, text: str, message: str) -> None:
    data = sounds(tmp_path / "data", "a.wav", "b.wav")
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(AudionetError, match=f"list.csv.*{message}"):
        found(data, tmp_path / "list.csv")


@pytest.mark.parametrize(
    ("columns", "values"),
    [
        ("Start Date Time,End Date Time", "2024-05-01 05:30,2024-05-01 06:00"),
        ("time,seconds", "530,12.5"),  # of the day, and of the recording
        ("min_depth,max_depth,first,last,index", "3.5,4,1,2,7"),
        ("time,length", "05:30,0:12"),  # of the day, and of the recording
        ("distance_to_road,depth_start,depth_end", "12,3.5,4"),
        ("from,to", "Kiel,Rostock"),
        ("start,end", ","),
    ],
)
def test_columns_that_tell_of_whole_recordings_mark_no_parts(tmp_path: Path, columns: str, values: str) -> None:
    data = sounds(tmp_path / "data", "a.wav")
    (tmp_path / "list.csv").write_text(f"path,label,{columns}\na.wav,robin,{values}\n")
    assert found(data, tmp_path / "list.csv") == [("robin", "a.wav")]


@pytest.mark.parametrize(
    ("columns", "value", "message"),
    [
        ("path,label,channel", "2", "line 2 is about channel '2'"),
        ("path,label,start", "2", "line 2 marks a part of a recording: start '2'"),
        ("filename,label,file", "a.wav", "which column is the path of a recording"),
        ("path,species,category", "x", "which column is its label"),
    ],
)
def test_a_table_of_these_recordings_that_can_not_be_used_is_not_passed_over_for_their_folders(
    tmp_path: Path, columns: str, value: str, message: str
) -> None:
    sounds(tmp_path, "site1/a.wav", "site2/b.wav")
    (tmp_path / "labels.csv").write_text(f"{columns}\nsite1/a.wav,owl,{value}\nsite2/b.wav,wren,{value}\n")
    with pytest.raises(AudionetError, match=rf"labels.csv: {message}"):
        found(tmp_path)
    (tmp_path / "labels.csv").write_text(f"{columns}\nelsewhere/gone.wav,owl,gone\n")
    assert found(tmp_path) == [("site1", "site1/a.wav"), ("site2", "site2/b.wav")]


def test_a_table_whose_column_of_paths_is_called_otherwise_is_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sounds(tmp_path, "site1/a.wav", "site2/b.wav")
    (tmp_path / "labels.csv").write_text("Recording,species\nsite1/a.wav,owl\nsite2/b.wav,wren\n")
    (tmp_path / "broken.csv").write_text('species,x\n"owl,1\n')
    (tmp_path / "heard.csv").write_text("clip,label,score\nsite1/a.wav,owl,0.9\nsite2/b.wav,wren,0.9\n")
    assert found(tmp_path) == [("site1", "site1/a.wav"), ("site2", "site2/b.wav")]
    (warning,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warning.endswith(
        "labels.csv lists the recordings, and is not used: call its column 'Recording' path, or move it away"
    )


def test_two_labels_of_one_recording_are_both_learnt_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = sounds(tmp_path / "data", "a.wav")
    (tmp_path / "list.csv").write_text("path,label\na.wav,robin\na.wav,wren\n")
    assert found(data, tmp_path / "list.csv") == [("robin", "a.wav"), ("wren", "a.wav")]
    assert "a.wav: 'robin' (all of it) and 'wren' (all of it) are heard at once" in caplog.text


@pytest.mark.parametrize(
    ("rows", "is_said"),
    [
        ("1.5,a.wav,robin\n2.5,a.wav,robin\n3.5,b.wav,wren\n", True),
        ("1.5,a.wav,robin\n1.5,a.wav,robin\n3.5,b.wav,wren\n", False),
        ("1.5,a.wav,robin\n3.5,b.wav,robin\n", False),
        ("ida,a.wav,robin\nben,a.wav,robin\n", False),
    ],
)
def test_a_recording_that_is_listed_again_may_be_meant_in_parts(
    tmp_path: Path, rows: str, is_said: bool, caplog: pytest.LogCaptureFixture
) -> None:
    data = sounds(tmp_path / "data", "a.wav", "b.wav")
    (tmp_path / "list.csv").write_text(f"Peak,path,label\n{rows}")
    found(data, tmp_path / "list.csv")
    said = (
        "line 3 lists a.wav again; lines without times are about whole recordings. If 'Peak' says which part is meant"
    )
    assert (said in caplog.text) is is_said


def test_a_recording_of_another_machine_that_is_gone_is_named_as_it_would_lie_here(tmp_path: Path) -> None:
    data = sounds(tmp_path / "data", "a.wav")
    (tmp_path / "list.csv").write_text("path,label\nC:\\rec\\a.wav,robin\nC:\\rec\\old.wav,wren\n")
    _, wrong = find_labelled_recordings(data, AnnotationOptions(metadata=tmp_path / "list.csv"))
    assert [str(error) for error in wrong] == [f"{data / 'old.wav'}: is listed in line 3 of list.csv, but not there"]


@pytest.mark.parametrize("label", ["NA", "nan", "NULL"])
def test_a_class_that_may_mean_that_there_is_none_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, label: str
) -> None:
    data = sounds(tmp_path / "data", "a.wav", "b.wav")
    (tmp_path / "list.csv").write_text(f"path,label\na.wav,wren\nb.wav,{label}\n")
    assert (label, "b.wav") in found(data, tmp_path / "list.csv")
    assert f"list.csv: line 3 has the class '{label}', which is learnt as one" in caplog.text
    (tmp_path / "list.csv").unlink()
    (data / "a.csv").write_text(f"start,end,label\n0,1,wren\n1,2,{label}\n")
    find_labelled_recordings(data, AnnotationOptions(use_beside=True))
    assert f"a.csv: line 3 has the class '{label}', which is learnt as one" in caplog.text


def test_a_workbook_is_said_not_to_be_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sounds(tmp_path, "site1/a.wav", "site2/b.wav")
    (tmp_path / "labels.xlsx").write_bytes(b"PK")
    (tmp_path / "~$labels.xlsx").write_bytes(b"")  # Excel has it open
    assert found(tmp_path) == [("site1", "site1/a.wav"), ("site2", "site2/b.wav")]
    assert caplog.messages == [
        f"{tmp_path / 'labels.xlsx'} is a workbook, which is not read: if it has labels, save it as CSV"
    ]


def test_a_split_of_the_table_s_own_is_said_not_to_be_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = sounds(tmp_path / "data", "a.wav", "b.wav")
    for column, values, is_said in (
        ("Split", ("train", "Test"), True),
        ("subset", ("dev", "eval"), True),
        ("species", ("train", "train"), False),  # a train is heard in both
        ("notes", ("test", "in the rain"), False),
    ):
        caplog.clear()
        (tmp_path / "list.csv").write_text(f"path,label,{column}\na.wav,x,{values[0]}\nb.wav,y,{values[1]}\n")
        assert len(found(data, tmp_path / "list.csv")) == 2
        assert (f"its column '{column}' is not used: " in caplog.text) is is_said


def test_groups_are_the_same_in_any_case_and_files_may_be_addresses(tmp_path: Path) -> None:
    data = sounds(tmp_path / "data", "a.wav", "my b.wav")
    for place in ("file:///C:/", "https://sounds.org/", "s3://bucket/"):
        (tmp_path / "list.csv").write_text(f"path,label,group\n{place}a.wav,x,Garden\n{place}my%20b.wav,y,garden\n")
        recordings, _ = find_labelled_recordings(data, AnnotationOptions(metadata=tmp_path / "list.csv"))
        assert [(r.path.name, r.group) for r in recordings] == [("a.wav", "Garden"), ("my b.wav", "Garden")]


def test_a_comma_in_a_class_is_no_question_unless_both_sides_are_classes(tmp_path: Path) -> None:
    data, table = sounds(tmp_path / "data", "a.wav", "b.wav"), tmp_path / "list.csv"
    table.write_text('path,label\na.wav,"Owl, Barn"\nb.wav,Owl\n')
    assert [label for label, _ in found(data, table)] == ["Owl", "Owl, Barn"]


def test_a_table_that_is_named_is_looked_for_in_the_folder_too(tmp_path: Path) -> None:
    data = sounds(tmp_path / "data", "x/a.wav", "x/b.wav", "y/c.wav")
    (data / "some.csv").write_text("path,label\nx/a.wav,robin\n")
    assert found(data, Path("some.csv")) == [("robin", "x/a.wav")]


def test_a_missing_table_is_told_what_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").touch()
    with pytest.raises(AudionetError, match=r"lables.csv: no such table; did you mean labels.csv\?"):
        found(tmp_path, tmp_path / "lables.csv")


def test_letters_that_may_come_out_wrong_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data, table = sounds(tmp_path / "data", "a.wav"), tmp_path / "list.csv"
    for encoding, is_said in (("utf-8", False), ("utf-16", False), ("cp1252", True), ("koi8-r", True)):
        caplog.clear()
        table.write_bytes(f"path,label\na.wav,{'птица' if encoding == 'koi8-r' else 'Grün'}\n".encode(encoding))
        found(data, table)
        assert ("read as Windows-1252; if letters come out wrong, save it as UTF-8" in caplog.text) == is_said


def test_names_up_to_nohash_are_a_group_as_google_has_it(tmp_path: Path) -> None:
    sounds(
        tmp_path, *(f"{word}/{who}_nohash_{n}.wav" for word in ("yes", "no") for who in ("0a7c", "b1") for n in (0, 1))
    )
    recordings, _ = find_labelled_recordings(tmp_path, AnnotationOptions())
    assert {(r.path.name, r.group) for r in recordings} == {
        (f"{who}_nohash_{n}.wav", who) for who in ("0a7c", "b1") for n in (0, 1)
    }


@pytest.mark.parametrize("line", ['sep="', "sep=\r", "sep=x", 'sep="""', "sep= ", "sep=\x00"])
def test_a_separator_that_none_can_be_is_no_traceback(tmp_path: Path, line: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(f"{line}\npath,label\na.wav,low\n".encode())
    with contextlib.suppress(AudionetError):
        assert len(read_table(path).rows) <= 2


def test_tables_without_bound_are_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.csv"
    monkeypatch.setattr("audionet.tables.reading.MOST_CELLS", 100)
    monkeypatch.setattr("audionet.tables.reading.MOST_LINES", 1000)
    path.write_text("path,label\n" + "a,b\n" * 51)
    with pytest.raises(AudionetError, match="more than 100 cells"):
        read_table(path)
    for content in ("path,label\n" + "\n" * 2000, "path,label\n" + ",\n" * 2000, '"' + "\n" * 2000):
        path.write_text(content)
        with pytest.raises(AudionetError, match=r"more than 1,000 lines|can't be read"):
            read_table(path)
    path.write_text(",".join(map(str, range(300_000))) + "\n" + "," * 299_999 + "x\n")
    (row,) = read_table(path).rows
    assert row.cells == {"299999": "x"}


def test_a_class_that_a_csv_of_label_has_behind_an_apostrophe_is_read_without(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("path,label\n'=1.wav,'+low\n'a.wav,b\n")
    assert [row.cells for row in read_table(path).rows] == [
        {"path": "=1.wav", "label": "+low"},
        {"path": "'a.wav", "label": "b"},
    ]


@pytest.mark.parametrize(
    "name",
    [
        *("9" * 400, "x" * 300 + "/a.wav", "a/" * 60_000 + "a.wav", "a\\0b.wav", "low/" + "\u97f3" * 200),
        *("file://[x/a.wav", "file:", "file:///%00", "%2e%2e/b.wav"),  # addresses that are none
    ],
)
def test_a_path_that_no_file_can_have_is_one_that_is_not_there(tmp_path: Path, name: str) -> None:
    data = sounds(tmp_path / "data", "a.wav")
    path = tmp_path / "t.csv"
    path.write_text(f"path,label\na.wav,low\n{name},high\n", encoding="utf-8")
    recordings, wrong = find_labelled_recordings(data, AnnotationOptions(metadata=path))
    assert [recording.path.name for recording in recordings] == ["a.wav"]
    assert len(wrong) == 1


@pytest.mark.parametrize(
    ("head", "is_said"),
    [
        ("path,label,Speaker ID", True),
        ("path,label,group", False),
        ("path,label,notes", False),
        ("path,speaker,x", False),
    ],
)
def test_a_column_by_which_recordings_may_belong_together_is_said_not_to_be_used(
    tmp_path: Path, head: str, is_said: bool, caplog: pytest.LogCaptureFixture
) -> None:
    data, table = sounds(tmp_path / "data", "a.wav", "b.wav", "c.wav"), tmp_path / "list.csv"
    table.write_text(f"{head}\na.wav,x,1\nb.wav,y,1\nc.wav,y,2\n")
    find_labelled_recordings(data, AnnotationOptions(metadata=table))
    said = "its column 'Speaker ID' is not used; call it group, if what shares it is to be held out together"
    assert (said in caplog.text) is is_said
    assert ("call it group" in caplog.text) is is_said


@pytest.mark.parametrize(
    "text",
    [
        "file,owl,wren,Temperature\na.wav,1,0,12\nb.wav,0,1,3\nc.wav,0,0,1.5\nd.wav,1,1,1\n",
        "File;Owl;Wren\na.wav;WAHR;FALSCH\nb.wav;FALSCH;WAHR\nc.wav;FALSCH;FALSCH\nd.wav;WAHR;WAHR\n",
        "file\towl\twren\na.wav\tx\t\nb.wav\t\tX\nc.wav\t\t\nd.wav\tx\tx\n",
    ],
)
def test_a_table_with_a_column_for_each_class_is_read(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    data, table = sounds(tmp_path / "data", "a.wav", "b.wav", "c.wav", "d.wav"), tmp_path / "list.csv"
    table.write_text(text)
    heard = [("owl", "a.wav"), ("owl", "d.wav"), ("wren", "b.wav"), ("wren", "d.wav")]
    assert [(label.lower(), name) for label, name in found(data, table)] == heard
    assert "list.csv: the classes are its columns " in caplog.text
    assert ("not used: 'Temperature'" in caplog.text) is ("Temperature" in text)
    assert "nothing is heard in 1 recording, whose lines say of no class that it is (such as line 4)" in caplog.text
    recordings, _ = find_labelled_recordings(data, AnnotationOptions(metadata=table, unmarked="background"))
    assert [r.path.name for r in recordings if r.class_name == "background"] == ["c.wav"]


def test_a_table_with_times_and_a_column_for_each_class_is_read(tmp_path: Path) -> None:
    """As OpenSoundscape has it, with all in one table or with one beside each recording."""
    data, table = sounds(tmp_path / "data", "a.wav", "b.wav"), tmp_path / "list.csv"
    rows = ["0.0,3.0,1.0,0.0", "3.0,6.0,0.0,1.0", "6.0,9.0,0.0,0.0"]
    head = "start_time,end_time,owl,wren"
    table.write_text("".join([f"file,{head}\n", *(f"a.wav,{row}\n" for row in rows), f"b.wav,{rows[2]}\n"]))
    named, wrong = find_labelled_recordings(data, AnnotationOptions(metadata=table, unmarked="background"))
    expected = [("background", "a.wav", [(6, math.inf)]), ("background", "b.wav", [])]
    expected += [("owl", "a.wav", [(0, 3)]), ("wren", "a.wav", [(3, 6)])]
    assert (wrong, [(r.class_name, r.path.name, list(r.parts)) for r in named]) == ([], expected)
    (data / "a.csv").write_text("\n".join([head, *rows]))
    (data / "b.csv").write_text("\n".join([head, rows[2]]))
    beside, wrong = find_labelled_recordings(data, AnnotationOptions(unmarked="background"))
    assert (wrong, [(r.class_name, r.path.name, list(r.parts)) for r in beside]) == ([], expected)


def test_of_dcase_s_few_shot_tables_what_nobody_is_sure_of_is_neither_a_class_nor_background(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data, table = sounds(tmp_path / "data", "a.wav"), tmp_path / "list.csv"
    rows = ["0.0,3.0,POS,NEG", "3.0,6.0,UNK,POS", "6.0,9.0,UNK,NEG"]
    table.write_text("".join(["Audiofilename,Starttime,Endtime,owl,wren\n", *(f"a.wav,{row}\n" for row in rows)]))
    named, wrong = find_labelled_recordings(data, AnnotationOptions(metadata=table, unmarked="background"))
    expected = [("background", [(9, math.inf)]), ("owl", [(0, 3)]), ("wren", [(3, 6)])]
    assert (wrong, [(r.class_name, list(r.parts)) for r in named]) == ([], expected)
    assert "not used" not in caplog.text


def test_numbers_of_selections_and_channels_are_no_classes(tmp_path: Path) -> None:
    data, table = sounds(tmp_path / "data", "a.wav"), tmp_path / "sel.csv"
    table.write_text("sound.files,channel,selec,start,end,bottom.freq\na.wav,1,1,1.5,3.25,1\n")  # of warbleR
    with pytest.raises(AudionetError, match="needs a column for its label"):
        found(data, table)


def test_of_columns_that_may_all_be_labels_the_one_that_is_used_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data, table = sounds(tmp_path / "data", "a.wav"), tmp_path / "list.csv"
    for columns, is_said in (("speaker,emotion", True), ("Com_Name,Sci_Name", False)):
        caplog.clear()
        table.write_text(f"path,start,end,{columns}\na.wav,1,2,anna,angry\n")
        with caplog.at_level("INFO"):
            assert found(data, table) == [("anna", "a.wav")]
        assert ("the classes are those of its column 'speaker'" in caplog.text) is is_said


def test_kaleidoscope_has_the_folder_and_the_name_in_two_columns(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = sounds(tmp_path / "data", "site1/0530.wav", "site2/0530.wav", "site2/0600.wav")
    table = tmp_path / "id.csv"
    table.write_text(
        "INDIR,FOLDER,IN FILE,CHANNEL,OFFSET,DURATION,AUTO ID*,MANUAL ID\n"
        "D:\\rec,site1,0530.wav,0,0.05,0.1,NoID,owl\nD:\\rec,site2,0530.wav,0,0.05,0.1,NoID,wren\n"
        "D:\\rec,,0600.wav,0,0.05,0.1,NoID,wren\nD:\\rec,,0600.wav,0,0.2,0.1,NoID,\n"
    )
    assert found(data, table) == [
        ("owl", "site1/0530.wav"), ("wren", "site2/0530.wav"), ("wren", "site2/0600.wav"),
    ]  # fmt: skip
    assert "1 line without a MANUAL ID: unknown, whatever Kaleidoscope guessed" in caplog.text
    table.write_text(table.read_text().replace("owl", "").replace("wren", ""))
    with pytest.raises(AudionetError, match="nobody has identified anything in a column MANUAL ID; do that"):
        found(data, table)
