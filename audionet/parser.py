"""What can be typed: the commands, their options and their help."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from audionet import __version__
from audionet.retrain_groups import add_distortions, add_outputs
from audionet.settings import (
    BOTTLENECKS,
    OWN_FOLDS,
    REPRESENTATIONS,
    LabelOptions,
    PictureSettings,
    PrepareOptions,
    RetrainOptions,
)


def modern_spelling(arguments: Sequence[str]) -> list[str]:
    """The 2018 spelling of options, `--image_dir=x`, in today's: `--image-dir=x`. After `--` nothing is an option."""
    spelled: list[str] = []
    for argument in arguments:
        if argument.startswith("--") and "--" not in spelled:
            name, equals, value = argument.partition("=")
            argument = name.replace("_", "-") + equals + value
        spelled.append(argument)
    return spelled


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = _Parser(
        prog="audionet",
        description="Tell voices, birds or machines apart by the pictures of their sound.",
        epilog="""\
examples:
  audionet prepare data_audio/       draw the recordings, one folder a class, as spectrograms
  audionet retrain --steps 500       learn the classes from the pictures
  audionet label clip.mp3            whose voice, which sound
  audionet evaluate test_audio/      how often it is right on recordings it has never heard

exit status: 0 all done, 1 finished but some input was skipped, 2 nothing could be done""",
    )
    parser.add_argument("--version", action="version", version=f"audionet {__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    _add_prepare(commands)
    _add_retrain(commands)
    _add_label(commands)
    _add_evaluate(commands)
    return parser


class _Parser(argparse.ArgumentParser):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options, allow_abbrev=False, formatter_class=_HelpFormatter)


class _HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Defaults shown where they say something, examples left as they are."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        silent = action.default is None or isinstance(action.default, bool)
        return action.help if silent else super()._get_help_string(action)


def _add_prepare(commands: "argparse._SubParsersAction[_Parser]") -> None:
    parser = commands.add_parser(
        "prepare",
        help="draw recordings as spectrograms",
        description="""\
Draw recordings as spectrograms: decode each with ffmpeg to 16 kHz mono, cut it into chunks, and write one picture
(JPG, 299 x 299) and one WAV a chunk, in a folder a class. Run again, it does only what is new or changed.

The end of a recording: what is left after the last full chunk is kept as a shorter chunk if it is at least a quarter
of a chunk long; else it is not used. A recording shorter than a chunk is one chunk if it is at least 0.1 s long.
A shorter chunk is never stretched: its picture keeps the scale of the others and repeats until it is full.""",
        epilog="""\
examples:
  audionet prepare data_audio/                        data_audio/anna/*.mp3, data_audio/ben/*.mp3, ...
  audionet prepare data_audio/ --chunk-seconds 5      for short sounds
  audionet prepare data_audio/ --contact-sheet        and tf_files/data_image/anna-contact-sheet.png, ...""",
    )
    add, pictures = parser.add_argument, PictureSettings()
    add("data_audio", type=Path, metavar="DATA_AUDIO", help="folder of recordings, with one folder for each class")
    add("--image-dir", type=Path, metavar="DIR", default=PrepareOptions.image_dir, help="where the pictures go")
    add("--chunk-seconds", type=float, metavar="S", default=pictures.chunk_seconds, help="seconds in one picture")
    add(
        "--overlap",
        type=float,
        metavar="S",
        help="seconds that two chunks share (default: half of a chunk of up to 5 seconds, 0 for longer ones)",
    )
    add("--representation", choices=REPRESENTATIONS, default=pictures.representation, help="what the rows stand for")
    add("--colormap", metavar="NAME", default=pictures.colormap, help="gray, viridis or another of matplotlib's")
    add("--jobs", type=int, metavar="N", help="threads that share the work (default: one a core)")
    add("--keep-wav", action=argparse.BooleanOptionalAction, default=True, help="write each chunk's WAV (default: yes)")
    add("--force", action="store_true", help="delete the old pictures and make all anew")
    add(
        "--metadata",
        type=Path,
        metavar="FILE",
        help="CSV with the columns path, label and, if you like, group and fold, instead of a folder for each class "
        "(UrbanSound8K's and ESC-50's own are found)",
    )
    add("--prune", action="store_true", help="delete the chunks of recordings that are gone")
    add(
        "--contact-sheet",
        action="store_true",
        help="write <class>-contact-sheet.png beside each class's pictures: all at a glance, with axes",
    )
    _add_scheduler(parser)


def _add_retrain(commands: "argparse._SubParsersAction[_Parser]") -> None:
    parser = commands.add_parser(
        "retrain",
        help="learn the classes from the pictures",
        description="""\
Learn the classes: run each picture through the embedded Inception v3 once (the results, called bottlenecks, are
kept), then train a new last layer on them. Some recordings are held out to test what was learnt.""",
        epilog="""\
examples:
  audionet retrain --steps 500
  audionet retrain --image-dir birds/pictures --output-graph birds/model.pb --output-labels birds/labels.txt""",
    )
    add, default = parser.add_argument, RetrainOptions()
    add("--image-dir", type=Path, metavar="DIR", default=default.image_dir, help="pictures that prepare made")
    add("--steps", "--how-many-training-steps", type=int, metavar="N", default=default.steps, help="training steps")
    add("--model-dir", type=Path, metavar="DIR", default=default.model_dir, help="trunks other than the embedded one")
    add("--bottleneck-dir", type=Path, metavar="DIR", default=default.bottleneck_dir, help="the kept bottlenecks")
    add("--summaries-dir", type=Path, metavar="DIR", default=default.summaries_dir, help="curves for TensorBoard")
    add(
        "--output-graph",
        type=Path,
        metavar="FILE",
        default=default.output_graph,
        help="where the model goes, for TensorFlow; label uses what is written beside it as .tflite and .json",
    )
    add("--final-tensor-name", metavar="NAME", default=default.final_tensor_name, help="the output in --output-graph")
    add("--output-labels", type=Path, metavar="FILE", default=default.output_labels, help="the classes, one a line")
    add(
        "--architecture",
        metavar="NAME",
        default=default.architecture,
        help="the network: inception_v3 is inside AudioNet; mobilenet_v2_100_224, resnet_v2_50 and the like are "
        "downloaded from TensorFlow Hub",
    )
    add(
        "--tfhub-module",
        metavar="HANDLE",
        help="a module of TensorFlow Hub: its address, folder or .tar.gz, or the name of one of Google's",
    )
    add(
        "--bottleneck",
        choices=BOTTLENECKS,
        help="rows: averaged over time only (the default); pool_3: over time and frequency, as in 2018 (needs a file "
        "in --model-dir; of a module, its feature vector, and the default)",
    )
    add("--learning-rate", type=float, metavar="X", default=default.learning_rate, help="size of a training step")
    add(
        "--train-batch-size",
        type=int,
        metavar="N",
        default=default.train_batch_size,
        help="pictures a training step; -1 is all",
    )
    for part, percentage in (("validation", default.validation_percentage), ("testing", default.testing_percentage)):
        add(
            f"--{part}-percentage",
            type=float,
            metavar="P",
            default=percentage,
            help=f"share of the recordings held out for {part}",
        )
    add(
        "--folds",
        type=int,
        nargs="?",
        const=OWN_FOLDS,
        metavar="K",
        help="hold out each of K parts of the recordings in turn to measure, or the data set's own folds "
        "(default: 5 where a class has fewer than ten recordings, else one split)",
    )
    add(
        "--refit",
        action=argparse.BooleanOptionalAction,
        default=default.refit,
        help="train the model on all recordings once it has been measured on those held out (default: yes)",
    )
    add_distortions(parser)
    add_outputs(parser)
    add("--seed", type=int, metavar="N", default=default.seed, help="the same seed gives the same model")
    add("--force", action="store_true", help="train even if nothing has changed since the last time")
    _add_scheduler(parser)


def _add_label(commands: "argparse._SubParsersAction[_Parser]") -> None:
    parser = commands.add_parser(
        "label",
        help="say which class a clip belongs to",
        description="""\
Say which class each clip belongs to. A clip is any file that ffmpeg reads, a picture that prepare made, or - for
standard input; of a folder, all files are labelled. The scores of a clip's chunks are averaged. A clip that is like
none of the classes is called unknown; its scores are shown all the same.""",
        epilog="""\
examples:
  audionet label clip.mp3
  audionet label interviews/ --format csv > interviews.csv
  audionet label debate.mp3 --timeline
  audionet label clip.mp3 --plot clip.png
  audionet label - < clip.ogg""",
    )
    parser.add_argument("clips", nargs="+", metavar="CLIP", help="file, folder, or - for standard input")
    _add_model(parser)
    parser.add_argument("--top", type=int, metavar="N", default=5, help="classes shown for each clip, as text")
    parser.add_argument(
        "--timeline", action="store_true", help="say which class is heard when, for clips of several sounds"
    )
    parser.add_argument(
        "--format",
        choices=("text", "json", "csv", "rttm"),
        default="text",
        help="what is printed; rttm, of speaker diarisation, with --timeline",
    )
    parser.add_argument(
        "--plot",
        type=Path,
        metavar="FILE",
        help="draw the clip's spectrogram with its classes (or timeline): .png, .svg or .pdf; for several clips a "
        "folder, such as plots",
    )


def _add_evaluate(commands: "argparse._SubParsersAction[_Parser]") -> None:
    parser = commands.add_parser(
        "evaluate",
        help="measure how often the model is right",
        description="""\
Label clips whose class is known, one folder a class, and count how often the model is right. Use recordings that it
was not trained on. A clip counts once, however long it is.""",
        epilog="""\
examples:
  audionet evaluate test_audio/
  audionet evaluate test_audio/ --format json""",
    )
    parser.add_argument(
        "data_audio_test", type=Path, metavar="DATA_AUDIO_TEST", help="clips, in a folder for each class"
    )
    _add_model(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="what is printed")


def _add_model(parser: argparse.ArgumentParser) -> None:
    default = LabelOptions()
    parser.add_argument(
        "--graph",
        type=Path,
        metavar="FILE",
        default=default.graph,
        help="the model, as retrain's --output-graph named it",
    )
    parser.add_argument("--labels", type=Path, metavar="FILE", default=default.labels, help="its classes")
    unknown = parser.add_mutually_exclusive_group()
    unknown.add_argument(
        "--allow-unknown",
        action="store_true",
        dest="allow_unknown",
        default=True,
        help="call a clip unknown if it is like none of the classes (the default)",
    )
    unknown.add_argument("--no-unknown", action="store_false", dest="allow_unknown", help="always name a class")
    _add_scheduler(parser)


def _add_scheduler(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="of a Dask cluster that shares the folders, such as tcp://host:8786: its workers do the work",
    )
