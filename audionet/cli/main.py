"""The command line: what was typed -> options -> one of the four steps -> what is printed and the exit status."""

import argparse
import gc
import logging
import os
import re
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from audionet.cli.help import completion_script
from audionet.cli.label_checks import check_label
from audionet.cli.logs import configure_logging
from audionet.cli.meant import as_meant, from_home, modern_spelling
from audionet.cli.option_groups import choose_scheduler
from audionet.cli.parser import build_parser
from audionet.cli.plain_parser import record_of
from audionet.errors import ADDRESS, ALL_DONE, NO_THREADS, NOTHING_DONE, SOME_SKIPPED, AudionetError
from audionet.formats import summary as console
from audionet.formats.evaluation import MISTAKES_SHOWN, print_evaluation, print_evaluation_json
from audionet.options import AnnotationOptions, DetectionOptions, LabelOptions, PrepareOptions, RetrainOptions
from audionet.parallel.memory import keep_freed_memory, require_memory
from audionet.settings import DATE_VARIABLE, PictureSettings
from audionet.system import signals as interruption
from audionet.system.files import require_folder
from audionet.system.progress import progress_shown
from audionet.system.stderr import open_missing_streams

logger = logging.getLogger(__name__)

MOST_FOLDERS = 500  # of a path
SHOWN_CHARACTERS = 60  # of one that is longer
# Of a library that is to be loaded; and of LiteRT, which says all sorts of things, and runs networks of our own here.
NO_ROOM = re.compile("failed to map|[Cc]annot allocate memory|in allocate_tensors|in invoke")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit status."""
    open_missing_streams()
    given = sys.argv[1:] if arguments is None else arguments
    typed = [from_home(word) for word in modern_spelling(given)]
    try:
        if not typed:
            sys.stderr.write(build_parser().format_help())
            return NOTHING_DONE
        try:
            options = build_parser().parse(as_meant(typed))
        finally:
            sys.stdout.flush()  # what --help and --version print before they end the program
    except OSError as error:  # on a full disk
        _drop_output()
        configure_logging("INFO")
        return _explained(error)
    verbosity = "DEBUG" if options.verbose else "WARNING" if options.quiet else options.logging_verbosity
    return guarded(lambda: _run(options, typed), verbosity)


def _run(options: argparse.Namespace, typed: Sequence[str]) -> int:
    require_memory()
    keep_freed_memory()
    for word, before in zip(typed, ["", *typed], strict=False):
        _require_a_word(word, before)
    for option, value in getattr(options, "overridden", {}).items():
        logger.warning("%s is given more than once; the last counts: %s", option, value)
    for value in vars(options).values():
        if isinstance(value, Path) and ADDRESS.search(str(value)) and not value.exists():
            address = str(value).replace(":/", "://", 1)  # pathlib has left one of them
            raise AudionetError(f"{address}: is an address, where a place on this computer is needed")
    _forget_impossible_date()
    # Whatever windows the user's own figures are shown in: ours are files, and a name that none has is no matter.
    os.environ["MPLBACKEND"] = "agg"
    choose_scheduler(options)
    return RUN[options.command](options)


def _forget_impossible_date() -> None:
    """Take DATE_VARIABLE out of the environment if it tells no time: NumPy, once SciPy loads all of it, breaks down."""
    told = os.environ.get(DATE_VARIABLE, "0")
    try:
        time.gmtime(int(told))
    except (ValueError, OverflowError, OSError):
        del os.environ[DATE_VARIABLE]
        if told:
            logger.warning("%s is no number of seconds since 1970 (%s), and is not used", DATE_VARIABLE, told)


def _require_a_word(word: str, before: str) -> None:
    """Raise AudionetError for what no shell passes on, but a program may: a NUL, or half of a character.

    And for nothing at all, as of a variable that is not set, which as a path would be the current folder; and for a
    path of so many folders that Python gives up.
    """
    if not word or re.fullmatch(r"--[\w-]+=", word):
        name = word or (before if before.startswith("--") else "an argument")
        raise AudionetError(f"{name}: is empty; write what is meant (the current folder is .)")
    if word.count("/") > MOST_FOLDERS:
        raise AudionetError(f"{word[:SHOWN_CHARACTERS]}...: is a path of more than {MOST_FOLDERS} folders")
    with suppress(UnicodeEncodeError):
        if b"\0" not in os.fsencode(word):
            return
    raise AudionetError(f"{word!a}: holds what neither a name nor a value can")


def guarded(run: Callable[[], int], verbosity: str = "INFO") -> int:
    """The exit status that `run` returns; where it can't go on, print a sentence and return the status for that.

    verbosity: the least important messages that are shown.
    """
    open_missing_streams()
    configure_logging(verbosity)
    try:
        status = run()
        sys.stdout.flush()
    except BaseException as error:
        if not interruption.is_interruption(error):
            return _explained(error)
        logger.error("interrupted; run the same command again to go on")
        return interruption.status()
    return status


def _explained(error: BaseException) -> int:
    """Print a sentence about the error that ended a command, and return the exit status; raise what is a bug."""
    if isinstance(error, BrokenPipeError):
        _drop_output()  # whoever read it has gone (`| head`), and needs no message
        return SOME_SKIPPED
    if isinstance(error, AudionetError):
        logger.error("%s", error)
        logger.debug("raised in %s", _place(error))
    elif isinstance(error, MemoryError) or NO_ROOM.search(_whole(error)):
        logger.error("out of memory; close other programs, raise its limit (ulimit -v) or use fewer recordings")
    elif isinstance(error, RuntimeError) and str(error) == "can't start new thread":
        logger.error(NO_THREADS)
    elif isinstance(error, FileNotFoundError) and error.filename is None and not _is_somewhere():
        logger.error("the current folder is no longer there; go to another, such as with cd")
    elif isinstance(error, OSError):
        place = "" if error.filename is None else f"{error.filename}: "
        logger.error("%s%s; mend that and run the same command again", place, error.strerror or error)
        _drop_output()
    else:
        raise error
    return NOTHING_DONE


def _is_somewhere() -> bool:
    """Whether the current folder is there; somebody may have deleted it meanwhile."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return False
    return True


def _whole(error: BaseException) -> str:
    """An error with those that it came from: NumPy's own words are about its installation."""
    return "".join(traceback.format_exception(error))


def _place(error: BaseException) -> str:
    """The line of the program that raised an error, for who mends it; a traceback would look like a crash."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else "?"


def _drop_output() -> None:
    """Drop what could not be written to standard output, so that Python does not try again when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run_prepare(options: argparse.Namespace) -> int:
    is_told = not {"chunk_seconds", "overlap_seconds"}.isdisjoint(getattr(options, "given", ()))
    pictures = record_of(PictureSettings, options)
    chosen = record_of(PrepareOptions, options, pictures=pictures, fit_chunks=not is_told)
    from audionet.commands.prepare import prepare

    with progress_shown(options.quiet) as progress:
        report = prepare(options.data_audio, chosen, progress=progress)
    if not options.quiet:
        console.print_prepared(report)
    return SOME_SKIPPED if report.skipped else ALL_DONE


def _run_retrain(options: argparse.Namespace) -> int:
    chosen = record_of(RetrainOptions, options)
    from audionet.commands.retrain import retrain

    # A hundred thousand pictures are a million small objects with hardly a cycle; looking for cycles took seconds.
    gc.set_threshold(100_000, 50, 100)
    with progress_shown(options.quiet) as progress:
        report = retrain(chosen, progress=progress)
    if not options.quiet:
        console.print_retrained(report, None if options.print_misclassified_test_images else MISTAKES_SHOWN)
    return SOME_SKIPPED if report.skipped or (chosen.write_report and not report.report) else ALL_DONE


def _run_label(options: argparse.Namespace) -> int:
    check_label(options)
    from audionet.cli.label import run_label

    return run_label(options)


def _run_evaluate(options: argparse.Namespace) -> int:
    from audionet.commands.evaluate import evaluate
    from audionet.report.evaluation import report_on_evaluation
    from audionet.report.page import require_place, try_to_write

    model = record_of(LabelOptions, options)
    path = options.report or model.evaluation_report
    if options.report is not None:
        require_folder(path.parent)
    if options.write_report:
        require_place(path)
    annotations = record_of(AnnotationOptions, options)
    detection = record_of(DetectionOptions, options)
    with progress_shown(options.quiet) as progress:
        evaluation = evaluate(options.data_audio_test, model, annotations, detection, progress=progress)
    if options.format == "json":
        print_evaluation_json(evaluation)
    else:
        print_evaluation(evaluation)
    is_written = options.write_report and try_to_write(path, report_on_evaluation(evaluation))
    if is_written and options.format == "text":
        console.print_report(path)
    return SOME_SKIPPED if evaluation.skipped or is_written != options.write_report else ALL_DONE


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
