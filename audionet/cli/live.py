"""`label` without end: what a microphone hears, and what arrives in a folder, printed as it comes."""

import argparse
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from audionet.errors import AudionetError, UnusableInput
from audionet.formats.registry import HEARD, WATCHED_LABELS, WATCHED_TIMELINES

if TYPE_CHECKING:
    from audionet.model.bundle import Model

logger = logging.getLogger(__name__)


def check_live(options: argparse.Namespace) -> None:
    """Raise AudionetError for options that make no sense without end."""
    if options.microphone is None:
        return
    for name, given in (
        ("--timeline", options.timeline),
        ("--plot", options.plot),
        ("--scheduler", options.scheduler),
        ("--format rttm", options.format == "rttm"),
    ):
        if given:
            raise AudionetError(f"{name}: not with --microphone, which prints a line for each window")


def print_microphone(options: argparse.Namespace, model: "Model") -> None:
    """Label what a microphone hears, until it ends."""
    from audionet.audio.microphone import find_devices
    from audionet.inference.streaming import label_microphone

    devices = find_devices(options.microphone)
    printer = HEARD[options.format](model.labels)
    heard = False
    for window in label_microphone(devices, model, options.allow_unknown):
        printer.add(window)
        heard = True
    if not heard:
        raise AudionetError("the microphone ended before it heard anything")


def print_arrivals(options: argparse.Namespace, model: "Model", draw: Callable[[Any], object]) -> None:
    """Label the clips that are or arrive in a folder, without end; `draw` gets each."""
    from audionet.commands.label import label_each, timeline_each
    from audionet.inference.watch import watch_folder
    from audionet.parallel.dask import open_workers

    printers = WATCHED_TIMELINES if options.timeline else WATCHED_LABELS
    printer = printers[options.format](model.labels, options.top)
    each = timeline_each if options.timeline else label_each
    batches = watch_folder(options.watch)
    logger.info("watching %s; Ctrl-C ends it", options.watch)
    with open_workers(options.scheduler) as workers:
        for batch in batches:
            for clip in each(batch, model, options.allow_unknown, workers):
                if not isinstance(clip, UnusableInput):
                    printer.add(clip)
                    draw(clip)
