"""Files as people and their tools write them, and what is read of them."""

from pathlib import Path

import pytest

from audionet.annotation.readers import Annotation, overlaps, read_annotations
from audionet.errors import AudionetError
from audionet.formats.registry import OF_TOOLS
from audionet.inference.events import Events
from audionet.inference.windows import Segment

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
        ("night.rttm", RTTM, ["night", "night"]),
        ("t.csv", "path,start,end,label\na.wav,1.5,3.25,owl\nb.wav,61,62,wren\n", ["a.wav", "b.wav"]),
        ("t.csv", "label;onset;offset\nowl;1.5;3.25\n\nwren;61;62\n", [None, None]),
        ("t.tsv", "file\tbegin\tend\tclass\na.wav\t1.5\t3.25\towl\na.wav\t61\t62\twren\n", ["a.wav", "a.wav"]),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_each_tool_is_read(tmp_path: Path, name: str, text: str, recordings: list[str | None], encoding: str) -> None:
    path = tmp_path / name
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    expected = [Annotation(recording, *times) for recording, times in zip(recordings, TIMES, strict=True)]
    assert read_annotations(path) == expected


def test_of_recordings_opened_together_the_file_s_own_times_count(tmp_path: Path) -> None:
    path = tmp_path / "both.txt"
    path.write_text(TWO_FILES, encoding="utf-8")
    assert read_annotations(path) == [Annotation("a.wav", 1.5, 3.25, "owl"), Annotation("b.wav", 11.0, 12.0, "wren")]


@pytest.mark.parametrize("name", ["audacity", "raven", "rttm", "textgrid", "elan", "csv"])
def test_what_label_wrote_is_read_again(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    from audionet.formats.csv import CsvTimelines

    printer = (OF_TOOLS | {"csv": CsvTimelines})[name](["owl", "wren"])
    printer.add(Events("night.wav", [Segment(*times, 0.9) for times in TIMES], 70.0))
    path = tmp_path / ("night.rttm" if name == "rttm" else "night.txt")
    path.write_text(capsys.readouterr().out, encoding="utf-8")
    found = read_annotations(path)
    assert [annotation.label for annotation in found] == ["owl", "wren"]
    times = [time for annotation in found for time in (annotation.start_seconds, annotation.end_seconds)]
    assert times == pytest.approx([1.5, 3.25, 61, 62], abs=0.01)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.csv", "path,start,end,label\na.wav,1,x,owl\n", "line 2: '1' to 'x' are no times in seconds"),
        ("t.csv", "path,start,end,label\n\na.wav,3,1,owl\n", "line 3: 3 to 1 s is no time in a recording"),
        ("t.csv", "path,start,end,label\na.wav,nan,1,owl\n", "line 2: nan to 1 s is no time in a recording"),
        ("t.csv", "path,start,end,label\na.wav,0,1,\n", "line 2: has no label"),
        ("t.csv", "path,label\na.wav,owl\n", "has the columns path, label; annotations need start, end and label"),
        ("t.csv", "", "has the columns (none)"),
        ("t.csv", "path,start,end,label,channel\na.wav,0,1,owl,2\n", "line 2: channel 2: which channel is meant"),
        ("n.txt", RAVEN.replace("wren", "").replace("1\t61", "2\t61"), "line 4: channel 2: which channel"),
        ("n.txt", "1.5\t2.5\towl\n3.5 4.5 wren\n", "line 2: '3.5 4.5 wren' is no label of Audacity's"),
        ("n.rttm", "SPEAKER night 1 1.5\n", "line 1: a SPEAKER of RTTM has at least 8 fields, this has 4"),
        ("n.TextGrid", LONG[:500], "cut off or damaged"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AudionetError) as error:
        read_annotations(path)
    assert str(error.value).startswith(str(path))
    assert message in str(error.value)


def test_labels_that_overlap_are_found() -> None:
    one, two, three = (Annotation("a.wav", *t) for t in ((0.0, 5.0, "owl"), (4.0, 6.0, "wren"), (6.0, 7.0, "owl")))
    elsewhere, same = Annotation("b.wav", 0.0, 5.0, "wren"), Annotation("a.wav", 1.0, 2.0, "owl")
    assert overlaps([three, two, one, elsewhere, same]) == [(one, two)]
