"""`import audionet` as people type it: text for paths, one clip for clips, in a notebook too."""

import json
import logging
import os
import shutil
import sys
import types
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import audionet
from audionet import (
    AnnotationOptions,
    DetectionOptions,
    EventOptions,
    LabelOptions,
    PictureSettings,
    PrepareOptions,
    RetrainOptions,
)
from audionet.commands import retrain as retrain_module
from audionet.errors import AudionetError
from audionet.hub.tfhub import module_asked_for
from audionet.settings import SoundChoice, TlsScheduler
from audionet.system.progress import Bars, chosen, silent
from tests.conftest import Run, chirps, make_untrained_model, write_wav


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_untrained_model(tmp_path / "model", PictureSettings(1, 0))
    write_wav(tmp_path / "clips" / "low" / "a.wav", chirps(0, 200, 400, 1))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_text_is_taken_for_paths_everywhere(here: Path) -> None:
    (here / "table.csv").write_text("path,label\nlow/a.wav,low\n")
    report = audionet.prepare(
        "clips",
        PrepareOptions(image_dir="p", metadata="table.csv", pictures=PictureSettings(1)),  # type: ignore[arg-type]
    )
    assert report.made == 1
    options = LabelOptions(graph="model/retrained_graph.pb", labels="model/retrained_labels.txt")  # type: ignore[arg-type]
    (clip,) = audionet.label("clips/low/a.wav", options)
    assert [found.scores for found in audionet.label(["clips/low/a.wav"], options)] == [clip.scores]
    assert audionet.timeline("clips/low/a.wav", options) == audionet.timeline(["clips/low/a.wav"], options)
    assert audionet.evaluate("clips", options).confusion.count == 1
    with pytest.raises(AudionetError, match="holds only one class"):
        audionet.retrain(RetrainOptions(image_dir="p", output_graph="m/g.pb", report="m/r.html"))  # type: ignore[arg-type]


def test_a_timeline_is_of_one_recording(here: Path) -> None:
    with pytest.raises(AudionetError, match="this is of one recording, not of 2; call it for each"):
        audionet.timeline(["a.wav", "b.wav"], LabelOptions(here / "model" / "retrained_graph.pb"))


def test_labels_lie_beside_the_graph_wherever_that_is(here: Path) -> None:
    clip = here / "clips" / "low" / "a.wav"
    scores = audionet.label(clip, LabelOptions(here / "model" / "retrained_graph.pb"))[0].scores
    assert audionet.label(clip, LabelOptions(here / "model"))[0].scores == scores
    (here / "model").rename(here / "moved")
    for name, text in (("labels.txt", "high\r\nlow\r\n"), ("retrained_labels.txt", "\ufeffhigh\nlow\n")):
        (here / "moved" / "retrained_labels.txt").unlink(missing_ok=True)
        (here / "moved" / name).write_bytes(text.encode())
        assert audionet.label(clip, LabelOptions(here / "moved" / "retrained_graph.pb"))[0].scores == scores


def test_a_folder_stands_for_the_model_in_it_whatever_that_is_called(here: Path) -> None:
    clip = here / "clips" / "low" / "a.wav"
    scores = audionet.label(clip, LabelOptions(here / "model"))[0].scores
    (here / "model" / "retrained_graph.pb").unlink()  # which label does not need
    assert audionet.label(clip, LabelOptions(here / "model"))[0].scores == scores
    for ending in ("tflite", "json"):
        (here / "model" / f"retrained_graph.{ending}").rename(here / "model" / f"birds.{ending}")
    assert audionet.label(clip, LabelOptions(here / "model"))[0].scores == scores
    shutil.copy(here / "model" / "birds.tflite", here / "model" / "bats.tflite")
    with pytest.raises(AudionetError, match=r"model: holds several models \(bats.pb and birds.pb\); name one of them"):
        audionet.label(clip, LabelOptions(here / "model"))
    with pytest.raises(AudionetError, match="clips: holds no model; train one with audionet retrain"):
        audionet.label(clip, LabelOptions(here / "clips"))


@pytest.mark.parametrize("name", ["nothing.pb", "nothing.tflite", "nothing.json", "nothing"])
def test_a_model_that_is_not_there_is_called_as_it_was_typed(here: Path, name: str) -> None:
    with pytest.raises(AudionetError, match=rf"^{name}: no such model file; train one with .* name it with --graph$"):
        audionet.label(here / "clips" / "low" / "a.wav", LabelOptions(Path(name)))
    with pytest.raises(AudionetError, match=r"; did you mean retrained_graph.tflite\?$"):
        audionet.label(here / "clips" / "low" / "a.wav", LabelOptions(here / "model" / "retraind_graph.tflite"))


def test_a_notebook_shows_how_far_the_work_is(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert chosen(None) is silent
    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    shell = types.ModuleType("IPython")
    shell.get_ipython = object  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", shell)
    assert isinstance(chosen(None), Bars)
    assert chosen(silent) is silent
    audionet.prepare("clips", PrepareOptions(here / "pictures"))
    shown = capsys.readouterr().out
    assert "recordings:   0%|" in shown
    assert shown.endswith("\r")  # it is wiped away at the end
    assert retrain_module.retrain.__kwdefaults__ == {"progress": None}


IMPOSSIBLE = ["nul\0.wav", "\ud800.wav", "x" * 300]


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_no_file_can_be_called_is_a_sentence_everywhere(here: Path, name: str) -> None:
    # pytest-xdist cannot send what is logged of half a character to the process that reports.
    logging.getLogger("audionet").setLevel(logging.CRITICAL)
    options = LabelOptions(here / "model")
    tries: list[Callable[[], object]] = [
        lambda: audionet.prepare(name, PrepareOptions(here / "p")),
        lambda: audionet.evaluate(name, options),
        lambda: audionet.timeline(name, options),
        lambda: audionet.events(Path(name), options),
        lambda: TlsScheduler("tls://x:1", Path(name), Path(name)),
    ]
    records: list[Any] = [PrepareOptions, RetrainOptions, LabelOptions, AnnotationOptions]
    for record in records:
        paths = [each.name for each in fields(record) if "Path" in str(each.type)]
        tries += [partial(record, **{path: kind(name)}) for path in paths for kind in (str, Path)]
    for attempt in tries:
        with pytest.raises(AudionetError, match=r"no file can be called that|File name too long|no such file"):
            attempt()
    assert module_asked_for(RetrainOptions(tfhub_module=name))
    clip = here / "clips" / "low" / "a.wav"
    assert [one.clip for one in audionet.label([name, clip], options)] == [str(clip)]
    heard = audionet.label([Path(name), clip], LabelOptions(here / "model", channel="each"))
    assert [one.clip for one in heard] == [str(clip)]


def test_nothing_is_not_the_current_folder(here: Path, audionet_here: Run) -> None:
    options = LabelOptions(here / "model")
    assert [clip.clip for clip in audionet.label(["", "clips/low/a.wav"], options)] == ["clips/low/a.wav"]
    for attempt in (lambda: audionet.prepare(""), lambda: LabelOptions(""), lambda: PrepareOptions(image_dir="")):  # type: ignore[arg-type]
        with pytest.raises(AudionetError, match=r"is no path; write '\.' for the current folder"):
            attempt()
    for typed in (["label", "", "--graph", "model"], ["prepare", ""], ["prepare", "clips", "--image-dir="]):
        assert "is empty; write what is meant (the current folder is .)" in audionet_here.refused(*typed)
    assert "audionet: --colormap: is empty; write" in audionet_here("prepare", "clips", "--colormap", "").stderr
    assert audionet_here("label", ".", "--graph", "model").returncode == 0


@pytest.mark.parametrize("name", IMPOSSIBLE[:2])
def test_a_word_that_no_shell_passes_on_is_a_sentence(name: str, audionet_here: Run) -> None:
    for typed in (["label", name], ["prepare", "a", "--image-dir", name], ["label", "x", "--report", name]):
        assert "holds what neither a name nor a value can" in audionet_here.refused(*typed)


@pytest.mark.parametrize(
    "typed", [["label", "--top=--"], ["retrain", "--image-dir=--"], ["prepare", "a", "--image-dir", "a/" * 2000]]
)
def test_a_word_that_argparse_or_python_stumbles_over_is_a_sentence(typed: list[str], audionet_here: Run) -> None:
    error = audionet_here.refused(*typed)
    assert "--: is no value" in error or "is a path of more than 500 folders" in error


class OtherPath(os.PathLike[str]):
    """A path of another library."""

    def __init__(self, place: str) -> None:
        self.place = place

    def __fspath__(self) -> str:
        return self.place


def test_a_clip_may_be_any_path_and_any_list_of_one(here: Path) -> None:
    options, clip = LabelOptions(here / "model"), "clips/low/a.wav"
    forms: list[Any] = [np.str_(clip), np.array([clip]), (c for c in [clip]), (clip,), OtherPath(clip)]
    scores = audionet.label(clip, options)[0].scores
    for form in forms:
        assert audionet.label(form, options)[0].scores == scores
    for heard in (audionet.timeline, audionet.events):
        expected = heard(clip, options)
        for form in (np.array([clip]), (c for c in [clip]), [Path(clip)], OtherPath(clip)):
            assert heard(form, options) == expected  # type: ignore[arg-type]
        with pytest.raises(AudionetError, match="of one recording, not of 0"):
            heard([], options)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: PrepareOptions(keep_wav="no"), "keep_wav 'no': must be True or False"),  # type: ignore[arg-type]
        (lambda: PrepareOptions(jobs=2.5), "jobs 2.5: must be a whole number"),  # type: ignore[arg-type]
        (lambda: PrepareOptions(jobs=True), "jobs True: must be a whole number"),
        (lambda: PrepareOptions(pictures=3), "pictures 3: must be PictureSettings"),  # type: ignore[arg-type]
        (lambda: PictureSettings(None), "chunk_seconds None: must be a number"),  # type: ignore[arg-type]
        (lambda: PictureSettings(sample_rate_hz=16000.5), "sample_rate_hz 16000.5: must be a whole"),  # type: ignore[arg-type]
        (lambda: PictureSettings(window_samples=512.5), "window_samples 512.5: must be a whole"),  # type: ignore[arg-type]
        (lambda: PictureSettings(colormap=None), "colormap None: must be text"),  # type: ignore[arg-type]
        (lambda: PictureSettings(chunk_seconds=10**400), "chunk_seconds 10*: must be a number"),
        (lambda: PictureSettings(representation="Mel"), "--representation Mel: must be one of mel, spectrogram, chrom"),
        (lambda: PictureSettings(window_samples=4096), "window_samples 4096: must be from 64 to 2048"),
        (lambda: PictureSettings(sample_rate_hz=0), "--sample-rate 0: must be from 8000 to 384000"),
        (lambda: PictureSettings(sample_rate_hz=7999), "--sample-rate 7999: must be from 8000 to 384000"),
        (lambda: PictureSettings(sample_rate_hz=384_001), "--sample-rate 384001: must be from 8000 to 384000"),
        (lambda: DetectionOptions("turns"), "^kind turns: must be one of events, timeline"),
        (lambda: SoundChoice(track="1"), "track '1': must be a whole number"),  # type: ignore[arg-type]
        (lambda: RetrainOptions(steps=None), "steps None: must be a whole number"),  # type: ignore[arg-type]
        (lambda: RetrainOptions(image_dir=None), "image_dir None: must be a path"),  # type: ignore[arg-type]
        (lambda: RetrainOptions(background=3), "background 3: must be a list of names"),  # type: ignore[arg-type]
        (lambda: RetrainOptions(steps=0), "--steps 0: must be at least 1"),
        (lambda: RetrainOptions(learning_rate=0), "--learning-rate 0: must be over 0"),
        (lambda: RetrainOptions(folds=10**400), "--folds: must be at most 2147483647"),
        (lambda: RetrainOptions(output_graph=Path()), "--output-graph .: must end in a name, such as birds"),
        (lambda: RetrainOptions(saved_model_dir=Path("/")), "--saved-model-dir /: must end in a name"),
        (lambda: RetrainOptions(checkpoint_path=Path("..")), r"--checkpoint-path ..: must end in a name"),
        (lambda: RetrainOptions(final_tensor_name="two words"), "--final-tensor-name two words: letters, digits"),
        (lambda: RetrainOptions(train_batch_size=-2), "--train-batch-size -2"),
        (lambda: RetrainOptions(test_batch_size=0), "--test-batch-size 0: must be at least 1, or -1 for all"),
        (lambda: RetrainOptions(eval_step_interval=0), "--eval-step-interval 0: must be at least 1"),
        (lambda: RetrainOptions(intermediate_store_frequency=-1), "must not be below 0"),
        (lambda: RetrainOptions(intermediate_store_frequency=5), "go together"),
        (lambda: RetrainOptions(testing_percentage=60, validation_percentage=40), "leave nothing to train on"),
        (lambda: RetrainOptions(testing_percentage=-1), "--testing-percentage -1: must be from 0"),
        (lambda: RetrainOptions(random_crop=101), "--random-crop 101: must be from 0 to 100 per cent"),
        (lambda: RetrainOptions(random_scale=101), "--random-scale 101: must be from 0 to 100 per cent"),
        (lambda: RetrainOptions(random_brightness=101), "--random-brightness 101: must be from 0 to 100 per cent"),
        (lambda: RetrainOptions(architecture="vgg"), "--architecture vgg: only inception_v3 is built in"),
        (lambda: RetrainOptions(tfhub_sha256="abc", tfhub_module="m"), "must be 64 hexadecimal digits"),
        (lambda: RetrainOptions(tfhub_sha256="0" * 64), "is of a module; name it"),
        (lambda: RetrainOptions(folds=1), "--folds 1: must be at least 2"),
        (lambda: RetrainOptions(folds=3, refit=False), "--folds trains several models"),
        (lambda: PrepareOptions(jobs=2, scheduler="tcp://127.0.0.1:8786"), "choose one"),
        (lambda: RetrainOptions(scheduler=3), "scheduler 3: must be text or TlsScheduler"),  # type: ignore[arg-type]
        (lambda: LabelOptions(threshold="0.5"), "threshold '0.5': must be a number"),  # type: ignore[arg-type]
        (lambda: LabelOptions(class_thresholds={"a": "b"}), "--threshold a=b: must be over 0"),  # type: ignore[dict-item]
        (lambda: LabelOptions(class_thresholds=[1]), "class_thresholds .*: must be a number for each"),  # type: ignore[arg-type]
        (lambda: EventOptions(min_seconds=None), "min_seconds None: must be a number"),  # type: ignore[arg-type]
        (lambda: audionet.prepare(None), "None: is no path; give it as text or"),  # type: ignore[arg-type]
        (lambda: audionet.prepare("a", "b"), "must be PrepareOptions, such as audionet.PrepareOptions"),  # type: ignore[arg-type]
        (lambda: audionet.retrain("pictures"), "must be RetrainOptions, .* not str"),  # type: ignore[arg-type]
        (lambda: audionet.label("a.wav", Path("model")), "must be LabelOptions, .* not PosixPath"),  # type: ignore[arg-type]
        (lambda: audionet.events("a.wav", EventOptions()), "must be LabelOptions, .* not EventOptions"),  # type: ignore[arg-type]
        (lambda: audionet.evaluate("a", detection=3), "must be DetectionOptions, .* not int"),  # type: ignore[arg-type]
    ],
)
def test_what_options_cannot_be_is_a_sentence(make: Callable[[], object], sentence: str) -> None:
    with pytest.raises(AudionetError, match=sentence):
        make()


def test_samples_are_no_clips(here: Path) -> None:
    for samples in (3, None, np.zeros(16000), b"a.wav"):
        with pytest.raises(AudionetError, match="is no path; give it as text or"):
            audionet.label(samples, LabelOptions(here / "model"))  # type: ignore[arg-type]


def test_numbers_and_paths_that_can_be_what_is_wanted_are() -> None:
    options = RetrainOptions(steps=5.0, learning_rate=1, tfhub_module=Path("yamnet"))  # type: ignore[arg-type]
    assert (repr(options.steps), repr(options.learning_rate), options.tfhub_module) == ("5", "1.0", "yamnet")
    assert PrepareOptions(channel=2).sound == PrepareOptions(channel="2").sound  # type: ignore[arg-type]


def test_values_of_numpy_are_taken_for_pythons(here: Path) -> None:
    assert DetectionOptions(background="rain").background == ("rain",)  # type: ignore[arg-type]
    assert EventOptions(background="noise").background == ("noise",)  # type: ignore[arg-type]
    assert RetrainOptions(background=np.array(["a", "b"])).background == ("a", "b")  # type: ignore[arg-type]
    pictures = PictureSettings(np.float64(1), 0, sample_rate_hz=np.int64(16000))
    audionet.prepare("clips", PrepareOptions(np.str_("p"), pictures, track=np.int64(1)))
    assert (here / "p" / "audionet.json").is_file()
    options = RetrainOptions(steps=np.int64(5), learning_rate=np.float32(0.5))
    assert json.dumps([options.steps, options.learning_rate]) == "[5, 0.5]"
