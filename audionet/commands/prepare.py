"""prepare: folders of recordings -> a spectrogram JPG and a WAV per chunk, in a folder per class."""

import bisect
import logging
import math
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from audionet.annotation.annotated import Fault
from audionet.annotation.metadata import find_labelled_recordings
from audionet.annotation.parts import unused
from audionet.audio.chunks import MINIMUM_TAIL
from audionet.audio.ffmpeg import find_ffmpeg
from audionet.commands.changes import Changes, find_changes, find_moved, require_same_folder
from audionet.commands.drawing import DrawingJob, MeasuringJob, Source, draw_each, measure, written_chunks
from audionet.commands.picture_folder import OpenIndex, open_index
from audionet.dataset import checks
from audionet.dataset.conditions import out_of_range
from audionet.dataset.folders import Recording
from audionet.dataset.manifest import PictureIndex, RecordingEntry
from audionet.dataset.names import class_of
from audionet.dataset.sources import remember_folder
from audionet.errors import AudionetError, Skipped, UnusableInput
from audionet.options import BACKGROUND, PrepareOptions
from audionet.parallel.dask import open_workers
from audionet.parallel.threads import Workers
from audionet.plots.contact_sheet import delete_sheets, write_contact_sheets
from audionet.settings import PictureSettings
from audionet.spectrogram.filter_bank import make_color_table
from audionet.system.files import require_folder, resolved
from audionet.system.locks import LOCK_NAME, exclusive_lock
from audionet.system.progress import Progress, chosen, counted
from audionet.system.text import clock, count
from audionet.system.untrusted import is_folder
from audionet.values import as_path, options_or_usual

logger = logging.getLogger(__name__)

MOST_OVERLAPPING = 10  # pictures of a moment; two are usual


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
    skipped: Skipped = field(default_factory=Skipped)
    contact_sheets: list[Path] = field(default_factory=list)

    def skip_unused_parts(self, recording: Recording, entry: RecordingEntry | None, chunk_seconds: float) -> None:
        """Say which marked parts of a recording are of no use, too short or behind its end, and which end behind it."""
        if entry is None:
            return
        starts, useless = [chunk.start_seconds for chunk in entry.chunks], []
        for part in (part for part in recording.parts if not math.isinf(part.end_seconds)):
            last = bisect.bisect_left(starts, part.end_seconds)
            end_seconds = starts[last - 1] + entry.chunks[last - 1].seconds if last else 0.0
            if bisect.bisect_left(starts, part.start_seconds - 1e-3) == last:
                useless.append(part)
            elif part.end_seconds - end_seconds > MINIMUM_TAIL * chunk_seconds and recording.class_name != BACKGROUND:
                sentence = "%s: is marked as %r until %s, and ends at %s: is the mark about another recording?"
                times = clock(part.end_seconds), clock(end_seconds)
                logger.warning(sentence, recording.path, recording.class_name, *times)
        if useless:
            self.skipped.add(UnusableInput(recording.path, unused(recording, useless)))


def prepare(
    data_audio: Path | str, options: PrepareOptions | None = None, *, progress: Progress | None = None
) -> PrepareReport:
    """Make the pictures of all recordings in `data_audio`, which holds one folder for each class.

    Only what is new or changed since the last time is decoded and drawn. A recording that cannot be used is
    skipped, with a warning, and the others go on. `data_audio` is never written to.
    Raises AudionetError when nothing can be done.
    """
    data_audio, progress = as_path(data_audio), chosen(progress)
    options = options_or_usual(options, PrepareOptions)
    image_dir = options.image_dir
    if resolved(image_dir).is_relative_to(resolved(data_audio)):
        raise AudionetError(f"{image_dir}: lies inside {data_audio}; choose an --image-dir outside of the recordings")
    require_folder(image_dir)
    make_color_table(options.pictures.colormap)  # which refuses a name that is none
    report = PrepareReport(image_dir)
    recordings = _find_recordings(data_audio, options, report)
    logger.debug("ffmpeg: %s", find_ffmpeg())
    with exclusive_lock(image_dir, image_dir / LOCK_NAME), open_workers(options.scheduler, options.jobs) as workers:
        index = open_index(image_dir, options, lambda: _fitting_chunk_seconds(recordings, options, workers))
        _warn_of_overlap(index.content.renderer.settings)
        before = dict(index.content.recordings)
        began_ns = time.time_ns()
        changes = find_changes(index.content, recordings, data_audio, options)
        require_same_folder(index.content, recordings, data_audio, options)
        report.skipped.add(*changes.unreadable)
        _bring_up_to_date(index, changes, options, report)
        remember_folder(image_dir, data_audio)
        _draw_new(index, changes, options, report, workers, progress)
        if changes.doubted:
            index.note_comparison(began_ns)
        for recording in recordings:
            entry, settings = index.content.recordings.get(recording.key), index.content.renderer.settings
            report.skip_unused_parts(recording, entry, settings.chunk_seconds)
        _warn_of_pictures(index.content)
        _warn_of_one_class(data_audio, recordings, index.content, options)
        report.moved = find_moved({key: before[key] for key in report.removed}, index.content.recordings, before)
        delete_sheets(image_dir, map(class_of, report.removed), index.content)
        if options.contact_sheet:
            report.contact_sheets = write_contact_sheets(index.content, image_dir, progress)
    report.skipped.sort(key=lambda error: error.path)
    if not report.made and not report.kept:
        raise AudionetError(f"{data_audio}: none of its {count(len(recordings), 'recording')} can be used")
    return report


def _find_recordings(data_audio: Path, options: PrepareOptions, report: PrepareReport) -> list[Recording]:
    """The recordings that are there, with their labels. Raises AudionetError if there is none."""
    recordings, wrong = find_labelled_recordings(data_audio, options)
    if not recordings and any(isinstance(error, Fault) for error in wrong):
        report.skipped.add(*wrong)
        raise AudionetError(f"{data_audio}: none of its recordings can be used")
    require_recordings(data_audio, recordings)
    report.skipped.add(*wrong)
    return recordings


def require_recordings(data_audio: Path, recordings: list[Recording]) -> None:
    """Raise AudionetError unless a folder holds recordings."""
    if not recordings:
        raise AudionetError(
            f"{data_audio}: no recordings in its folders; put audio files into one folder for each class"
        )


def _fitting_chunk_seconds(recordings: list[Recording], options: PrepareOptions, workers: Workers) -> int | None:
    """How many seconds long chunks fit recordings, which is said; None if the usual ones do."""
    sources = [Source(r.path.absolute(), r.class_name, "", r.parts) for r in recordings]
    one_a_class = checks.has_one_a_class((r.class_name, r.parts) for r in recordings)
    longest = checks.longest_fitted_seconds(options.pictures, one_a_class)
    lengths = measure(MeasuringJob(options.pictures, options.sound.untold()), sources, longest, workers)
    fitting = checks.fitting_chunk_seconds(lengths, options.pictures, one_a_class)
    if fitting:
        why = "most classes have one recording, and a short one" if one_a_class else "most recordings are that short"
        logger.info("chunks of %s, since %s (--chunk-seconds makes others)", count(fitting, "second"), why)
    return fitting


def _bring_up_to_date(index: OpenIndex, changes: Changes, options: PrepareOptions, report: PrepareReport) -> None:
    """Take out of the index what is gone, and note what is kept, before anything is drawn."""
    index.delete_unlisted()
    if options.keep_gone:
        report.gone = changes.gone
    else:
        index.forget(changes.gone)
        report.removed = changes.gone
    index.content.recordings |= changes.kept
    report.kept, report.kept_chunks = len(changes.kept), sum(len(entry.chunks) for entry in changes.kept.values())


def _warn_of_overlap(settings: PictureSettings) -> None:
    """Say so if each moment lies in many pictures, which was hardly meant."""
    often = settings.chunk_samples // settings.step_samples
    if often > MOST_OVERLAPPING:
        sentence = (
            "--overlap %g: each moment lies in %d pictures, so that all takes as many times the time and the space"
        )
        logger.warning(sentence, settings.overlap_seconds, often)


def _warn_of_pictures(index: PictureIndex) -> None:
    """Say so if sound lies where nothing is drawn, or if chunks are much longer or shorter than recordings."""
    settings = index.renderer.settings
    needed = {key: entry.needed_rate_hz for key, entry in index.recordings.items()}
    lengths = (chunk.seconds for entry in index.recordings.values() for chunk in entry.chunks)
    sentences = [*out_of_range(needed, settings), *checks.mostly_repeats(lengths, settings)]
    for sentence in (*sentences, *_no_longer_fitting(index)):
        logger.warning("%s", sentence)


def _no_longer_fitting(index: PictureIndex) -> Iterator[str]:
    """A sentence, if chunks were chosen for other recordings than those of now; none otherwise."""
    lengths, seconds = index.lengths_seconds(), index.renderer.settings.chunk_seconds
    if not index.fitted or len(lengths) < checks.FEWEST_LENGTHS:
        return
    one_a_class = checks.has_one_a_class((class_of(key), entry.parts) for key, entry in index.recordings.items())
    fitting = checks.fitting_chunk_seconds(lengths, PictureSettings(), one_a_class)
    if fitting is None or fitting > 2 * seconds:
        yield (
            f"chunks of {seconds:g} s were chosen for recordings that were shorter or fewer than those of now: "
            "add --force to audionet prepare, and it chooses anew"
        )


def _warn_of_one_class(
    data_audio: Path, recordings: list[Recording], index: PictureIndex, options: PrepareOptions
) -> None:
    """Say so if there is nothing to tell a class from, and what may have been meant. recordings: also those skipped."""
    classes = {*map(class_of, index.recordings), *(recording.class_name for recording in recordings)}
    if len(classes) != 1:
        return
    (name,) = classes
    remedy = "add recordings of another"
    if any(recording.parts for recording in index.recordings.values()):
        remedy += ", or --unmarked background for what is not marked"
    elif options.metadata is None:
        is_above = any(is_folder(path) for path in (data_audio / name).glob("*"))
        inner = f"{data_audio / name} if the folders in it are the classes"
        remedy += f", or name {inner if is_above else 'the table of their labels with --metadata'}"
    logger.warning("%s: holds one class, %r, where retrain needs two: %s", data_audio, name, remedy)


def _draw_new(
    index: OpenIndex,
    changes: Changes,
    options: PrepareOptions,
    report: PrepareReport,
    workers: Workers,
    progress: Progress,
) -> None:
    """Draw the recordings in changes.todo, and list each as soon as it is done, or skip it."""
    content, image_dir, todo, stems = index.content, options.image_dir, changes.todo, changes.stems
    if todo:
        content.unfinished = [f"{recording.class_name}/{stems[recording.key]}" for recording in todo]
        index.save()
    # Workers elsewhere share the folders, not the current directory.
    job = DrawingJob(content.renderer, image_dir.absolute(), options.keep_wav, choice=options.sound)
    sources = [Source(r.path.absolute(), r.class_name, stems[r.key], r.parts) for r in todo]

    def take_back(source: Source) -> None:
        index.delete_chunks(written_chunks(image_dir, source))

    try:
        with closing(draw_each(job, sources, workers, take_back)) as results:
            for position, result in counted("recordings", results, len(todo), progress):
                recording, entry = todo[position], None
                if isinstance(result, UnusableInput):
                    report.skipped.add(UnusableInput(recording.path, result.reason))
                else:
                    entry = replace(result, group=recording.group, fold=recording.fold)
                    report.made += 1
                    report.made_chunks += len(entry.chunks)
                    logger.debug("%s: chunks: %d", recording.path, len(entry.chunks))
                index.replace(recording.key, entry)
                index.save_if_due()
        index.delete_unlisted()
    finally:
        index.save()
