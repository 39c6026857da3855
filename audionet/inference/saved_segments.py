"""The sound of what was heard when, as WAVs in a folder for each class, ready for `prepare`."""

import hashlib
import logging
import os
import wave
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from audionet.audio.channels import USUAL
from audionet.audio.chunks import WAV_BYTES_PER_SAMPLE, SampleStream, pcm
from audionet.audio.decoding import decode
from audionet.dataset.kinds import SAVED_SEGMENT
from audionet.dataset.names import FORBIDDEN, UNKNOWN
from audionet.inference.windows import Segment, Timeline, in_tiers
from audionet.settings import SoundChoice
from audionet.system.files import atomic_writer, make_inner_folder
from audionet.system.grouping import grouped
from audionet.system.text import listed, printable

logger = logging.getLogger(__name__)

LONGEST_STEM_BYTES = 160  # of a recording's name, so that time and score still fit


class SegmentSaver:
    """Writes the sound of segments: folder/<class>/<recording>_<start>s_<score>.wav, which `prepare` keeps together.

    Recordings in the sub-folders of those that were named are called by both, and another of the same name gets eight
    digits of its path's hash.
    """

    def __init__(self, folder: Path, named: Sequence[Path] = (), choice: SoundChoice = USUAL) -> None:
        self._folder, self._named, self._choice = folder, named, choice
        self._stems: dict[str, Path] = {}
        self._earlier: dict[str, list[Path]] | None = _by_recording(folder)

    def save(self, path: Path, clip: Timeline) -> list[Path]:
        """Write the sound of each segment of a clip, which lies in `path`; the files.

        The recording is read once, and again for those that overlap; a block of its sound is held, however long they
        are. Unknown ones are of no class, and left out. Files of the same names are written anew; of others that an
        earlier run made, it is said once that they are left.
        Raises UnusableInput if the clip can no longer be read, AudionetError if nothing can be written.
        """
        place, written = self._folder / self._stem(path, clip), list[Path]()
        for tier in in_tiers(segment for segment in clip.segments if segment.label != UNKNOWN):
            stream = SampleStream(decode(path, self._choice.untold(), clip.sample_rate_hz))
            for segment in tier:
                first, last = (round(seconds * clip.sample_rate_hz) for seconds in segment.part)
                written += _write(clip, segment, stream.take_blocks(first, last), place)
        self._report_earlier(clip, place.name, written)
        return written

    def _report_earlier(self, clip: Timeline, stem: str, written: Sequence[Path]) -> None:
        """Say, of the first such clip, that segments of it which are none any more lie in the folder."""
        left = set(self._earlier.get(stem, ())).difference(written) if self._earlier else set()
        if left:
            names = listed([path.relative_to(self._folder).as_posix() for path in sorted(left)])
            logger.warning(
                "%s: of %s there are segments from before, which are left (%s): delete what is not to be learnt",
                self._folder, printable(clip.clip), names,
            )  # fmt: skip
            self._earlier = None

    def _stem(self, path: Path, clip: Timeline) -> str:
        """What the names of a clip's files begin with."""
        below = next((path.relative_to(folder) for folder in self._named if path.is_relative_to(folder)), None)
        name = path.name if clip.clip == "-" else clip.clip  # standard input is called as the file that it is saved in
        parts = Path(name).with_suffix("").parts[-1:] if below is None else below.with_suffix("").parts
        stem = _file_name("-".join(parts)) or "clip"
        if self._stems.setdefault(stem.casefold(), path) == path:
            return stem
        return f"{stem}-{hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:8]}"


def _by_recording(folder: Path) -> dict[str, list[Path]]:
    """The segments that lie in a folder, by what their names begin with."""
    matches = ((SAVED_SEGMENT.fullmatch(path.name), path) for path in folder.glob("*/*.wav"))
    return grouped((segment[1], path) for segment, path in matches if segment)


def _write(clip: Timeline, segment: Segment, blocks: Iterator[np.ndarray], place: Path) -> list[Path]:
    """Write the sound of a segment; the file, if there is any sound."""
    first = next(blocks, None)
    if first is None:
        return []
    # The classes of a stranger's model may have names that lead elsewhere.
    target = place.parent / (_file_name(segment.label) or "class")
    target /= f"{place.name}_{segment.start_seconds:09.2f}s_{segment.score:.2f}.wav"
    make_inner_folder(target.parent)
    with atomic_writer(target) as file, wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(WAV_BYTES_PER_SAMPLE)
        wav.setframerate(clip.sample_rate_hz)
        for block in chain([first], blocks):
            wav.writeframesraw(pcm(block))
    return [target]


def _file_name(name: str) -> str:
    """A name as a file or folder can have it anywhere."""
    possible = "".join("_" if character in FORBIDDEN else character for character in printable(name))
    return possible.encode()[:LONGEST_STEM_BYTES].decode(errors="ignore").strip(" .")
