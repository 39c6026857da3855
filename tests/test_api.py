"""`import audionet` as people type it: text for paths, one clip for clips, in a notebook too."""

import sys
import types
from pathlib import Path

import pytest

import audionet
from audionet.commands import retrain as retrain_module
from audionet.errors import AudionetError
from audionet.options import LabelOptions, PrepareOptions, RetrainOptions
from audionet.settings import PictureSettings
from audionet.system.progress import NotebookProgress, chosen, silent
from tests.conftest import chirps, make_untrained_model, write_wav


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


@pytest.mark.parametrize("options", [PrepareOptions, RetrainOptions, LabelOptions])
def test_every_path_among_the_options_may_be_text(options: type) -> None:
    names = [
        name
        for name, each in options.__dataclass_fields__.items()  # type: ignore[attr-defined]
        if "Path" in str(each.type)
    ]
    assert names
    extra = {"intermediate_store_frequency": 1} if options is RetrainOptions else {}
    made = options(**{name: f"x/{name}" for name in names}, **extra)
    assert [getattr(made, name) for name in names] == [Path("x") / name for name in names]


def test_a_timeline_is_of_one_recording(here: Path) -> None:
    with pytest.raises(AudionetError, match="timeline is of one recording, not of 2; call it for each"):
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


def test_a_notebook_shows_how_far_the_work_is(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert chosen(None) is silent
    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    shell = types.ModuleType("IPython")
    shell.get_ipython = object  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", shell)
    assert isinstance(chosen(None), NotebookProgress)
    assert chosen(silent) is silent
    audionet.prepare("clips", PrepareOptions(here / "pictures"))
    assert capsys.readouterr().out == "\rrecordings: 0 of 1\rrecordings: 1 of 1\n"
    assert retrain_module.retrain.__kwdefaults__ == {"progress": None}
