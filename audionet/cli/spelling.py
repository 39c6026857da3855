"""What people type, and what is meant or can be typed instead."""

from collections.abc import Sequence
from pathlib import Path

TO_A_FILE = "what is found goes to standard output; add > FILE at the end, and --format csv for a spreadsheet"
LEAST_SCORE = (
    "retrain finds out below which score a clip is unknown; --no-unknown names a class for each clip, and --format csv "
    "has the scores to choose by"
)
# What to do instead of options that people expect.
INSTEAD = {
    "prepare": dict.fromkeys(
        ("--output", "--output-dir", "--out", "-o"), "name the folder of pictures with --image-dir"
    ),
    "retrain": dict.fromkeys(
        ("--output", "--model", "--out", "-o"),
        "name the model with --output-graph, and its classes with --output-labels",
    )
    | dict.fromkeys(("--epochs", "--iterations"), "name the number of training steps with --steps"),
    "label": dict.fromkeys(("--output", "--output-file", "--out", "-o"), TO_A_FILE)
    | dict.fromkeys(("--min-score", "--min-conf", "--threshold", "--min-confidence"), LEAST_SCORE)
    | {"--model": "name the model with --graph"},
    "evaluate": dict.fromkeys(("--output", "--output-file", "--out", "-o"), TO_A_FILE)
    | dict.fromkeys(("--min-score", "--threshold"), LEAST_SCORE)
    | {"--model": "name the model with --graph"},
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


def as_meant(arguments: Sequence[str]) -> list[str]:
    """`help label` as `label --help`, `help` as `--help`, and -v or -q before the command behind it.

    >>> as_meant(["help", "label"]), as_meant(["-v", "label", "x.mp3"])
    (['label', '--help'], ['label', '-v', 'x.mp3'])
    """
    if arguments[:1] == ["help"]:
        return [*arguments[1:2], "--help"]
    if len(arguments) > 1 and arguments[0] in ("-v", "--verbose", "-q", "--quiet") and arguments[1][:1] != "-":
        return [arguments[1], arguments[0], *arguments[2:]]
    return list(arguments)


def instead_of_retraining(argument: Path) -> str:
    """What to type instead of `retrain` with an argument."""
    if (argument / "audionet.json").is_file():
        return f"; for the pictures in it type: audionet retrain --image-dir {argument}"
    if argument.is_dir():
        return f"; it learns from pictures, so type: audionet prepare {argument}, and then: audionet retrain"
    return "; it learns from the pictures that audionet prepare made"
