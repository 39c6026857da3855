"""How what the package logs is shown: on standard error, a line each."""

import argparse
import logging
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

from audionet.cli.plain_parser import add_options
from audionet.system.progress import bar_away
from audionet.system.text import colored, printable

FROM_FILES = ("audionet.annotation.", "audionet.tables.")  # which say what they make of a file
SHOWN_ALIKE = 3


def configure_logging(verbosity: str) -> None:
    """Send audionet's messages to standard error, a line each, and nobody else's unless all are asked for.

    verbosity: the least important level shown: DEBUG, INFO, WARN, ERROR or FATAL.
    """
    # Pillow warns of pictures that can be read, or are refused with a message that names the file.
    warnings.filterwarnings("ignore", message="Image size .* exceeds limit")
    warnings.filterwarnings("ignore", module=r"PIL\.")
    handler = _Handler(sys.stderr)
    handler.setFormatter(_Formatter("audionet: %(message)s"))
    if verbosity != "DEBUG":
        handler.addFilter(_few_of_each())
    ours = logging.getLogger("audionet")
    ours.handlers[:] = [handler]
    ours.setLevel(verbosity)
    ours.propagate = False
    if verbosity != "DEBUG" and not logging.root.handlers:
        # Else Python shows the others' warnings, such as that Matplotlib takes its time to look for fonts.
        logging.root.addHandler(logging.NullHandler())
    for stream in (sys.stdout, sys.stderr):
        # A file name that the terminal cannot show must not end the program.
        if hasattr(stream, "reconfigure"):
            with suppress(OSError):  # what was written before cannot be, on a full disk
                stream.reconfigure(errors="backslashreplace")
    if hasattr(sys.stdout, "reconfigure") and not sys.stdout.isatty():
        # Programs read JSON and CSV as UTF-8; on Windows a pipe would get the system's old encoding.
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")


def _few_of_each() -> Callable[[logging.LogRecord], bool]:
    """Whether to show a message: of what is said of one annotation file after the other, of hundreds say, the first."""
    times = Counter[str]()

    def is_shown(record: logging.LogRecord) -> bool:
        sentence = record.msg
        if record.levelno == logging.INFO and record.name.startswith(FROM_FILES):
            times[sentence] += 1
            if times[sentence] == SHOWN_ALIKE:
                record.msg += " (of further files, --verbose says it too)"
        return times[sentence] <= SHOWN_ALIKE

    return is_shown


class _Handler(logging.StreamHandler[TextIO]):
    """Shows no message in the midst of a bar."""

    def handle(self, record: logging.LogRecord) -> bool:
        """Show one message. What wipes the bar away has a lock of its own, which comes before the handler's."""
        with bar_away(self.stream):
            return super().handle(record)


class _Formatter(logging.Formatter):
    """Warnings in yellow, errors in red."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """The message in one line, whatever characters the file names in it hold."""
        return printable(super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        """The message, in colour on a terminal."""
        text = super().format(record)
        if record.levelno < logging.WARNING:
            return text
        return colored(text, "red" if record.levelno >= logging.ERROR else "yellow", sys.stderr)


def add_messages(parser: argparse.ArgumentParser) -> None:
    """Add --quiet and --verbose."""
    group = parser.add_argument_group("messages", "They go to standard error, results to standard output.")
    which = group.add_mutually_exclusive_group()
    quiet = "-q --quiet  no progress and no summary: warnings and errors, and the results of label and evaluate"
    add_options(which, quiet, action="store_true")
    add_options(which, "-v --verbose  say what is done with each file, and how long it took", action="store_true")
