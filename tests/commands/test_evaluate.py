import json
from dataclasses import replace
from pathlib import Path

import pytest

import audionet
from audionet.errors import AudionetError
from audionet.evaluation.detection import Detection, Span
from audionet.formats.evaluation import print_evaluation, print_evaluation_json
from audionet.model_files import ModelFiles
from audionet.options import AnnotationOptions, DetectionOptions, LabelOptions
from audionet.report.evaluation import report_on_evaluation
from audionet.report.page import render
from audionet.report.sentences import percent
from audionet.settings import PictureSettings
from tests.conftest import chirps, make_untrained_model, write_wav


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ModelFiles:
    return make_untrained_model(tmp_path_factory.mktemp("model"), PictureSettings(1, 0))


def options(model: ModelFiles, metadata: Path | None = None) -> LabelOptions:
    return LabelOptions(model.graph, model.labels, metadata=metadata)


def test_clips_that_a_table_labels_are_counted_as_prepare_would_learn_them(model: ModelFiles, tmp_path: Path) -> None:
    for fold, name in ((1, "1-0.wav"), (2, "2-1.wav")):
        write_wav(tmp_path / "US" / "audio" / f"fold{fold}" / name, chirps(fold, 200, 400, 1))
    (tmp_path / "US" / "metadata").mkdir()
    (tmp_path / "US" / "metadata" / "UrbanSound8K.csv").write_text(
        "slice_file_name,fsID,start,end,salience,fold,classID,class\n1-0.wav,1,0,4,1,1,0,high\n2-1.wav,2,5,9,1,2,1,low\n"
    )
    for folder in (tmp_path / "US", tmp_path / "US" / "audio"):
        found = audionet.evaluate(folder, options(model))
        assert [(Path(clip.clip).name, truth) for clip, truth in found.clips] == [
            ("1-0.wav", "high"),
            ("2-1.wav", "low"),
        ]
        assert found.skipped == []


def test_a_table_may_be_named_and_its_unknown_classes_are_skipped(
    model: ModelFiles, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("a.wav", "b.wav", "c.wav"):
        write_wav(tmp_path / "clips" / name, chirps(1, 200, 400, 1))
    (tmp_path / "truth.csv").write_text("file;label\na.wav;low\nb.wav;hihg\nc.wav;High\n")
    found = audionet.evaluate(tmp_path / "clips", options(model, tmp_path / "truth.csv"))
    assert [truth for _, truth in found.clips] == ["high", "low"]
    assert "clips: the class 'High' is taken for the model's 'high'" in caplog.text
    assert [error.reason for error in found.skipped] == [
        "the model has no such class (it has high and low); did you mean high?"
    ]


@pytest.mark.parametrize(
    ("clip", "message"),
    [
        ("middle/a.wav", r"clips: holds no clip of the model's classes \(high and low\)"),
        ("a.wav", "if it is itself a class, name the folder above it"),
        ("fold1/a.wav", "are called as parts of a data set are"),
    ],
)
def test_clips_of_no_class_of_the_model_are_said_to_be_none(
    model: ModelFiles, tmp_path: Path, caplog: pytest.LogCaptureFixture, clip: str, message: str
) -> None:
    write_wav(tmp_path / "clips" / clip, chirps(1, 200, 400, 1))
    with pytest.raises(AudionetError, match=message):
        audionet.evaluate(tmp_path / "clips", options(model))
    assert ("(skipped)" in caplog.text) == ("middle" in clip)  # what the error says, is said once


def test_options_of_annotated_recordings_are_said_to_change_nothing_where_there_are_none(
    model: ModelFiles, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_wav(tmp_path / "low" / "a.wav", chirps(1, 200, 400, 1))
    audionet.evaluate(tmp_path, options(model))
    assert "change nothing" not in caplog.text
    audionet.evaluate(tmp_path, options(model), None, DetectionOptions(background=("nobody",)))
    assert "has no annotated recordings, which alone are searched for events" in caplog.text
    audionet.evaluate(tmp_path, options(model), AnnotationOptions(unmarked="background"))
    assert "no recording has marked parts, so that --unmarked background changes nothing" in caplog.text


def test_right_wrong_and_unknown_come_first_as_label_would_name_them(
    model: ModelFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for n in range(3):
        write_wav(tmp_path / "low" / f"{n}.wav", chirps(n, 200, 400, 1))
    write_wav(tmp_path / "low" / "silence.wav", 0 * chirps(0, 200, 400, 1))
    found = audionet.evaluate(tmp_path, options(model))
    right = sum(clip.label == truth for clip, truth in found.clips)
    print_evaluation(found)
    first, second, *rest = capsys.readouterr().out.splitlines()
    assert first == f"4 clips: {right} right, {3 - right} wrong, 1 called unknown"
    assert second.startswith("accuracy: ")
    assert second.endswith(", the unknown one by its best class")
    assert "calibration" not in first + second + "".join(rest)
    assert [line for line in rest if line.endswith(", called unknown")] == [
        line for line in rest if "silence.wav" in line
    ]


@pytest.fixture
def night(tmp_path: Path) -> Path:
    """A folder with a recording of 12 s and its annotations: of two classes that the model knows, and one more."""
    write_wav(tmp_path / "night" / "a.wav", chirps(1, 200, 400, 12))
    (tmp_path / "night" / "a.txt").write_text("1\t3\tlow\n2.5\t4\thigh\n6\t7.5\tlow\n9\t10\towl\n20\t21\tlow\n")
    return tmp_path / "night"


def test_each_marked_part_is_a_clip(model: ModelFiles, night: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = audionet.evaluate(night, options(model))
    assert [(Path(clip.clip).name, clip.part, truth) for clip, truth in found.clips] == [
        ("a.wav", (2.5, 4), "high"),
        ("a.wav", (1, 3), "low"),
        ("a.wav", (6, 7.5), "low"),
    ]
    assert [clip.seconds for clip, _ in found.clips] == [1.5, 2, 1.5]
    assert [error.reason.partition(" (")[0].partition(",")[0] for error in found.skipped] == [
        "the model has no such class",
        "0:20.0 to 0:21.0 is marked as 'low'",
    ]
    # A part scores as a recording of its own does.
    samples = chirps(1, 200, 400, 12)[round(2.5 * 16000) : 4 * 16000]
    (alone,) = audionet.label(write_wav(night.parent / "part.wav", samples), options(model))
    assert found.clips[0][0].scores == pytest.approx(alone.scores, abs=1e-6)
    print_evaluation(found)
    out = capsys.readouterr().out
    taken_for = "high" if found.clips[1][0].best == "high" else "low"
    wrong = "a.wav (0:01.0 to 0:03.0) is low" if taken_for == "high" else "a.wav (0:02.5 to 0:04.0) is high"
    assert f"{wrong}, taken for {taken_for}" in out
    print_evaluation_json(found)
    said = json.loads(capsys.readouterr().out)["misclassified"]
    assert [(clip["start_seconds"], clip["end_seconds"]) for clip in said] == [c.part for c, _ in found.misclassified]


def test_what_label_hears_in_an_annotated_recording_is_compared_with_all_its_parts(
    model: ModelFiles, night: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = audionet.evaluate(night, options(model))
    assert found.detection is not None
    segments = audionet.timeline(night / "a.wav", options(model))
    expected = Detection("timeline")
    expected.add(
        [Span(1, 3, "low"), Span(6, 7.5, "low"), Span(2.5, 4, "high")],
        [Span(s.start_seconds, s.end_seconds, s.label) for s in segments if s.label != "unknown"],
        12.0,
    )
    assert found.detection == expected
    print_evaluation(found)
    *_, first, second, third, last = capsys.readouterr().out.splitlines()
    assert first == "1 annotated recording, 12 s, listened to by --timeline"
    assert second.startswith("events (collar 0.5 s): F1 ")
    assert third.startswith("segments: F1 ")
    assert last.startswith(f"diarisation error: {expected.diarization.rate:.1%} (missed ")
    shown = render(report_on_evaluation(found)).decode()
    assert f"time that is wrong, is {percent(expected.diarization.rate)}:" in shown
    for label, counts in expected.events_of.items():
        assert f'{label}</th><td class="figure">{counts.correct} of {counts.reference}</td>' in shown
    assert "begins at most 0.5 s" in shown
    assert "threshold" not in shown.casefold()


def test_what_is_found_where_somebody_looked_and_nothing_was_heard_is_wrong(
    model: ModelFiles, night: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_wav(night / "b.wav", chirps(2, 200, 400, 5))
    (night / "b.selections.txt").write_text("Selection\tBegin Time (s)\tEnd Time (s)\tSpecies\n")
    write_wav(night / "c.wav", chirps(3, 200, 400, 4))
    (night / "c.txt").write_text("1\t2\towl\n")  # which the model does not know
    heard = [audionet.timeline(night / name, options(model)) for name in ("a.wav", "b.wav")]
    for annotations in (AnnotationOptions(), AnnotationOptions(unmarked="background")):
        found = audionet.evaluate(night, options(model), annotations)
        detection = found.detection
        assert detection is not None
        cards = {card.number: card for card in report_on_evaluation(found).cards}
        false = [card for card in cards.values() if card.note.startswith("False: no ") and card.path.endswith("b.wav")]
        assert {card.label for card in false} == {segment.label for segment in heard[1]} - {"unknown"} != set()
        assert all(card.excerpt and card.excerpt.mp3 for card in false)
        assert (detection.recordings, detection.seconds, detection.events.reference) == (2, 17.0, 3)
        assert detection.events.found == sum(s.label != "unknown" for segments in heard for s in segments)
        print_evaluation_json(found)
        said = json.loads(capsys.readouterr().out)["detection"]
        alarms = [alarm for alarm in said["false_alarms"] if alarm.pop("clip") == str(night / "b.wav")]
        assert alarms == [s.to_json() for label in ("high", "low") for s in heard[1] if s.label == label] != []
        missed = {"clip": str(night / "a.wav"), "class": "high", "start_seconds": 2.5, "end_seconds": 4.0}
        assert said["missed"] == [missed]  # between low tones


def test_where_nothing_is_marked_at_all_what_is_false_can_be_listed(model: ModelFiles, night: Path) -> None:
    (night / "a.txt").unlink()
    (night / "a.selections.txt").write_text("Selection\tBegin Time (s)\tEnd Time (s)\tSpecies\n")
    with pytest.raises(AudionetError, match=r"night: marks nothing of the model's classes \(high and low\), so that"):
        audionet.evaluate(night, options(model))


def test_of_events_the_background_is_none(model: ModelFiles, night: Path) -> None:
    listened = DetectionOptions("events", 1.0, ("high",))
    found = audionet.evaluate(night, options(model), detection=listened)
    assert found.detection is not None
    assert found.detection.events.reference == 2
    shown = render(report_on_evaluation(found)).decode()
    assert "begins at most 1 s" in shown
    assert f'<td class="figure">{found.detection.thresholds["low"]:.2f}</td></tr>' in shown
    with pytest.raises(AudionetError, match="the model has no such class"):
        audionet.evaluate(night, options(model), detection=DetectionOptions("events", background=("rain",)))
    with pytest.raises(AudionetError, match="annotations are of one channel, or of the mix"):
        audionet.evaluate(night, replace(options(model), channel="each"))


def test_corrections_and_the_background_are_as_prepare_has_them(
    model: ModelFiles, night: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (night.parent / "c.csv").write_text("path,label,start,end\na.wav,high,6,7.5\n")
    annotations = AnnotationOptions(corrections=night.parent / "c.csv")
    found = audionet.evaluate(night, options(model), annotations)
    assert [(clip.part, truth) for clip, truth in found.clips] == [
        ((2.5, 4), "high"),
        ((6, 7.5), "high"),
        ((1, 3), "low"),
    ]
    assert len([message for message in caplog.messages if "only the parts count" in message]) == 1


def test_what_nobody_listened_to_does_not_count(
    model: ModelFiles, night: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (night / "a.uem").write_text(";; the first five seconds, and two more\na 1 0 5\na 1 6.5 8\n")
    found = audionet.evaluate(night, options(model))
    assert [(clip.part, truth) for clip, truth in found.clips] == [
        ((2.5, 4), "high"),
        ((1, 3), "low"),
        ((6.5, 7.5), "low"),
    ]
    assert "2.5 s are marked outside of what was annotated by UEM" in caplog.text
    assert found.detection is not None
    assert found.detection.seconds == pytest.approx(6.5)

    pytest.importorskip("pyannote.metrics")
    from pyannote.core import Annotation, Segment, Timeline
    from pyannote.metrics.diarization import DiarizationErrorRate
    from pyannote.metrics.identification import IdentificationErrorRate

    truth, heard = Annotation(), Annotation()
    for start, end, label in ((1, 3, "low"), (2.5, 4, "high"), (6, 7.5, "low")):
        truth[Segment(start, end)] = label
    for turn in audionet.timeline(night / "a.wav", options(model)):
        if turn.label != "unknown":
            heard[Segment(turn.start_seconds, turn.end_seconds)] = turn.label
    listened_to = Timeline([Segment(0, 5), Segment(6.5, 8)])
    for metric, errors in (
        (DiarizationErrorRate(), found.detection.diarization),
        (IdentificationErrorRate(), found.detection.identification),
    ):
        assert errors.rate == pytest.approx(metric(truth, heard, uem=listened_to), abs=1e-4)


def test_one_file_may_say_of_many_recordings_what_was_listened_to(model: ModelFiles, night: Path) -> None:
    write_wav(night / "b.wav", chirps(2, 200, 400, 5))  # in which nothing is heard from 1 s to 3 s
    (night / "all.rttm").write_text("SPEAKER a 1 1 2 <NA> <NA> low <NA> <NA>\n")
    (night / "a.txt").unlink()
    named = night.parent / "listened-to.uem"
    named.write_text("a NA 0 4\nb NA 1 3\n")
    found = audionet.evaluate(night, options(model), AnnotationOptions(uem=named))
    assert found.detection is not None
    assert (found.detection.recordings, round(found.detection.seconds, 3)) == (2, 6)
    assert [(clip.part, truth) for clip, truth in found.clips] == [((1, 3), "low")]
    assert found.skipped == []
    folder = night.parent / "uem"
    folder.mkdir()
    (folder / "all.uem").write_text(named.read_text())
    again = audionet.evaluate(night, options(model), AnnotationOptions(uem=folder))
    assert again.detection == found.detection
    with pytest.raises(AudionetError, match=r"a\.wav: is neither a file that ends in \.uem nor a folder of such"):
        audionet.evaluate(night, options(model), AnnotationOptions(uem=night / "a.wav"))
    named.write_text("a NA 0 4\nbb NA 1 3\n")
    found = audionet.evaluate(night, options(model), AnnotationOptions(uem=named))
    assert "listened-to.uem: is about bb, which is not among the recordings" in str(found.skipped[-1])


def test_what_label_wrote_in_rttm_is_of_the_classes_whose_names_have_spaces(tmp_path: Path) -> None:
    spaced = make_untrained_model(tmp_path, PictureSettings(1, 0), ("high tones", "low tones"))
    write_wav(tmp_path / "night" / "a.wav", chirps(1, 200, 400, 5))
    turns = audionet.timeline(tmp_path / "night" / "a.wav", LabelOptions(spaced.graph))
    form = "SPEAKER a 1 {0} {1} <NA> <NA> {2} <NA> <NA>"
    lines = [form.format(t.start_seconds, t.end_seconds - t.start_seconds, t.label.replace(" ", "_")) for t in turns]
    (tmp_path / "night" / "a.rttm").write_text("\n".join(lines))
    found = audionet.evaluate(tmp_path / "night", LabelOptions(spaced.graph))
    assert found.detection is not None
    assert (found.detection.identification.rate, found.skipped) == (0, [])


def test_a_recording_that_seems_to_be_annotated_in_part_only_is_told_of_with_the_remedy(
    model: ModelFiles, night: Path
) -> None:
    always_named = replace(options(model), allow_unknown=False)
    (night / "a.txt").write_text("1\t3\tlow\n2.5\t4\thigh\n")
    (sentence,) = audionet.evaluate(night, always_named).warnings
    assert "a.wav is marked from 0:01.0 to 0:04.0 alone, and as much is heard in the rest" in sentence
    line = sentence.rpartition(": ")[2]
    (night / "a.uem").write_text(line)
    found = audionet.evaluate(night, always_named)
    assert found.warnings == []
    assert found.detection is not None
    assert found.detection.seconds == 3
    (night / "a.uem").unlink()
    (night / "a.txt").write_text("1\t3\tlow\n9\t11\thigh\n")
    assert audionet.evaluate(night, always_named).warnings == []
