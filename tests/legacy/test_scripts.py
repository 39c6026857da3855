"""The commands of the article of 2018, typed as printed, from inside scripts/."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import audionet
from audionet.cli.parser import build_parser
from audionet.legacy import scripts
from audionet.legacy.data_maker import make_chunks
from audionet.legacy.flags import SCRIPTS, old_parser
from audionet.options import PrepareOptions
from tests.conftest import ROOT, SAMPLE_CLIPS, SAMPLE_VOICES, copy_two_chunks, read_wav, write_wav
from tests.pages import blocks

pytestmark = pytest.mark.slow

VOICES = ("allison", "carlo")  # two of the four, to save time


def shell(folder: Path, command: str) -> "subprocess.CompletedProcess[str]":
    """A command as typed in `folder`, where `python` is this one."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = os.environ | {"PATH": path}
    return subprocess.run(["sh", "-c", command], cwd=folder, env=env, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone in which what docs/from-2018.md shows was typed: data_maker.py, retrain.py, label_image.py."""
    folder = tmp_path_factory.mktemp("clone")
    (folder / "audionet").symlink_to(ROOT / "audionet")
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    for voice in VOICES:
        for recording in sorted((SAMPLE_VOICES / voice).glob("*.mp3"))[:3]:
            copy_two_chunks(recording, folder / "tf_files" / "data_audio" / voice / recording.name)
    (block,) = (block for block in blocks(ROOT / "docs" / "from-2018.md") if block.language == "sh")
    finished = shell(folder, f"set -e\n{block.text}")
    assert finished.returncode == 0, finished.stderr
    assert "Traceback" not in finished.stderr
    return folder


def test_data_maker_makes_what_prepare_makes(clone: Path, tmp_path: Path) -> None:
    audionet.prepare(clone / "tf_files" / "data_audio", PrepareOptions(tmp_path / "pictures"))
    ours = {path.relative_to(tmp_path / "pictures"): path for path in (tmp_path / "pictures").rglob("*.*")}
    theirs = {path.relative_to(clone / "tf_files/data_image"): path for path in clone.glob("tf_files/data_image/*/*.*")}
    # Whose recordings were drawn last is noted by prepare alone.
    assert theirs.keys() == ours.keys() - {Path("audionet.json"), Path(".audionet.data_audio")}
    for name, path in theirs.items():
        if name.suffix == ".jpg":  # drawn from the WAVs, whose samples are rounded to 16 bits
            drawn = [np.asarray(Image.open(jpg), int) for jpg in (path, ours[name])]
            assert np.abs(drawn[0] - drawn[1]).mean() < 0.5
        else:
            assert path.read_bytes() == ours[name].read_bytes()
    again = audionet.prepare(clone / "tf_files" / "data_audio", PrepareOptions(clone / "tf_files" / "data_image"))
    assert (again.made, again.kept) == (0, 6)


def test_label_image_prints_the_scores_of_a_picture(clone: Path) -> None:
    picture = sorted((clone / "tf_files" / "data_image" / "carlo").glob("*.jpg"))[0]
    command = f"""python label_image.py \\
    --graph=../tf_files/retrained_graph.pb  \\
    --labels=../tf_files/retrained_labels.txt  \\
    --image={picture}"""
    finished = shell(clone / "scripts", command)
    assert finished.returncode == 0, finished.stderr
    lines = finished.stdout.splitlines()
    assert lines[1].startswith("Evaluation time (1-image): ")
    assert lines[3].split()[0] == "carlo"
    assert float(lines[3].split()[1]) > 0.5
    assert len(lines) == 5


@pytest.mark.usefixtures("graphs_here")
def test_its_input_flags_read_the_graph_through_tensorflow(
    clone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = sorted((clone / "tf_files" / "data_image" / "allison").glob("*.jpg"))[0]
    usual = "--input_height 299 --input_width 299 --input_mean 0 --input_std 255"
    layers = "--input_layer Mul --output_layer final_result"
    monkeypatch.chdir(clone / "scripts")
    printed = []
    for flags in (f"{usual} {layers}", ""):
        assert scripts.label_image([*flags.split(), "--image", str(picture)]) == 0
        printed.append(capsys.readouterr().out.splitlines())
    found, plain = printed
    assert found[3].split()[0] == plain[3].split()[0] == "allison"
    assert float(found[3].split()[1]) == pytest.approx(float(plain[3].split()[1]), abs=0.02)


def other_input(clone: Path, **changes: object) -> list[float]:
    """The graph's scores of a picture fed in another way."""
    from audionet.inference.clips import score_clip
    from audionet.model.bundle import Model, load_graph
    from audionet.model.frozen_graph import InputOptions
    from audionet.model_files import ModelFiles

    files = ModelFiles.beside(clone / "tf_files/retrained_graph.pb", clone / "tf_files/retrained_labels.txt")
    model = load_graph(files, InputOptions(**changes))  # type: ignore[arg-type]
    picture = sorted((clone / "tf_files" / "data_image" / "allison").glob("*.jpg"))[0]
    any_picture = Model(model.labels, model.renderer, model.network, model.thresholds, any_picture=True)
    return list(score_clip(picture, any_picture).scores.values())


@pytest.mark.usefixtures("graphs_here")
def test_another_mean_or_deviation_gives_other_scores(clone: Path) -> None:
    usual = other_input(clone)
    for change in ({"input_mean": 128.0}, {"input_std": 128.0}):
        assert other_input(clone, **change) != pytest.approx(usual, abs=1e-4), change


@pytest.mark.usefixtures("graphs_here")
def test_another_layer_or_size_that_the_graph_has_not_is_refused(clone: Path) -> None:
    from audionet.errors import AudionetError

    for change, message in (
        ({"input_layer": "input"}, "has no input; name another with label_image.py --input_layer"),
        ({"output_layer": "softmax"}, "has no softmax; name another with label_image.py --output_layer"),
        ({"input_height": 100}, "not a graph from pictures to scores"),
        ({"input_width": 0}, "--input-width 0: must be from 1"),
    ):
        with pytest.raises(AudionetError, match=message):
            other_input(clone, **change)


def test_evaluate_prints_accuracy_and_cross_entropy(clone: Path) -> None:
    for voice in VOICES:
        target = clone / "tf_files" / "test_audio" / voice
        target.mkdir(parents=True)
        for clip in sorted((SAMPLE_CLIPS / voice).glob("*.mp3"))[:2]:
            shutil.copy(clip, target)
    finished = shell(clone, "python -m scripts.evaluate tf_files/retrained_graph.pb")
    assert finished.returncode == 0, finished.stderr
    accuracy, entropy = finished.stdout.splitlines()
    assert accuracy == "Accuracy: 1"
    assert 0 < float(entropy.removeprefix("Cross Entropy: ")) < 1


def test_the_stages_of_data_maker_run_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "scripts").mkdir()
    monkeypatch.chdir(tmp_path / "scripts")
    recording = SAMPLE_VOICES / "june" / "june-01.mp3"
    folder = tmp_path / "tf_files" / "data_audio" / "june"
    folder.mkdir(parents=True)
    shutil.copy(recording, folder)
    files = tmp_path / "tf_files"

    assert scripts.data_maker(["--spectrogram"]) == 2  # there are no chunks yet
    assert scripts.data_maker(["--mp3towav"]) == 0
    rate_hz, samples = read_wav(files / "data_wav" / "june" / "june-01.wav")
    assert rate_hz == 16000
    assert len(samples) / rate_hz > 20
    assert not (files / "data_image").exists()

    assert scripts.data_maker(["--mkchunks"]) == 0
    chunks = sorted((files / "data_image" / "june").iterdir())
    assert [path.name for path in chunks][:2] == ["june-01_nohash_0000.wav", "june-01_nohash_0001.wav"]
    assert {path.suffix for path in chunks} == {".wav"}
    assert len(read_wav(chunks[0])[1]) == 20 * 16000

    chunks[1].unlink()  # of no use, its listener says
    sound = chunks[0].read_bytes()
    chunks[0].write_bytes(b"damaged")
    capsys.readouterr()
    assert scripts.data_maker(["--spectrogram"]) == 1
    said = capsys.readouterr().err
    assert "june-01_nohash_0000.wav" in said
    assert "Traceback" not in said
    chunks[0].write_bytes(sound)
    assert scripts.data_maker(["--spectrogram"]) == 0
    pictures = sorted(path.stem for path in (files / "data_image" / "june").glob("*.jpg"))
    assert pictures == [path.stem for n, path in enumerate(chunks) if n != 1]
    assert list(folder.iterdir()) == [folder / "june-01.mp3"]  # the originals' folder is left as it was


def test_wavs_are_cut_where_there_is_no_folder_of_chunks_yet(tmp_path: Path) -> None:
    write_wav(tmp_path / "data_audio" / "low" / "a.wav", np.full(16_000, 1000))
    assert make_chunks(tmp_path / "data_audio", tmp_path / "data_image") == (1, [])
    assert (tmp_path / "data_image" / "low" / "a_nohash_0000.wav").is_file()


@pytest.mark.usefixtures("one_copy")
def test_every_flag_of_retrain_arrives(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All at once, with values that are nobody's default; what each does has tests elsewhere."""
    flags = {
        "image_dir": clone / "tf_files" / "data_image",
        "output_graph": tmp_path / "graph.pb",
        "intermediate_output_graphs_dir": tmp_path / "intermediate",
        "intermediate_store_frequency": 15,
        "output_labels": tmp_path / "labels.txt",
        "summaries_dir": tmp_path / "summaries",
        "how_many_training_steps": 25,
        "learning_rate": 0.5,
        "testing_percentage": 15,
        "validation_percentage": 20,
        "eval_step_interval": 12,
        "train_batch_size": 30,
        "test_batch_size": 7,
        "validation_batch_size": 5,
        "model_dir": tmp_path / "models",
        "bottleneck_dir": clone / "tf_files" / "bottlenecks",
        "final_tensor_name": "voices",
        "random_brightness": 1,
        "random_crop": 2,
        "random_scale": 3,
        "architecture": "inception_v3",
        "saved_model_dir": tmp_path / "saved",
        "logging_verbosity": "ERROR",
        "checkpoint_path": tmp_path / "checkpoint",
    }
    typed = [f"--{name}={value}" for name, value in flags.items()]
    typed += ["--flip_left_right", "--print_misclassified_test_images"]
    monkeypatch.chdir(clone / "scripts")
    assert (scripts.retrain(typed), capsys.readouterr().err) == (
        0,
        "",
    )  # ERROR: the warning of few pictures is not shown
    used = json.loads((tmp_path / "graph.json").read_text())["training"]["options"]
    assert used["flip_left_right"] is True
    assert used.pop("steps") == flags.pop("how_many_training_steps")
    del flags["logging_verbosity"]
    assert {name: used[name] for name in flags} == {n: str(v) if isinstance(v, Path) else v for n, v in flags.items()}
    assert (tmp_path / "labels.txt").read_text() == "allison\ncarlo\n"
    for made in ("graph.pb", "intermediate/intermediate_15.pb", "summaries/train", "saved", "checkpoint.index"):
        assert (tmp_path / made).exists()


def test_few_pictures_and_no_folder_are_named(clone: Path, tmp_path: Path) -> None:
    finished = shell(clone / "scripts", "python retrain.py")
    assert finished.returncode == 2
    assert "Must set flag --image_dir" in finished.stderr
    few = tmp_path / "data_image"
    shutil.copytree(clone / "tf_files" / "data_image", few)
    for path in sorted((few / "carlo").glob("*.jpg"))[3:]:
        path.unlink()
    finished = shell(clone / "scripts", f"python retrain.py --image_dir {few} --testing_percentage 200")
    assert "carlo: has 3 pictures, fewer than 20, which may cause issues" in finished.stderr
    assert finished.returncode == 2


@pytest.mark.parametrize("script", sorted(SCRIPTS))
def test_the_table_in_the_docs_is_that_of_the_parsers(script: str) -> None:
    _, section = (ROOT / "docs" / "from-2018.md").read_text().split(f"## {script}\n")
    told = [line for line in section.partition("\n## ")[0].splitlines() if line.startswith("| `")]
    for line, flag in zip(told, SCRIPTS[script], strict=True):
        today = f"`audionet {flag.today}`" if "--" in flag.today or flag.today[0].islower() else flag.today
        default = "" if flag.default in (None, False) else f"`{flag.default}`"
        assert line.startswith(f"| `--{flag.name}` | {today} | {default} | ")  # and then, what differs
    assert {flag.name for flag in SCRIPTS[script]} == set(vars(old_parser(script, "").parse_args([])))


@pytest.mark.parametrize("script", sorted(SCRIPTS))
def test_every_option_that_the_table_names_exists(script: str) -> None:
    commands = build_parser()._subparsers._group_actions[0].choices  # type: ignore[union-attr]
    assert isinstance(commands, dict)
    for flag in SCRIPTS[script]:
        command, _, option = flag.today.partition(" ")
        if option.startswith("--"):
            assert option in commands[command]._option_string_actions
