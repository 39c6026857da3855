"""What a clip is called, and why it is called unknown."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audionet.audio.chunks import Chunk, Part
from audionet.inference.clips import ClipScores, PartsJob, mean_scores, score_clip
from audionet.inference.scoring import ChunkScores, score_chunk, score_picture
from audionet.model.bundle import Model, load_model
from audionet.options import LabelOptions
from audionet.parallel.threads import work_through
from audionet.settings import SAMPLE_RATE_HZ, PictureSettings
from audionet.spectrogram import jpeg
from audionet.training.unknown import RejectionThresholds
from tests.conftest import Run, chirps, make_untrained_model, tone, write_wav


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A model of `high` and `low` that believes scores from .9, and nothing farther away than 100."""
    files = make_untrained_model(tmp_path_factory.mktemp("model"), PictureSettings(1, 0))
    return replace(load_model(LabelOptions(files.graph)), thresholds=RejectionThresholds(0.9, 100.0))


def scored(model: Model, high: float, distance: float) -> ClipScores:
    chunk = ChunkScores(0.0, 1.0, np.array([high, 1 - high]), distance, 1.0, True)
    return mean_scores("clip.wav", [chunk], model, allow_unknown=True)


def test_an_unknown_clip_says_whether_its_score_is_too_low_or_it_is_unlike_all(model: Model) -> None:
    known, low, strange = scored(model, 0.95, 50), scored(model, 0.8, 50), scored(model, 0.99, 150)
    assert (known.label, known.why_unknown, known.explanation) == ("high", "", "")
    assert (low.label, low.why_unknown) == ("unknown", "low_score")
    assert low.explanation == "most like high 0.80, but 0.90 is needed to believe it"
    assert (strange.label, strange.why_unknown) == ("unknown", "unlike_all")
    assert strange.explanation == "unlike all that was learnt (the best class is high 0.99)"
    several = scored(model, 0.55, 50)
    assert several.why_unknown == "several_classes"
    assert several.explanation == "like several classes, high 0.55 and low 0.45; if several are heard, try --timeline"


def test_a_clip_that_is_far_shorter_than_what_was_learnt_is_less_sure(model: Model) -> None:
    usual = replace(model, thresholds=replace(model.thresholds, usual_seconds=[8.0, 2.0]))
    sure, doubtful = scored(usual, 0.05, 50), scored(usual, 0.95, 50)
    assert (sure.label, doubtful.label, doubtful.best) == ("low", "unknown", "high")
    assert doubtful.explanation.endswith("is needed to believe it; it is far shorter than what was learnt")
    assert scored(usual, 0.7, 50).why_unknown == "low_score"  # .6 then, and no mixture
    assert [sure.score, doubtful.score] == pytest.approx([0.95, 19**0.5 / (1 + 19**0.5)])


def test_silence_is_told_from_what_sounds_above_the_band_that_is_drawn(model: Model, tmp_path: Path) -> None:
    silent = score_clip(write_wav(tmp_path / "silent.wav", np.zeros(SAMPLE_RATE_HZ, np.int16)), model)
    assert (silent.why_unknown, silent.explanation) == ("silent", "silent")
    bat = tone(40_000, 1, rate_hz=192_000)
    assert score_clip(write_wav(tmp_path / "bat.wav", bat, 192_000), model).why_unknown == "inaudible"
    faint = tone(1000, 1, amplitude=0.0005)  # -69 dB, but heard
    louder_first = np.concatenate([tone(1000, 0.4, amplitude=0.002), faint])[:SAMPLE_RATE_HZ]  # -59 dB, -61 dB in all
    for samples in (faint, louder_first):
        assert score_clip(write_wav(tmp_path / "faint.wav", samples), model).why_unknown not in ("silent", "inaudible")


def test_a_room_before_and_behind_a_sound_has_no_say(low_and_high: Path, tmp_path: Path) -> None:
    model = load_model(LabelOptions(low_and_high / "tf_files"))
    sound, room = chirps(1, 200, 400, 3), np.random.default_rng(0).normal(0, 115, (2, 4 * SAMPLE_RATE_HZ))
    clip = score_clip(write_wav(tmp_path / "a.wav", np.concatenate([room[0], sound, room[1]]).astype(np.int16)), model)
    alone = score_clip(write_wav(tmp_path / "b.wav", sound), model)
    assert (clip.label, alone.label) == ("low", "low")
    assert clip.scores == pytest.approx(alone.scores, abs=0.02)
    # By itself it is what it is: there is nothing louder.
    assert score_clip(write_wav(tmp_path / "c.wav", room[0].astype(np.int16)), model).label != "low"


def test_a_rumble_that_is_not_drawn_does_not_silence_what_is_heard_behind_it(model: Model, tmp_path: Path) -> None:
    faint = tone(1000, 1, amplitude=0.002)
    both = write_wav(tmp_path / "both.wav", np.concatenate([tone(30, 1), faint]))
    alone = write_wav(tmp_path / "alone.wav", faint)
    assert score_clip(both, model).scores == pytest.approx(score_clip(alone, model).scores)


def test_parts_that_touch_between_two_samples_are_each_scored_by_their_own_sound(model: Model, tmp_path: Path) -> None:
    clip = write_wav(tmp_path / "clip.wav", np.concatenate([tone(300, 1), tone(3000, 1)]))
    border = 1 + 0.4 / SAMPLE_RATE_HZ
    scored = work_through(PartsJob(model), (clip, (Part(0, border), Part(border, 2))))
    assert isinstance(scored, list)
    alone = [score_clip(write_wav(tmp_path / f"{hertz}.wav", tone(hertz, 1)), model) for hertz in (300, 3000)]
    assert [part and (part.seconds, part.scores) for part in scored] == [(1, clip.scores) for clip in alone]


def test_text_json_and_csv_say_why(low_and_high: Path, audionet_here: Run, tmp_path: Path) -> None:
    quiet = write_wav(tmp_path / "quiet.wav", np.zeros(SAMPLE_RATE_HZ, np.int16))
    known = low_and_high / "test_audio" / "high.wav"
    command = ["label", known, quiet, "--graph", low_and_high / "tf_files"]
    assert f"{quiet}: unknown, silent\n" in audionet_here(*command).stdout
    of_known, of_quiet = json.loads(audionet_here(*command, "--format", "json").stdout)
    assert "reason" not in of_known
    assert of_quiet["reason"] == "silent"
    first, second = csv.DictReader(io.StringIO(audionet_here(*command, "--format", "csv").stdout))
    assert (first["label"], first["best"], first["reason"]) == ("high", "high", "")
    assert (second["label"], second["reason"]) == ("unknown", "silent")
    assert second["score"] == second[f"score {second['best']}"]
    assert audionet_here("label", quiet, "--no-unknown", *command[3:]).stdout.startswith(f"{quiet}\n")


def test_a_short_sound_is_heard_as_if_there_were_no_silence_around_it(tmp_path: Path) -> None:
    """From long chunks, short sounds are learnt without silence; a network sees each moment with those around it."""
    model = load_model(LabelOptions(make_untrained_model(tmp_path, PictureSettings(20)).graph))
    word = chirps(1, 300, 3000, 0.5)
    alone = score_chunk(Chunk(0.0, word), tmp_path, model)
    for before, behind in ((2, 0), (0, 10), (5, 5)):
        silence = [np.zeros(seconds * SAMPLE_RATE_HZ, np.int16) for seconds in (before, behind)]
        chunk = Chunk(0.0, np.concatenate([silence[0], word, silence[1]]))
        within = score_chunk(chunk, tmp_path, model)
        assert within.scores == pytest.approx(alone.scores, abs=0.12)
        assert within.sounding_seconds == pytest.approx(alone.sounding_seconds, abs=0.15)
        assert within.seconds == chunk.seconds
        (tmp_path / "a.jpg").write_bytes(jpeg.draw(chunk, model.renderer))
        drawn = score_picture(tmp_path / "a.jpg", model)
        assert drawn.scores.tolist() == within.scores.tolist()
        assert (drawn.seconds, drawn.distance) == pytest.approx((within.seconds, within.distance))
