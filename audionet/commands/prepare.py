"""prepare: folders of recordings -> a spectrogram JPG and a WAV a chunk, in a folder a class."""

import logging
import time
from collections.abc import Generator, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from audionet.audio.chunks import Chunk, read_chunks, to_wav
from audionet.audio.ffmpeg import find_ffmpeg
from audionet.audio.levels import clipped_share, level_db
from audionet.dataset.folders import Recording, walk_files
from audionet.dataset.manifest import ChunkEntry, PictureIndex, RecordingEntry
from audionet.dataset.metadata import find_labelled_recordings
from audionet.dataset.names import NOHASH, chunk_name, chunk_stems
from audionet.errors import AudionetError, UnusableInput
from audionet.options import PrepareOptions
from audionet.parallel.dask import open_workers
from audionet.plots.contact_sheet import write_contact_sheets
from audionet.settings import PictureSettings
from audionet.spectrogram.jpeg import draw
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.system.files import require_file, sha256_of_file, write_atomically
from audionet.system.locks import LOCK_NAME, exclusive_lock
from audionet.system.progress import Progress, silent

logger = logging.getLogger(__name__)

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

    def split(self, source: Source) -> Generator[tuple[Source, Chunk | None], None, None]:
        """None, for the recording as a whole, and then its chunks."""
        yield source, None
        for chunk in read_chunks(source.path, self.renderer.settings):
            yield source, chunk

    def map(self, part: tuple[Source, Chunk | None]) -> RecordingEntry | ChunkEntry:
        """The recording's entry, without chunks; or that of a chunk, whose files are written."""
        source, chunk = part
        if chunk is None:
            return _describe(source.path)
        name = chunk_name(source.class_name, source.stem, chunk.index)
        write_atomically(self.image_dir / f"{name}.jpg", draw(chunk, self.renderer))
        if self.keep_wav:
            write_atomically(self.image_dir / f"{name}.wav", to_wav(chunk))
        loudness = level_db(chunk.samples), clipped_share(chunk.samples)
        return ChunkEntry(name, chunk.start_seconds, chunk.seconds, *loudness)

    def reduce(self, source: Source, found: list[Any]) -> RecordingEntry:
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
        raise UnusableInput(path, f"cannot be read ({error.strerror})") from error


def _size_and_time(path: Path) -> tuple[int, int]:
    """Raises UnusableInput."""
    try:
        status = path.stat()
    except OSError as error:
        raise UnusableInput(path, f"cannot be read ({error.strerror})") from error
    return status.st_size, status.st_mtime_ns


@dataclass
class PrepareReport:
    """What `prepare` did, in recordings and chunks.

    made: recordings decoded and drawn. kept: recordings that were up to date. removed: recordings that are gone
    and whose chunks were deleted. gone: recordings that are gone and whose chunks were kept.
    """

    image_dir: Path
    made: int = 0
    made_chunks: int = 0
    kept: int = 0
    kept_chunks: int = 0
    removed: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    skipped: list[UnusableInput] = field(default_factory=list)
    contact_sheets: list[Path] = field(default_factory=list)


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
        _skip(report, error)
    logger.debug("ffmpeg: %s", find_ffmpeg())
    with exclusive_lock(image_dir, image_dir / LOCK_NAME):
        _draw_all(recordings, options, report, progress)
    report.skipped.sort(key=lambda error: error.path)
    if not report.made and not report.kept:
        raise AudionetError(f"{data_audio}: none of its {len(recordings)} recordings can be used")
    return report


def _real(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # links that go round in a circle
        return path.absolute()


def _draw_all(recordings: list[Recording], options: PrepareOptions, report: PrepareReport, progress: Progress) -> None:
    image_dir = options.image_dir
    index = _open_index(image_dir, options)
    _treat_gone(index, recordings, options, report)
    old = dict(index.recordings)
    changed = options.force or bool(report.removed or index.unfinished)
    _delete_unlisted(index, image_dir)
    stems = chunk_stems(sorted(old.keys() | {recording.key for recording in recordings}))
    todo = []
    for recording in recordings:
        entry = _up_to_date(old.get(recording.key), recording, stems, options)
        if entry is None:
            todo.append(recording)
        else:
            changed = changed or entry != old[recording.key]
            index.recordings[recording.key] = entry
            report.kept += 1
            report.kept_chunks += len(entry.chunks)

    if todo:
        index.unfinished = [f"{recording.class_name}/{stems[recording.key]}" for recording in todo]
        index.save(image_dir)
    saved = time.monotonic()
    # Workers elsewhere share the folders, not the current directory.
    job = DrawingJob(index.renderer, image_dir.absolute(), options.keep_wav)
    sources = [Source(r.path.absolute(), r.class_name, stems[r.key]) for r in todo]
    try:
        with open_workers(options.scheduler, options.jobs) as workers, closing(workers.run(job, sources)) as results:
            progress("recordings", 0, len(todo))
            for done, (position, made) in enumerate(results, start=1):
                recording = todo[position]
                if isinstance(made, UnusableInput):
                    _skip(report, UnusableInput(recording.path, made.reason))
                    changed = changed or recording.key in index.recordings
                    _replace(index, recording.key, None, image_dir)
                else:
                    report.made += 1
                    report.made_chunks += len(made.chunks)
                    logger.debug("%s: chunks: %d", recording.path, len(made.chunks))
                    _replace(index, recording.key, replace(made, group=recording.group, fold=recording.fold), image_dir)
                    changed = True
                progress("recordings", done, len(todo))
                if time.monotonic() - saved > SAVE_INTERVAL_SECONDS:
                    index.save(image_dir)
                    saved = time.monotonic()
        changed = changed or bool(todo)
        _delete_unlisted(index, image_dir)
    finally:
        if changed:
            index.save(image_dir)
    if options.contact_sheet:
        report.contact_sheets = write_contact_sheets(index, image_dir, progress)


def _open_index(image_dir: Path, options: PrepareOptions) -> PictureIndex:
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
        return index
    new = PictureIndex(SpectrogramRenderer.make(options.pictures))
    if index is not None:
        # The new index is written first: killed in between, a rerun finds no old picture listed under new settings,
        # and still knows which to delete.
        old = {name.rpartition(NOHASH)[0] for name in _chunk_names(index.recordings)}
        new.unfinished = sorted(old.union(index.unfinished))
        new.save(image_dir)
    return new


def _delete_unlisted(index: PictureIndex, image_dir: Path) -> None:
    """Delete the chunks of unfinished recordings that are not in the index: of a run that was killed, or of other
    settings before --force."""
    unfinished, listed = set(index.unfinished), _chunk_names(index.recordings)
    for class_name in sorted({stem.partition("/")[0] for stem in unfinished}):
        files = walk_files(image_dir / class_name) if (image_dir / class_name).is_dir() else ()
        names = {f"{class_name}/{path.stem}" for path in files}
        _delete_chunks(image_dir, {name for name in names - listed if name.rpartition(NOHASH)[0] in unfinished})
    index.unfinished = []


def _difference(old: PictureSettings, new: PictureSettings) -> str:
    before, after = old.as_json(), new.as_json()
    return ", ".join(f"{name} {before[name]}, now {after[name]}" for name in before if before[name] != after[name])


def _treat_gone(
    index: PictureIndex, recordings: Iterable[Recording], options: PrepareOptions, report: PrepareReport
) -> None:
    """Report the recordings that are no longer there; forget them if asked to."""
    present = {recording.key for recording in recordings}
    gone = sorted(set(index.recordings) - present)
    if options.prune:
        report.removed = gone
        removed = {key: index.recordings.pop(key) for key in gone}
        _delete_chunks(options.image_dir, _chunk_names(removed) - _chunk_names(index.recordings))
    else:
        report.gone = gone


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


def _skip(report: PrepareReport, error: UnusableInput) -> None:
    logger.warning("%s (skipped)", error)
    report.skipped.append(error)


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
