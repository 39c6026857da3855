"""The sound of what was heard when, as WAVs in a folder for each class, ready for `prepare`."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from audionet.audio.channels import USUAL
from audionet.audio.chunks import Chunk, cut_out, to_wav
from audionet.audio.decoding import decode
from audionet.dataset.names import FORBIDDEN, UNKNOWN
from audionet.inference.windows import Segment, Timeline
from audionet.settings import SoundChoice
from audionet.system.files import make_inner_folder, write_atomically
from audionet.system.text import printable

LONGEST_STEM_BYTES = 160  # of a recording's name, so that time and score still fit


class SegmentSaver:
    """Writes the sound of segments: folder/<class>/<recording>_<start>s_<score>.wav, which `prepare` keeps together.

    Recordings in the sub-folders of those that were named are called by both, and another of the same name gets eight
    digits of its path's hash.
    """

    def __init__(self, folder: Path, named: Sequence[Path] = (), choice: SoundChoice = USUAL) -> None:
        self._folder, self._named, self._choice = folder, named, choice
        self._stems: dict[str, Path] = {}

    def save(self, path: Path, clip: Timeline) -> list[Path]:
        """Write the sound of each segment of a clip, which lies in `path`; the files.

        The recording is read once, and of its sound no more is held than a segment. Unknown ones are of no class, and
        left out. Files of the same names are written anew.
        Raises UnusableInput if the clip can no longer be read, AudionetError if nothing can be written.
        """
        known = [segment for segment in clip.segments if segment.label != UNKNOWN]
        known.sort(key=lambda segment: segment.start_seconds)
        borders = ((segment.start_seconds, segment.end_seconds) for segment in known)
        spans = [(round(start * clip.sample_rate_hz), round(end * clip.sample_rate_hz)) for start, end in borders]
        sounds = cut_out(decode(path, self._choice, clip.sample_rate_hz), spans)
        place = self._folder / self._stem(path, clip)
        return [
            _write(clip, segment, samples, place)
            for segment, samples in zip(known, sounds, strict=True)
            if len(samples)
        ]

    def _stem(self, path: Path, clip: Timeline) -> str:
        """What the names of a clip's files begin with."""
        below = next((path.relative_to(folder) for folder in self._named if path.is_relative_to(folder)), None)
        parts = Path(clip.clip).with_suffix("").parts[-1:] if below is None else below.with_suffix("").parts
        stem = _file_name("-".join(parts)) or "clip"
        if self._stems.setdefault(stem.casefold(), path) == path:
            return stem
        return f"{stem}-{hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:8]}"


def _write(clip: Timeline, segment: Segment, samples: np.ndarray, place: Path) -> Path:
    # The classes of a stranger's model may have names that lead elsewhere.
    target = place.parent / (_file_name(segment.label) or "class")
    target /= f"{place.name}_{segment.start_seconds:09.2f}s_{segment.score:.2f}.wav"
    make_inner_folder(target.parent)
    write_atomically(target, to_wav(Chunk(0, segment.start_seconds, samples, clip.sample_rate_hz)))
    return target


def _file_name(name: str) -> str:
    """A name as a file or folder can have it anywhere."""
    possible = "".join("_" if character in FORBIDDEN else character for character in printable(name))
    return possible.encode()[:LONGEST_STEM_BYTES].decode(errors="ignore").strip(" .")
