"""Rich Transcription Time Marked, as tools for speaker diarisation read it (NIST, 2009)."""

import logging
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from audionet.dataset.names import without_spaces
from audionet.formats.base import Printer, in_milliseconds
from audionet.inference.windows import Timeline
from audionet.system.text import listed, printable

logger = logging.getLogger(__name__)

NOT_KNOWN = "<NA>"


class RttmTimelines(Printer[Timeline]):
    """A line a segment. Spaces in names become underscores; unknown stretches are left out. No field is empty.

    A recording is called by its name without the suffix, and those of one name by their folders too.
    """

    def begin(self) -> None:
        """Begin with no clip that is called anything, and say which classes will be called alike."""
        self._clips: dict[str, str] = {}
        self._shared: set[str] = set()
        fields = list(map(_field, self._labels))
        alike = [label for label, field in zip(self._labels, fields, strict=True) if fields.count(field) > 1]
        if alike:
            logger.warning("--format rttm: has no spaces, so that it calls %s alike", listed(list(map(repr, alike))))

    def expect(self, clips: Iterable[object]) -> None:
        """Take note of what several of the clips may be called."""
        names = Counter(name for clip in set(map(str, clips)) for name in _names(clip))
        self._shared = {name for name, clips_called_so in names.items() if clips_called_so > 1}

    def print_clip(self, clip: Timeline) -> None:
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
        names = _names(clip)
        own = (name for name in names if name not in self._shared and self._clips.get(name, clip) == clip)
        name = next(own, names[-1])
        self._clips[name] = clip
        return name


def _names(clip: str) -> list[str]:
    """What a clip may be called, by its name and by more and more of its folders."""
    parts = Path(clip).with_suffix("").parts
    return [_field("/".join(parts[-length:])) for length in range(1, len(parts) + 1)] or [NOT_KNOWN]


def _field(text: str) -> str:
    return without_spaces(printable(text)) or NOT_KNOWN
