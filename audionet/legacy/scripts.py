"""The scripts of 2018, as thin launchers over today's commands: what was typed then -> what is done now."""

import functools
import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path

import numpy as np

from audionet.cli import main as cli
from audionet.cli.logs import configure_logging
from audionet.cli.option_groups import VERBOSITIES
from audionet.dataset.manifest import FILE_NAME
from audionet.errors import ALL_DONE, SOME_SKIPPED, AudionetError, UnusableInput
from audionet.formats import summary as console
from audionet.legacy.flags import RETRAIN, old_parser
from audionet.model.bundle import load_graph, load_model
from audionet.model.frozen_graph import InputOptions
from audionet.model_files import ModelFiles
from audionet.options import LabelOptions
from audionet.system.text import count

logger = logging.getLogger(__name__)

FEW_PICTURES = 20  # of a class; retrain.py warned of fewer
TOP = 5  # classes that label_image.py shows


def _guarded(script: Callable[[Sequence[str] | None], int]) -> Callable[..., int]:
    """The script, which says in a sentence why it cannot go on, and ends with the status for that."""

    @functools.wraps(script)
    def guarded(arguments: Sequence[str] | None = None) -> int:
        return cli.guarded(functools.partial(script, arguments))

    return guarded


@_guarded
def data_maker(arguments: Sequence[str] | None = None) -> int:
    """data_maker.py: all three stages, or those whose flags are given; the exit status."""
    parser = old_parser("data_maker.py", "Recordings in tf_files/data_audio -> WAVs, chunks, spectrograms.")
    options = parser.parse_args(arguments)
    stages = {name: getattr(options, name) for name in ("mp3towav", "mkchunks", "spectrogram")}
    chosen = [name for name, asked in stages.items() if asked] or list(stages)
    from audionet.legacy.data_maker import draw_spectrograms, make_chunks, mp3_to_wav

    folder = _tf_files()
    audio, images = folder / "data_audio", folder / "data_image"
    skipped: set[str] = set()

    def tell(made: int, wrong: Sequence[UnusableInput], noun: str, done: str) -> None:
        skipped.update(error.path for error in wrong)
        console.print_line(f"{count(made, noun)} {done}")

    if "mp3towav" in chosen:
        recordings, wrong = mp3_to_wav(audio, folder / "data_wav", images)
        as_wavs = "as a WAV" if recordings == 1 else "as WAVs"
        tell(recordings, wrong, "recording", f"written {as_wavs} to {folder / 'data_wav'}")
    if "mkchunks" in chosen:
        tell(*make_chunks(audio, images), "chunk", f"cut into {images}")
    if "spectrogram" in chosen:
        tell(*draw_spectrograms(images), "spectrogram", f"drawn in {images}")
    return SOME_SKIPPED if skipped else ALL_DONE


@_guarded
def retrain(arguments: Sequence[str] | None = None) -> int:
    """retrain.py: the exit status of `audionet retrain` with the same options."""
    options = old_parser("retrain.py", "Learn the classes of the pictures in --image_dir.").parse_args(arguments)
    if not options.image_dir:
        raise AudionetError("Must set flag --image_dir: the folder of pictures that data_maker.py made")
    options.image_dir = str(_pictures_of(Path(options.image_dir)))
    if options.logging_verbosity.upper() in VERBOSITIES:
        configure_logging(options.logging_verbosity.upper())
    _warn_of_few_pictures(Path(options.image_dir))
    if not options.intermediate_store_frequency:
        options.intermediate_output_graphs_dir = None
    command = ["retrain"]
    for flag in RETRAIN:
        value, option = getattr(options, flag.name), flag.today.removeprefix("retrain ")
        if flag.kind is bool:
            command += [option] if value else []
        elif value not in (None, ""):
            command.append(f"{option}={value}")
    return cli.main(command)


@_guarded
def label_image(arguments: Sequence[str] | None = None) -> int:
    """label_image.py: the best classes of one picture (or recording), printed as it did; the exit status."""
    parser = old_parser("label_image.py", "Which class a picture belongs to.")
    options = parser.parse_args(arguments)
    if not options.image:
        raise AudionetError("Must set flag --image: the picture, or a recording")
    graph = Path(options.graph or _tf_files() / "retrained_graph.pb")
    labels = Path(options.labels) if options.labels else None
    told = {each.name: value for each in fields(InputOptions) if (value := getattr(options, each.name))}
    if told:
        model = replace(load_graph(ModelFiles.beside(graph, labels), InputOptions(**told)), any_picture=True)
    else:
        model = load_model(LabelOptions(graph, labels))
    from audionet.inference.clips import score_clip

    start = time.perf_counter()
    clip = score_clip(Path(options.image), model)
    seconds = time.perf_counter() - start
    console.print_line(f"\nEvaluation time (1-image): {seconds:.3f}s\n")
    for label, score in clip.best_first()[:TOP]:
        console.print_line(f"{label} {np.float32(score)}")
    return ALL_DONE


@_guarded
def evaluate(arguments: Sequence[str] | None = None) -> int:
    """evaluate.py: accuracy and cross entropy on clips in a folder for each class; the exit status."""
    parser = old_parser("evaluate.py", "How often the model is right.")
    parser.add_argument("graph_file", nargs="?", help="the graph, as evaluate.py took it")
    options = parser.parse_args(arguments)
    folder = _tf_files()
    graph = Path(options.graph or options.graph_file or folder / "retrained_graph.pb")
    labels = Path(options.labels) if options.labels else None
    from audionet.commands import evaluate as command

    evaluation = command.evaluate(options.image_dir or folder / "test_audio", LabelOptions(graph, labels))
    entropies = [-math.log(max(clip.scores[truth], 1e-12)) for clip, truth in evaluation.clips]
    console.print_line(f"Accuracy: {evaluation.confusion.accuracy:g}")
    console.print_line(f"Cross Entropy: {np.mean(entropies):g}")
    return SOME_SKIPPED if evaluation.skipped else ALL_DONE


def _tf_files() -> Path:
    """The folder tf_files: in the current folder, or else beside it, as seen from scripts/."""
    return Path("tf_files") if Path("tf_files").is_dir() else Path("..") / "tf_files"


def _pictures_of(folder: Path) -> Path:
    """The pictures' folder where the recordings' was named: there the first data_maker.py left the pictures."""
    beside = folder.parent / "data_image"
    if (folder / FILE_NAME).is_file() or not (beside / FILE_NAME).is_file() or folder.name != "data_audio":
        return folder
    logger.info("%s: its pictures are in %s, which is used", folder, beside)
    return beside


def _warn_of_few_pictures(image_dir: Path) -> None:
    if image_dir.is_dir():
        for folder in sorted(path for path in image_dir.iterdir() if path.is_dir()):
            count = len(list(folder.glob("*.jpg")))
            if 0 < count < FEW_PICTURES:
                logger.warning(
                    "%s: has %d pictures, fewer than %d, which may cause issues", folder, count, FEW_PICTURES
                )
