import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from audionet.cli import main as cli
from audionet.cli import parser
from audionet.cli.meant import as_meant
from audionet.options import AnnotationOptions, DetectionOptions, LabelOptions, PrepareOptions, RetrainOptions
from audionet.settings import PictureSettings
from tests.conftest import Run, chirps, make_untrained_model, run_program, tone, write_wav


class Called(Exception):
    """Carries the arguments that a command was called with."""


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Parse a command line and give back what its function would have been called with."""

    def catch(*arguments: object, progress: object = None) -> None:  # noqa: ARG001
        raise Called(arguments)

    monkeypatch.setattr("audionet.commands.prepare.prepare", catch)
    monkeypatch.setattr("audionet.commands.retrain.retrain", catch)
    monkeypatch.setattr("audionet.commands.evaluate.evaluate", catch)

    def run(line: str) -> Any:
        with pytest.raises(Called) as caught:
            cli.main(line.split())
        return caught.value.args[0]

    return run


def test_prepares_defaults_are_the_contracts(call: Any) -> None:
    data_audio, options = call("prepare data_audio")
    assert data_audio == Path("data_audio")
    assert options == PrepareOptions()
    assert options.image_dir == Path("tf_files/data_image")
    assert options.pictures == PictureSettings(20, 0, "mel", "gray")


def test_every_flag_of_prepare_arrives(call: Any) -> None:
    _, options = call(
        "prepare d --image-dir i --chunk-seconds 5 --overlap 1 --representation chromagram --colormap viridis "
        "--jobs 3 --no-keep-wav --force --prune"
    )
    pictures = PictureSettings(5, 1, "chromagram", "viridis")
    assert options == PrepareOptions(Path("i"), pictures, 3, keep_wav=False, force=True, prune=True)


def test_retrains_defaults_are_the_contracts(call: Any) -> None:
    (options,) = call("retrain")
    assert options == RetrainOptions()
    assert (options.steps, options.validation_percentage, options.testing_percentage) == (500, 10.0, 10.0)
    contract = {
        "image_dir": "data_image",
        "model_dir": "models",
        "bottleneck_dir": "bottlenecks",
        "summaries_dir": "training_summaries/inception_v3",
        "output_graph": "retrained_graph.pb",
    }
    assert {name: getattr(options, name) for name in contract} == {n: Path("tf_files", p) for n, p in contract.items()}
    assert options.files.labels == Path("tf_files/retrained_labels.txt")


def test_every_flag_of_retrain_arrives(call: Any) -> None:
    paths = {"image_dir": "i", "model_dir": "m", "bottleneck_dir": "b", "summaries_dir": "s", "output_graph": "g.pb"}
    given: dict[str, Any] = {name: Path(path) for name, path in paths.items()} | {"output_labels": Path("l.txt")}
    given |= {"architecture": "inception_v3", "bottleneck": "pool_3", "learning_rate": 0.1, "train_batch_size": -1}
    given |= {"validation_percentage": 20, "testing_percentage": 5, "steps": 7, "seed": 9}
    typed = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in given.items())
    assert call(f"retrain {typed} --force") == (RetrainOptions(**given, force=True),)


def test_the_spellings_of_2018_are_accepted(call: Any) -> None:
    (options,) = call("retrain --how_many_training_steps=500 --image_dir=my_images --output_graph g.pb")
    assert (options.steps, options.image_dir, options.output_graph) == (500, Path("my_images"), Path("g.pb"))


def test_evaluates_flags_arrive(call: Any) -> None:
    usual = (AnnotationOptions(), DetectionOptions())
    assert call("evaluate t") == (Path("t"), LabelOptions(), *usual)
    model = LabelOptions(Path("g.pb"), Path("l"))
    assert call("evaluate t --graph g.pb --labels l") == (Path("t"), model, *usual)
    *_, detection = call("evaluate t --events --collar 1 --background a --background b")
    assert detection == DetectionOptions("events", 1.0, ("a", "b"))


def test_home_is_found_where_no_shell_looked_for_it(call: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))  # Windows
    (options,) = call(
        "retrain --image-dir=~/birds --output_graph ~/b.pb --output-labels=a~b --bottleneck-dir ~nobody.here/x"
    )
    assert (options.image_dir, options.output_graph) == (tmp_path / "birds", tmp_path / "b.pb")
    assert (options.output_labels, options.bottleneck_dir) == (Path("a~b"), Path("~nobody.here/x"))


@pytest.mark.parametrize(
    "typed", ["prepare {}", "prepare data --image-dir={}", "label a.wav --plot {}", "retrain --report {}"]
)
def test_an_address_is_no_place_to_write_to(
    typed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(typed.format("https://example.org/x").split()) == 2
    assert "https://example.org/x: is an address, where a place on this computer is needed" in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["", "prepare", "retrain", "label", "evaluate"])
def test_help_shows_examples_and_every_default(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main([*command.split(), "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert 0 < text.index("examples:") < text.index("--help  ")
    assert f"audionet {command or 'prepare'}" in text
    assert "True" not in text
    assert "None" not in text
    assert "False" not in text


def test_help_tells_the_rule_for_the_tail(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["prepare", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "kept as a shorter chunk if it is at least a quarter of a chunk long" in text
    assert "never stretched" in text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("prepare", "the following arguments are required: DATA_AUDIO"),
        ("label", "name clips, or --microphone, or --watch FOLDER: one of the three"),
        ("retrain --stepz 3", "--stepz: no such option; did you mean --steps?"),
        ("label clip.mp3 --fromat=json", "--fromat: no such option; did you mean --format?"),
        ("label clip.mp3 --format jsn", "; did you mean json?"),
        ("prepare d --representation Mell", "did you mean mel?"),
        ("lable clip.mp3", "lable: must be one of prepare, retrain, label, evaluate"),
        ("lable x", "did you mean label?"),
        ("prepare voices birds", "birds: one argument too many"),
        ("prepare d --xyzzy", "--xyzzy: no such option\n"),
        ("prepare d --ovary", "--ovary: no such option\n"),  # what all begin with makes none like another
        ("retrain data_audio", "so type: audionet prepare data_audio, and then: audionet retrain"),
        ("retrain pictures", "type: audionet retrain --image-dir pictures"),
        ("retrain --output model.pb", "--output: no such option; name the model with --output-graph"),
        ("retrain --epochs 5", "name the number of training steps with --steps"),
        ("prepare data_audio --output pictures", "name the folder of pictures with --image-dir"),
        ("label clip.mp3 --output results.csv", "add > FILE at the end, and --format csv"),
        ("label clip.mp3 --min-score .7", "name the score that a class needs with --threshold"),
        ("evaluate data_audio --threshold .7", "--no-unknown names a class for each clip"),
        ("evaluate data_audio --model x", "name the model with --graph"),
        ("label clip.mp3 --json", "--json: no such option; type --format json"),
        ("evaluate data_audio --csv", "--csv: no such option; type --format json"),
        ("label --input clip.mp3", "so type: audionet label CLIP"),
        ("label clip.mp3 -m tf_files", "-m: no such option; name the model with --graph"),
        ("label clip.mp3 --mic", "type --microphone"),
        ("label clip.mp3 --chunk-seconds 2", "--chunk-seconds: no such option here; it is one of audionet prepare\n"),
        ("prepare data_audio --duration 2", "name the length of a chunk with --chunk-seconds"),
        ("prepare data_audio --csv labels.csv", "name a table of labels with --metadata"),
        ("prepare data_audio --chunk-seconds 0,5", "0,5: must be a number (with a point, as in 0.5)\n"),
        ("prepare d --sample-rate 48k", "48k: must be a whole number and must be from 8000 to 384000\n"),
        ("retrain --folds own", "own: must be a whole number and must be at least 2, or no number for"),
        ("retrain --random-crop 5%", "as in 0.5) and must be from 0 to 100 per cent\n"),
        ("label a.mp3 --top all", "--top: all: must be a whole number\n"),
        (
            "prepare data_audio/anna data_audio/ben",
            "one argument too many; name one folder, with a folder for each class",
        ),
        ("evaluate a.wav b.wav", "b.wav: one argument too many; name one folder, with a folder for each class"),
        ("retrain --batch-size 5", "with --train-batch-size"),
        ("retrain --lr .1", "with --learning-rate"),
        ("retrain files", "type: audionet retrain --image-dir files/data_image"),
        ("nothing.mp3", "completion; nor is there such a file"),
        ("train", "doctor, completion; type: audionet retrain"),
        ("predict clip.mp3", "type: audionet label CLIP"),
        ("Test data_audio", "type: audionet evaluate DATA_AUDIO_TEST"),
        ("listen", "type: audionet label --microphone"),
        ("version", "type: audionet --version"),
        ("data_audio", "to draw the recordings in that folder, type: audionet prepare data_audio"),
        ("files/a.mp3", "to ask which class that file is, type: audionet label files/a.mp3"),
        ("retrain gone", "gone: one argument too many; it learns from the pictures that audionet prepare made"),
        ("--steps 5", "--steps: no such option here; it is one of audionet retrain"),
        ("--versions", "--versions: no such option; did you mean --version?"),
        ("prepare d --keep-wav --no-keep-wav", "one says yes, the other no; leave out one"),
        ("retrain --no-refit --refit", "one says yes, the other no; leave out one"),
        ("label --image a.jpg", "so type: audionet label CLIP"),
        ("evaluate --image_dir pictures", "so type: audionet evaluate DATA_AUDIO_TEST"),
        ("label a.jpg --input_mean 0", "--input-mean: no such option; leave it out"),
        ("prepare d --mkchunks", "leave it out: prepare does all three"),
        ("label a.mp3 --threshold =0.5", "=0.5: must be a number, such as 0.7, or owl=0.7"),
    ],
)
def test_what_is_mistyped_or_typed_first_is_told_what_to_type(
    line: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data_audio").mkdir()
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "audionet.json").touch()
    (tmp_path / "files" / "data_image").mkdir(parents=True)
    (tmp_path / "files" / "data_image" / "audionet.json").touch()
    (tmp_path / "files" / "a.mp3").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        cli.main(line.split())
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.startswith("usage: audionet")
    assert error.endswith("--help shows examples and all options\n")


def test_of_an_option_given_twice_the_last_counts_and_that_is_said(
    call: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    _, options = call("prepare d --metadata a.csv --metadata b.csv --chunk-seconds 5 --chunk-seconds 5.0")
    assert options.metadata == Path("b.csv")
    assert capsys.readouterr().err == "audionet: --metadata is given more than once; the last counts: b.csv\n"
    assert cli.main("label a.wav --threshold a=.5 --threshold b=.5 --threshold a=.5 --threshold b=.7".split()) == 2
    told = capsys.readouterr().err.splitlines()
    assert told[:-1] == ["audionet: --threshold b is given more than once; the last counts: 0.7"]
    assert cli.main("prepare d --chunk-seconds nan".split()) == 2
    assert capsys.readouterr().err == "audionet: --chunk-seconds nan: must be from 0.1 to 600\n"
    with pytest.raises(SystemExit):
        cli.main(["evaluate", "d", "--report", "a.html", "--no-report"])
    assert "--no-report: not allowed with argument --report" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("today", "audionet: SOURCE_DATE_EPOCH is no number of seconds since 1970 (today), and is not used\n"),
        ("9" * 17, f"audionet: SOURCE_DATE_EPOCH is no number of seconds since 1970 ({'9' * 17}), and is not used\n"),
        ("", ""),
        ("1700000000", ""),
    ],
)
def test_what_libraries_would_break_down_at_in_the_environment_is_not_left_to_them(
    told: str, said: str, call: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", told)
    monkeypatch.setenv("MPLBACKEND", "none that there is")
    call("evaluate d")
    assert os.environ["MPLBACKEND"] == "agg"
    assert capsys.readouterr().err == said
    assert os.environ.get("SOURCE_DATE_EPOCH") == (told if told == "1700000000" else None)


def test_a_recording_where_a_folder_is_needed_is_told_what_to_type(audionet_here: Run, tmp_path: Path) -> None:
    write_wav(tmp_path / "debate.wav", tone(440, 1))
    error = audionet_here.refused("prepare", "debate.wav")
    assert "is a file, where a folder is needed" in error
    assert error.endswith("type: audionet label debate.wav\n")
    (tmp_path / "debates.zip").write_bytes(b"PK\3\4")
    assert audionet_here("prepare", "debates.zip").stderr.endswith(
        "; unpack it, and name the folder that comes of it\n"
    )
    for name in ("-a.wav", "-video.wav"):  # of which the latter begins as an option
        write_wav(tmp_path / name, tone(440, 1))
        said = f"{name}: no such option; to name the file of that name, write ./{name}"
        assert said in audionet_here("label", name).stderr


def test_what_is_said_of_one_file_after_the_other_is_said_of_a_few(audionet_here: Run, tmp_path: Path) -> None:
    table = "Selection\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tSpecies\n1\t0\t1\t100\tHab\xednek\n"
    for number in range(5):
        write_wav(tmp_path / "nights" / f"{number}.wav", tone(440, 1))
        (tmp_path / "nights" / f"{number}.txt").write_bytes(table.encode("latin-1"))
    for sentence in ("frequency limits are not used", "read as Windows-1252"):
        said = [line for line in audionet_here("prepare", "nights").stderr.splitlines() if sentence in line]
        assert len(said) == 3
        assert said[-1].endswith("(of further files, --verbose says it too)")
        assert audionet_here("prepare", "nights", "--verbose").stderr.count(sentence) == 5


def test_nothing_typed_shows_the_help(audionet_here: Run) -> None:
    finished = audionet_here()
    assert (finished.returncode, finished.stdout) == (2, "")
    assert "usage: audionet" in finished.stderr
    assert "audionet prepare data_audio/" in finished.stderr


def test_help_can_be_asked_for_as_a_command(audionet_here: Run) -> None:
    assert audionet_here("help").stdout == audionet_here("--help").stdout
    assert audionet_here("help", "label").stdout == audionet_here("label", "--help").stdout
    assert audionet_here("--help", "label").stdout == audionet_here("label", "--help").stdout
    assert as_meant(["-V"]) == as_meant(["-v"]) == ["--version"]
    assert as_meant(["-v", "label", "x"]) == ["label", "-v", "x"]
    assert as_meant(["label", "-v", "x"]) == ["label", "-v", "x"]


def test_verbose_tells_no_traceback(audionet_here: Run) -> None:
    for arguments in (["label", "-v", "x"], ["-v", "label", "x"]):
        error = audionet_here.refused(*arguments)
        assert "no such model file" in error
        assert "Traceback" not in error
        assert "raised in bundle.py, line" in error


def test_retrain_shows_what_most_need_and_the_rest_if_asked(audionet_here: Run) -> None:
    short, long = audionet_here("retrain", "--help").stdout, audionet_here("retrain", "--help-all").stdout
    for option in ("--steps", "--folds", "--image-dir", "--report", "--help-all"):
        assert option in short
    for option in ("--random-brightness", "--tfhub-module", "--saved-model-dir DIR", "--scheduler"):
        assert f"  {option}" not in short
        assert f"  {option}" in long
    assert len(short.splitlines()) <= 80


def test_a_mistyped_folder_gets_a_suggestion(audionet_here: Run, tmp_path: Path) -> None:
    (tmp_path / "data_audio").mkdir()
    (tmp_path / "birds" / "pictures").mkdir(parents=True)
    assert audionet_here("prepare", "data_adio").stderr.endswith("did you mean data_audio?\n")
    assert audionet_here("prepare", "zzz").stderr.endswith("one folder of recordings for each class\n")
    assert audionet_here("retrain", "--image-dir", "birds/pictrues").stderr.endswith("did you mean pictures?\n")
    write_wav(tmp_path / "data_audio" / "a" / "a.wav", tone(440, 1))
    assert audionet_here("prepare", "data_audio", "--colormap", "virids").stderr.endswith("did you mean viridis?\n")


@pytest.mark.parametrize("command", ["prepare", "retrain", "label", "evaluate"])
def test_each_option_has_an_example_or_a_default(command: str) -> None:
    built = parser.build_parser().commands[command]
    examples, formatter = (built.description or "").split(), built._get_formatter()
    for option in built._actions:
        shown = formatter._expand_help(option)
        assert shown.count("(default:") <= 1, shown
        told = "default" in shown or "such as" in shown or set(option.option_strings) & set(examples)
        assert told or not option.option_strings or option.dest == "help", f"{command} {option.option_strings}"


def one_line(error: str) -> str:
    """The error's only line, without the program's name."""
    assert error.startswith("audionet: ")
    assert error.count("\n") == 1, error
    return error.removeprefix("audionet: ").rstrip()


def test_what_cannot_be_done_is_one_sentence_and_status_2(audionet_here: Run, tmp_path: Path) -> None:
    def refused(*arguments: object) -> str:
        finished = audionet_here(*arguments)
        assert finished.returncode == 2
        assert finished.stdout == ""
        return one_line(finished.stderr)

    (tmp_path / "empty").mkdir()
    (tmp_path / "classes" / "a").mkdir(parents=True)
    (tmp_path / "sound.wav").touch()
    assert refused("prepare", "gone").startswith("gone: no such folder; it should hold one folder of recordings")
    assert refused("prepare", "empty").startswith("empty: has no folders in it; put the recordings into one folder")
    assert refused("prepare", "empty").endswith("if it is itself a class, name the folder above it")
    assert refused("prepare", "classes").startswith("classes: no recordings in its folders; put audio files into")
    assert "--chunk-seconds 0: must be from 0.1 to 600" in refused("prepare", "classes", "--chunk-seconds", 0)
    for line, said in (
        ("prepare classes --overlap 20", "must be at least 0 and less than --chunk-seconds"),
        ("prepare classes --overlap 19.99999", "leaves no step between chunks"),
        ("prepare classes --image-dir sound.wav/p", "sound.wav/p: must be a folder, and a file is there, or above it"),
        ("prepare classes --colormap greys", "--colormap greys: no such colour map"),
        ("evaluate classes --report sound.wav/x.html", "sound.wav: is there already, and is no folder"),
        ("label a.wav --scheduler tls://h:1 --tls-ca-file . --tls-cert .", "--tls-ca-file .: there is no such file"),
        ("prepare classes --high-pass 2000", "--high-pass 2000: must be from 0 (nothing is left out) to 1000"),
        ("label a.wav --top 0", "--top 0: must be at least 1"),
        ("label a.wav --timeline --save-segments s --channel each", "saves one channel; name it with --channel"),
        ("label --watch . --timeline --format audacity", "with --watch, use json, csv, raven or rttm"),
    ):
        assert said in refused(*line.split())
    assert "make the pictures first with audionet prepare" in refused("retrain")
    assert "tf_files/retrained_graph.pb: no such model file; train one with" in refused("label", "clip.mp3")
    assert "no such model file; train one with audionet retrain" in refused("evaluate", "classes")


def test_skipped_input_is_named_and_status_1_and_quiet_says_nothing_else(
    audionet_here: Run, tmp_path: Path, low_and_high: Path
) -> None:
    for name in ("a", "b"):
        write_wav(tmp_path / "data_audio" / name / "good.wav", tone(440, 1))
    (tmp_path / "data_audio" / "a" / "notes.mp3").write_text("not a sound")
    finished = audionet_here("prepare", "data_audio")
    assert finished.returncode == 1
    assert one_line(finished.stderr) == "data_audio/a/notes.mp3: is not audio that ffmpeg can read (skipped)"
    assert "2 recordings: 2 drawn (2 pictures), 0 unchanged (0 pictures), 1 skipped" in finished.stdout
    quiet = audionet_here("prepare", "data_audio", "-q")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (1, "", finished.stderr)
    labelled = audionet_here("label", "data_audio/low/low-0.wav", "--quiet", cwd=low_and_high)
    assert labelled.stdout.startswith("data_audio/low/low-0.wav\n  low ")


def test_without_any_ffmpeg_one_sentence_says_what_to_do(audionet: Run, tmp_path: Path) -> None:
    write_wav(tmp_path / "data_audio" / "a" / "good.wav", tone(440, 1))
    (tmp_path / "hidden" / "imageio_ffmpeg").mkdir(parents=True)
    (tmp_path / "hidden" / "imageio_ffmpeg" / "__init__.py").write_text("raise ImportError")
    env = {"PATH": str(tmp_path / "empty"), "PYTHONPATH": str(tmp_path / "hidden")}
    assert re.fullmatch(
        r"ffmpeg was not found; install it .* or run: pip install .*",
        one_line(audionet.refused("prepare", "data_audio", env=env)),
    )


@pytest.mark.parametrize("command", ["prepare a", "label a.wav"])
def test_a_command_that_is_interrupted_says_how_it_goes_on(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setitem(cli.RUN, command.split(maxsplit=1)[0], interrupted)
    assert cli.main(command.split()) == 130
    assert one_line(capsys.readouterr().err) == "interrupted; run the same command again to go on"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such limit")
@pytest.mark.parametrize(
    ("megabytes", "work", "said"),
    [
        (4, "importlib.import_module('scipy.linalg')", "out of memory;"),
        (8, "Network(backbone.flatbuffer)", "out of memory;"),
        (70, "main(['doctor'])", "512 MB of memory are needed, and "),
    ],
)
def test_what_finds_no_room_is_no_bug(megabytes: int, work: str, said: str) -> None:
    program = f"""
import importlib, resource, sys
from pathlib import Path
from audionet.bottleneck.backbone import Network, import_litert, load_backbone
from audionet.cli.main import guarded, main
import_litert()
backbone = load_backbone("rows", Path())
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + ({megabytes} << 20), -1))
sys.exit(guarded(lambda: {work}))
"""
    finished = run_program(program, check=False)
    assert (finished.returncode, one_line(finished.stderr)[: len(said)]) == (2, said)


@pytest.mark.parametrize("line", ["prepare .", "label a.wav --graph {}", "doctor"])
def test_a_current_folder_that_is_gone_is_said_to_be_so(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = make_untrained_model(tmp_path, PictureSettings(1, 0))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    try:
        (tmp_path / "here").rmdir()
    except OSError:
        pytest.skip("this system keeps it")
    assert cli.main(line.format(model.graph).split()) == 2
    assert one_line(capsys.readouterr().err) == "the current folder is no longer there; go to another, such as with cd"


@pytest.mark.parametrize(("verbosity", "theirs"), [("INFO", ""), ("DEBUG", "theirs\n")])
def test_what_other_libraries_log_is_shown_to_those_who_ask_for_all(verbosity: str, theirs: str) -> None:
    program = (
        f"import logging; from audionet.cli.logs import configure_logging as c; c({verbosity!r}); c({verbosity!r}); "
        "logging.getLogger('matplotlib.font_manager').warning('theirs'); logging.getLogger('audionet').warning('ours')"
    )
    finished = run_program(program)
    assert finished.stderr == f"{theirs}audionet: ours\n"


def test_help_loads_nothing_heavy() -> None:
    program = "import sys, audionet.cli.main as c; c.build_parser(); print(*sys.modules)"
    loaded = run_program(program).stdout.split()
    assert not set(loaded) & {"numpy", "PIL", "tensorflow", "librosa", "tqdm", "shtab"}


def test_no_output_takes_the_place_of_a_recording_or_a_model(audionet_here: Run, tmp_path: Path) -> None:
    make_untrained_model(tmp_path / "tf_files", PictureSettings(1, 0))
    clip = write_wav(tmp_path / "data" / "low" / "a.wav", chirps(0, 200, 400, 1))
    picture = tmp_path / "clip.png"
    picture.write_bytes(b"a picture")
    (tmp_path / "page").write_text("<!DOCTYPE html>")
    kept = {path: path.read_bytes() for path in (clip, picture, *(tmp_path / "tf_files").iterdir())}
    for typed in (
        ("label", clip, "--report", clip),
        ("label", "data", "--report", "data/low/../low/a.wav"),
        ("label", clip, "--report", "tf_files/retrained_graph.json"),
        ("label", picture, "--plot", "clip.png"),
        ("evaluate", "data", "--report", clip),
        ("label", clip, "--report", "data"),
        ("retrain", "--report", "data"),
        ("retrain", "--output-labels", clip),
        ("retrain", "--output-graph", clip),
        ("retrain", "--report", "tf_files/retrained_graph.pb"),
        ("retrain", "--backbone", "tf_files/birds.tflite", "--output-graph", "tf_files/birds.pb"),
        ("retrain", "--output-graph", "tf_files/data_image/audionet.pb"),
    ):
        assert re.fullmatch(
            r"audionet: \S+: is (a folder|there already|named for two things).*name (another|the report).*\n",
            audionet_here.refused(*typed),
        )
    assert {path: path.read_bytes() for path in kept} == kept
    assert audionet_here("label", clip, "--report", "page", "-q").returncode == 0


def test_the_report_of_a_model_in_the_current_folder_lies_beside_it(audionet_here: Run, tmp_path: Path) -> None:
    make_untrained_model(tmp_path, PictureSettings(1, 0))
    write_wav(tmp_path / "data" / "low" / "a.wav", chirps(0, 200, 400, 1))
    assert audionet_here("evaluate", "data", "--graph", ".").returncode == 0
    assert (tmp_path / "evaluation-report.html").is_file()
