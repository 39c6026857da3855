"""What has changed since pictures were drawn: which recordings are new, the same, gone, or elsewhere by now."""

import functools
import os
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from audionet.commands.drawing import size_and_time
from audionet.dataset.folders import Recording
from audionet.dataset.manifest import FILE_NAME, PictureIndex, RecordingEntry, whole_entry
from audionet.dataset.names import chunk_name, chunk_stems
from audionet.dataset.sources import folder_name, remembered_folder
from audionet.errors import AudionetError, UnusableInput
from audionet.options import PrepareOptions
from audionet.system.files import sha256_of_file
from audionet.system.grouping import grouped
from audionet.system.text import listed


@dataclass(frozen=True)
class Changes:
    """What a comparison of the recordings with the index found.

    todo: recordings that are new or changed. kept: the entries of the others, by key.
    gone: keys of recordings that the index lists and that are not there.
    stems: what the names of each recording's chunks start with, by key.
    unreadable: recordings that the index lists, and that can't be read now; what is there of them stays.
    doubted: whether the content of recordings was compared whose sizes and times were those of the index.
    """

    todo: list[Recording]
    kept: dict[str, RecordingEntry]
    gone: list[str]
    stems: dict[str, str]
    unreadable: list[UnusableInput]
    doubted: bool


class _Doubts:
    """Which recordings may have been replaced although their sizes and times are those that the index has.

    Recordings of one archive often have one size and one time, so that those of two classes may be exchanged without
    any sign in them. What tells is when a file, or its name, was last changed on this disk; or, of recordings that
    have their size and time in common with others, when its folders were.
    """

    def __init__(self, index: PictureIndex, image_dir: Path, data_audio: Path) -> None:
        self._data_audio = data_audio
        self._compared_ns = _changed_ns(image_dir / FILE_NAME)
        entries = index.recordings.values()
        digests = grouped(((entry.size_bytes, entry.mtime_ns), entry.sha256) for entry in entries)
        self._shared = {seen for seen, each in digests.items() if len(set(each)) > 1}
        self._latest_ns = functools.cache(self._latest_of)
        self.has_any = False

    def about(self, recording: Path, status: os.stat_result) -> bool:
        """Whether a recording's content has to be compared."""
        is_changed = status.st_ctime_ns >= self._compared_ns or (
            (status.st_size, status.st_mtime_ns) in self._shared
            and self._latest_ns(recording.parent) >= self._compared_ns
        )
        self.has_any |= is_changed
        return is_changed

    def _latest_of(self, folder: Path) -> int:
        """When a folder in the data set, or one that it is in, was last changed."""
        latest, outer = _changed_ns(folder), folder.parent
        return latest if folder in (self._data_audio, outer) else max(latest, self._latest_ns(outer))


def _changed_ns(path: Path) -> int:
    try:
        status = path.stat()
    except OSError:
        return 0
    return max(status.st_mtime_ns, status.st_ctime_ns) if path.is_dir() else status.st_mtime_ns


def find_changes(
    index: PictureIndex, recordings: list[Recording], data_audio: Path, options: PrepareOptions
) -> Changes:
    """What is to be drawn, kept and forgotten, once the recordings are compared with the index."""
    present = {recording.key for recording in recordings}
    absent = index.recordings.keys() - present
    gone = sorted(absent - _away(index, absent, data_audio))
    forgotten = set() if options.keep_gone else set(gone)
    stems = chunk_stems(sorted((present | index.recordings.keys()) - forgotten))
    todo, kept, unreadable, doubts = [], {}, [], _Doubts(index, options.image_dir, data_audio)
    for recording in recordings:
        try:
            entry = _up_to_date(index.recordings.get(recording.key), recording, stems, options, doubts)
        except OSError as error:
            reason = f"cannot be read ({error.strerror or error}); the pictures that are there of it are kept"
            unreadable.append(UnusableInput(recording.path, reason))
            continue
        if entry is None:
            todo.append(recording)
        else:
            kept[recording.key] = entry
    return Changes(todo, kept, gone, stems, unreadable, doubts.has_any)


def _up_to_date(
    entry: RecordingEntry | None, recording: Recording, stems: dict[str, str], options: PrepareOptions, doubts: _Doubts
) -> RecordingEntry | None:
    """The entry to keep if the recording has not changed and all its files are there; else None. Raises OSError."""
    if entry is None or entry.parts != recording.parts:
        return None
    status = recording.path.stat()
    is_same = (status.st_size, status.st_mtime_ns) == (entry.size_bytes, entry.mtime_ns)
    is_same = is_same and not doubts.about(recording.path, status)
    if not is_same and (status.st_size != entry.size_bytes or sha256_of_file(recording.path) != entry.sha256):
        return None
    names = [chunk_name(recording.class_name, stems[recording.key], number) for number in range(len(entry.chunks))]
    if [chunk.name for chunk in entry.chunks] != names:
        return None
    entry = replace(entry, mtime_ns=status.st_mtime_ns, group=recording.group, fold=recording.fold)
    return whole_entry(entry, options.image_dir, options.keep_wav)


def _away(index: PictureIndex, absent: Collection[str], data_audio: Path) -> set[str]:
    """The keys of recordings that were not found and may be there all the same: a drive that is not connected takes no
    pictures with it."""
    # Of a table or annotations, what stands behind the class is the place.
    away = {
        key
        for key in absent
        if any(_may_be_there(data_audio / place, data_audio) for place in (key, key.partition("/")[2]))
    }
    contents = {index.recordings[key].sha256 for key in away}
    return {key for key in absent if index.recordings[key].sha256 in contents}  # as background, it has no place


def _may_be_there(path: Path, data_audio: Path) -> bool:
    """Whether a recording lies behind a folder that can't be read now, or a link that leads nowhere."""
    folders = [folder for folder in path.parents if folder.is_relative_to(data_audio)]
    return any(
        not os.access(folder, os.R_OK | os.X_OK) if folder.exists() else folder.is_symlink() for folder in folders
    )


def require_same_folder(
    index: PictureIndex, recordings: list[Recording], data_audio: Path, options: PrepareOptions
) -> None:
    """Raise AudionetError if the pictures are of another folder's recordings; they would be lost.

    A folder with the same path is the same folder. A folder that was moved, or whose path is not known, is taken for
    the same if at least half of its recordings, or of those in the index, are in both. With --keep-gone, another folder
    may add to the pictures, but none of its recordings may be called as another one was.
    """
    old = index.recordings
    known = remembered_folder(options.image_dir)
    if not old or known == folder_name(data_audio):
        return
    digests, sizes = {entry.sha256 for entry in old.values()}, {entry.size_bytes for entry in old.values()}

    def is_known(recording: Recording) -> bool:
        entry = old.get(recording.key)
        try:
            size_bytes, mtime_ns = size_and_time(recording.path)
            if entry is not None and (size_bytes, mtime_ns) == (entry.size_bytes, entry.mtime_ns):
                return True
            return size_bytes in sizes and sha256_of_file(recording.path) in digests
        except (OSError, UnusableInput):
            return False

    new = [recording.key for recording in recordings if not is_known(recording)]
    namesakes = [key for key in new if key in old]
    shared = len(recordings) - len(new) + (len(namesakes) if known is None else 0)
    if 2 * shared >= min(len(recordings), len(old)) or (options.keep_gone and not namesakes):
        return
    origin = f" of {os.fsdecode(known)}" if known is not None else ", such as " + listed(sorted(old), most=2)
    reason = f"{options.image_dir}: holds the pictures of other recordings{origin}"
    remedy = f"name another --image-dir for those of {data_audio}"
    if options.keep_gone:
        called_so = f"are called as some of these, and would take their place ({listed(namesakes)})"
        raise AudionetError(f"{reason}; recordings of {data_audio} {called_so}: rename them, or {remedy}")
    remedy += ", or add --force to replace the old pictures"
    raise AudionetError(f"{reason}; {remedy}" + ("" if namesakes else ", or --keep-gone to learn from both"))


def find_moved(
    removed: dict[str, RecordingEntry], now: dict[str, RecordingEntry], before: Collection[str]
) -> dict[str, str]:
    """The recordings that are gone from their place and are now at another: for each, the first place that is new.

    Of a recording of which parts are marked, only what has the same parts is the same.
    """
    new = {(now[key].sha256, now[key].parts): key for key in sorted(now.keys() - set(before), reverse=True)}
    places = {key: new.get((entry.sha256, entry.parts)) for key, entry in removed.items()}
    return {key: place for key, place in places.items() if place is not None}
