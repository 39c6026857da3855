"""label --events: calls in a night, and what is done with them."""

import json
import os
import re
import shutil
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

import audionet
from audionet import AudionetError, EventOptions, LabelOptions, PrepareOptions
from audionet.dataset.folders import find_recordings
from audionet.detection.background import background_classes
from audionet.detection.rises import NO_RISE, Rise
from audionet.inference.events import Events, EventsJob, find_events, find_learnt_events
from audionet.inference.saved_segments import SegmentSaver
from audionet.inference.scoring import ChunkScores, WindowScores
from audionet.inference.windows import Segment, Timeline
from audionet.model.bundle import Model, load_model
from audionet.model.description import LearntEvents
from audionet.parallel.threads import work_through
from audionet.settings import SAMPLE_RATE_HZ, PictureSettings, SoundChoice
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.training.unknown import RejectionThresholds
from tests.conftest import Run, options_in, pitch_hz, quick_learning, read_wav, tone, write_wav

CALLS = [(2.0, "owl"), (5.7, "wren"), (9.1, "owl"), (13.2, "wren"), (17.0, "owl"), (20.9, "wren")]


def hiss(random: np.random.Generator, seconds: float) -> np.ndarray:
    """A background: noise that is louder at low frequencies."""
    noise = np.convolve(random.normal(0, 1, round(seconds * SAMPLE_RATE_HZ)), np.ones(24) / 24, "same")
    return np.asarray(300 * noise / noise.std())


def call(random: np.random.Generator, name: str) -> np.ndarray:
    """1.5 s of an owl or a wren."""
    time = np.arange(round(1.5 * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    if name == "owl":
        return np.asarray(6000 * np.sin(2 * np.pi * random.uniform(380, 420) * time + 2 * np.sin(8 * np.pi * time)))
    beats = np.sin(2 * np.pi * random.uniform(12, 16) * time) > 0
    return np.asarray(5000 * beats * np.sin(2 * np.pi * random.uniform(3400, 3600) * time))


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of owls, wrens and the background in chunks of 2 s, and a night of 24 s."""
    folder, random = tmp_path_factory.mktemp("night"), np.random.default_rng(1)
    for n in range(4):
        for name in ("owl", "wren"):
            calls = [call(random, name) + hiss(random, 1.5) for _ in range(2)]
            write_wav(folder / "data_audio" / name / f"{n}.wav", np.concatenate(calls).astype(np.int16))
        write_wav(folder / "data_audio" / "background" / f"{n}.wav", hiss(random, 6).astype(np.int16))
    sound = hiss(random, 24)
    for start, name in CALLS:
        first = round(start * SAMPLE_RATE_HZ)
        sound[first : first + round(1.5 * SAMPLE_RATE_HZ)] += call(random, name)
    write_wav(folder / "night.wav", sound.astype(np.int16))
    write_wav(folder / "still.wav", hiss(random, 5).astype(np.int16))
    files = folder / "tf_files"
    audionet.prepare(folder / "data_audio", PrepareOptions(files / "data_image", PictureSettings(2, 0)))
    with quick_learning():
        audionet.retrain(options_in(files, steps=100, write_report=False))
    return folder


def test_six_calls_of_a_second_and_a_half_are_found_and_saved_and_no_other(
    night: Path, audionet_here: Run, tmp_path: Path
) -> None:
    command = ("label", "night.wav", "--events", "--format", "json", "--save-segments", tmp_path / "found")
    (clip,) = json.loads(audionet_here.done(*command, cwd=night))
    assert clip.keys() == {"clip", "events"}
    events = clip["events"]
    assert [event["label"] for event in events] == [name for _, name in CALLS]
    assert [event["start_seconds"] for event in events] == pytest.approx([start for start, _ in CALLS], abs=0.6)
    assert [event["end_seconds"] for event in events] == pytest.approx([start + 1.5 for start, _ in CALLS], abs=0.75)
    assert all(0.5 < event["score"] <= 1 for event in events)

    saved = sorted((tmp_path / "found").rglob("*.wav"), key=lambda path: path.name)
    assert [path.parent.name for path in saved] == [name for _, name in CALLS]
    _, sound = read_wav(night / "night.wav")
    for path, event in zip(saved, events, strict=True):
        assert path.stem == f"night_{event['start_seconds']:09.2f}s_{event['score']:.2f}"
        first, last = (round(event[f"{side}_seconds"] * SAMPLE_RATE_HZ) for side in ("start", "end"))
        assert np.array_equal(read_wav(path)[1], sound[first:last])


def test_on_a_page_an_event_has_its_score_and_the_background_none(
    night: Path, audionet_here: Run, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    events = sorted(
        json.loads(
            audionet_here.done("label", "night.wav", "--events", "--format", "json", "--report", page, cwd=night)
        )[0]["events"],
        key=lambda event: event["score"],
    )
    tops = re.findall('<ol class="top">(.*?)</ol>', page.read_text(encoding="utf-8"), re.DOTALL)
    assert not any("background" in top for top in tops)
    firsts = [re.findall('class="(?:label|figure)">(.*?)<', top)[:2] for top in tops]
    assert firsts == [[event["label"], f"{event['score']:.2f}"] for event in events]


def test_recordings_of_one_name_are_saved_beside_each_other(tmp_path: Path) -> None:
    stereo = np.stack([tone(400, 2), tone(3000, 2)], axis=1)
    paths = [write_wav(tmp_path / place / "a.wav", stereo) for place in ("in/x", "in/y", "p", "q")]
    saver = SegmentSaver(tmp_path / "found", [tmp_path / "in"], SoundChoice(channel="right"))
    names = []
    for path in paths:
        (saved,) = saver.save(path, Timeline(str(path), [Segment(0.5, 1.5, "wren", 0.9)], 2.0))
        names.append(saved.name)
        assert pitch_hz(read_wav(saved)[1]) == pytest.approx(3000, abs=5)
    assert [name[:3] for name in names] == ["x-a", "y-a", "a_0", names[3][:3]]
    assert len(set(names)) == 4
    recordings, _ = find_recordings(tmp_path / "found")
    assert sorted(str(recording.group) for recording in recordings) == sorted(
        ["x-a", "y-a", "a", names[3].partition("_")[0]]
    )


def test_segments_of_an_earlier_run_are_told_of_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "found"
    paths = [write_wav(tmp_path / name, tone(400, 3)) for name in ("a.wav", "b.wav", "standard input")]

    def save(start_seconds: float) -> list[str]:
        saver, saved = SegmentSaver(folder), list[Path]()
        for path in paths:
            clip = "-" if path.name == "standard input" else str(path)
            saved += saver.save(path, Timeline(clip, [Segment(start_seconds, start_seconds + 1, "owl", 0.9)], 3.0))
        return [path.name for path in saved]

    assert save(1) == save(1) == [f"{name}_000001.00s_0.90.wav" for name in ("a", "b", "standard input")]
    assert caplog.text == ""
    save(2)
    (warning,) = caplog.messages
    assert "a.wav there are segments from before, which are left (owl/a_000001.00s_0.90.wav)" in warning


def test_of_a_long_segment_little_is_held_and_one_within_it_is_saved_too(tmp_path: Path) -> None:
    path, sound = tmp_path / "night.aiff", np.tile(tone(400, 60), 5)
    soundfile.write(path, sound, SAMPLE_RATE_HZ)
    segments = [Segment(0, 300, "rain", 0.9), Segment(100, 101, "owl", 0.9), Segment(299, 310, "end", 0.9)]
    tracemalloc.start()
    try:
        rain, owl, end = SegmentSaver(tmp_path / "found").save(path, Timeline(str(path), segments, 300.0))
        assert tracemalloc.get_traced_memory()[1] < 10e6  # the sound has 19 MB
    finally:
        tracemalloc.stop()
    for saved, expected in ((rain, sound), (owl, sound[1_600_000:1_616_000]), (end, sound[4_784_000:])):
        assert np.array_equal(read_wav(saved)[1], expected)


def test_a_timeline_has_the_same_calls(night: Path, audionet_here: Run) -> None:
    finished = audionet_here("label", "night.wav", "--timeline", "--format", "json", cwd=night)
    (clip,) = json.loads(finished.stdout)
    labels = [segment["label"] for segment in clip["segments"]]
    assert [label for label in labels if label != "background"] == [name for _, name in CALLS]


def test_a_graph_for_tensorflow_has_no_scores_of_events_and_finds_them_by_those_of_its_classes(
    night: Path, tmp_path: Path
) -> None:
    _, sound = read_wav(night / "night.wav")
    clip = write_wav(tmp_path / "clip.wav", sound[: 5 * SAMPLE_RATE_HZ])
    for name in ("retrained_graph.pb", "retrained_graph.json"):
        shutil.copy(night / "tf_files" / name, tmp_path)
    learnt = load_model(LabelOptions(tmp_path))
    assert learnt.detection is not None
    found = [work_through(EventsJob(model), clip) for model in (learnt, replace(learnt, detection=None))]
    assert found[0] == found[1]
    assert isinstance(found[0], Events)
    assert [event.label for event in found[0].segments] == ["owl"]


def test_as_text_a_clip_without_events_says_so(night: Path, audionet_here: Run) -> None:
    finished = audionet_here("label", "still.wav", "--events", cwd=night)
    assert (finished.returncode, finished.stdout) == (0, "still.wav: no events\n")


def test_windows_come_with_all_scores(night: Path, audionet_here: Run) -> None:
    finished = audionet_here("label", "still.wav", "--windows", "--format", "json", cwd=night)
    (clip,) = json.loads(finished.stdout)
    assert [window["start_seconds"] for window in clip["windows"]] == [n / 2 for n in range(8)]
    assert {tuple(window["scores"]) for window in clip["windows"]} == {("background", "owl", "wren")}
    assert all(sum(window["scores"].values()) == pytest.approx(1, abs=1e-3) for window in clip["windows"])
    rows = audionet_here("label", "still.wav", "--windows", "--format", "csv", cwd=night).stdout.splitlines()
    assert rows[0] == "clip,start_seconds,end_seconds,best,score,score background,score owl,score wren,audible"
    assert len(rows) == 9


def test_a_threshold_holds_for_labels_too(night: Path, audionet_here: Run) -> None:
    (clip,) = audionet.label(night / "still.wav", LabelOptions(night / "tf_files"))
    assert clip.label == "background"
    finished = audionet_here("label", "still.wav", "--threshold", 1, "--format", "json", cwd=night)
    assert json.loads(finished.stdout)[0]["label"] == "unknown"
    # Of one class alone, and that goes before what is said of all.
    for typed, label in (
        (["owl=1"], "background"),
        (["owl=1", "background=1"], "unknown"),
        (["1", "background=0.01"], "background"),
    ):
        given = [word for score in typed for word in ("--threshold", score)]
        finished = audionet_here("label", "still.wav", *given, "--format", "json", cwd=night)
        assert json.loads(finished.stdout)[0]["label"] == label, typed
        assert finished.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--events", "--threshold", "1.5"], "--threshold 1.5: must be over 0 and at most 1"),
        (["--events", "--threshold", "owl=0"], "--threshold owl=0: must be over 0 and at most 1"),
        (["--events", "--threshold", "owl"], "owl: must be a number, such as 0.7, or owl=0.7"),
        (
            ["--events", "--threshold", "owls=0.5"],
            "--threshold owls: the model has no such class (it has background, owl and wren)",
        ),
        (["--timeline", "--threshold", "owl=0.5"], "--threshold: of a timeline it is one number for all classes"),
        (["--threshold", "owl=0.5", "--no-unknown"], "and --no-unknown nothing; leave out one"),
        (["--events", "--min-seconds", "-1"], "--min-seconds -1: must be at least 0 seconds"),
        (["--events", "--merge-gap", "nan"], "--merge-gap nan: must be at least 0 seconds"),
        (["--events", "--background", "backgruond"], "the model has no such class (it has background, owl and wren)"),
        (["--background", "owl"], "--background: is about events; add --events"),
        (["--save-segments", "x"], "--save-segments: saves what is heard when; add --timeline or --events"),
        (["--windows", "--threshold", "0.9"], "--windows prints all scores; leave out one"),
        (["--events", "--save-segments", "still.wav"], "still.wav: is there already, and is no folder"),
        (
            [".", "--events", "--save-segments", "found"],
            "found: lies in ., all of which is labelled, so that the segments",
        ),
        (["--plot", "/dev/null"], "/dev/null: is there already, and is no folder, which is needed; name another"),
        (["--plot", "still.wav/x.png"], "still.wav: is there already, and is no folder"),
        (["--report", "still.wav/x.html"], "still.wav: is there already, and is no folder"),
        (["--plot", "x.png", "--report", "x.png"], "x.png: is named for two things, and would be lost as one of them"),
        (["--report", "/dev/null"], "/dev/null: is no file, and a report is one; name another place"),
        (["--threshold", "0.9", "--no-unknown"], "and --no-unknown nothing; leave out one"),
        (["--windows", "--plot", "x"], "--plot: draws classes, timelines and events; leave out --windows"),
        (["--format", "raven"], "--format raven: lists what is heard when; add --timeline or --events"),
    ],
)
def test_what_makes_no_sense_is_said(night: Path, audionet_here: Run, arguments: list[str], message: str) -> None:
    assert message in audionet_here.refused("label", "still.wav", *arguments, cwd=night)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
@pytest.mark.parametrize(
    "place", [["--save-segments", "locked/x"], ["--report", "locked/x.html"], ["--plot", "locked/x"]]
)
def test_a_place_where_nothing_can_be_written_is_said_before_a_night_is_heard(
    night: Path, audionet_here: Run, place: list[str]
) -> None:
    (night / "locked").mkdir(mode=0o500, exist_ok=True)
    finished = audionet_here("label", "still.wav", "--events", *place, cwd=night)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert "locked: nothing can be written in this folder; name another place" in finished.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--timeline", "--top", "2"], "--top: changes nothing here"),
        (["--events", "--top", "2", "--plot", "x"], "--top: changes nothing here"),
        (["--format", "json", "--top", "2"], "--top: changes nothing here"),
        (["--windows", "--no-unknown"], "--no-unknown: changes nothing here"),
        (["--top", "2"], ""),
        (["--format", "json", "--top", "2", "--plot", "x"], ""),
    ],
)
def test_what_changes_nothing_is_said(night: Path, audionet_here: Run, arguments: list[str], message: str) -> None:
    finished = audionet_here("label", "still.wav", *arguments, cwd=night)
    assert finished.returncode == 0
    assert message in finished.stderr if message else not finished.stderr


def model_of(*labels: str) -> Model:
    """A model of which the labels and thresholds alone are used."""
    renderer = SpectrogramRenderer.make(PictureSettings(2))
    network: object = None
    return Model(list(labels), renderer, network, RejectionThresholds(0.5, 100.0))  # type: ignore[arg-type]


def windows_of(
    *rows: tuple[float, ...], distance: float = 1.0, step: float = 0.5, seconds: float = 1.5
) -> WindowScores:
    """Windows of 1.5 s every half second, with these scores."""
    windows = [ChunkScores(n * step, seconds, np.array(row), distance, seconds, True) for n, row in enumerate(rows)]
    return WindowScores.of(windows)


QUIET, CALL, FAINT = (0.95, 0.05), (0.1, 0.9), (0.6, 0.4)


def test_events_near_to_each_other_are_one_and_short_ones_left_out() -> None:
    model = model_of("background", "owl")
    rows = [QUIET] * 4 + [CALL] * 3 + [QUIET] * 3 + [CALL] * 3 + [QUIET] * 4
    two = find_events(windows_of(*rows), model, EventOptions(merge_gap_seconds=0.2))
    assert len(two) == 2
    gap = two[1].start_seconds - two[0].end_seconds
    (one,) = find_events(windows_of(*rows), model, EventOptions(merge_gap_seconds=gap + 0.01))
    assert (one.start_seconds, one.end_seconds) == (two[0].start_seconds, two[1].end_seconds)
    assert find_events(windows_of(*rows), model, EventOptions(min_seconds=60)) == []


def test_what_is_faint_or_far_from_the_training_is_no_event() -> None:
    model = model_of("background", "owl")
    rows = [QUIET] * 4 + [FAINT] * 5 + [QUIET] * 4
    assert find_events(windows_of(*rows), model, EventOptions()) == []
    rows = [QUIET] * 4 + [CALL] * 5 + [QUIET] * 4
    assert len(find_events(windows_of(*rows), model, EventOptions())) == 1
    assert find_events(windows_of(*rows, distance=200), model, EventOptions()) == []
    assert len(find_events(windows_of(*rows, distance=200), model, EventOptions(), allow_unknown=False)) == 1


def test_a_threshold_of_one_class_is_of_its_events_alone() -> None:
    model = model_of("background", "owl", "wren")
    quiet, owl, wren = (0.9, 0.05, 0.05), (0.1, 0.8, 0.1), (0.1, 0.1, 0.8)
    windows = windows_of(*[quiet] * 4, *[owl] * 5, *[quiet] * 4, *[wren] * 5, *[quiet] * 4)

    def found(**min_scores: float) -> list[str]:
        by_number = {model.labels.index(name): score for name, score in min_scores.items()}
        return [event.label for event in find_events(windows, replace(model, min_scores=by_number), EventOptions())]

    assert found() == ["owl", "wren"]
    assert found(owl=0.85) == ["wren"]
    assert found(owl=0.75, wren=0.85) == ["owl"]


def learnt_windows(*rows: tuple[float, ...]) -> WindowScores:
    """Windows of 1 s every quarter of a second, with these scores of each class against the rest."""
    return windows_of(*rows, step=0.25, seconds=1.0)


def test_learnt_events_stand_out_of_a_background_that_goes_on() -> None:
    labels, detection = ["background", "owl", "wren"], LearntEvents(("background",), (0.4, 0.4, 0.4))
    none, some, full = (0.9, 0.0, 0.1), (0.9, 0.4, 0.1), (0.8, 0.8, 0.1)
    rows = [none] * 4 + [some, full, full, full, some] + [none] * 6 + [(0.9, 0.0, 0.39)] * 4 + [none] * 4
    (event,) = find_learnt_events(learnt_windows(*rows), labels, detection, EventOptions())
    # The middle of the first full window is at 1.75 s; from there on down to 0.65 of 0.8, at 0.7 of the way to `some`.
    assert event.label == "owl"
    assert event.score == pytest.approx(0.8)
    assert event.start_seconds == pytest.approx(1.75 - 0.175)
    assert event.end_seconds == pytest.approx(2.25 + 0.175)
    assert find_learnt_events(learnt_windows(*rows), labels, detection, EventOptions(("owl",))) != [event]
    low = LearntEvents(("background",), (0.4, 0.4, 0.25))  # the wren is usually heard a little, at 0.1
    assert [e.label for e in find_learnt_events(learnt_windows(*rows), labels, low, EventOptions())] == ["owl", "wren"]
    assert find_learnt_events(learnt_windows(*rows), labels, detection, EventOptions(min_seconds=2)) == []


def test_what_a_background_usually_scores_is_no_event_and_what_lasts_is_one() -> None:
    labels, detection = ["rain", "fire", "owl"], LearntEvents(("rain",), (0.4, 0.4, 0.4))
    crackling = [(0.9, (0.3, 0.35, 0.45)[n % 3], 0.0) for n in range(480)]  # of two minutes
    assert find_learnt_events(learnt_windows(*crackling), labels, detection, EventOptions()) == []
    crackling[240:248] = [(0.9, 0.95, 0.0)] * 8
    (event,) = find_learnt_events(learnt_windows(*crackling), labels, detection, EventOptions())
    assert (event.label, event.start_seconds < 61 < event.end_seconds) == ("fire", True)
    burning = [(0.9, 0.8, 0.0)] * 480
    (event,) = find_learnt_events(learnt_windows(*burning), labels, detection, EventOptions())
    assert (event.label, event.start_seconds, event.end_seconds) == ("fire", 0.0, 479 / 4 + 1)


def test_what_rises_out_of_the_sound_around_needs_a_lower_score_and_tells_the_borders() -> None:
    labels, detection = ["background", "owl", "wren"], LearntEvents(("background",), (0.4, 0.4, 0.4))
    none, some, faint = (0.9, 0.0, 0.0), (0.9, 0.2, 0.0), (0.9, 0.35, 0.0)
    rows = [none] * 8 + [some, faint, some] + [none] * 8
    assert find_learnt_events(learnt_windows(*rows), labels, detection, EventOptions()) == []

    def with_rise(start_seconds: float, end_seconds: float) -> WindowScores:
        rise = Rise(20.0, start_seconds, end_seconds)
        rises = [rise if 8 <= n <= 10 else NO_RISE for n in range(len(rows))]
        return replace(learnt_windows(*rows), rise=np.array(rises))

    # The middle of the faint window is at 2.75 s; its score falls to 0.65 of 0.35 at 0.82 of the way to `some`.
    scored_start, scored_end = 2.75 - 0.204, 2.75 + 0.204
    (event,) = find_learnt_events(with_rise(2.3, 2.9), labels, detection, EventOptions())
    assert event.label == "owl"
    assert event.score == pytest.approx(0.35)
    assert event.start_seconds == pytest.approx((scored_start + 2.3) / 2, abs=0.01)
    assert event.end_seconds == pytest.approx((scored_end + 2.9) / 2, abs=0.01)
    # A step between windows is as far as a border moves.
    (event,) = find_learnt_events(with_rise(1.8, 3.7), labels, detection, EventOptions())
    assert event.start_seconds == pytest.approx(scored_start - 0.25, abs=0.01)
    assert event.end_seconds == pytest.approx(scored_end + 0.25, abs=0.01)
    # What lasts much longer, or shorter, than the event is something else.
    (event,) = find_learnt_events(with_rise(1.0, 3.0), labels, detection, EventOptions())
    assert event.start_seconds == pytest.approx(scored_start, abs=0.01)
    assert event.end_seconds == pytest.approx(scored_end, abs=0.01)
    # A threshold that somebody names holds for all events.
    named = detection.believed_from({0: 0.4, 1: 0.4, 2: 0.4})
    assert find_learnt_events(with_rise(2.3, 2.9), labels, named, EventOptions()) == []
    named = detection.believed_from({1: 0.4})
    assert find_learnt_events(with_rise(2.3, 2.9), labels, named, EventOptions()) == []
    (event,) = find_learnt_events(with_rise(2.3, 2.9), labels, detection.believed_from({2: 0.4}), EventOptions())
    assert event.label == "owl"
    # What is nothing to any class is no event, however it rises.
    silent = replace(with_rise(2.3, 2.9), scores=np.array([none] * len(rows), np.float32))
    assert find_learnt_events(silent, labels, detection, EventOptions()) == []


def test_events_that_rise_do_not_reach_into_each_other() -> None:
    labels, detection = ["background", "owl", "wren"], LearntEvents(("background",), (0.4, 0.4, 0.4))
    owl, both, wren, none = (0.5, 0.7, 0.0), (0.5, 0.7, 0.58), (0.5, 0.0, 0.9), (0.9, 0.0, 0.0)
    windows = learnt_windows(*[none] * 4, *[owl] * 5, both, *[wren] * 4, *[none] * 4)
    # Each ends, or begins, well within the other, if the rises alone are asked.
    rises = [Rise(20.0, 0.6, 3.2) if n < 9 else Rise(20.0, 1.9, 4.7) for n in range(len(windows))]
    rising = replace(windows, rise=np.array(rises))
    first, second = find_learnt_events(rising, labels, detection, EventOptions())
    assert (first.label, second.label) == ("owl", "wren")
    assert first.end_seconds == second.start_seconds


def test_two_classes_that_follow_each_other_are_two_events_and_a_clip_may_begin_and_end_with_one() -> None:
    labels, detection = ["background", "owl", "wren"], LearntEvents(("background",), (0.4, 0.4, 0.4))
    owl, wren, none = (0.5, 0.9, 0.0), (0.5, 0.0, 0.7), (0.9, 0.0, 0.0)
    events = find_learnt_events(learnt_windows(*[owl] * 4, *[none] * 4, *[wren] * 4), labels, detection, EventOptions())
    assert [event.label for event in events] == ["owl", "wren"]
    assert events[0].start_seconds == 0
    assert events[1].end_seconds == pytest.approx(11 / 4 + 1)
    assert events[0].end_seconds < events[1].start_seconds


def test_the_model_keeps_what_it_learnt_of_its_background(night: Path) -> None:
    options = LabelOptions(night / "tf_files")
    detection = load_model(options).detection
    assert detection is not None
    assert detection.background == ("background",)
    assert all(0.3 <= threshold <= 0.6 for threshold in detection.thresholds)
    asked_for = load_model(replace(options, threshold=0.9)).detection
    assert asked_for is not None
    assert set(asked_for.thresholds) == {0.9}


def test_the_background_is_named_or_asked_for() -> None:
    assert background_classes(["owl", "Noise", "rain"]) == {"Noise"}
    assert background_classes(["owl", "nocall"]) == {"nocall"}
    assert background_classes(["yes", "_background_noise_", "noisy miner"]) == {"_background_noise_"}
    assert background_classes(["owl", "noise", "rain"], ["rain"]) == {"rain"}
    assert background_classes(["owl", "wren"]) == set()
    assert background_classes(["background", "noise"]) == set()
    with pytest.raises(AudionetError, match="names all classes"):
        background_classes(["noise"], ["noise"])
