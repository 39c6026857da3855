"""`label`: what was typed -> each clip's classes, timeline or events, printed as they come.

The clips are those that are named, those that arrive in a folder, or what a microphone hears. What this module imports
takes its time, so that it is imported itself once it is known that the options make sense.
"""

import argparse
import functools
import logging
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from audionet.audio.microphone import find_devices
from audionet.cli.plain_parser import record_of
from audionet.commands.label import ClipJob, run_each
from audionet.detection.background import background_classes
from audionet.errors import ALL_DONE, SAVED_INPUT, SOME_SKIPPED, AudionetError, UnusableInput, warn_of_skipped
from audionet.formats import registry
from audionet.inference.clips import ClipScores, ScoringJob, find_clips
from audionet.inference.events import EventsJob
from audionet.inference.saved_segments import SegmentSaver
from audionet.inference.streaming import label_microphone
from audionet.inference.timeline import TimelineJob
from audionet.inference.watch import watch_folder
from audionet.inference.windows import Timeline, WindowsJob
from audionet.model.bundle import Model, load_model, read_card
from audionet.options import EventOptions, LabelOptions
from audionet.parallel.dask import open_workers
from audionet.plots.clip import Plotter
from audionet.settings import SoundChoice
from audionet.system import signals as interruption
from audionet.system.progress import bar_away, progress_shown

logger = logging.getLogger(__name__)

STANDARD_INPUT = "-"  # among the clips
ITS_PATHS = ("/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")  # on Linux and macOS, which may be no files
LARGEST_INPUT_BYTES = 4 << 30  # of standard input: what a WAV can have, six hours of a CD
KEPT_FREE_BYTES = 1 << 30  # on the disk for temporary files, or a tenth of a small one
INPUT_BLOCK_BYTES = 1 << 20


def run_label(options: argparse.Namespace) -> int:
    """Run `label`; its exit status."""
    piped = {path for path in ITS_PATHS if not Path(path).is_file()}
    options.clips = [STANDARD_INPUT if clip in piped else clip for clip in options.clips]
    model = load_model(record_of(LabelOptions, options))
    return _label_clips(options, model) if options.clips else _label_live(options, model)


def _scoring(options: argparse.Namespace, model: Model) -> Callable[..., Iterator[Any]]:
    """`run_each` for what was asked for: it takes clips, workers, names and progress.

    Raises AudionetError for a background that the model does not know.
    """
    allow_unknown, sound = options.allow_unknown, record_of(SoundChoice, options)
    if options.mode == "events":
        background_classes(model.labels, options.background)
    jobs: dict[str, ClipJob] = {
        "labels": ScoringJob(model, allow_unknown, sound),
        "timeline": TimelineJob(model, allow_unknown, sound),
        "events": EventsJob(model, allow_unknown, sound, record_of(EventOptions, options)),
        "windows": WindowsJob(model, allow_unknown, sound),
    }
    return functools.partial(run_each, jobs[options.mode])


def _label_clips(options: argparse.Namespace, model: Model) -> int:
    """Label the clips that were named, one by one, and say and write what is asked for; the exit status."""
    each = _scoring(options, model)
    printer = registry.PRINTERS[options.mode][options.format](model.labels, options.top)
    reported: list[ClipScores | Timeline] = []
    scored = 0
    with (
        _standard_input(options.clips) as names,
        open_workers(options.scheduler) as workers,
        # Where the clips themselves come by on the terminal, nobody needs a bar but for long ones.
        progress_shown(options.quiet, only_long=sys.stdout.isatty()) as progress,
    ):
        places = {name: path for path, name in names.items()}
        clips = [places.get(name, Path(name)) for name in options.clips if name != STANDARD_INPUT or names]
        skipped = len(options.clips) - len(clips)
        printer.expect(find_clips(clips))
        treat = _treatment(options, model, places)
        for clip in each(clips, workers=workers, names=names, progress=progress):
            if isinstance(clip, UnusableInput):
                skipped += 1
            else:
                with bar_away(sys.stdout):
                    printer.add(clip)
                scored += 1
                if options.report is not None:
                    reported.append(clip)
                skipped += not treat(clip)
    printer.finish()
    if not scored:
        raise AudionetError("no clip could be labelled")
    skipped += not _report(options, model, reported)
    return SOME_SKIPPED if skipped else ALL_DONE


def _report(options: argparse.Namespace, model: Model, clips: Sequence[ClipScores | Timeline]) -> bool:
    """Write the report that --report asks for; whether that worked."""
    if options.report is None:
        return True
    # It is imported here, since most who label want no report.
    from audionet.report.labelling import report_on_labels
    from audionet.report.page import try_to_write

    card, choice = read_card(record_of(LabelOptions, options)), record_of(SoundChoice, options)
    with progress_shown(options.quiet) as progress:
        if not try_to_write(options.report, report_on_labels(clips, model, card, choice, progress)):
            return False
    logger.info("report: %s (open it in a browser)", options.report)
    return True


def _treatment(options: argparse.Namespace, model: Model, places: Mapping[str, Path]) -> Callable[[Any], bool]:
    """A function for all that is done with a clip beside printing it; it says whether that worked.

    places: the files of clips that are not called by their paths.
    """
    folders = [folder for folder in map(Path, [*options.clips, *filter(None, [options.watch])]) if folder.is_dir()]
    choice = record_of(SoundChoice, options)
    treatments: list[tuple[Callable[[Path, Any], object], str]] = []
    if options.plot is not None:
        treatments.append((Plotter(options.plot, model, options.top, folders, choice).draw, "drawn"))
    if options.save_segments is not None:
        treatments.append((SegmentSaver(options.save_segments, folders, choice).save, "saved"))

    def treat(clip: Any) -> bool:
        has_worked = True
        for treatment, done in treatments:
            try:
                treatment(places.get(clip.clip, Path(clip.clip)), clip)
            except UnusableInput as error:
                logger.warning("%s (not %s)", error, done)
                has_worked = False
        return has_worked

    return treat


def _label_live(options: argparse.Namespace, model: Model) -> int:
    """Label what a microphone hears, or what arrives in a folder, until it is stopped; the exit status."""
    try:
        if options.watch is not None:
            _print_arrivals(options, model, _scoring(options, model), _treatment(options, model, {}))
        else:
            _print_microphone(options, model)
    except BaseException as error:
        if not interruption.is_interruption(error):
            raise
        logger.info("stopped")
        return interruption.status()
    return ALL_DONE


def _print_microphone(options: argparse.Namespace, model: Model) -> None:
    """Label what a microphone hears, until it ends."""
    devices = find_devices(options.microphone)
    printer = registry.HEARD[options.format](model.labels, endless=True)
    window = None
    for window in label_microphone(devices, model, options.allow_unknown):
        printer.add(window)
    if window is None:
        raise AudionetError("the microphone ended before it heard anything")


def _print_arrivals(
    options: argparse.Namespace, model: Model, each: Callable[..., Iterator[Any]], treat: Callable[[Any], object]
) -> None:
    """Label the clips that are or arrive in a folder, without end. each: scores clips; treat: gets each result."""
    printer = registry.PRINTERS[options.mode][options.format](model.labels, options.top, endless=True)
    with open_workers(options.scheduler) as workers:
        for batch in watch_folder(options.watch):
            for clip in each(batch, workers=workers):
                if not isinstance(clip, UnusableInput):
                    printer.add(clip)
                    treat(clip)


@contextmanager
def _standard_input(clips: Sequence[str]) -> Iterator[dict[Path, str]]:
    """Where standard input was saved, with its name, if it is among the clips and can be used.

    It is saved as a file, since some formats have their table of contents at the end, which no pipe can reach.
    """
    if STANDARD_INPUT not in clips:
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="audionet-") as folder:
        path = Path(folder) / SAVED_INPUT
        try:
            _save_standard_input(path)
        except UnusableInput as error:
            warn_of_skipped(error)
            path.unlink(missing_ok=True)
        yield {path: STANDARD_INPUT} if path.exists() else {}


def _save_standard_input(path: Path) -> None:
    """Copy standard input into a file. Raises UnusableInput if it is too long, or there is no room for it."""
    folder, left, instead = path.parent, LARGEST_INPUT_BYTES, "name a file instead"
    kept_free = min(KEPT_FREE_BYTES, shutil.disk_usage(folder).total // 10)
    try:
        with open(path, "wb") as file:
            while block := sys.stdin.buffer.read(INPUT_BLOCK_BYTES):
                left -= len(block)
                if left < 0:
                    raise UnusableInput(STANDARD_INPUT, f"has more than {LARGEST_INPUT_BYTES >> 30} GB; {instead}")
                if shutil.disk_usage(folder).free < kept_free + len(block):
                    raise UnusableInput(STANDARD_INPUT, f"does not fit into {folder}; free space there, or {instead}")
                file.write(block)
    except OSError as error:
        fault = f"cannot be saved in {folder} ({error.strerror})"
        raise UnusableInput(STANDARD_INPUT, f"{fault}; free space, or {instead}") from error
