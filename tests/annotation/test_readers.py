"""Files as people and their tools write them, and what is read of them."""

import re
from pathlib import Path

import pytest

from audionet.annotation.marks import Annotation
from audionet.annotation.metadata import find_labelled_recordings
from audionet.annotation.readers import READ, kind_of, read_annotations
from audionet.errors import AudionetError
from audionet.options import AnnotationOptions

RAVEN = (
    "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tSpecies\n"
    "1\tWaveform 1\t1\t1.5\t3.25\t0.0\t8000.0\towl\n"
    "1\tSpectrogram 1\t1\t1.5\t3.25\t300.0\t500.0\towl\n"
    "2\tSpectrogram 1\t1\t61\t62\t3000.0\t4000.0\twren\n"
)
TWO_FILES = (
    "Selection\tBegin Time (s)\tEnd Time (s)\tBegin File\tFile Offset (s)\tAnnotation\n"
    "1\t1.5\t3.25\ta.wav\t1.5\towl\n2\t71\t72\tb.wav\t11\twren\n"
)
AUDACITY = "1.500000\t3.250000\towl\n\\\t300.0\t500.0\n61.000000\t62.000000\twren\n"
LONG = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 70
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "birds 7"
        xmin = 0
        xmax = 70
        intervals: size = 4
        intervals [1]:
            xmin = 0
            xmax = 1.5
            text = ""
        intervals [2]:
            xmin = 1.5
            xmax = 3.25
            text = "owl"
        intervals [3]:
            xmin = 3.25
            xmax = 61
            text = ""
        intervals [4]:
            xmin = 61
            xmax = 62
            text = "wren"
    item [2]:
        class = "TextTier"
        name = "points"
        xmin = 0
        xmax = 70
        points: size = 1
        points [1]:
            number = 5
            mark = "click"
"""
SHORT = (
    'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n70\n<exists>\n1\n"IntervalTier"\n"birds"\n0\n70\n3\n'
    '0\n1.5\n""\n1.5\n3.25\n"owl"\n61\n62\n"wren"\n'
)
RTTM = "SPEAKER night 1 1.5 1.75 <NA> <NA> owl <NA> <NA>\nSPEAKER night 1 61 1 <NA> <NA> wren <NA> <NA>\n"
TIMES = [(1.5, 3.25, "owl"), (61.0, 62.0, "wren")]


@pytest.mark.parametrize(
    ("name", "text", "recordings"),
    [
        ("night.Table.1.selections.txt", RAVEN, [None, None]),
        ("night.txt", AUDACITY, [None, None]),
        ("night.TextGrid", LONG, [None, None]),
        ("night.TextGrid", SHORT, [None, None]),
        ("night.TextGrid", SHORT.replace("<exists>\n1", "<exists> ! yes\n1 ! tier of 2"), [None, None]),
        ("night.TextGrid", SHORT.replace("1.5", "1,5").replace("3.25", "3,25"), [None, None]),
        ("night.txt", "00:01.5\t00:03,25\towl\n1:01\t0:01:02\twren\n", [None, None]),
        ("night.txt", "1.500000000\t3.25\towl\n61\t62.0\twren\n", [None, None]),
        ("night.txt", RTTM.replace(" ", "\t"), ["night", "night"]),
        ("night.rttm", RTTM, ["night", "night"]),
        ("t.csv", "path,start,end,label\na.wav,1.5,3.25,owl\nb.wav,61,62,wren\n", ["a.wav", "b.wav"]),
        ("t.csv", "label;onset;offset\nowl;1.5;3.25\n\nwren;61;62\n", [None, None]),
        ("t.csv", "start,duration,label\n1.5,1.75,owl\n1:01,1,wren\n", [None, None]),
        ("t.csv", "Start (s);End (s);Common name\n1,5;3,25;owl\n61;62,0;wren\n", [None, None]),
        ("praat.txt", "tmin\ttier\ttext\ttmax\n1.5\tbirds\towl\t3.25\n61\tbirds\twren\t62\n", [None, None]),
        ("n.txt", RAVEN.replace("Species", "Who (my guess)"), [None, None]),
        ("dcase.tsv", "filename\tonset\toffset\tevent_label\na\t1.5\t3.25\towl\nb\t61\t62\twren\n", ["a", "b"]),
        (
            "warbler.csv",
            "sound.files,selec,start,end,channel,species\na.wav,1,1.5,3.25,1,owl\na.wav,2,61,62,1,wren\n",
            ["a.wav", "a.wav"],
        ),
        ("id.csv", "IN FILE,OFFSET,DURATION,common_name\na.wav,1.5,1.75,owl\na.wav,61,1,wren\n", ["a.wav", "a.wav"]),
        (
            "elan.txt",
            "Begin Time - hh:mm:ss.ms\tEnd Time - hh:mm:ss.ms\tAnnotation\n00:00:01.500\t00:00:03.250\towl\n"
            "00:01:01.000\t00:01:02.000\twren\n",
            [None, None],
        ),
        ("night.rttm", RTTM.replace(".", ","), ["night", "night"]),
        ("night_HawkEars.txt", "1.5\t3.25\towl;0.950\n61\t62\twren;1.000\n", [None, None]),
        ("night.BirdNET.results.txt", "1.5\t3.25\towl\t0.9000\n61\t62\twren\t1\n", [None, None]),
        (
            "boris.tsv",
            "Observation id\tMedia file name\tSubject\tBehavior\tBehavior type\tStart (s)\tStop (s)\tDuration (s)\n"
            "1\ta.wav\tx\towl\tSTATE\t1.5\t3.25\t1.75\n1\tb.wav\tx\twren\tSTATE\t61\t62\t1\n",
            ["a.wav", "b.wav"],
        ),
        (
            "cluster.csv",
            "INDIR,FOLDER,IN FILE,CHANNEL,OFFSET,DURATION,TOP1MATCH,MANUAL ID\nC:\\x,y,a.wav,0,1.5,1.75,c1,owl\n"
            "C:\\x,y,a.wav,0,61,1,c2,wren\n",
            ["y/a.wav", "y/a.wav"],
        ),
        (
            "Markers.csv",
            "Name\tStart\tDuration\tTime Format\tType\tDescription\nowl\t0:01.500\t0:01.750\tdecimal\tCue\t\n"
            "wren\t1:01.000\t0:01.000\tdecimal\tCue\t\n",
            [None, None],
        ),
        (
            "Regions.csv",  # Reaper's
            "#,Name,Start,End,Length\nR1,owl,0:01.500,0:03.250,0:01.750\nR2,wren,1:01.000,1:02.000,0:01.000\n",
            [None, None],
        ),
        (
            "Transcript.csv",  # Premiere's
            '"Speaker Name","Start Time","End Time","Text"\n"owl","00:00:01.5","00:00:03.25","Who?"\n'
            '"wren","00:01:01","00:01:02","Tit."\n',
            [None, None],
        ),
        ("t.tsv", "file\tbegin\tend\tclass\na.wav\t1.5\t3.25\towl\na.wav\t61\t62\twren\n", ["a.wav", "a.wav"]),
        ("praat.txt", "line\ttmin\ttext\ttmax\n1\t0\t?\t1.5\n2\t1.5\towl\t3.25\n4\t61\twren\t62\n", [None, None]),
        # Sonic Visualiser's regions, notes and boxes, exported
        ("sv.txt", "1.500000000\t2\t1.750000000\towl\n61.000000000\t90\t1.000000000\twren\n", [None, None]),
        ("sv.csv", '1.500000000,2,1.750000000,0.8,owl\n61.000000000,2,1.000000000,0.8,"wren"\n', [None, None]),
        ("sv.lab", "1.500000000\t3.250000000\t1\t501\towl\n61.000000000\t62.000000000\t1\t9e+03\twren\n", [None, None]),
        (
            "crow.csv",
            "label,onset_s,offset_s,notated_path\nowl,1.5,3.25,a.wav\nwren,61,62,b.wav\n",
            ["a.wav", "b.wav"],
        ),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_each_tool_is_read(tmp_path: Path, name: str, text: str, recordings: list[str | None], encoding: str) -> None:
    path = tmp_path / name
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    expected = [Annotation(recording, *times) for recording, times in zip(recordings, TIMES, strict=True)]
    assert read_annotations(path) == expected


def test_lines_may_end_as_on_an_old_macintosh(tmp_path: Path) -> None:
    for name, text in (("night.TextGrid", SHORT), ("night.txt", AUDACITY), ("night.rttm", RTTM)):
        (tmp_path / name).write_bytes(text.replace("\n", "\r").encode())
        assert [(a.start_seconds, a.end_seconds, a.label) for a in read_annotations(tmp_path / name)] == TIMES


def test_points_beside_intervals_are_said_not_to_count(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.TextGrid").write_text(LONG)
    assert len(read_annotations(tmp_path / "a.TextGrid")) == 2
    assert "a.TextGrid: its points are not used: they have no length" in caplog.text
    assert "its time begins" not in caplog.text
    (tmp_path / "a.TextGrid").write_text(LONG.replace("xmin = 0\n", "xmin = 1.5\n"))  # cut out, its times kept
    read_annotations(tmp_path / "a.TextGrid")
    assert "a.TextGrid: its time begins at 1.5 s, as where a part was cut out" in caplog.text


def test_of_recordings_opened_together_the_file_s_own_times_count(tmp_path: Path) -> None:
    path = tmp_path / "both.txt"
    path.write_text(TWO_FILES, encoding="utf-8")
    assert read_annotations(path) == [Annotation("a.wav", 1.5, 3.25, "owl"), Annotation("b.wav", 11.0, 12.0, "wren")]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.csv", "path,start,end,label\na.wav,1,x,owl\n", "line 2 has the times '1' and 'x'; times are seconds"),
        ("t.csv", "path,start,end,label\n\na.wav,3,1,owl\n", "line 3 marks 3 to 1 s; a part ends after it begins"),
        ("t.csv", "path,start,end,label\na.wav,nan,1,owl\n", "line 2 has the times 'nan' and '1'"),
        ("t.csv", "path,start,end,label\na.wav,0,1,\n", "line 2 has no label"),
        ("t.csv", "path,start,end,label\na.wav,0,1,owl\nb.wav,,,owl\n", "line 3 has no times; write start and end"),
        ("t.csv", "path,label\na.wav,owl\n", "has the columns 'path' and 'label'; annotations need start, end and"),
        ("t.csv", "", "it has the columns none"),
        ("t.csv", "path,start,end,label,channel\na.wav,0,1,owl,2\n", "line 2 is about channel '2': which one is meant"),
        ("n.txt", RAVEN.replace("1\t61", "2\t61"), "line 4 is about channel 2"),
        ("n.txt", RAVEN.replace("Species", "Call").replace("wren", "x\ty"), "line 4 has 9 values"),
        (
            "n.txt",
            RAVEN.replace("Species", "Who\tWhat").replace("owl", "owl\ta").replace("wren", "wren\tb"),
            "which column is its label, 'Who' and 'What'",
        ),
        (
            "n.txt",
            TWO_FILES.replace("File Offset (s)", "Peak"),
            "do its times run on from each to the next? Add the column File Offset",
        ),
        (
            "n.txt",
            TWO_FILES.replace("b.wav\t11", "b.wav\t"),
            "line 3 has no File Offset (s), which other lines have",
        ),
        (
            "t.csv",
            "label,onset_s,offset_s,heard_in\nowl,1.5,2,a.wav\nwren,1,2,b.wav\n",
            "is the column 'heard_in' the path of a recording? Call it path",
        ),
        ("n.txt", "1.5\t2.5\towl\n3.5 4.5 wren\n", "line 2 is '3.5 4.5 wren', and no label of Audacity's"),
        ("n.txt", "1.5\t2.5\towl\n3.5\t4.5\n", "line 2 has no label; say what is heard from 3.5 to 4.5 s"),
        ("n.txt", "0.500000000\t220.5\towl\n", "line 1 has marks without a length; mark regions or boxes in Sonic Vis"),
        ("n.txt", "0.500000000\t220.5\t4.000000000\n", "line 1 has no label; say what is heard from 0.5 to 4.5 s"),
        (
            "t.csv",
            "start,end,label\n0.0000491898148148148,0.0001,owl\n",
            "are they fractions of a day, as Excel has times?",
        ),
        ("n.svl", '<sv><layer type="timeruler"/></sv>', "has marks without a length; mark regions or boxes in Sonic"),
        (
            "praatio.json",
            '{"tiers": [{"class": "IntervalTier", "xmin": 0, "xmax": 9, "entries": [[1, 2, "a"]]}]}',
            "is JSON that cannot be read (the tiers of a TextGrid, whose form is read that Praat saves)",
        ),
        (
            "cuts.jsonl",
            '{"start": 3, "duration": 9, "type": "MonoCut", "supervisions": [{"start": 1, "duration": 2, "label": 1}]}',
            "is JSON that cannot be read (cuts of Lhotse, with times of their own",
        ),
        ("n.rttm", "SPEAKER night 1 1.5\n", "line 1 has 4 fields, where a SPEAKER of RTTM has at least 8"),
        ("n.rttm", RTTM.replace("night 1 61", "night 2 61"), "line 2 is about channel 2"),
        ("n.rttm", RTTM.lower(), "line 1 does not begin with SPEAKER, as in RTTM"),
        ("n.txt", "-1\t2.5\towl\n", "line 1 has the times '-1' and '2.5'; times are seconds from the start"),
        (
            "Markers.csv",
            "Name\tStart\tDuration\tTime Format\tType\nowl\t0:01:37\t0:01:00\t75 fps\tCue\n",
            "line 2 has times as '75 fps'; choose the time format Decimal",
        ),
        (
            "cluster.csv",
            "IN FILE,CHANNEL,OFFSET,DURATION,MANUAL ID\na.wav,1,1.5,1.75,owl\n",
            "line 2 is about channel 2, where left is 1: add --channel 2",
        ),
        (
            "boris.csv",
            "Behavior,Behavior type,Time,Media file name\nowl,START,1.5,a.wav\nowl,STOP,3,a.wav\n",
            "line 2 marks a part of a recording: Time '1.5'",
        ),
        ("n.TextGrid", '"Praat chronological TextGrid text file"\n0 70\n', "save it as a text file in Praat"),
        ("n.TextGrid", "ooBinaryFile\x08TextGrid\0\0", "save it as a text file in Praat"),
        ("n.TextGrid", LONG[:500], "cut off, damaged or not alone"),
        ("n.TextGrid", "", "cut off, damaged or not alone"),
        ("n.TextGrid", SHORT.replace("<exists>\n", ""), "cut off, damaged or not alone"),
        (
            "n.TextGrid",
            LONG.replace('"TextGrid"', '"Collection"\nsize = 1\nclass = "TextGrid"\nname = "x"'),
            "or not alone",
        ),
        ("n.TextGrid", SHORT[: SHORT.index('1\n"Int')] + '1\n"TextTier"\n"p"\n0\n70\n1\n5\n"click"\n', "marks points"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AudionetError) as error:
        read_annotations(path)
    assert str(error.value).startswith(str(path))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.txt", AUDACITY, True),
        ("a.selections.txt", RAVEN, True),
        ("a.selections.txt", RAVEN.splitlines()[0], True),
        ("a.selections.txt", RAVEN.replace("\towl", '\t"owl'), True),
        ("a.selections.txt", RAVEN.replace("Begin Time (s)\tEnd Time (s)", "Begin Sample\tEnd Sample"), True),
        ("a.csv", "start_ms,end_ms,label\n1,2,owl\n", True),
        ("a.csv", "INDIR,IN FILE,OFFSET,DURATION,AUTO ID\n/x,a.wav,0,5,PIPPIP\n", False),  # lies in folders of classes
        ("a.TextGrid", SHORT, True),
        ("a.rttm", RTTM, True),
        ("a.TextGrid", "ooBinaryFile\x08TextGrid\0\0", True),  # which is read, and refused in words
        ("a.txt", "-0.5\t1\towl\n", True),
        ("a.csv", "start,end,label\n1,2,owl\n", True),
        ("a.csv", "clip,start_seconds,end_seconds,label,score\na.wav,1,2,owl,0.9\n", False),  # what label printed
        ("a.csv", "name,age\nowl,3\n", False),
        ("a.txt", "Anna: Where were you in the night?\nBen: At home.\n", False),
        ("a.txt", "1.\tWhere were you?\n2.\tAt home.\n", False),
        ("a.txt", "", False),
        ("a.srt", "1\n00:00:01,000 --> 00:00:02,000\nowl\n", False),
        ("a.wav", AUDACITY, False),
    ],
)
def test_annotations_are_told_from_other_texts(tmp_path: Path, name: str, text: str, expected: bool) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert (kind_of(tmp_path / name) in READ) is expected


def test_limits_of_frequency_are_said_not_to_count(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name, text in (("a.txt", RAVEN), ("b.txt", AUDACITY)):
        (tmp_path / name).write_text(text, encoding="utf-8")
        read_annotations(tmp_path / name)
        assert f"{name}: its frequency limits are not used" in caplog.text


def test_subtitles_that_are_named_are_read_as_editors_save_them(tmp_path: Path) -> None:
    cues = "1\n00:00:01,500 --> 00:00:03,250\nbarn\nowl\n\n2\n01:01:01,000  -->  01:01:02,500\nwren\n"
    (tmp_path / "a.srt").write_bytes(b"\xef\xbb\xbf" + cues.replace("\n", "\r\n").encode())
    (tmp_path / "a.vtt").write_text(
        "WEBVTT - of today\n\nNOTE 1\n\nfirst\n00:01.500 --> 00:03.250 align:start\nbarn owl\n\n"
        "01:01:01.000 --> 01:01:02.500\nwren\n"
    )
    expected = [Annotation(None, 1.5, 3.25, "barn owl"), Annotation(None, 3661.0, 3662.5, "wren")]
    for name in ("a.srt", "a.vtt"):
        assert read_annotations(tmp_path / name) == expected
    (tmp_path / "a.srt").write_text("{24}{48}owl\n")
    with pytest.raises(AudionetError, match=r"a\.srt: has no line of times, such as 00:00:01,500 --> 00:00:03,000"):
        read_annotations(tmp_path / "a.srt")
    (tmp_path / "a.srt").write_text("1\n00:00:01,500 --> 00:00:03,250\n\n")
    with pytest.raises(AudionetError, match="line 2 has no label"):
        read_annotations(tmp_path / "a.srt")


def test_of_subtitles_in_which_somebody_is_said_to_speak_the_speakers_are_the_classes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    texts = (
        ("a.vtt", "<v Anna Bo>Where <i>were</i> you?</v>", "<v.loud Ben>At <00:04.000>home.", "(laughter)"),
        ("a.vtt", "Anna Bo: Where were you?", "Ben: At home: in bed.", "- So."),
        ("a.srt", "<b>Anna Bo</b>: Where were you?", "Ben: At home.", "So."),
        ("a.srt", "{\\an8}Anna Bo: Where were you?", "Ben: {\\i1}At home.{\\i0}", "So."),
        ("a.srt", "Anna Bo\uff1aWhere were you?", "Ben\uff1a At home.", "So."),
        ("a.srt", "[Anna Bo]: Where were you?", ">> Ben: At home.", "So."),
    )
    for name, *said in texts:
        cues = [f"{n}\n00:00:0{n},500 --> 00:00:0{n + 1},000\n{text}\n\n" for n, text in enumerate(said, start=1)]
        (tmp_path / name).write_text("".join(cues))
        caplog.clear()
        assert read_annotations(tmp_path / name) == [
            Annotation(None, 1.5, 2, "Anna Bo"),
            Annotation(None, 2.5, 3, "Ben"),
        ]
        speak = "the classes are who speaks (Anna Bo and Ben), not what is said; 1 cue without one not used"
        assert speak in caplog.text
    cues = ["1\n00:00:01,000 --> 00:00:02,000\n<i>owl</i>\n\n", "2\n00:00:02,000 --> 00:00:03,000\nAnna: An owl.\n\n"]
    (tmp_path / "a.srt").write_text("".join(cues))
    assert [mark.label for mark in read_annotations(tmp_path / "a.srt")] == ["owl", "Anna: An owl."]
    (tmp_path / "a.wav").touch()
    with pytest.raises(AudionetError, match=r"line 6 has the class .*; if it is what is said, write who"):
        find_labelled_recordings(tmp_path, AnnotationOptions(metadata=tmp_path / "a.srt"))
    for two in ("<v Anna &amp; Bo>Hi.\n<v Ben>Hi.", "- Anna &amp; Bo: Hi\nand this: no\n- Ben: Hi."):
        (tmp_path / "a.vtt").write_text(f"WEBVTT\n\n00:01.000 --> 00:02.000\n{two}\n")
        both = [Annotation(None, 1, 2, "Anna & Bo"), Annotation(None, 1, 2, "Ben")]
        assert read_annotations(tmp_path / "a.vtt") == both


def test_a_start_and_a_length_end_where_the_next_begins(tmp_path: Path) -> None:
    lines = ["SPEAKER a 1 14.909 2.898 <NA> <NA> x <NA> <NA>", "SPEAKER a 1 17.807 1.02 <NA> <NA> y <NA> <NA>"]
    (tmp_path / "a.rttm").write_text("\n".join(lines))
    (tmp_path / "a.csv").write_text("start,duration,label\n14.909,2.898,x\n17.807,1.02,y\n")
    for name in ("a.rttm", "a.csv"):
        first, second = read_annotations(tmp_path / name)
        assert first.end_seconds == second.start_seconds


@pytest.mark.parametrize(
    "line",
    ["-0.2\t2\tlow", "-0,20\t2\tlow", "SPEAKER a 1 -0.2 2.2 <NA> <NA> low <NA> <NA>", "start,end,label\n-.2,2,low"],
)
def test_a_mark_that_begins_shortly_before_its_recording_begins_with_it(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.txt").write_text(line)
    (mark,) = read_annotations(tmp_path / "a.txt")
    assert (mark.start_seconds, mark.end_seconds) == (0, 2)


UNUSABLE = ["1e300", "-1e300", "nan", "inf", "1e999", "9" * 400, "-5", "1e12", "", "x" * 100_000, "0x10"]


@pytest.mark.parametrize("value", UNUSABLE, ids=lambda value: value[:10])
@pytest.mark.parametrize(
    "line",
    [
        "@\t2\tlow", "1\t@\tlow", "start,end,label\n@,2,low", "start,end,label\n1,@,low",
        "SPEAKER a 1 @ 2 <NA> <NA> low <NA> <NA>", "SPEAKER a 1 1 @ <NA> <NA> low <NA> <NA>",
        "Selection\tBegin Time (s)\tEnd Time (s)\tFile Offset (s)\tLabel\n1\t1\t2\t@\tlow",
    ],
    ids=["audacity", "audacity", "table", "table", "rttm", "rttm", "raven"],
)  # fmt: skip
def test_a_time_that_no_recording_has_is_a_sentence(tmp_path: Path, line: str, value: str) -> None:
    if not value and "Offset" in line:
        return  # then the times are those of the file
    path = tmp_path / "marks.txt"
    path.write_text(line.replace("@", value), encoding="utf-8")
    with pytest.raises(AudionetError, match=r"marks\.txt") as raised:
        read_annotations(path)
    assert len(str(raised.value)) < len(str(tmp_path)) + 300


@pytest.mark.parametrize(
    ("name", "lines", "message"),
    [
        (
            "a.txt",
            "1\t2\tlow\n3\t1\tlow\n4\t5\t\nlow\n",
            "line 2 marks 3 to 1 s; .*; and line 3 has no label; .*; and line 4 is 'low', ",
        ),
        (
            "a.txt",
            "SPEAKER a 1 1\nSPEAKER a 1 x 1 <NA> <NA> low\n",
            "line 1 has 4 fields, .*; and line 2 has the times 'x' and '1'",
        ),
        (
            "a.txt",
            "start,end,label\n3,1,low\n,,low\n5,6,\n",
            "line 2 marks 3 to 1 s; .*; and line 3 has no times; .*; and line 4 has no ",
        ),
        (
            "a.stm",
            "a 1 low 3 1 yes\na 1 low\na x low 1 2\n",
            "line 1 marks .*; and line 2 is .*; and line 3 has the ch",
        ),
        (
            "a.uem",
            "a 1 3 1\na 1\na 1 x 2\n",
            "line 1 marks 3 to 1 s; .*; and line 2 is 'a 1', .*; and line 3 has the t",
        ),
        ("a.lab", "low\n1.5 2 low\n2.5\n", "line 1 is 'low', .*; and line 3 is '2.5'"),
        ("a.lab", "3.5 1 low\n1.5 2 low\n4.5 2 low\n", "line 1 marks 3.5 to 1 s; .*; and line 3 marks 4.5 to 2 s"),
        (
            "a.srt",
            "1\n00:00:03,000 --> 00:00:01,000\nlow\n\n2\n00:00:04,000 --> 00:00:05,000\n\n",
            "line 2 marks 3 to 1 s; .*; and line 6 has no label",
        ),
        (
            "a.TextGrid",
            SHORT.replace('3.25\n"owl"', '1\n"owl"').replace("61\n62", "61\n2"),
            "line 18 marks 1.5 to 1 s; .*; and line 21 marks 61 to 2 s",
        ),
        (
            "a.svl",
            '<sv sampleRate="10" subtype="region">\n<point frame="1"/>\n<point frame="1" duration="9" label=""/>\n',
            "line 2 has marks without a length; .*; and line 3 has no label",
        ),
    ],
)
def test_all_lines_that_are_wrong_are_named_at_once(tmp_path: Path, name: str, lines: str, message: str) -> None:
    (tmp_path / name).write_text(lines)
    with pytest.raises(AudionetError, match=rf"{re.escape(name)}: {message}"):
        read_annotations(tmp_path / name)


def test_a_label_of_pages_a_pipe_and_a_file_of_a_million_lines_are_sentences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "marks.txt"
    path.write_text("1\t2\t" + "x" * 100_000)
    with pytest.raises(AudionetError, match="line 1 has a label of over"):
        read_annotations(path)
    with pytest.raises(AudionetError, match="not annotations"):
        read_annotations(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("audionet.annotation.readers.LARGEST_BYTES", 99)
        with pytest.raises(AudionetError, match="larger than 99 bytes"):
            read_annotations(path)
    monkeypatch.setattr("audionet.annotation.readers.MOST_LINES", 10)
    path.write_text("1\t2\tx\n" * 12)
    assert len(read_annotations(path)) == 1  # of one part, once
    path.write_text("1\t2\tx\n" * 30)
    with pytest.raises(AudionetError, match="more than 10 lines"):
        read_annotations(path)


def test_a_textgrid_of_many_intervals_says_its_lines(tmp_path: Path) -> None:
    intervals = "".join(f'{n}\n{n + 1}\n"low ""{n}"""\n' for n in range(20_000))
    path = tmp_path / "a.TextGrid"
    head = 'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n20000\n<exists>\n1\n'
    path.write_text(f'{head}"IntervalTier"\n"t"\n0\n20000\n20000\n{intervals}')
    found = read_annotations(path)
    assert (len(found), found[-1].label) == (20_000, 'low "19999"')
    path.write_text(path.read_text().replace('19999\n20000\n"low', '19999\n2\n"low'))
    with pytest.raises(AudionetError, match="line 60012 marks 19999 to 2 s"):
        read_annotations(path)
