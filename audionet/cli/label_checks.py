"""Which options of `label` make no sense together: said before anything is loaded."""

import argparse
import logging
from pathlib import Path

from audionet.errors import AudionetError
from audionet.formats.names import ONE_CLIP_FORMATS, TOOL_FORMATS
from audionet.settings import EACH
from audionet.system.files import require_apart, require_folder, resolved
from audionet.values import flag

logger = logging.getLogger(__name__)


def check_label(options: argparse.Namespace) -> None:
    """Raise AudionetError for options that make no sense together, and warn of those that change nothing."""
    if options.top < 1:
        raise AudionetError(f"--top {options.top}: must be at least 1")
    if options.format in TOOL_FORMATS and options.mode == "labels":
        raise AudionetError(f"--format {options.format}: lists what is heard when; add --timeline or --events")
    for name in ("background", "min_seconds", "merge_gap_seconds"):
        if options.mode != "events" and getattr(options, name) != options.parser.get_default(name):
            raise AudionetError(f"{flag(name)}: is about events; add --events")
    if options.mode == "windows":
        _check_windows(options)
    if options.class_thresholds and options.mode == "timeline":
        raise AudionetError("--threshold: of a timeline it is one number for all classes, such as --threshold 0.7")
    if _is_threshold_given(options) and not options.allow_unknown and options.mode != "events":
        raise AudionetError("--threshold: calls what scores less unknown, and --no-unknown nothing; leave out one")
    if options.save_segments is not None:
        _check_segments(options)
    if options.report is not None and not options.clips:
        raise AudionetError("--report: shows clips once all are labelled; name clips, without --watch or --microphone")
    if sum((bool(options.clips), options.microphone is not None, options.watch is not None)) != 1:
        options.parser.error("name clips, or --microphone, or --watch FOLDER: one of the three")
    _check_live(options)
    _warn_of_top(options)
    _check_plot(options)
    _check_report(options)


def _is_threshold_given(options: argparse.Namespace) -> bool:
    return options.threshold is not None or bool(options.class_thresholds)


def _check_windows(options: argparse.Namespace) -> None:
    """Raise AudionetError for options that --windows has no use for."""
    if _is_threshold_given(options):
        raise AudionetError("--threshold: says which class is believed, and --windows prints all scores; leave out one")
    if not options.allow_unknown:
        logger.warning("--no-unknown: changes nothing here; --windows prints all scores, and nothing is unknown")
    if options.report is not None:
        raise AudionetError("--report: shows clips, segments or events; leave out --windows, or type --timeline for it")
    if options.plot is not None:
        raise AudionetError("--plot: draws classes, timelines and events; leave out --windows")


def _check_segments(options: argparse.Namespace) -> None:
    """Raise AudionetError if there are no segments to save, or the place for them is none."""
    folder: Path = options.save_segments
    if options.mode not in ("timeline", "events"):
        raise AudionetError("--save-segments: saves what is heard when; add --timeline or --events")
    if options.channel == EACH:
        raise AudionetError("--save-segments saves one channel; name it with --channel, such as --channel left")
    require_folder(folder)
    for place in (*map(Path, options.clips), *filter(None, [options.watch])):
        if place.is_dir() and resolved(folder).is_relative_to(resolved(place)):
            raise AudionetError(
                f"--save-segments {folder}: lies in {place}, all of which is labelled, so that the segments would be "
                "taken for recordings themselves; name a folder outside of it"
            )


def _warn_of_top(options: argparse.Namespace) -> None:
    """Warn if --top is given where nothing shows so many classes. (It does no harm, and scripts may have it.)"""
    is_drawn = options.plot is not None and options.mode == "labels"
    is_printed = options.format == "text" and options.mode in ("labels", "windows") and options.microphone is None
    if options.top != options.parser.get_default("top") and not is_drawn and not is_printed:
        logger.warning(
            "--top: changes nothing here; it says how many classes are shown for each clip or window as text"
        )


def _check_live(options: argparse.Namespace) -> None:
    """Raise AudionetError for options that make no sense without end."""
    if options.watch is not None and options.format in ONE_CLIP_FORMATS:
        raise AudionetError(
            f"--format {options.format}: is of one recording each; with --watch, use json, csv, raven or rttm"
        )
    if options.microphone is None:
        return
    for name, given in (
        (f"--{options.mode}", options.mode != "labels"),
        ("--plot", options.plot),
        ("--save-segments", options.save_segments),
        ("--scheduler", options.scheduler),
        ("--track", options.track),
        ("--channel", options.channel),
        (f"--format {options.format}", options.format in TOOL_FORMATS),
    ):
        if given:
            raise AudionetError(f"{name}: not with --microphone, which prints a line for each window")


def _check_report(options: argparse.Namespace) -> None:
    """Raise AudionetError if --report names the place of something else."""
    if options.report is None:
        return
    from audionet.report.page import require_place

    require_apart([options.report, *filter(None, [options.plot])], map(Path, options.clips))
    require_folder(options.report.parent)
    require_place(options.report)


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
    require_folder(options.plot.parent if is_file_name(options.plot) else options.plot)
    require_apart([options.plot], map(Path, options.clips))
