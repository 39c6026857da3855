"""What is heard from when to when, as a file says it."""

from dataclasses import dataclass, field
from pathlib import Path

from audionet.audio.chunks import Part
from audionet.system.untrusted import LONGEST_TEXT, Refused
from audionet.system.untrusted import text as checked_text
from audionet.tables.reading import line_error


@dataclass(frozen=True)
class Annotation:
    """What is heard from when to when, in seconds.

    recording: as the file names it; None where the file is of one recording, which it lies beside.
    line: of the file, from 1. tier: what the row of marks is called that it stands in, in Praat and ELAN.
    """

    recording: str | None
    start_seconds: float
    end_seconds: float
    label: str
    line: int = field(default=0, compare=False)
    tier: str = field(default="", compare=False)


def annotation(path: Path, line: int, recording: str | None, part: Part, label: str) -> Annotation:
    """What a line says. Raises AudionetError if it has no label."""
    if not label.strip():
        raise line_error(path, line, f"has no label; say what is heard from {part[0]:g} to {part[1]:g} s")
    try:
        return Annotation(recording, *part, checked_text(label.strip()), line)
    except Refused as error:
        raise line_error(path, line, f"has a label of over {LONGEST_TEXT} characters") from error
