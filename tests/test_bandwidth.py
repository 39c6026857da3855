"""Sounds that lie above, or far below, what is drawn by default: learnt, labelled and found at another sample rate."""

import json
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

import audionet
from audionet.audio.chunks import read_chunks
from audionet.audio.microphone import Device, listen
from audionet.dataset.checks import check_data
from audionet.dataset.samples import load_pictures, with_a_say
from audionet.errors import AudionetError
from audionet.inference.scoring import score_chunk
from audionet.inference.streaming import label_heard
from audionet.model.bundle import load_model
from audionet.options import LabelOptions, PrepareOptions
from audionet.plots.axes import row_ticks
from audionet.plots.clip import Spectrogram
from audionet.settings import PictureSettings
from audionet.spectrogram.out_of_range import RangeCheck
from audionet.spectrogram.transform import SpectrogramRenderer
from tests.conftest import Run, make_untrained_model, pitch_hz, quick_learning, read_wav, settings_of, tone, write_wav

Sound = Callable[[np.ndarray], np.ndarray]  # of times in seconds: -1 to 1


def sweep(start_hz: float, end_hz: float, seconds: float, every_seconds: float) -> Sound:
    """A call whose pitch falls or rises, with its pauses."""

    def call(times: np.ndarray) -> np.ndarray:
        within = times % every_seconds
        phase = start_hz * within + (end_hz - start_hz) * within**2 / (2 * seconds)
        loudness = np.sin(np.pi * within / seconds) ** 2
        return np.asarray(np.where(within < seconds, np.sin(2 * np.pi * phase) * loudness, 0))

    return call


def silent(times: np.ndarray) -> np.ndarray:
    """Nothing but the noise that is in each recording."""
    return np.zeros(len(times))


def sea(times: np.ndarray) -> np.ndarray:
    """Waves: noise below 100 Hz."""
    heights = np.random.default_rng(5).normal(0, 0.1, 100_000)
    return np.asarray(np.interp(times, np.arange(0, 1000, 0.01), heights))


# The option, the length of a chunk, and what is to be told apart: the last is the background. Only with the bats is it
# called so, whose events are learnt from mixtures; those of the others are found by the scores of the classes.
ANIMALS: dict[str, tuple[Sequence[str], int, float, dict[str, Sound]]] = {
    "bats": (
        ("--sample-rate", "384000"),
        384_000,
        0.5,
        {"pipistrelle": sweep(90e3, 45e3, 0.005, 0.09), "noctule": sweep(24e3, 19e3, 0.015, 0.2), "noise": silent},
    ),
    "crickets": (
        ("--sample-rate", "48000"),
        48_000,
        0.5,
        {"cricket": sweep(12e3, 12e3, 0.02, 0.06), "bush-cricket": sweep(17e3, 17e3, 0.01, 0.02), "field": silent},
    ),
    "whales": (
        ("--sample-rate", "8000", "--high-pass", "10"),
        8000,
        4.0,
        {"fin": sweep(23, 18, 1.0, 2.0), "sei": sweep(80, 35, 1.3, 2.6), "sea": sea},
    ),
}


def record(sound: Sound, rate_hz: int, seconds: float, seed: int) -> np.ndarray:
    """A recording from somewhere in a sound, with a little noise of its own."""
    random = np.random.default_rng(seed)
    times = random.uniform(0, 10) + np.arange(round(seconds * rate_hz)) / rate_hz
    return np.rint(random.normal(0, 60, len(times)) + 6000 * random.uniform(0.5, 1) * sound(times)).astype(np.int16)


@pytest.mark.parametrize("animals", ANIMALS)
def test_animals_beyond_the_usual_range_are_learnt_and_found(audionet_here: Run, tmp_path: Path, animals: str) -> None:
    options, rate_hz, chunk_seconds, sounds = ANIMALS[animals]
    for number, (name, sound) in enumerate(sounds.items()):
        for n in range(4):
            samples = record(sound, rate_hz, 3 * chunk_seconds, 10 * number + n)
            write_wav(tmp_path / "data_audio" / name / f"{name}-{n}.wav", samples, rate_hz)
    chunks = ("--chunk-seconds", chunk_seconds, "--overlap", 0)
    prepared = audionet_here("prepare", "data_audio", "--quiet", *chunks, *options)
    assert prepared.returncode == 0, prepared.stderr
    assert not prepared.stderr  # nothing is left out of the pictures, and nothing said of it
    with quick_learning():
        assert audionet_here("retrain", "--steps", 50, "--no-report").returncode == 0
    clips = [
        write_wav(tmp_path / f"{name}.wav", record(sound, rate_hz, 2 * chunk_seconds, 99), rate_hz)
        for name, sound in sounds.items()
    ]
    labelled = json.loads(audionet_here("label", *clips, "--format", "json").stdout)
    assert [clip["label"] for clip in labelled] == list(sounds)
    # A night: three chunks of nothing, three of calls, three of nothing.
    first, *_, background = sounds
    parts = [record(sounds[name], rate_hz, 3 * chunk_seconds, 50) for name in (background, first, background)]
    night = write_wav(tmp_path / "night.wav", np.concatenate(parts), rate_hz)
    heard = ("--background", background, "--merge-gap", chunk_seconds)  # one call comes after the other
    found = audionet_here("label", night, "--events", *heard, "--format", "json")
    (event,) = json.loads(found.stdout)[0]["events"]
    assert event["label"] == first
    assert event["start_seconds"] == pytest.approx(3 * chunk_seconds, abs=chunk_seconds)
    assert event["end_seconds"] == pytest.approx(6 * chunk_seconds, abs=chunk_seconds)


def rushing(rate_hz: int, seconds: float = 3, level: float = 1000.0) -> np.ndarray:
    """White noise."""
    return np.random.default_rng(7).normal(0, level, round(rate_hz * seconds))


SECONDS = np.arange(4 * 16_000) / 16_000
# By name: the sound, its rate in Hz, and at which rate its pictures would show it; None: they do as they are.
NEEDED: dict[str, tuple[np.ndarray, int, int | None]] = {
    "a cricket": (tone(12_000, 3, 0.1, 44_100) + rushing(44_100, level=30), 44_100, 48_000),
    "a cricket in the wind": (tone(12_000, 3, 0.3, 48_000) + tone(30, 3, 0.2, 48_000), 48_000, 48_000),
    "a bat in noise": (record(sweep(50e3, 40e3, 0.005, 0.1), 384_000, 3, 1), 384_000, 96_000),
    "hiss": (rushing(96_000), 96_000, None),
    "a voice with s": (tone(300, 3, 0.3, 44_100) + tone(9000, 3, 0.1, 44_100), 44_100, None),
    "digital silence of 96 kHz": (np.zeros(96_000), 96_000, None),
    "a tone at 16 kHz": (tone(7000, 3), 16_000, None),
    "a tone of 25 Hz": (tone(25, 4, 0.3), 16_000, 8000),
    "hum of 50 Hz": (tone(50, 4, 0.1), 16_000, 8000),
    "hum of 60 Hz in noise": (tone(60, 4, 0.1) + rushing(16_000, 4, 20), 16_000, 8000),
    "a whale of 20 Hz": (record(sweep(23, 18, 1.0, 2.0), 16_000, 4, 1), 16_000, 8000),
    "a deep voice in hum": (tone(50, 4, 0.3) + tone(110, 4, 0.05) + tone(330, 4, 0.01), 16_000, None),
    "a faint bird in the wind": (tone(30, 4, 0.3) + tone(3000, 4, 0.002), 16_000, None),
    "an offset alone": (np.full(64_000, 9000), 16_000, None),
    "drift": (9000 * np.sin(2 * np.pi * SECONDS), 16_000, None),
    "hiss in hum": (tone(50, 4, 0.1) + rushing(16_000, 4, 1000), 16_000, None),
    "a tone of 80 Hz": (tone(80, 4, 0.3), 16_000, None),
    "digital silence": (np.zeros(64_000), 16_000, None),
    **{f"a hydrophone's {hz} Hz": (tone(20, 4, 0.3, hz) + rushing(hz, 4, 100), hz, 8000) for hz in (500, 2000, 8000)},
}


@pytest.mark.parametrize("what", NEEDED)
def test_sound_above_and_below_what_is_drawn_is_noticed(tmp_path: Path, what: str) -> None:
    samples, rate_hz, expected = NEEDED[what]
    path = write_wav(tmp_path / "a.wav", samples.clip(-32768, 32767), rate_hz)
    tries = [(PictureSettings(1), expected)]
    if expected is None or expected == 8000:
        tries.append((PictureSettings(1, high_pass_hz=10), None))
    for settings, needed in tries:
        check = RangeCheck(path, settings)
        chunks = [weakref.ref(chunk.samples) for chunk in check.watch(read_chunks(path, settings))]
        assert [chunk() for chunk in chunks] == [None] * (2 * round(len(samples) / rate_hz) - 1)  # their memory is free
        assert check.needed_rate_hz() == needed


@pytest.mark.parametrize(
    ("name", "frequency_hz", "where", "heard", "typed"),
    [
        ("cricket", 12_000, "above 8 kHz", "above the 8 kHz", "--sample-rate 48000"),
        ("whale", 20, "below 65 Hz", "below the 65 Hz", "--high-pass 10 --sample-rate 8000"),
    ],
)
def test_prepare_label_and_retrain_name_the_option(
    audionet_here: Run, tmp_path: Path, name: str, frequency_hz: float, where: str, heard: str, typed: str
) -> None:
    for n in range(3):
        write_wav(
            tmp_path / "data_audio" / name / f"{n}.wav", tone(frequency_hz * (1 + n / 24), 2, rate_hz=48_000), 48_000
        )
        write_wav(tmp_path / "data_audio" / "frog" / f"{n}.wav", tone(1000 + 100 * n, 2, rate_hz=48_000), 48_000)
    prepare = ("prepare", "data_audio", "--chunk-seconds", 1)
    sentence = f"the sound of 3 recordings lies {where}, where nothing is drawn: add {typed}"
    for _ in range(2):  # the second time too, though nothing is drawn
        assert sentence in audionet_here(*prepare).stderr
    warnings = check_data(load_pictures(tmp_path / "tf_files" / "data_image").samples, None)
    assert [warning for warning in warnings if sentence in warning]
    assert not [warning for warning in warnings if "silent" in warning]
    label = ("label", f"data_audio/{name}/0.wav", "--graph", make_untrained_model(tmp_path, PictureSettings(1)).graph)
    for mode in ((), ("--timeline",)):
        labelled = audionet_here(*label, *mode)
        assert f"0.wav: its sound lies {heard} that the model hears" in labelled.stderr
        assert f"audionet prepare {typed}" in labelled.stderr
    (found,) = json.loads(audionet_here(*label, "--format", "json").stdout)
    assert found.get("reason") == ("inaudible" if name == "whale" else None)  # the cricket's begins with a click
    assert f"lies {where}" not in audionet_here(*prepare, *typed.split(), "--force").stderr


def test_a_folder_of_pictures_keeps_its_sample_rate(audionet_here: Run, two_classes: Path) -> None:
    assert audionet_here("prepare", two_classes, "--chunk-seconds", 1).returncode == 0
    error = audionet_here.refused("prepare", two_classes, "--chunk-seconds", 1, "--sample-rate", 48000)
    assert "--sample-rate 16000, now 48000" in error
    assert "--force" in error
    assert (
        audionet_here("prepare", two_classes, "--chunk-seconds", 1, "--sample-rate", 48000, "--force").returncode == 0
    )
    folder = two_classes.parent / "tf_files" / "data_image"
    assert settings_of(folder).sample_rate_hz == 48_000
    rate_hz, samples = read_wav(next(folder.glob("low/*.wav")))
    assert (rate_hz, len(samples)) == (48_000, 48_000)


def test_a_chunk_that_would_not_fit_into_memory_is_refused() -> None:
    assert PictureSettings(25, sample_rate_hz=384_000).chunk_samples == 25 * 384_000
    with pytest.raises(AudionetError, match=r"--chunk-seconds 26: must be from 0\.1 to 25 at --sample-rate 384000"):
        PictureSettings(26, sample_rate_hz=384_000)


@pytest.mark.parametrize(("sample_rate_hz", "frequency_hz"), [(8000, 300), (48_000, 12_000), (384_000, 45_000)])
def test_a_tone_lies_in_the_row_of_its_frequency(sample_rate_hz: int, frequency_hz: float) -> None:
    renderer = SpectrogramRenderer.make(PictureSettings(1, sample_rate_hz=sample_rate_hz))
    picture = renderer.render(tone(frequency_hz, 1, rate_hz=sample_rate_hz))
    rows = renderer.row_hz
    assert rows is not None
    loudest = rows[::-1][picture.mean(axis=1).argmax()]
    assert loudest == pytest.approx(frequency_hz, rel=0.01, abs=1.5 * sample_rate_hz / 2048)
    # The axis beside it says the same.
    (expected,) = [n for n in range(299) if rows[::-1][n] == loudest]
    places, names = row_ticks(renderer)
    ticks_hz = [float(name.split()[0]) * (1000 if "kHz" in name else 1) for name in names]
    assert max(ticks_hz) <= sample_rate_hz / 2
    order = np.argsort(ticks_hz)
    place = np.interp(loudest, np.array(ticks_hz)[order], np.array(places)[order])
    assert place == pytest.approx(1 - expected / 299, abs=0.06)


def test_a_microphone_is_heard_at_the_rate_of_the_model(tmp_path: Path) -> None:
    files = make_untrained_model(tmp_path, PictureSettings(1, sample_rate_hz=48_000))
    model = load_model(LabelOptions(files.graph))
    blocks = listen(Device("lavfi", "sine=frequency=12000:sample_rate=48000:duration=2"), 48_000)
    windows = list(label_heard(blocks, model))
    assert [window.end_seconds for window in windows] == [1, 2]
    assert all(window.has_signal for window in windows)


def test_what_label_writes_is_at_the_rate_of_the_model(audionet_here: Run, tmp_path: Path) -> None:
    files = make_untrained_model(tmp_path, PictureSettings(1, sample_rate_hz=48_000))
    clip = write_wav(tmp_path / "clip.wav", tone(12_000, 3, rate_hz=48_000), 48_000)
    options = ("label", clip, "--graph", files.graph, "--timeline", "--no-unknown")
    rows = audionet_here(*options, "--format", "raven", "--save-segments", "found").stdout.splitlines()
    assert rows[1].split("\t")[6] == "24000.0"
    saved = [read_wav(path) for path in sorted((tmp_path / "found").rglob("*.wav"))]
    assert {rate_hz for rate_hz, _ in saved} == {48_000}
    assert sum(len(samples) for _, samples in saved) == 3 * 48_000
    assert pitch_hz(saved[0][1], 48_000) == pytest.approx(12_000, abs=2)
    assert audionet_here(*options, "--plot", "clip.png").returncode == 0


def test_a_plot_shows_all_that_the_model_hears() -> None:
    spectrogram = Spectrogram(SpectrogramRenderer.make(PictureSettings(1, sample_rate_hz=384_000)))
    spectrogram.add_all([tone(45_000, 1, rate_hz=384_000)])
    assert spectrogram.seconds == 1
    rows = SpectrogramRenderer.make(PictureSettings(1, sample_rate_hz=384_000)).row_hz
    assert rows is not None
    assert rows[::-1][spectrogram.grey().mean(axis=1).argmax()] == pytest.approx(45_000, rel=0.02)


@pytest.mark.parametrize(
    ("sample_rate_hz", "high_pass_hz", "left_out_hz", "kept_hz"), [(8000, 100, 70, 300), (384_000, 1000, 700, 5000)]
)
def test_the_high_pass_is_at_its_frequency_at_any_rate(
    sample_rate_hz: int, high_pass_hz: float, left_out_hz: float, kept_hz: float
) -> None:
    settings = PictureSettings(1, sample_rate_hz=sample_rate_hz, high_pass_hz=high_pass_hz)
    renderer = SpectrogramRenderer.make(settings)
    rows = renderer.row_hz
    assert rows is not None
    frequencies = (left_out_hz, kept_hz)
    samples = sum((tone(hertz, 1, 0.4, sample_rate_hz) for hertz in frequencies), np.zeros(sample_rate_hz, np.int16))
    for picture in (renderer.render(samples), renderer.draw_strip(renderer.strip_power(samples), 1)):
        left_out, kept = (picture[::-1][np.abs(rows - hertz).argmin()].mean() for hertz in frequencies)
        assert left_out < kept - 100
        assert kept > 240


@pytest.mark.parametrize("what", ["a tone of 25 Hz", "hum of 60 Hz in noise", "drift", "an offset alone"])
def test_what_is_loud_below_the_high_pass_hides_nothing_that_is_drawn(tmp_path: Path, what: str) -> None:
    """Neither what is learnt nor what is labelled goes by the level of sound that no picture shows."""
    loud = NEEDED[what][0]
    for n in range(2):
        write_wav(tmp_path / "data_audio" / "wind" / f"{n}.wav", np.concatenate([loud, tone(1000, 4, 0.005)]))
        write_wav(tmp_path / "data_audio" / "bird" / f"{n}.wav", tone(3000, 8))
    audionet.prepare(tmp_path / "data_audio", PrepareOptions(tmp_path / "pictures", PictureSettings(4, 0)))
    learnt = with_a_say(load_pictures(tmp_path / "pictures")).samples
    assert [sample.recording for sample in learnt if sample.start_seconds == 4 and sample.class_name == "wind"] == [
        "wind/0.wav",
        "wind/1.wav",
    ]
    model = load_model(LabelOptions(make_untrained_model(tmp_path, PictureSettings(4, 0)).graph))
    clip = tmp_path / "data_audio" / "wind" / "0.wav"
    hidden, faint = (score_chunk(chunk, clip, model).level_db or 0 for chunk in read_chunks(clip, model.settings))
    assert hidden < faint == pytest.approx(-49, abs=0.2)
