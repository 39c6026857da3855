"""Rich Transcription Time Marked, as tools for speaker diarisation read it (NIST, 2009)."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from audionet.dataset.names import without_spaces
from audionet.formats.base import Printer, in_milliseconds
from audionet.system.text import listed, printable

if TYPE_CHECKING:
    from audionet.inference.windows import Timeline

logger = logging.getLogger(__name__)

NOT_KNOWN = "<NA>"


class RttmTimelines(Printer["Timeline"]):
    """A line a segment. Spaces in names become underscores; unknown stretches are left out. No field is empty.

    A recording is called by its name without the suffix, and one of the same name by its folders too.
    """

    def begin(self) -> None:
        """Begin with no clip that is called anything, and say which classes will be called alike."""
        self._clips: dict[str, str] = {}
        fields = list(map(_field, self._labels))
        alike = [label for label, field in zip(self._labels, fields, strict=True) if fields.count(field) > 1]
        if alike:
            logger.warning("--format rttm: has no spaces, so that it calls %s alike", listed(list(map(repr, alike))))

    def print_clip(self, clip: "Timeline") -> None:
        """Print one clip."""
        name = self._name(clip.recording or clip.clip)
        for segment in clip.segments:
            if segment.label in self._labels:
                label = _field(segment.label)
                start, end = in_milliseconds(segment)
                times = f"{start / 1000:.3f} {(end - start) / 1000:.3f}"
                print(f"SPEAKER {name} {clip.channel} {times} <NA> <NA> {label} <NA> <NA>")

    def _name(self, clip: str) -> str:
        """What a clip is called, and no other."""
        parts = Path(clip).with_suffix("").parts
        names = [_field("/".join(parts[-length:])) for length in range(1, len(parts) + 1)] or [NOT_KNOWN]
        name = next((name for name in names if self._clips.get(name, clip) == clip), names[-1])
        self._clips[name] = clip
        return name


def _field(text: str) -> str:
    return without_spaces(printable(text)) or NOT_KNOWN
