"""prepare: folders of recordings -> a spectrogram JPG and a WAV a chunk, in a folder a class."""

import logging
import os
import time
from collections.abc import Collection, Generator, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from audionet.audio.chunks import Chunk, to_wav
from audionet.audio.ffmpeg import find_ffmpeg
from audionet.audio.levels import clipped_share, level_db
from audionet.dataset.folders import Recording, walk_files
from audionet.dataset.manifest import ChunkEntry, PictureIndex, RecordingEntry
from audionet.dataset.metadata import find_labelled_recordings
from audionet.dataset.names import chunk_name, chunk_stems, split_chunk_name
from audionet.errors import AudionetError, UnusableInput, warn_of_skipped
from audionet.inference.clips import draw, read_chunks
from audionet.options import PrepareOptions
from audionet.parallel.dask import open_workers
from audionet.plots.contact_sheet import write_contact_sheets
from audionet.settings import PictureSettings
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.system.files import read_limited, require_file, sha256_of_file, write_atomically
from audionet.system.locks import LOCK_NAME, exclusive_lock
from audionet.system.progress import Progress, silent
from audionet.system.text import listed

logger = logging.getLogger(__name__)

# In the picture folder: the folder whose recordings were drawn last. It is not in audionet.json, which is the same to
# the byte wherever the recordings lie.
FOLDER_FILE = ".audionet.data_audio"
LONGEST_FOLDER_BYTES = 1 << 16
SAVE_INTERVAL_SECONDS = 2.0  # at most this much finished work is done again after a kill


@dataclass(frozen=True)
class Source:
    """A recording to be drawn; the names of its chunks' files start with `stem`."""

    path: Path
    class_name: str
    stem: str


@dataclass(frozen=True)
class DrawingJob:
    """A job for workers: decode recordings, draw their chunks and write the files."""

    renderer: SpectrogramRenderer
    image_dir: Path
    keep_wav: bool
    keep_picture: bool = True

    def parts(self, source: Source) -> Generator[tuple[Source, Chunk | None], None, None]:
        """None, for the recording as a whole, and then its chunks."""
        yield source, None
        for chunk in read_chunks(source.path, self.renderer.settings):
            yield source, chunk

    def work(self, part: tuple[Source, Chunk | None]) -> RecordingEntry | ChunkEntry:
        """The recording's entry, without chunks; or that of a chunk, whose files are written."""
        source, chunk = part
        if chunk is None:
            return _describe(source.path)
        name = chunk_name(source.class_name, source.stem, chunk.index)
        if self.keep_picture:
            write_atomically(self.image_dir / f"{name}.jpg", draw(chunk, self.renderer))
        if self.keep_wav:
            write_atomically(self.image_dir / f"{name}.wav", to_wav(chunk))
        loudness = level_db(chunk.samples), clipped_share(chunk.samples)
        return ChunkEntry(name, chunk.start_seconds, chunk.seconds, *loudness)

    def finish(self, source: Source, found: list[Any]) -> RecordingEntry:
        """The recording's entry, with its chunks. Raises UnusableInput if it is not what it was at the start."""
        entry, *chunks = found
        if _size_and_time(source.path) != (entry.size_bytes, entry.mtime_ns):
            raise UnusableInput(source.path, "changed while it was read; run the same command again")
        return RecordingEntry(entry.size_bytes, entry.mtime_ns, entry.sha256, tuple(chunks))


def _describe(path: Path) -> RecordingEntry:
    try:
        require_file(path)
        return RecordingEntry(*_size_and_time(path), sha256_of_file(path), ())
    except OSError as error:
        raise UnusableInput.unreadable(path, error) from error


def _size_and_time(path: Path) -> tuple[int, int]:
    """Raises UnusableInput."""
    try:
        status = path.stat()
    except OSError as error:
        raise UnusableInput.unreadable(path, error) from error
    return status.st_size, status.st_mtime_ns


@dataclass
class PrepareReport:
    """What `prepare` did, in recordings and chunks.

    made: recordings decoded and drawn. kept: recordings that were up to date. removed: recordings that are gone
    and whose chunks were deleted. gone: recordings that are gone and whose chunks were kept.
    moved: of those removed, where each that was moved or renamed now is.
    """

    image_dir: Path
    made: int = 0
    made_chunks: int = 0
    kept: int = 0
    kept_chunks: int = 0
    removed: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    moved: dict[str, str] = field(default_factory=dict)
    skipped: list[UnusableInput] = field(default_factory=list)
    contact_sheets: list[Path] = field(default_factory=list)

    def skip(self, error: UnusableInput) -> None:
        """Say, and remember, that a recording cannot be used."""
        warn_of_skipped(error)
        self.skipped.append(error)

    def count_kept(self, entries: Collection[RecordingEntry]) -> None:
        """Count recordings that were up to date."""
        self.kept += len(entries)
        self.kept_chunks += sum(len(entry.chunks) for entry in entries)

    def count_drawn(self, recording: Recording, made: RecordingEntry | UnusableInput) -> None:
        """Count a recording that was drawn, or could not be."""
        if isinstance(made, UnusableInput):
            self.skip(made)
            return
        self.made += 1
        self.made_chunks += len(made.chunks)
        logger.debug("%s: chunks: %d", recording.path, len(made.chunks))


def prepare(
    data_audio: Path | str, options: PrepareOptions | None = None, *, progress: Progress = silent
) -> PrepareReport:
    """Make the pictures of all recordings in `data_audio`, a folder of one folder a class.

    Only what is new or changed since the last time is decoded and drawn. A recording that cannot be used is
    skipped, with a warning, and the others go on. `data_audio` is never written to.
    Raises AudionetError when nothing can be done.
    """
    data_audio, options = Path(data_audio), options or PrepareOptions()
    image_dir = options.image_dir
    if _real(image_dir).is_relative_to(_real(data_audio)):
        raise AudionetError(f"{image_dir}: lies inside {data_audio}; choose an --image-dir outside of the recordings")
    recordings, wrong = find_labelled_recordings(data_audio, options.metadata)
    report = PrepareReport(image_dir)
    if not recordings:
        raise AudionetError(
            f"{data_audio}: no recordings in its folders; put audio files into one folder for each class"
        )
    for error in wrong:
        report.skip(error)
    logger.debug("ffmpeg: %s", find_ffmpeg())
    with exclusive_lock(image_dir, image_dir / LOCK_NAME):
        index = _open_index(image_dir, options)
        before = dict(index.content.recordings)
        plan = _compare(index.content, recordings, data_audio, options)
        _require_same_folder(index.content, recordings, data_audio, options)
        _delete_unlisted(index.content, image_dir)
        if options.keep_gone:
            report.gone = plan.gone
        else:
            _forget(index.content, plan.gone, image_dir)
            report.removed = plan.gone
        index.content.recordings |= plan.kept
        report.count_kept(plan.kept.values())
        _remember_folder(image_dir, data_audio)
        try:
            for recording, made in _draw_new(index, plan, options, progress):
                report.count_drawn(recording, made)
        finally:
            index.save()
        report.moved = _moved({key: before[key] for key in report.removed}, index.content.recordings, before)
        if options.contact_sheet:
            report.contact_sheets = write_contact_sheets(index.content, image_dir, progress)
    report.skipped.sort(key=lambda error: error.path)
    if not report.made and not report.kept:
        raise AudionetError(f"{data_audio}: none of its {len(recordings)} recordings can be used")
    return report


def _real(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # links that go round in a circle
        return path.absolute()


@dataclass
class _Index:
    """The index of a picture folder, which is written only when it differs from what is on the disk."""

    content: PictureIndex
    folder: Path
    on_disk: object = None

    def save(self) -> None:
        """Write audionet.json, unless it says the same already."""
        now = self._state()
        if now != self.on_disk:
            self.content.save(self.folder)
            self.on_disk = now

    def saved(self) -> "_Index":
        """Itself, once it is known that it is on the disk as it is."""
        self.on_disk = self._state()
        return self

    def _state(self) -> object:
        return dict(self.content.recordings), list(self.content.unfinished)


@dataclass(frozen=True)
class _Plan:
    """What a comparison of the recordings with the index found.

    todo: recordings that are new or changed. kept: the entries of the others, by key.
    gone: keys of recordings that the index lists and that are not there.
    stems: what the names of each recording's chunks start with, by key.
    """

    todo: list[Recording]
    kept: dict[str, RecordingEntry]
    gone: list[str]
    stems: dict[str, str]


def _compare(index: PictureIndex, recordings: list[Recording], data_audio: Path, options: PrepareOptions) -> _Plan:
    present = {recording.key for recording in recordings}
    gone = sorted(key for key in index.recordings.keys() - present if not _may_be_there(data_audio / key, data_audio))
    forgotten = set() if options.keep_gone else set(gone)
    stems = chunk_stems(sorted((present | index.recordings.keys()) - forgotten))
    todo, kept = [], {}
    for recording in recordings:
        entry = _up_to_date(index.recordings.get(recording.key), recording, stems, options)
        if entry is None:
            todo.append(recording)
        else:
            kept[recording.key] = entry
    return _Plan(todo, kept, gone, stems)


def _may_be_there(path: Path, data_audio: Path) -> bool:
    """Whether a recording that was not found lies behind a folder that can't be read now, or a link that leads nowhere:
    a drive that is not connected takes no pictures with it."""
    folders = [folder for folder in path.parents if folder.is_relative_to(data_audio)]
    return any(
        os.path.lexists(folder) and (not folder.exists() or not os.access(folder, os.R_OK | os.X_OK))
        for folder in folders
    )


def _require_same_folder(
    index: PictureIndex, recordings: list[Recording], data_audio: Path, options: PrepareOptions
) -> None:
    """Raise AudionetError if the pictures are of another folder's recordings, which would be lost.

    The folder is the same if its path is. A folder that was moved, or of which nothing is known, is taken for the
    same if at least half of its recordings, or of those in the index, are in both.
    """
    old = index.recordings
    known = _remembered_folder(options.image_dir)
    if not old or options.keep_gone or known == _folder_name(data_audio):
        return
    digests, sizes = {entry.sha256 for entry in old.values()}, {entry.size_bytes for entry in old.values()}

    def is_known(recording: Recording) -> bool:
        entry = old.get(recording.key)
        if entry is not None and known is None:
            return True
        try:
            found = _size_and_time(recording.path)
            if entry is not None and found == (entry.size_bytes, entry.mtime_ns):
                return True
            return found[0] in sizes and sha256_of_file(recording.path) in digests
        except (OSError, UnusableInput):
            return False

    same = sum(map(is_known, recordings))
    if 2 * same >= min(len(recordings), len(old)):
        return
    where = f" of {os.fsdecode(known)}" if known is not None else ", such as " + listed(sorted(old), most=2)
    raise AudionetError(
        f"{options.image_dir}: holds the pictures of other recordings{where}; name another --image-dir for those of "
        f"{data_audio}, or add --force to replace the old pictures, or --keep-gone to learn from both"
    )


def _folder_name(data_audio: Path) -> bytes:
    return os.fsencode(_real(data_audio))


def _remembered_folder(image_dir: Path) -> bytes | None:
    """The folder whose recordings were drawn last; None if that is not known."""
    try:
        return read_limited(image_dir / FOLDER_FILE, LONGEST_FOLDER_BYTES) or None
    except (OSError, ValueError):
        return None


def _remember_folder(image_dir: Path, data_audio: Path) -> None:
    if _remembered_folder(image_dir) != _folder_name(data_audio):
        write_atomically(image_dir / FOLDER_FILE, _folder_name(data_audio))


def _moved(
    removed: dict[str, RecordingEntry], now: dict[str, RecordingEntry], before: Collection[str]
) -> dict[str, str]:
    """The recordings that are gone from their place and are now at another: for each, the first place that is new."""
    new: dict[str, str] = {}
    for key in sorted(now.keys() - set(before)):
        new.setdefault(now[key].sha256, key)
    return {key: new[entry.sha256] for key, entry in removed.items() if entry.sha256 in new}


def _forget(index: PictureIndex, keys: Iterable[str], image_dir: Path) -> None:
    """Take recordings out of the index, and delete their chunks."""
    removed = {key: index.recordings.pop(key) for key in keys}
    _delete_chunks(image_dir, _chunk_names(removed) - _chunk_names(index.recordings))


def _draw_new(
    index: _Index, plan: _Plan, options: PrepareOptions, progress: Progress
) -> Generator[tuple[Recording, RecordingEntry | UnusableInput], None, None]:
    """Draw the recordings in plan.todo; each with its new entry, or why it has none, as soon as it is done."""
    content, image_dir, todo, stems = index.content, options.image_dir, plan.todo, plan.stems
    if todo:
        content.unfinished = [f"{recording.class_name}/{stems[recording.key]}" for recording in todo]
        index.save()
    saved = time.monotonic()
    # Workers elsewhere share the folders, not the current directory.
    job = DrawingJob(content.renderer, image_dir.absolute(), options.keep_wav)
    sources = [Source(r.path.absolute(), r.class_name, stems[r.key]) for r in todo]
    with open_workers(options.scheduler, options.jobs) as workers, closing(workers.run(job, sources)) as results:
        progress("recordings", 0, len(todo))
        for done, (position, made) in enumerate(results, start=1):
            recording = todo[position]
            if isinstance(made, UnusableInput):
                _replace(content, recording.key, None, image_dir)
                yield recording, UnusableInput(recording.path, made.reason)
            else:
                entry = replace(made, group=recording.group, fold=recording.fold)
                _replace(content, recording.key, entry, image_dir)
                yield recording, entry
            progress("recordings", done, len(todo))
            if time.monotonic() - saved > SAVE_INTERVAL_SECONDS:
                index.save()
                saved = time.monotonic()
    _delete_unlisted(content, image_dir)


def _open_index(image_dir: Path, options: PrepareOptions) -> _Index:
    """The folder's index, or a new one.

    With --force all chunks that the old one lists are deleted. Raises AudionetError without it if the pictures
    were made with other settings.
    """
    try:
        index = PictureIndex.load(image_dir)
    except AudionetError:
        if not options.force:
            raise
        index = None
    if index is not None and not options.force:
        if index.renderer.settings != options.pictures:
            raise AudionetError(
                f"{image_dir}: holds pictures made with other settings "
                f"({_difference(index.renderer.settings, options.pictures)}); "
                "add --force to make them all anew, or name another --image-dir"
            )
        return _Index(index, image_dir).saved()
    new = PictureIndex(SpectrogramRenderer.make(options.pictures))
    if index is not None:
        # The new index is written first: killed in between, a rerun finds no old picture listed under new settings,
        # and still knows which to delete.
        old = {split_chunk_name(name)[0] for name in _chunk_names(index.recordings)}
        new.unfinished = sorted(old.union(index.unfinished))
    opened = _Index(new, image_dir)
    if index is not None:
        opened.save()
    return opened


def _delete_unlisted(index: PictureIndex, image_dir: Path) -> None:
    """Delete the chunks of unfinished recordings that are not in the index: of a run that was killed, or of other
    settings before --force."""
    unfinished, listed = set(index.unfinished), _chunk_names(index.recordings)
    for class_name in sorted({stem.partition("/")[0] for stem in unfinished}):
        files = walk_files(image_dir / class_name) if (image_dir / class_name).is_dir() else ()
        names = {f"{class_name}/{path.stem}" for path in files}
        begun = [(name, *split_chunk_name(name)) for name in names - listed]
        _delete_chunks(image_dir, [name for name, stem, n in begun if n is not None and stem in unfinished])
    index.unfinished = []


def _difference(old: PictureSettings, new: PictureSettings) -> str:
    before, after = old.as_json(), new.as_json()
    return ", ".join(f"{name} {before[name]}, now {after[name]}" for name in before if before[name] != after[name])


def _up_to_date(
    entry: RecordingEntry | None, recording: Recording, stems: dict[str, str], options: PrepareOptions
) -> RecordingEntry | None:
    """The entry to keep if the recording has not changed and all its files are there; else None."""
    if entry is None:
        return None
    try:
        status = recording.path.stat()
        same_time = (status.st_size, status.st_mtime_ns) == (entry.size_bytes, entry.mtime_ns)
        if not same_time and (status.st_size != entry.size_bytes or sha256_of_file(recording.path) != entry.sha256):
            return None
    except OSError:
        return None
    for number, chunk in enumerate(entry.chunks):
        if chunk.name != chunk_name(recording.class_name, stems[recording.key], number):
            return None
        if not (options.image_dir / f"{chunk.name}.jpg").is_file():
            return None
        if options.keep_wav and not (options.image_dir / f"{chunk.name}.wav").is_file():
            return None
    return replace(entry, mtime_ns=status.st_mtime_ns, group=recording.group, fold=recording.fold)


def _replace(index: PictureIndex, key: str, entry: RecordingEntry | None, image_dir: Path) -> None:
    """Put a recording's new entry (None: it has no chunks) into the index, and delete the chunks of the old one.

    They go before the index is saved: a chunk that no index lists could not be told from another recording's, and
    the same sound would come to lie on both sides of the split.
    """
    old = index.recordings.pop(key, None)
    if entry is not None:
        index.recordings[key] = entry
    if old is not None and old.chunks != (entry.chunks if entry else ()):
        _delete_chunks(image_dir, {chunk.name for chunk in old.chunks} - _chunk_names(index.recordings))


def _chunk_names(recordings: dict[str, RecordingEntry]) -> set[str]:
    return {chunk.name for entry in recordings.values() for chunk in entry.chunks}


def _delete_chunks(image_dir: Path, names: Iterable[str]) -> None:
    """Delete the files of chunks that audionet.json listed."""
    for name in sorted(names):
        # The names come from a file that may be a stranger's: nothing outside of image_dir is touched.
        if (image_dir / name).resolve().is_relative_to(image_dir.resolve()):
            for suffix in (".jpg", ".wav"):
                (image_dir / f"{name}{suffix}").unlink(missing_ok=True)
            with suppress(OSError):  # a class folder goes with its last chunk
                (image_dir / name).parent.rmdir()
