"""What people type and how it is meant: old spellings, and words and options that other tools have."""

from collections.abc import Sequence
from pathlib import Path

TO_A_FILE = "what is found goes to standard output; add > FILE at the end, and --format csv for a spreadsheet"
LEARNT_SCORE = "retrain finds out below which score a clip is unknown; --no-unknown names a class for each clip"
# What to type instead of commands that people expect.
OTHER_COMMANDS = (
    dict.fromkeys(("predict", "classify", "identify", "recognize", "recognise", "detect", "infer", "run"), "label CLIP")
    | dict.fromkeys(("train", "learn", "fit"), "retrain")
    | dict.fromkeys(("test", "validate", "score", "measure"), "evaluate DATA_AUDIO_TEST")
    | dict.fromkeys(("draw", "convert", "preprocess", "spectrogram", "import"), "prepare DATA_AUDIO")
    | dict.fromkeys(("listen", "microphone", "mic", "live"), "label --microphone")
    | {"timeline": "label CLIP --timeline", "events": "label CLIP --events", "watch": "label --watch FOLDER"}
    | {"version": "--version", "check": "doctor"}
)
# What to do instead of options that people expect, and their names.
OUTPUTS, INPUTS = "--output --output-dir --output-file --out -o", "--input --data --audio --file --files -i"
LEAST_SCORES = "--min-score --min-conf --min-confidence --confidence --score --cutoff"
MODELS = {
    "--model -m": "name the model with --graph",
    "--input-height --input-width --input-mean --input-std --input-layer --output-layer": "leave it out: the model "
    "says how its pictures are made",
}
EXPECTED = {
    "prepare": {
        OUTPUTS: "name the folder of pictures with --image-dir",
        INPUTS: "the folder needs no option, so type: audionet prepare DATA_AUDIO",
        "--chunk --chunk-size --chunk-length --seconds --duration --length --window": "name the length of a chunk with "
        "--chunk-seconds",
        "--sr --rate": "name the sample rate with --sample-rate",
        "--mp3towav --mkchunks --spectrogram": "leave it out: prepare does all three",
        "--labels --label --csv --table --classes": "the folders are the classes; name a table of labels with "
        "--metadata",
    },
    "retrain": {
        f"{OUTPUTS} --model -m": "name the model with --output-graph, and its classes with --output-labels",
        f"{INPUTS} --images --pictures": "name the folder of pictures with --image-dir",
        "--epochs --epoch --iterations": "name the number of training steps with --steps",
        "--batch-size": "name the pictures per training step with --train-batch-size",
        "--lr": "name the size of a training step with --learning-rate",
    },
    "label": MODELS
    | {
        OUTPUTS: TO_A_FILE,
        f"{INPUTS} --image --image-dir": "clips need no option, so type: audionet label CLIP",
        LEAST_SCORES: "name the score that a class needs with --threshold; below it, a clip is unknown",
        "--json": "type --format json",
        "--csv": "type --format csv",
        "-f": "name the format with --format",
        "--mic": "type --microphone",
    },
    "evaluate": MODELS
    | {
        OUTPUTS: "what is found goes to standard output; add > FILE at the end, and --format json for programs",
        f"{INPUTS} --image-dir": "the folder needs no option, so type: audionet evaluate DATA_AUDIO_TEST",
        f"{LEAST_SCORES} --threshold": LEARNT_SCORE,
        "--json -f": "type --format json",
        "--csv": "type --format json; audionet label CLIP --format csv makes a table of clips",
    },
}
INSTEAD = {
    command: {name: remedy for names, remedy in expected.items() for name in names.split()}
    for command, expected in EXPECTED.items()
}


def modern_spelling(arguments: Sequence[str]) -> list[str]:
    """The 2018 spelling of options, `--image_dir=x`, in today's: `--image-dir=x`. After `--` nothing is an option.

    >>> modern_spelling(["retrain", "--image_dir=my_pictures", "--", "--my_clip"])
    ['retrain', '--image-dir=my_pictures', '--', '--my_clip']
    """
    spelled: list[str] = []
    for argument in arguments:
        if argument.startswith("--") and "--" not in spelled:
            name, equals, value = argument.partition("=")
            argument = name.replace("_", "-") + equals + value
        spelled.append(argument)
    return spelled


def from_home(argument: str) -> str:
    """A path that begins with ~, or the value of an option that does, as shells read it.

    No shell does so behind an equals sign, in quotes or on Windows, and a folder called ~ is a trap for whoever wants
    to delete it.

    >>> from_home("--image-dir=~/birds") == f"--image-dir={Path.home()}/birds", from_home("a~b"), from_home("--x=a~b")
    (True, 'a~b', '--x=a~b')
    """
    option, equals, value = argument.partition("=") if argument.startswith("--") else ("", "", argument)
    if not value.startswith("~"):
        return argument
    try:
        return f"{option}{equals}{Path(value).expanduser()}"
    except RuntimeError:  # ~ and the name of no user
        return argument


def as_meant(arguments: Sequence[str]) -> list[str]:
    """`help label` as `label --help`, `help` as `--help`, -v or -q before the command behind it, -V as --version.

    >>> as_meant(["help", "label"]), as_meant(["-v", "label", "x.mp3"])
    (['label', '--help'], ['label', '-v', 'x.mp3'])
    """
    if arguments[:1] == ["help"] or (len(arguments) > 1 and arguments[0] in ("-h", "--help")):
        return [*arguments[1:2], "--help"]
    if len(arguments) == 1 and arguments[0] in ("-v", "-V", "-version"):
        return ["--version"]
    if len(arguments) > 1 and arguments[0] in ("-v", "--verbose", "-q", "--quiet") and arguments[1][:1] != "-":
        return [arguments[1], arguments[0], *arguments[2:]]
    return list(arguments)


def instead_of_command(word: str) -> str:
    """What to type instead of a word that is no command: the command that is meant, or one for the file or folder."""
    if word.casefold() in OTHER_COMMANDS:
        return f"; type: audionet {OTHER_COMMANDS[word.casefold()]}"
    if Path(word).is_dir():
        return f"; to draw the recordings in that folder, type: audionet prepare {word}"
    if Path(word).is_file():
        return f"; to ask which class that file is, type: audionet label {word}"
    return "; nor is there such a file" if Path(word).suffix else ""


def instead_of_several_folders(argument: Path) -> str:
    """What to do instead of naming a second folder of recordings, or a second file."""
    above = argument.parent if argument.is_dir() and argument.parent != Path() else None
    return f"; name one folder, with a folder for each class in it{f', such as {above}' if above else ''}"


def instead_of_retraining(argument: Path) -> str:
    """What to type instead of `retrain` with an argument."""
    for folder in (argument, *sorted(inner.parent for inner in argument.glob("*/audionet.json"))):
        if (folder / "audionet.json").is_file():
            return f"; for the pictures in it type: audionet retrain --image-dir {folder}"
    if argument.is_dir():
        return f"; it learns from pictures, so type: audionet prepare {argument}, and then: audionet retrain"
    return "; it learns from the pictures that audionet prepare made"
