"""The command line: what was typed -> options -> one of the four steps -> what is printed and the exit status."""

import argparse
import gc
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audionet.cli.completion import completion_script
from audionet.cli.live import check_live, print_arrivals, print_microphone
from audionet.cli.parser import build_parser
from audionet.cli.spelling import as_meant, modern_spelling
from audionet.errors import AudionetError, UnusableInput
from audionet.formats import clips as clip_printers
from audionet.formats import summary as console
from audionet.options import LabelOptions, PrepareOptions, RetrainOptions
from audionet.settings import EACH, EVALUATION_REPORT_NAME, PictureSettings
from audionet.system import signals as interruption
from audionet.system.stderr import open_missing_streams
from audionet.system.terminal import progress_shown

if TYPE_CHECKING:
    from audionet.inference.clips import ClipScores
    from audionet.inference.timeline import Timeline
    from audionet.model.bundle import Model

ALL_DONE, SOME_SKIPPED, NOTHING_DONE = 0, 1, 2

logger = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit status."""
    typed = modern_spelling(sys.argv[1:] if arguments is None else arguments)
    if not typed:
        open_missing_streams()
        sys.stderr.write(build_parser().format_help())
        return NOTHING_DONE
    options = build_parser().parse(as_meant(typed))
    return guarded(lambda: RUN[options.command](options), _verbosity(options))


def guarded(run: Callable[[], int], verbosity: str = "INFO") -> int:
    """What `run` returns; where it can't go on, a sentence on standard error and the exit status for that.

    verbosity: the least important messages that are shown.
    """
    open_missing_streams()
    console.configure_logging(verbosity)
    try:
        status = run()
        sys.stdout.flush()
    except BaseException as error:
        if not isinstance(error, KeyboardInterrupt) and not interruption.came():
            return _explained(error)
        logger.error("interrupted; run the same command again to go on")
        return interruption.status()
    return status


def _explained(error: BaseException) -> int:
    """The exit status for what ended a command, after a sentence about it. Raises what is no user's doing."""
    if isinstance(error, BrokenPipeError):
        _drop_output()  # its reader has gone (`| head`); there is nobody to tell
        return SOME_SKIPPED
    if isinstance(error, AudionetError):
        logger.error("%s", error)
        logger.debug("raised in %s", _place(error))
    elif isinstance(error, MemoryError):
        logger.error("out of memory; close other programs, or use fewer recordings at once")
    elif isinstance(error, OSError):
        place = "" if error.filename is None else f"{error.filename}: "
        logger.error("%s%s; mend that and run the same command again", place, error.strerror or error)
        _drop_output()
    else:
        raise error
    return NOTHING_DONE


def _place(error: BaseException) -> str:
    """The line of the program that raised an error, for who mends it; a traceback would look like a crash."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None:
        return "?"
    return f"{Path(traceback.tb_frame.f_code.co_filename).name}, line {traceback.tb_lineno}"


def _drop_output() -> None:
    """What is still to be written to standard output cannot be; Python need not try again at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _verbosity(options: argparse.Namespace) -> str:
    if options.verbose:
        return "DEBUG"
    return "WARNING" if options.quiet else str(options.logging_verbosity)


def _run_prepare(options: argparse.Namespace) -> int:
    pictures = PictureSettings(options.chunk_seconds, options.overlap, options.representation, options.colormap)
    names = PrepareOptions.__dataclass_fields__.keys() - {"pictures"}
    chosen = PrepareOptions(pictures=pictures, **{name: getattr(options, name) for name in names})
    from audionet.commands.prepare import prepare

    with progress_shown(options.quiet) as progress:
        report = prepare(options.data_audio, chosen, progress=progress)
    if not options.quiet:
        console.print_prepared(report)
    return SOME_SKIPPED if report.skipped else ALL_DONE


def _run_retrain(options: argparse.Namespace) -> int:
    names = RetrainOptions.__dataclass_fields__
    chosen = RetrainOptions(**{name: getattr(options, name) for name in names})
    from audionet.commands.retrain import retrain

    # A hundred thousand pictures are a million small objects, and hardly a cycle: looking for those took seconds.
    gc.set_threshold(100_000, 50, 100)
    with progress_shown(options.quiet) as progress:
        report = retrain(chosen, progress=progress)
    if not options.quiet:
        console.print_retrained(report, None if options.print_misclassified_test_images else console.MISTAKES_SHOWN)
    return SOME_SKIPPED if report.skipped or (chosen.write_report and not report.report) else ALL_DONE


def _run_label(options: argparse.Namespace) -> int:
    if options.top < 1:
        raise AudionetError(f"--top {options.top}: must be at least 1")
    if options.format == "rttm" and not options.timeline:
        raise AudionetError("--format rttm: lists who is heard when; add --timeline")
    if sum((bool(options.clips), options.microphone is not None, options.watch is not None)) != 1:
        options.parser.error("name clips, or --microphone, or --watch FOLDER: one of the three")
    from audionet.commands.label import label_each, timeline_each
    from audionet.model.bundle import load_model
    from audionet.parallel.dask import open_workers

    check_live(options)
    _check_plot(options)
    chosen = _label_options(options)
    model = load_model(chosen)
    if not options.clips:
        return _run_live(options, model)
    printers = clip_printers.TIMELINE_PRINTERS if options.timeline else clip_printers.LABEL_PRINTERS
    printer: clip_printers.Printer[Any] = printers[options.format](model.labels, options.top)
    each = timeline_each if options.timeline else label_each
    scored = skipped = 0
    # Where the clips themselves come by on the terminal, nobody needs a bar.
    unseen = not options.quiet and not sys.stdout.isatty()
    with (
        _standard_input(options.clips) as names,
        open_workers(options.scheduler) as workers,
        progress_shown(not unseen) as progress,
    ):
        places = {name: path for path, name in names.items()}
        clips = [places.get(name, Path(name)) for name in options.clips]
        draw = _drawing(options, model, places)
        for clip in each(clips, model, options.allow_unknown, workers, names, progress, chosen.sound):
            if isinstance(clip, UnusableInput):
                skipped += 1
            else:
                printer.add(clip)
                scored += 1
                skipped += not draw(clip)
    printer.finish()
    if not scored:
        raise AudionetError("no clip could be labelled")
    return SOME_SKIPPED if skipped else ALL_DONE


def _check_plot(options: argparse.Namespace) -> None:
    """Raise AudionetError if --plot names a file that can't be drawn, or one file for several clips."""
    if options.plot is None:
        return
    from audionet.plots.clip import is_file_name

    if options.channel == EACH:
        raise AudionetError("--plot draws one channel; name it with --channel, such as --channel left")
    several = len(options.clips) != 1 or Path(options.clips[0]).is_dir()
    if is_file_name(options.plot) and several:
        raise AudionetError(f"--plot {options.plot}: is one file, for several clips; name a folder, such as plots")


def _drawing(options: argparse.Namespace, model: "Model", places: Mapping[str, Path]) -> Callable[[Any], bool]:
    """What --plot does with each clip, and whether it could; `places`: of clips that are not called by their paths."""
    if options.plot is None:
        return lambda _: True
    from audionet.plots.clip import Plotter

    folders = [Path(clip) for clip in [*options.clips, *filter(None, [options.watch])]]
    choice = _label_options(options).sound
    plotter = Plotter(options.plot, model, options.top, [folder for folder in folders if folder.is_dir()], choice)

    def draw(clip: "ClipScores | Timeline") -> bool:
        try:
            plotter.draw(places.get(clip.clip, Path(clip.clip)), clip)
        except UnusableInput as error:
            logger.warning("%s (not drawn)", error)
            return False
        return True

    return draw


def _run_live(options: argparse.Namespace, model: "Model") -> int:
    try:
        if options.watch is not None:
            print_arrivals(options, model, _drawing(options, model, {}))
        else:
            print_microphone(options, model)
    except KeyboardInterrupt:
        logger.info("stopped")
        return interruption.status()
    return ALL_DONE


def _label_options(options: argparse.Namespace) -> LabelOptions:
    given = {name: getattr(options, name) for name in LabelOptions.__dataclass_fields__ if hasattr(options, name)}
    return LabelOptions(**given)


@contextmanager
def _standard_input(clips: Sequence[str]) -> Iterator[dict[Path, str]]:
    """Where standard input was saved, with its name, if it is among the clips.

    As a file, since some formats have their table of contents at the end, which no pipe can reach.
    """
    if "-" not in clips:
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="audionet-") as folder:
        path = Path(folder) / "standard input"
        try:
            with open(path, "wb") as file:
                shutil.copyfileobj(sys.stdin.buffer, file)
        except OSError as error:
            raise AudionetError(
                f"-: cannot be saved in {folder} ({error.strerror}); free space, or name a file"
            ) from error
        yield {path: "-"}


def _run_evaluate(options: argparse.Namespace) -> int:
    from audionet.commands.evaluate import evaluate, write_report

    with progress_shown(options.quiet) as progress:
        evaluation = evaluate(options.data_audio_test, _label_options(options), progress=progress)
    if options.format == "json":
        console.print_evaluation_json(evaluation)
    else:
        console.print_evaluation(evaluation)
    written = True
    if options.write_report:
        path = options.report or options.graph.with_name(EVALUATION_REPORT_NAME)
        written = write_report(path, evaluation)
        if written and options.format == "text":
            console.print_report(path)
    return SOME_SKIPPED if evaluation.skipped or not written else ALL_DONE


def _run_doctor(_: argparse.Namespace) -> int:
    from audionet.commands.doctor import examine

    findings = examine()
    console.print_findings(findings)
    return ALL_DONE if all(finding.healthy for finding in findings) else SOME_SKIPPED


def _run_completion(options: argparse.Namespace) -> int:
    console.print_line(completion_script(build_parser(), options.shell))
    return ALL_DONE


RUN: dict[str, Callable[[argparse.Namespace], int]] = {
    "prepare": _run_prepare,
    "retrain": _run_retrain,
    "label": _run_label,
    "evaluate": _run_evaluate,
    "doctor": _run_doctor,
    "completion": _run_completion,
}
