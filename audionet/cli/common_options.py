"""The options that several commands share."""

import argparse
from pathlib import Path

from audionet.settings import LabelOptions


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the options that name a model, and say what it may answer."""
    default = LabelOptions()
    group = parser.add_argument_group("the model")
    group.add_argument(
        "--graph",
        type=Path,
        metavar="FILE",
        default=default.graph,
        help="the model, as retrain's --output-graph named it",
    )
    group.add_argument("--labels", type=Path, metavar="FILE", default=default.labels, help="its classes")
    unknown = group.add_mutually_exclusive_group()
    unknown.add_argument(
        "--allow-unknown",
        action="store_true",
        dest="allow_unknown",
        default=True,
        help="call a clip unknown if it is like none of the classes (the default)",
    )
    unknown.add_argument("--no-unknown", action="store_false", dest="allow_unknown", help="always name a class")


def add_workers(parser: argparse.ArgumentParser, *, jobs: bool = False) -> None:
    """Add the options that say who does the work; `jobs`: how many threads too."""
    group = parser.add_argument_group("who does the work")
    if jobs:
        group.add_argument("--jobs", type=int, metavar="N", help="threads that share it (default: one a core)")
    group.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="of a Dask cluster that shares the folders, such as tcp://host:8786: its workers do the work "
        "(default: this machine)",
    )


def add_messages(parser: argparse.ArgumentParser) -> None:
    """Add --quiet and --verbose."""
    group = parser.add_argument_group("messages", "They go to standard error, results to standard output.")
    which = group.add_mutually_exclusive_group()
    which.add_argument(
        "-q",
        "--quiet",
        action="store_true",
        help="no progress and no summary: warnings and errors, and the results of label and evaluate",
    )
    which.add_argument(
        "-v", "--verbose", action="store_true", help="say what is done with each file, and how long it took"
    )
