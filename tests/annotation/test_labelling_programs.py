"""Files of programs for labelling that have a form of their own: ELAN, HTK, Label Studio, Whisper, BirdNET."""

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from audionet.annotation.marks import Annotation
from audionet.annotation.metadata import find_labelled_recordings
from audionet.annotation.readers import READ, kind_of, read_annotations
from audionet.errors import AudionetError
from audionet.formats.json import JsonEvents, JsonTimelines
from audionet.inference.events import Events
from audionet.inference.windows import Segment
from audionet.options import BACKGROUND, AnnotationOptions
from tests.annotation.test_beside import MARKED, found, of
from tests.annotation.test_readers import TIMES
from tests.annotation.test_tables import sounds


def eaf(annotations: str, media: str = "", head: str = "") -> str:
    """A document of ELAN's with four moments, of which the third has no time."""
    moments = (("a", ' TIME_VALUE="1500"'), ("b", ' TIME_VALUE="3250"'), ("c", ""), ("d", ' TIME_VALUE="61000"'))
    slots = "\n".join(f'<TIME_SLOT TIME_SLOT_ID="{name}"{value}/>' for name, value in (*moments, ("e", LAST)))
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n{head}<ANNOTATION_DOCUMENT FORMAT="3.0">\n<HEADER>{media}</HEADER>\n'
        f"<TIME_ORDER>\n{slots}\n</TIME_ORDER>\n{annotations}\n</ANNOTATION_DOCUMENT>\n"
    )


LAST = ' TIME_VALUE="62000"'


def aligned(tier: str, start: str, end: str, text: str) -> str:
    """A tier with one annotation that has times of its own."""
    borders = f'TIME_SLOT_REF1="{start}" TIME_SLOT_REF2="{end}"'
    value = f"<ANNOTATION_VALUE>{text}</ANNOTATION_VALUE>"
    annotation = f"<ALIGNABLE_ANNOTATION {borders}>{value}</ALIGNABLE_ANNOTATION>"
    return f'<TIER TIER_ID="{tier}"><ANNOTATION>{annotation}</ANNOTATION></TIER>'


TWO = aligned("birds", "a", "b", "owl") + aligned("birds", "d", "e", "wren")
MEDIA = '<MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/My%20sounds/night%201.wav" MIME_TYPE="audio/x-wav"/>'
SHIFTED = MEDIA.replace("/>", ' TIME_ORIGIN="500"/>')  # ELAN's time begins half a second into the recording
LINES_OF_ELAN = (
    "birds\t\t00:00:01.500\t00:00:03.250\t00:00:01.750\towl\nbirds\tx\t00:01:01.000\t00:01:02.000\t00:00:01.000\twren\n",
    "birds\t\t1.5\t3.25\t1.75\towl\nbirds\t\t61.0\t62.0\t1.0\twren\n",
    "b\t\t00:00:01.500\t1.5\t00:00:03.250\t3.25\t00:00:01.750\t1.75\towl\n"
    "b\t\t00:01:01.000\t61.0\t00:01:02.000\t62.0\t00:00:01.000\t1.0\twren\n",
)


OWL_OF_AVIANZ = [1.5, 3.25, 300, 900, [{"species": "owl", "certainty": 100, "filter": "M", "calltype": "hoot"}]]


def via(*chosen: dict[str, str]) -> str:
    """A project of VIA 3, in which what is heard from 1.5 to 3.25 s and from 61 to 62 s has been chosen."""
    content = {
        "project": {"pid": "__VIA_PROJECT_ID__", "vid_list": ["1"]},
        "attribute": {"1": {"aname": "bird", "type": 4, "options": {"0": "owl", "1": "wren"}}},
        "file": {"2": {"fid": 2, "fname": "night", "type": 8}},
        "metadata": {
            f"1_{n}": {"vid": "1", "z": times, "xy": [], "av": av}
            for n, (times, av) in enumerate(zip(([1.5, 3.25], [61, 62.0]), chosen, strict=True))
        },
        "view": {"1": {"fid_list": [2]}},
    }
    return json.dumps(content)


def avianz(*marks: Any) -> str:
    """AviaNZ's file of a recording that somebody listened to."""
    return json.dumps([{"Operator": "Anna", "Reviewer": "", "Duration": 70.0}, *marks])


def jams(namespace: str, *values: Any) -> str:
    """A file of JAMS with what is heard at two times, above something that is none of it."""
    heard = [
        {"time": s, "duration": e - s, "value": v, "confidence": 1} for (s, e, _), v in zip(TIMES, values, strict=True)
    ]
    below = {"time": 0, "duration": 70, "value": {"label": "park", "role": "background"}, "confidence": 1}
    beats = {"namespace": "beat", "data": [{"time": 5, "duration": 0, "value": 1}]}
    annotation = {"namespace": namespace, "data": [*heard, *([below] if namespace == "scaper" else [])], "time": 0}
    return json.dumps({"annotations": [beats, annotation], "file_metadata": {"title": "x", "duration": 70}})


@pytest.mark.parametrize(
    ("name", "text", "recording"),
    [
        ("night.eaf", eaf(TWO), None),
        ("night.eaf", eaf(TWO, media=MEDIA), "night 1.wav"),
        ("night.eaf", eaf(TWO, media=MEDIA + MEDIA.replace("wav", "mp4")), None),
        (
            "night.eaf",
            re.sub('(?<=_VALUE=")[0-9]+', lambda t: f"{int(t[0]) - 500}", eaf(TWO, media=SHIFTED)),
            "night 1.wav",
        ),
        ("night.eaf", eaf(aligned("owl", "a", "b", " ") + aligned("birds", "d", "e", "wren")), None),
        ("night.eaf", eaf(TWO + aligned("birds", "b", "c", "crow") + '<REF_ANNOTATION ANNOTATION_REF="x"/>'), None),
        *(("night.txt", text, None) for text in LINES_OF_ELAN),
        ("night.lab", "15000000 32500000 owl\n610000000 620000000 wren -20.5\n", None),
        ("night.lab", "1.500000\t3.250000 owl\r\n61 62.0 wren\r\n", None),
        ("night.stm", ";; a\nnight 1 owl 1.5 3.25 <o,f0,male> whoo whoo\nnight A wren 61 62\n", "night"),
        ("night.wav.data", avianz(OWL_OF_AVIANZ, [61, 62.0, 0, 0, [{"species": "wren", "certainty": 50}]]), None),
        ("night.wav.data", json.dumps([OWL_OF_AVIANZ, [61, 62.0, 0, 0, [{"species": "wren"}]]]), None),
        ("night.jams", jams("segment_open", "owl", "wren"), None),
        ("night.jams", jams("scaper", {"label": "owl", "role": "foreground"}, {"label": "wren"}), None),
        ("night.csv", "TIME,VALUE,DURATION,LABEL\n1.5,0.0,1.75,owl\n61.0,1.0,1.0,wren\n", None),
        ("night.csv", "TIME,VALUE,ENDTIME,LABEL\n1.5,0.0,3.25,owl\n61.0,1.0,62,wren\n", None),
        (
            "night.svl",  # as Sonic Visualiser writes it
            '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE sonic-visualiser>\n<sv>\n<data>\n'
            '<model id="1" name="" sampleRate="8000" type="sparse" dimensions="3" subtype="region" units="" />\n'
            '<dataset id="0" dimensions="3">\n<point frame="12000" value="1" duration="14000" label="owl" />\n'
            '<point frame="488000" value="2" duration="8000" label="wren" />\n</dataset>\n</data>\n</sv>\n',
            None,
        ),
        (
            "night.svl",
            '<sv>\n<model id="1" sampleRate="8000" type="sparse" dimensions="2" subtype="box" />\n<dataset id="0">\n'
            '<point frame="12000" value="600" duration="14000" extent="300" label="owl" />\n'
            '<point frame="488000" value="2" duration="8000" extent="9" label="wren" />\n</dataset>\n</sv>\n',
            None,
        ),
        ("via.json", via({"1": "0"}, {"1": "1"}), "night"),
        (
            "night.csv",
            "start,end,label\n0 days 00:00:01.500000,0 days 00:00:03.25,owl\n61,0 days 00:01:02,wren\n",
            None,
        ),
        ("night.csv", "start_time_ms,durationInTicks,label\n1500,17500000,owl\n61000,10000000,wren\n", None),
        ("night.csv", "start,end,label\n1.5s,3.25 sec,owl\nPT1M1S,1m 2s,wren\n", None),
        ("night.csv", "name,start_seconds,stop_seconds\nowl,1.5,3.25\nwren,61,62\n", None),  # of DAS
        ("night.csv", "start,end,label\n# by hand, on Monday\n1.5,3.25,owl\n#faint\n61,62,wren\n", None),
        ("night.txt", "# by hand\n1.5\t3.25\towl\n#faint\n61\t62\twren\n", None),
    ],
)
def test_each_is_read_with_its_times_and_labels(tmp_path: Path, name: str, text: str, recording: str | None) -> None:
    path = tmp_path / name
    path.write_bytes(text.encode())
    assert read_annotations(path) == [Annotation(recording, *times) for times in TIMES]


def test_avianz_s_files_are_used_beside_recordings_also_where_nothing_is_known(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sounds(tmp_path, "night.wav", "dawn.wav")
    not_known = [5, 6, 0, 0, [{"species": "Don't Know", "certainty": 0, "filter": "M"}]]
    (tmp_path / "night.wav.data").write_text(avianz(OWL_OF_AVIANZ, not_known))
    (tmp_path / "dawn.wav.data").write_text(avianz())
    assert found(tmp_path) == of("night.wav", {"owl": [(1.5, 3.25)]})
    assert "night.wav.data: its frequency limits are not used" in caplog.text
    background = found(tmp_path, unmarked=BACKGROUND)
    assert background["background/dawn.wav"] == []
    assert background["background/night.wav"] == [(0, 1.5), (3.25, 5), (6, math.inf)]


def test_what_an_elan_file_says_without_times_or_text_is_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.eaf"
    path.write_text(eaf(aligned("owl", "a", "b", "") + aligned("b", "b", "c", "x") + "<REF_ANNOTATION/>"), "utf-8")
    (only,) = read_annotations(path)
    assert (only.label, only.line) == ("owl", 11)
    assert "a.eaf: not used are 2 annotations without times of their own" in caplog.text
    assert "of 1 annotation without a text, the class is what the tier is called (owl in line 11)" in caplog.text


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "a.eaf",
            eaf(TWO)[:-30],
            r"a.eaf: an ELAN file that is cut off or damaged \(.*line.*\); save it in ELAN again",
        ),
        (
            "a.eaf",
            eaf("<x>&a;</x>", head='<!DOCTYPE x [<!ENTITY a "aaaa">]>\n'),
            r"damaged \(it declares a document type\)",
        ),
        ("a.eaf", "no XML", "an ELAN file that is cut off"),
        ("a.eaf", eaf(TWO, media=MEDIA + SHIFTED), r"its media have several offsets \(TIME_ORIGIN\)"),
        (
            "a.eaf",
            eaf(aligned("b", "b", "a", "owl") + "\n" + aligned("b", "e", "d", "owl")),
            "line 11 marks 3.25 to 1.5 s; a part ends after it begins; and line 12 marks 62 to 61 s$",
        ),
        (
            "a.txt",
            LINES_OF_ELAN[0] + "birds\t\towl\nx\n",
            "line 3 is .*; and line 4 is 'x', and not as others are that ELAN wrote",
        ),
        (
            "a.lab",
            "1.5 3.25 owl\nwren\n",
            "line 2 is 'wren', where a .lab that is read has a start, an end and a label",
        ),
        ("a.lab", "0 3 owl\n3 5 wren\n", "has whole numbers as times, too small for HTK's"),
        ("a.lab", "-\n 1.5 125 owl\n", "line 1 is '-', where"),
        (
            "a.svl",
            '<sv>\n<model sampleRate="8000" subtype="text"/>\n<point frame="5" label="owl"/>\n',
            "has marks without a length; mark regions",
        ),
        (
            "a.TextGrid",
            "ooBinaryFile\x08TextGrid" + 4 * "\0\0\0\0@N\0\0",
            "not annotations, .* as a text file in Praat",
        ),
        (
            "a.tsv",
            "start\tend\ttext\n0\t2500\thello\n",
            "its column 'text' what is spoken, .* called label, with times in",
        ),
    ],
)
def test_what_cannot_be_read_is_told_with_what_to_do(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    with pytest.raises(AudionetError, match=message):
        read_annotations(path)


def test_elans_files_are_used_beside_recordings_and_where_they_are_named(tmp_path: Path) -> None:
    nights = sounds(tmp_path / "nights", "night 1.wav", "owl/1.wav", "wren/1.wav")
    of_chords = nights / "night 1.jams"  # which says nothing of sounds
    of_chords.write_text(jams("chord", "C:maj", "G:7"))
    assert kind_of(of_chords) not in READ
    path = nights / "night 1.eaf"
    path.write_text(eaf(TWO, media=MEDIA), "utf-8")
    marked = {"owl": MARKED["owl"], "wren": MARKED["wren"]}
    assert found(nights) == {"owl/1.wav": [], "wren/1.wav": [], **of("night 1.wav", marked)}
    of_chords.write_text(jams("tag_open", "owl", "wren"))
    assert kind_of(of_chords) in READ
    of_chords.write_text('{"annotations": [{"namespace": "tag_open", "data": []}]}')
    assert read_annotations(of_chords) == []  # somebody listened
    of_chords.write_text('{"annotations": [{"namespace": "tag_open", "data": {"time": [1]}}]}')
    with pytest.raises(AudionetError, match=r"JSON that cannot be read \(the data of an annotation are no list\)"):
        read_annotations(of_chords)
    of_chords.unlink()
    # Under another name it is found by the recording that it names.
    named = path.rename(tmp_path / "session.eaf")
    assert found(nights, metadata=named) == of("night 1.wav", marked)


@pytest.mark.parametrize(("printer", "endless"), [(JsonEvents, False), (JsonTimelines, False), (JsonTimelines, True)])
def test_what_label_printed_as_json_trains_a_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], printer: type[JsonTimelines], endless: bool
) -> None:
    nights = sounds(tmp_path / "nights", "night.wav", 'it "was" quiet.wav', "other.wav")
    printing = printer(["owl", "wren"], endless=endless)
    printing.add(Events(str(nights / "night.wav"), [Segment(*times, 0.9) for times in TIMES], 70.0))
    printing.add(Events(str(nights / 'it "was" quiet.wav'), [], 70.0))
    printing.finish()
    path = tmp_path / "events.json"
    path.write_text(capsys.readouterr().out, "utf-8")
    assert found(nights, metadata=path) == of("night.wav")
    background = found(nights, metadata=path, unmarked=BACKGROUND)
    assert 'background/it "was" quiet.wav' in background
    assert "background/other.wav" not in background
    # Of one that lies among the recordings, it is said what to type.
    assert kind_of(path.rename(nights / "night.json")) not in READ


def test_clips_that_were_labelled_whole_are_too_and_corrections_may_be_json(tmp_path: Path) -> None:
    clips = sounds(tmp_path / "clips", "1.wav", "2.wav")
    path = tmp_path / "labels.json"
    scores = {"scores": {"owl": 0.9}, "seconds": 1.0, "best": "owl"}
    path.write_text(
        json.dumps([{"clip": "1.wav", "label": "owl"} | scores, {"clip": "2.wav", "label": "wren"} | scores])
    )
    assert found(clips, metadata=path) == {"owl/1.wav": [], "wren/2.wav": []}
    classes = sounds(tmp_path / "classes", "owl/1.wav", "wren/2.wav")
    path.write_text(json.dumps([{"path": "owl/1.wav", "label": "wren"}]))
    assert found(classes, corrections=path) == {"wren/1.wav": [], "wren/2.wav": []}


def label_studio(value: dict[str, Any], **task: Any) -> str:
    """An export as JSON of one task, with one region."""
    region = {
        "id": "x1",
        "type": "labels",
        "from_name": "label",
        "to_name": "audio",
        "original_length": 70,
        "value": value,
    }
    task = {"id": 7, "data": {"audio": "/data/upload/1/0a1b2c3d-night.wav", "site": "wood"}, **task}
    return json.dumps([{**task, "annotations": [{"id": 1, "completed_by": 1, "result": [region], "lead_time": 3.5}]}])


def words(*later: dict[str, Any]) -> str:
    """A transcript with an owl's two words, and others of the owl or of another."""
    hu = {"word": "hu", "confidence": 0.9, "speaker": "owl"}
    each = [{"start": 1.5, "end": 2}, {"start": 2.5, "end": 3.25}, *later]
    return json.dumps({"results": {"channels": [{"alternatives": [{"words": [hu | times for times in each]}]}]}})


HUS: list[dict[str, Any]] = [
    {"word": "hu", "start": 1.5, "end": 2, "speaker": "owl"},
    {"word": "hu", "start": 2, "end": 2.9},
    {"word": "hu", "start": 3, "end": 3.25, "speaker": "owl"},
]
OWL = {"start": 1.5, "end": 3.25, "labels": ["owl"]}
ONE = {"owl/night.wav": [(1.5, 3.25)]}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (label_studio(OWL | {"channel": 0}), ONE),
        (label_studio(OWL, data={"audio": "/data/local-files/?d=sounds/night.wav"}), ONE),
        (label_studio({"choices": ["owl"]}), {"owl/night.wav": []}),
        (label_studio(OWL | {"labels": ["owl", "wren"]}), ONE | {"wren/night.wav": [(1.5, 3.25)]}),
        (label_studio(OWL, predictions=[{"result": [{"value": {"start": 5, "end": 6, "labels": ["crow"]}}]}]), ONE),
        (
            json.dumps([*json.loads(label_studio(OWL)), {"was_cancelled": True, "audio": "night.wav", "label": "x"}]),
            ONE,
        ),
        (label_studio(OWL, data={"audio": "/data/local-files/?d=my%20sounds/ni%67ht.wav"}), ONE),
        (  # of Amazon, which says of words alone of what type they are
            '{"results": [{"start_time": "1.5", "end_time": "3.25", "speaker_label": "owl", "items": [{"start_time": '
            '"1.5", "end_time": "2", "speaker_label": "owl"}]}, {"start_time": "1.5", "end_time": "2", "type": "word", '
            '"speaker_label": "owl"}]}',
            ONE,
        ),
        (json.dumps([{"id": 1, "audio": "s3://x/night.wav", "label": [{**OWL, "channel": 0}], "annotator": 1}]), ONE),
        (
            json.dumps(
                {"annotations": [{"id": 1, "start": 1.5, "end": 3.25, "annotation": "owl", "proximity": "near"}]}
            ),
            ONE,
        ),
        (
            json.dumps(
                {"segments": [{"start": 1.5, "end": 3.25, "text": "hu", "speaker": "owl", "words": [{"start": 2}]}]}
            ),
            ONE,
        ),
        (words(), ONE),  # as of Deepgram: those of a speaker are one turn
        (words({"start": 6, "end": 6.5}), {"owl/night.wav": [(1.5, 3.25), (6, 6.5)]}),
        (words({"start": 2, "end": 2.4, "speaker": "wren"}), ONE | {"wren/night.wav": [(2, 2.4)]}),
        (  # of ElevenLabs: what stands between words, and is none, is no word
            '{"words": [{"text": "hu", "start": 1.5, "end": 3.25, "type": "word", "speaker_id": "owl"}, '
            '{"text": " ", "start": 3.25, "end": 9, "type": "spacing", "speaker_id": "owl"}, '
            '{"text": "(wind)", "start": 9, "end": 11, "type": "audio_event", "speaker_id": "owl"}]}',
            ONE,
        ),
        (  # of AssemblyAI, in milliseconds
            '{"utterances": [{"text": "hu", "start": 1500, "end": 3250, "speaker": "owl", "words": [{"text": "hu"}]}], '
            '"words": [{"text": "hu", "start": 1500, "end": 2000, "speaker": "wren"}]}',
            ONE,
        ),
        (
            '{"segments": [{"type": "transcript.segment", "text": "", "start": 1.5, "end": 3.25, "speaker": "owl"}]}',
            ONE,
        ),
        (  # of Speechmatics
            '{"results": [{"type": "word", "start_time": 1.5, "end_time": 2, "alternatives": [{"speaker": "owl"}]}, '
            '{"type": "word", "start_time": 2, "end_time": 3.25, "alternatives": [{"speaker": "owl"}, {}]}]}',
            ONE,
        ),
        ("start,end,word,speaker\n1.5,2,hu,owl\n2.5,3.25,hu,owl\n", ONE),
        (  # of Google
            '{"words": [{"startTime": "1.500s", "endTime": "3.250s", "word": "hu", "speakerTag": "owl"}]}',
            ONE,
        ),
        (  # of which WhisperX says each word again, by whom it thinks best
            json.dumps(
                {
                    "segments": [{"start": 1.5, "end": 3.25, "text": "hu hu", "speaker": "owl"}],
                    "word_segments": [{"word": "hu", "start": 2, "end": 3, "score": 0.9, "speaker": "wren"}],
                }
            ),
            ONE,
        ),
        (  # of nobody whom WhisperX knows
            json.dumps(
                {"segments": [{"start": 5, "end": 6, "text": "la"}, {"start": 1.5, "end": 3.25, "speaker": "owl"}]}
            ),
            ONE,
        ),
        (  # where it says of words alone who speaks them, but for one of them
            json.dumps(
                {
                    "segments": [
                        {"start": 9, "end": 9.5, "text": "la", "speaker": "wren", "words": [{"word": "la"}]},
                        {"start": 1.5, "end": 3.25, "text": "hu hu hu", "words": HUS},
                    ],
                    "word_segments": [{"word": "la", "start": 9, "end": 9.4, "speaker": "wren"}, *HUS],
                }
            ),
            ONE | {"wren/night.wav": [(9, 9.5)]},
        ),
        (  # of Soniox, with pieces of words in milliseconds
            '{"tokens": [{"text": "h", "start_ms": 1500, "end_ms": 1560, "speaker": "owl"}, '
            '{"text": "u", "start_ms": 1560, "end_ms": 3250, "speaker": "owl"}]}',
            ONE,
        ),
        (  # of Azure, at once
            '{"durationMilliseconds": 9000, "phrases": [{"channel": 0, "speaker": "owl", "offsetMilliseconds": 1500, '
            '"durationMilliseconds": 1750, "text": "hu", "words": [{"text": "hu", "offsetMilliseconds": 1500}]}]}',
            ONE,
        ),
        (  # and in batches
            '{"duration": "PT9S", "recognizedPhrases": [{"channel": 0, "speaker": "owl", "offset": "PT1.5S", '
            '"duration": "PT1.75S", "offsetInTicks": 15000000.0, "nBest": [{"words": [{"offset": "PT1.5S"}]}]}]}',
            ONE,
        ),
        (  # of Rev
            '{"monologues": [{"speaker": "owl", "elements": [{"type": "text", "value": "hu", "ts": 1.5, "end_ts": 2}, '
            '{"type": "punct", "value": " "}, {"type": "text", "value": "hu", "ts": 2.5, "end_ts": 3.25}]}]}',
            ONE,
        ),
        (  # of Premiere, which has the names of speakers elsewhere
            '{"segments": [{"start": 1.5, "duration": 1.75, "speaker": "x1"}], '
            '"speakers": [{"id": "x1", "name": "owl"}]}',
            ONE,
        ),
        ('{"speakers": [{"speaker": "owl", "text": "hu", "timestamp": [1.5, 3.25]}]}', ONE),  # of insanely-fast-whisper
        (  # of whisper.cpp
            '{"transcription": [{"timestamps": {"from": "00:00:01,500", "to": "00:00:03,250"}, "speaker": "owl"}]}',
            ONE,
        ),
        (  # with what else is known of speakers
            '{"segments": [{"start": 1.5, "end": 3.25, "speaker": "owl"}], "speakers": [{"speaker": "owl", "age": 3}]}',
            ONE,
        ),
        ('{"file": "night.wav", "start": "0:01.5", "end": "0:03.25", "label": "owl"}\n', ONE),
    ],
)
def test_json_of_programs_for_labelling_is_read_where_it_is_named(
    tmp_path: Path, text: str, parts: dict[str, list[tuple[float, float]]], caplog: pytest.LogCaptureFixture
) -> None:
    nights = sounds(tmp_path / "nights", "night.wav")
    path = tmp_path / "night.json"
    path.write_text(text, "utf-8")
    assert found(nights, metadata=path) == parts
    assert len(set(caplog.messages)) == len(caplog.messages)  # nothing is said twice


def test_transcripts_of_hours_are_read_whatever_else_they_hold(tmp_path: Path) -> None:
    nights = sounds(tmp_path / "nights", "night.wav")
    path = tmp_path / "night.json"
    turn = {"start": 1.5, "end": 3.25, "transcript": "hu " * 5000, "speaker": "owl"}
    path.write_text(json.dumps({"text": "hu " * 5000, "utterances": [turn], "tokens": [0] * 1_000_001}))
    assert found(nights, metadata=path) == ONE


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (label_studio(OWL | {"channel": 1}), "line 1 is about channel '1': which one is meant"),
        (
            label_studio(OWL, data={"audio": "/data/upload/1/0a1b2c3d-other.wav"}),
            "the recording that it lists is not in",
        ),
        (
            '[{"speaker": "owl", "timestamp": [1.5, 3.25]},\n {"speaker": "owl", "timestamp": [4, null]}]',
            "line 2 has no end, which other lines have; write it",
        ),
        ('{"results": [{"start_time": 1, "end_time": 2, "type": "word", "alternatives": []}]}', "in none who speaks"),
        ('{"segments": [{"start": 0.0, "end": 2.5, "text": "hello"}]}', "in its column 'text' what is spoken"),
        (
            '[{"clip": "night.wav",\n "start_sample": 5, "end_sample": 9, "label": "owl"}]',
            "line 1 marks a part .* start_sample '5'",
        ),
        ('[\n{"clip": "night.wav", "start": 5, "end": 1e999, "label": "owl"}]', "line 2 has the times '5' and 'inf'"),
        ('{"file": {"1": {"fname": "night.wav", "type": 4}}}', "needs a column for its label"),  # as VIA's
        (
            via({"1": "0"}, {"2": "1"}),
            "is JSON that cannot be read .'2'.; see what wrote it",
        ),  # an attribute that is not there
        (
            '{"utterances": [{"start": 250, "end": 26950, "text": "hu", "speaker": "A"}], "audio_duration": 27}',
            "line 1 has the times '250' and '26950', .*: are they milliseconds, as transcripts have times.*by 1000",
        ),
        ("[00:00:01] Anna: hello\nAh, yes\n", r"begins with '\[00:00:01\] Anna: hello', and is no table"),
        ('{"a": 1}', "is JSON in which nothing says what is heard when: objects with start, end and label, or"),
        ("[" * 100_000, "night.json: is JSON that cannot be read"),
        ('[{"clip": "night.wav", "label": "\\ud800"}]', r"has the class .*ud800', which can't name a folder"),
    ],
)
def test_json_that_cannot_be_used_is_told_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    nights = sounds(tmp_path / "nights", "night.wav")
    path = tmp_path / "night.json"
    path.write_text(text, "utf-8")
    with pytest.raises(AudionetError, match=message):
        found(nights, metadata=path)


def test_a_table_of_birdnets_that_names_the_recording_beside_it_is_used(tmp_path: Path) -> None:
    nights = sounds(tmp_path, "night.wav", "dusk.wav", "owl/1.wav", "wren/1.wav")
    rows = "Start (s),End (s),Common name,Confidence,File\n1.5,3.25,owl,0.9,{0}\n61,62,wren,0.5,{0}\n"
    (tmp_path / "night.BirdNET.results.csv").write_text(rows.format("C:\\field\\night.wav"))
    # Of several recordings, or as `label` printed it, it has to be named.
    (tmp_path / "dusk.csv").write_text("clip,start_seconds,end_seconds,label,score\ndusk.wav,1,2,owl,0.9\n")
    assert found(nights, wrong=("dusk.wav",)) == {"owl/1.wav": [], "wren/1.wav": [], **of("night.wav")}


SENTENCES = (
    "how are you|I am fine|where were you|in the wood|with whom|with no one at all|that is sad|it was not".split("|")
)


def spoken(name: str, texts: list[str]) -> str:
    """A transcript of Anna and Ben in turns of half a second, as ELAN or Praat writes it."""
    turns = [("anna" if number % 2 == 0 else "ben", number / 2, text) for number, text in enumerate(texts)]
    if name.endswith(".txt"):
        return "".join(f"{who}\t\t{start}\t{start + 0.5}\t0.5\t{text}\n" for who, start, text in turns)
    tiers = []
    for who in ("anna", "ben"):
        own = [f'{start}\n{start + 0.5}\n"{text}"\n' for by, start, text in turns if by == who]
        tiers.append(f'"IntervalTier"\n"{who}"\n0\n9\n{len(own)}\n{"".join(own)}')
    return f'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n9\n<exists>\n2\n{"".join(tiers)}'


@pytest.mark.parametrize("name", ["talk.txt", "talk.TextGrid"])
def test_of_a_transcript_the_tiers_say_who_speaks(tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture) -> None:
    talks = sounds(tmp_path / "talks", "talk.wav")
    (talks / name).write_text(spoken(name, SENTENCES))
    marked = found(talks)
    assert {key: parts[0] for key, parts in marked.items()} == {"anna/talk.wav": (0, 0.5), "ben/talk.wav": (0.5, 1)}
    assert f"{name}: the classes are what its tiers are called (anna and ben), not the texts in them" in caplog.text
    one_tier = "".join(f"{n}.0\t{n}.5\t{text} indeed\n" for n, text in enumerate(SENTENCES))
    (tmp_path / "talk.txt").write_text(one_tier)
    assert len(found(talks, metadata=tmp_path / "talk.txt")) == len(SENTENCES)
    assert "talk.txt: each of its 8 different texts is a class; if they are what is said, write who" in caplog.text
    # Of a few calls under names of their own, the texts are the classes; but for tiers that are called as folders are.
    (talks / name).write_text(spoken(name, ["barn owl", "wren"]))
    assert found(talks) == {"barn owl/talk.wav": [(0, 0.5)], "wren/talk.wav": [(0.5, 1)]}
    sounds(talks, "anna/1.wav", "ben/1.wav")
    assert found(talks) == {
        "anna/1.wav": [],
        "ben/1.wav": [],
        "anna/talk.wav": [(0, 0.5)],
        "ben/talk.wav": [(0.5, 1)],
    }


def test_json_among_the_recordings_that_names_them_is_told_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sounds(tmp_path, "owl/a.wav", "wren/b.wav")
    (tmp_path / "project.json").write_text(label_studio(OWL))
    find_labelled_recordings(tmp_path, AnnotationOptions())
    assert f"and is not used: add --metadata {tmp_path / 'project.json'} to use it" in caplog.text


def test_a_folder_of_nothing_but_subtitles_or_labs_is_read_where_it_is_named(tmp_path: Path) -> None:
    nights = sounds(tmp_path / "nights", "a.wav", "b.wav")
    labs = tmp_path / "labs"
    labs.mkdir()
    (labs / "a.lab").write_text("1.5 3.25 owl\n")
    (labs / "b.srt").write_text("1\n00:01:01,000 --> 00:01:02,000\nwren\n")
    assert found(nights, metadata=labs) == {"owl/a.wav": [(1.5, 3.25)], "wren/b.wav": [(61.0, 62.0)]}
