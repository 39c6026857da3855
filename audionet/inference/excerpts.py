"""The sound of what was heard when, as WAVs in a folder for each class, ready for `prepare`."""

from pathlib import Path

import numpy as np

from audionet.audio.channels import USUAL
from audionet.audio.chunks import Chunk, to_wav
from audionet.audio.decoding import decode
from audionet.dataset.names import UNKNOWN
from audionet.inference.timeline import Timeline
from audionet.inference.windows import Segment
from audionet.system.files import make_inner_folder, write_atomically
from audionet.system.text import printable

LONGEST_STEM_BYTES = 160  # of a recording's name, so that time and score still fit
# What no file system of today, Windows' included, takes in a name.
FORBIDDEN = str.maketrans(dict.fromkeys('<>:"/\\|?*', "_"))


def save_segments(path: Path, clip: Timeline, folder: Path) -> list[Path]:
    """Write the sound of each segment of a clip, which lies in `path`: folder/<class>/<recording>_<start>_<score>.wav.

    The recording is read once, and of its sound no more is held than a segment. Unknown ones are of no class, and left
    out. Files of the same names are written anew.
    Raises UnusableInput if the clip can no longer be read, AudionetError if nothing can be written.
    """
    known = [segment for segment in clip.segments if segment.label != UNKNOWN]
    waiting = sorted(known, key=lambda segment: segment.start_seconds)
    written, begun = [], list[tuple[Segment, list[np.ndarray]]]()
    start, sample_rate_hz = 0, clip.sample_rate_hz
    for block in decode(path, USUAL, sample_rate_hz):
        end = start + len(block)
        while waiting and round(waiting[0].start_seconds * sample_rate_hz) < end:
            begun.append((waiting.pop(0), []))
        for segment, parts in begun:
            first, last = (round(s * sample_rate_hz) for s in (segment.start_seconds, segment.end_seconds))
            parts.append(block[max(0, first - start) : max(0, last - start)])
        ended = [round(segment.end_seconds * sample_rate_hz) <= end for segment, _ in begun]
        written += [_write(clip, *pair, folder) for pair, is_done in zip(begun, ended, strict=True) if is_done]
        begun = [pair for pair, is_done in zip(begun, ended, strict=True) if not is_done]
        start = end
        if not waiting and not begun:
            break
    return written + [_write(clip, *pair, folder) for pair in begun]


def _write(clip: Timeline, segment: Segment, parts: list[np.ndarray], folder: Path) -> Path:
    stem = _file_name(Path(clip.clip).stem) or "clip"
    # The classes of a stranger's model may have names that lead elsewhere.
    target = folder / (_file_name(segment.label) or "class")
    target /= f"{stem}_{segment.start_seconds:09.2f}s_{segment.score:.2f}.wav"
    make_inner_folder(target.parent)
    write_atomically(target, to_wav(Chunk(0, segment.start_seconds, np.concatenate(parts), clip.sample_rate_hz)))
    return target


def _file_name(name: str) -> str:
    """A name as a file or folder can have it anywhere."""
    return printable(name).translate(FORBIDDEN).encode()[:LONGEST_STEM_BYTES].decode(errors="ignore").strip(" .")
