"""What is wrong with lines of a file, so that all of them are named at once."""

import itertools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from audionet.errors import AudionetError
from audionet.system.text import count, listed

LONGEST_MESSAGE = 1000
FAULTS_NAMED = 5
Item = TypeVar("Item")
Result = TypeVar("Result")


class LineError(AudionetError):
    """What is wrong with a line of a file; `message` goes on after its number."""

    path, line, message = Path(), 0, ""


def line_error(path: Path, line: int, message: str) -> LineError:
    """What is wrong with a line of a file. A cell in the message may be of any length."""
    shown = message if len(message) <= LONGEST_MESSAGE else f"{message[:LONGEST_MESSAGE]} ..."
    error = LineError(f"{path}: line {line} {shown}")
    error.path, error.line, error.message = path, line, shown
    return error


def each_line(lines: Iterable[Item], read: Callable[[Item], Result | None]) -> list[Result]:
    """What `read` makes of each line of a file; None is left out.

    Raises AudionetError that names all lines of which it raises LineError, so that they can be mended at once.
    """
    results, faulty, path = list[Result](), dict[str, dict[int, None]](), Path()  # by what is wrong with them
    for line in lines:
        try:
            if (result := read(line)) is not None:
                results.append(result)
        except LineError as error:
            path = error.path
            faulty.setdefault(error.message, {})[error.line] = None
    if not faulty:
        return results
    sentences, told = [], set[str]()  # what helps, which is said once
    for message, (first, *others) in itertools.islice(faulty.items(), FAULTS_NAMED):
        too = f" ({'line' if len(others) == 1 else 'lines'} {listed(list(map(str, others)))} too)" if others else ""
        fault, _, remedy = message.partition("; ")
        sentences.append(f"line {first} {fault if remedy in told else message}{too}")
        told.add(remedy)
    if left := sum(map(len, itertools.islice(faulty.values(), FAULTS_NAMED, None))):
        sentences.append(count(left, "more line"))
    raise AudionetError(f"{path}: {'; and '.join(sentences)}")
