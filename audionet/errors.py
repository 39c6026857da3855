"""What can go wrong through no fault of the program.

The message is for people: which file, what is wrong, what to do now.
"""

import errno
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

logger = logging.getLogger(__name__)

SAVED_INPUT = "standard input"  # what the file is called in which standard input is saved, and users call -

# As a path, an address has one slash left of two, and may have been taken for a place in the current folder.
ADDRESS = re.compile(r"(?:^|/)(?:https?|s?ftps?|s3|gs|rtsp|file):/", re.IGNORECASE)
# What a command ends with, if nobody interrupts it.
ALL_DONE, SOME_SKIPPED, NOTHING_DONE = 0, 1, 2

FULL_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # no space, no more of a user's share, a limit on files
RAISE_LIMITS = "close other programs, or raise the limits of open files and of processes (ulimit -n, ulimit -u)"
# TensorFlow's errors begin with where they were raised: in lines that end in a colon, or begin so.
PLACES = ("Detected at", "File ", "Errors may")
CONVERTERS_PLACE = re.compile(r"^.*?:\d+:\d+: error: ")  # in the program, before what its converter says
NO_THREADS = "the system lets no further thread start; close other programs, or raise its limits (ulimit -u, ulimit -v)"


class AudionetError(Exception):
    """The command cannot go on. The message says why and what to do now."""


class DiskFull(AudionetError):
    """A file cannot be written because there is no space for it."""


class UnusableInput(AudionetError):
    """One input file cannot be used; the others can.

    `path` is the file, `reason` what is wrong with it.
    """

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = str(path)
        self.reason = reason

    @classmethod
    def unreadable(cls, path: Path | str, error: OSError) -> "UnusableInput":
        """What the system refused to read, in its own words."""
        if isinstance(error, FileNotFoundError) and ADDRESS.search(str(path)):
            return cls(path, "is an address; download what is there, and name the file")
        return cls(path, f"cannot be read ({error.strerror or error})")

    @classmethod
    def impossible(cls, path: Path | str) -> "UnusableInput":
        """A name that no file can have: it holds a NUL, or half of a character."""
        return cls(ascii(str(path)), "no file can be called that")

    def __reduce__(self) -> "tuple[type[UnusableInput], tuple[str, str]]":
        # Pickled, to come back from another process, an exception keeps its message alone.
        return UnusableInput, (self.path, self.reason)


@contextmanager
def reading(path: Path | str) -> Iterator[None]:
    """What the system refuses to read in here is raised as UnusableInput."""
    try:
        yield
    except OSError as error:
        raise UnusableInput.unreadable(path, error) from error


@contextmanager
def writing(path: Path | str) -> Iterator[None]:
    """What the system refuses to write in here is raised as AudionetError; as DiskFull where there is no space."""
    try:
        yield
    except OSError as error:
        failure, remedy = AudionetError, "name another place"
        if error.errno in FULL_ERRORS:
            failure, remedy = DiskFull, "free space or choose another folder"
        elif error.errno in (errno.EMFILE, errno.ENFILE):
            remedy = "close other programs, or raise the limit of open files (ulimit -n)"
        raise failure(f"{path}: cannot be written ({error.strerror or error}); {remedy}") from error


def message_of(error: BaseException) -> str:
    r"""The first line of an error that says what is wrong, not where; the name of its type if there is none.

    >>> message_of(ValueError('in user code:\n\n    File "a.py", line 7\n    no such node')), message_of(KeyError())
    ('no such node', 'KeyError')
    >>> message_of(ValueError("/home/anna/program.py:54:1: error: 'tf.Foo' op is not known"))
    "'tf.Foo' op is not known"
    """
    lines = (line.strip() for line in str(error).splitlines())
    said = (line for line in lines if line and not line.endswith(":") and not line.startswith(PLACES))
    return CONVERTERS_PLACE.sub("", next(said, type(error).__name__))


@contextmanager
def explaining(fault: str, *kinds: type[BaseException], remedy: str | None = None) -> Iterator[None]:
    """What is raised of some kinds in here is raised as AudionetError, with a sentence for people.

    fault: the sentence, or its beginning if there is a remedy: then it goes on with what the error says, and with that.
    """
    try:
        yield
    except kinds as error:
        why = "" if remedy is None else f" ({getattr(error, 'strerror', None) or message_of(error)})"
        raise AudionetError(fault + why + (f"; {remedy}" if remedy else "")) from error


def warn_of(path: Path, sentence: str) -> None:
    """Say something about an input, which is called as a user in the current folder would call it."""
    with suppress(ValueError, OSError):
        path = path.relative_to(Path.cwd())
    logger.warning("%s: %s", "-" if path.name == SAVED_INPUT else path, sentence)


def warn_of_skipped(error: UnusableInput) -> None:
    """Say that an input is left out, and why; the others go on."""
    logger.warning("%s (skipped)", error)


class Skipped(list[UnusableInput]):
    """Inputs that are left out. Each is named, with the reason, when it is added; the others go on."""

    def add(self, *errors: UnusableInput) -> None:
        """Leave out more."""
        for error in errors:
            warn_of_skipped(error)
            self.append(error)
