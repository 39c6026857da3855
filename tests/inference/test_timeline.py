import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import audionet
from audionet import LabelOptions, PictureSettings, PrepareOptions
from audionet.dataset.names import UNKNOWN
from audionet.inference.timeline import lay_in, without_calls
from audionet.inference.windows import Segment
from tests.conftest import Run, chirps, options_in, quick_learning, write_wav


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tf_files/, in which low tones, middle ones and high ones are known."""
    folder = tmp_path_factory.mktemp("timeline")
    for n in range(4):
        for name, low, high in (("low", 200, 400), ("middle", 900, 1300), ("high", 2500, 3500)):
            write_wav(folder / "audio" / name / f"{n}.wav", chirps(10 * len(name) + n, low, high, 3))
    files = folder / "tf_files"
    audionet.prepare(folder / "audio", PrepareOptions(files / "data_image", PictureSettings(2)))
    with quick_learning():
        audionet.retrain(options_in(files, steps=500, write_report=False))
    return folder


@pytest.fixture(scope="module")
def spliced(model: Path) -> Path:
    """10 seconds of low tones, 8 of high ones, 7 of silence, 10 of middle ones."""
    return write_wav(model / "spliced sounds.wav", splice(10, 8, 7, 10))


@pytest.fixture(scope="module")
def short(model: Path) -> Path:
    """3 seconds of low tones, 3 of high ones, 4 of silence, 3 of middle ones."""
    return write_wav(model / "short spliced sounds.wav", splice(3, 3, 4, 3))


def splice(low_seconds: int, high_seconds: int, silent_seconds: int, middle_seconds: int) -> np.ndarray:
    """Low tones, high ones, silence, middle ones."""
    parts = [
        chirps(91, 200, 400, low_seconds),
        chirps(92, 2500, 3500, high_seconds),
        np.zeros(silent_seconds * 16_000, np.int16),
        chirps(93, 900, 1300, middle_seconds),
    ]
    return np.concatenate(parts)


def options(model: Path, **changes: Any) -> LabelOptions:
    return LabelOptions(model / "tf_files", **changes)


def check(segments: list[Segment], labels: list[str], borders: list[float]) -> None:
    assert [segment.label for segment in segments] == labels
    assert segments[0].start_seconds == 0
    assert all(one.end_seconds == two.start_seconds for one, two in itertools.pairwise(segments))
    assert [segment.end_seconds for segment in segments] == pytest.approx(borders, abs=1)
    assert all(0 <= segment.score <= 1 for segment in segments)


def test_it_tells_who_is_heard_when(model: Path, spliced: Path) -> None:
    found = audionet.timeline(spliced, options(model))
    check(found, ["low", "high", "unknown", "middle"], [10, 18, 25, 35])
    assert found[-1].end_seconds == pytest.approx(35, abs=0.01)


def test_turns_of_two_seconds_are_found_where_they_are(model: Path) -> None:
    bands = {"low": (200, 400), "middle": (900, 1300), "high": (2500, 3500)}
    turns = ["low", "high", "middle", "high", "low", "middle", "low", "high"]
    clip = np.concatenate([chirps(40 + n, *bands[name], 2) for n, name in enumerate(turns)])
    found = audionet.timeline(write_wav(model / "turns.wav", clip), options(model))
    assert [segment.label for segment in found] == turns
    assert [segment.end_seconds for segment in found] == pytest.approx([2 * n for n in range(1, 9)], abs=0.51)


def test_lasting_sound_that_fits_its_likeliest_class_less_than_usual_is_unknown(model: Path) -> None:
    # It lies between two classes, and no farther from the training than they do.
    clip = np.concatenate([chirps(91, 200, 400, 6), chirps(95, 1500, 2300, 20), chirps(92, 2500, 3500, 6)])
    found = audionet.timeline(write_wav(model / "between.wav", clip), options(model))
    check(found, ["low", "unknown", "high"], [6, 26, 32])


@pytest.mark.parametrize("seconds", [1.5, 4])
@pytest.mark.parametrize("hiss", [0, 12])
def test_silence_and_noise_in_pauses_have_no_say_in_the_turns(model: Path, seconds: float, hiss: float) -> None:
    bands = {"low": (200, 400), "middle": (900, 1300), "high": (2500, 3500)}
    turns = ["low", "high", "middle", "high", "low", "middle"]
    random = np.random.default_rng(0)
    parts = []
    for n, name in enumerate(turns):
        pause = random.normal(0, hiss, round(seconds * 16_000)).astype(np.int16)
        parts += [chirps(40 + n, *bands[name], 2), pause]
    found = audionet.timeline(write_wav(model / "pauses.wav", np.concatenate(parts)), options(model))
    assert [segment.label for segment in found if segment.label != UNKNOWN] == turns
    for n, name in enumerate(turns):
        start = n * (2 + seconds)
        heard = [min(s.end_seconds, start + 2) - max(s.start_seconds, start) for s in found if s.label == name]
        assert max(heard) >= 1.7


def test_the_end_of_a_clip_is_heard(model: Path) -> None:
    clip = np.concatenate([chirps(50, 200, 400, 6), chirps(51, 2500, 3500, 1.3)])
    found = audionet.timeline(write_wav(model / "end.wav", clip), options(model))
    check(found, ["low", "high"], [6, 7.3])
    assert found[-1].end_seconds == pytest.approx(7.3, abs=0.001)


def test_without_unknown_every_moment_has_a_class(model: Path, short: Path) -> None:
    found = audionet.timeline(short, options(model, allow_unknown=False))
    assert {segment.label for segment in found} <= {"low", "middle", "high"}
    assert found[0].label == "low"


def test_a_clip_shorter_than_a_window_is_one_segment(model: Path) -> None:
    clip = write_wav(model / "short.wav", chirps(5, 200, 400, 0.7))
    (segment,) = audionet.timeline(clip, options(model))
    assert (segment.start_seconds, segment.label) == (0, "low")
    assert segment.end_seconds == pytest.approx(0.7, abs=0.01)


def test_events_are_laid_into_the_background_and_into_nothing_else() -> None:
    rain, surf, owl = Segment(0, 10, "rain", 0.8), Segment(10, 20, "surf", 0.7), Segment(20, 30, "owl", 0.9)
    background = {"rain", "surf", UNKNOWN}
    calls = [Segment(9, 11, "wren", 0.6), Segment(2, 3, "owl", 0.5), Segment(2.5, 4, "wren", 0.4)]
    laid_in = lay_in([*calls, Segment(19.5, 20.5, "wren", 0.9)], [rain, surf, owl], background)
    assert [(segment.start_seconds, segment.end_seconds, segment.label) for segment in laid_in] == [
        (0, 2, "rain"),
        (2, 3, "owl"),
        (3, 4, "wren"),
        (4, 9, "rain"),
        (9, 11, "wren"),
        (11, 20, "surf"),
        (20, 30, "owl"),
    ]
    assert lay_in([], [rain, surf, owl], background) == [rain, surf, owl]
    assert lay_in([Segment(0, 30, "wren", 0.9)], [rain, surf], background) == [Segment(0, 30, "wren", 0.9)]


def test_what_is_short_and_alone_in_the_background_is_left_to_the_events() -> None:
    background = {"rain", UNKNOWN}
    segments = [Segment(0, 10, "rain", 0.8), Segment(10, 12, "owl", 0.7), Segment(12, 20, "rain", 0.6)]
    assert without_calls(segments, background) == [Segment(0, 20, "rain", 0.8)]
    lasting = [segments[0], Segment(10, 14, "owl", 0.7), Segment(14, 20, "rain", 0.6)]
    assert without_calls(lasting, background) == lasting
    two = [segments[0], segments[1], Segment(12, 14, "wren", 0.7), Segment(14, 20, "rain", 0.6)]
    assert without_calls(two, background) == two
    assert without_calls([Segment(0, 2, "owl", 0.9)], background) == [Segment(0, 2, "owl", 0.9)]


def test_a_clip_of_two_classes_says_so_as_a_whole(model: Path, audionet_here: Run) -> None:
    write_wav(model / "two.wav", np.concatenate([chirps(60, 200, 400, 4), chirps(61, 2500, 3500, 4)]))
    finished = audionet_here("label", "two.wav", cwd=model)
    assert finished.stdout.splitlines()[0].startswith("two.wav: unknown, like several classes, ")
    assert finished.stdout.splitlines()[0].endswith("; if several are heard, try --timeline")
    low, high = chirps(60, 200, 400, 4), chirps(61, 2500, 3500, 4)
    sides = np.concatenate([low, 0 * low]), np.concatenate([0 * high, high])
    write_wav(model / "sides.wav", np.stack(sides, axis=1))  # as an interview with two microphones
    finished = audionet_here("label", "sides.wav", cwd=model)
    assert finished.stdout.splitlines()[0].endswith(
        "; if several are heard, try --timeline, or --channel each where each has a channel"
    )
    (clip,) = json.loads(audionet_here("label", "two.wav", "--format", "json", cwd=model).stdout)
    assert (clip["label"], sorted(clip["several"])) == ("unknown", ["high", "low"])


def test_rttm_needs_a_timeline_and_a_timeline_the_recording(model: Path, audionet_here: Run) -> None:
    assert "add --timeline" in audionet_here.refused("label", "x.wav", "--format", "rttm", cwd=model)
    picture = next((model / "tf_files" / "data_image").glob("low/*.jpg"))
    assert "is a picture; a timeline needs the recording (skipped)" in audionet_here.refused(
        "label", picture, "--timeline", cwd=model
    )
