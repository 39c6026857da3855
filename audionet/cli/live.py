"""`label` without end: what a microphone hears, and what arrives in a folder, printed as it comes."""

import argparse
import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from audionet.errors import AudionetError, UnusableInput
from audionet.formats.registry import HEARD, OF_TOOLS, WATCHED

if TYPE_CHECKING:
    from audionet.model.bundle import Model

logger = logging.getLogger(__name__)


def check_live(options: argparse.Namespace) -> None:
    """Raise AudionetError for options that make no sense without end."""
    if options.watch is not None and options.format not in WATCHED[options.mode]:
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
        ("--top", options.top != options.parser.get_default("top")),
        (f"--format {options.format}", options.format in OF_TOOLS),
    ):
        if given:
            raise AudionetError(f"{name}: not with --microphone, which prints a line for each window")


def print_microphone(options: argparse.Namespace, model: "Model") -> None:
    """Label what a microphone hears, until it ends."""
    from audionet.audio.microphone import find_devices
    from audionet.inference.streaming import label_microphone

    devices = find_devices(options.microphone)
    printer = HEARD[options.format](model.labels, endless=True)
    heard = False
    for window in label_microphone(devices, model, options.allow_unknown):
        printer.add(window)
        heard = True
    if not heard:
        raise AudionetError("the microphone ended before it heard anything")


def print_arrivals(
    options: argparse.Namespace,
    model: "Model",
    each: "Callable[..., Iterator[Any]]",
    treat: Callable[[Any], object],
) -> None:
    """Label the clips that are or arrive in a folder, without end. each: scores clips; treat: gets each result."""
    from audionet.inference.watch import watch_folder
    from audionet.parallel.dask import open_workers

    printer = WATCHED[options.mode][options.format](model.labels, options.top, endless=True)
    batches = watch_folder(options.watch)
    logger.info("watching %s; Ctrl-C ends it", options.watch)
    with open_workers(options.scheduler) as workers:
        for batch in batches:
            for clip in each(batch, workers=workers):
                if not isinstance(clip, UnusableInput):
                    printer.add(clip)
                    treat(clip)
