"""label: clips -> the class of each, with scores, or which class is heard when."""

import os
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from audionet.audio.channels import channel_name
from audionet.audio.chunks import EachChannel
from audionet.audio.decoding import count_channels
from audionet.errors import AudionetError, UnusableInput, warn_of_skipped
from audionet.inference.clips import ClipScores, ScoringJob, find_clips
from audionet.inference.events import Events, EventsJob
from audionet.inference.timeline import TimelineJob
from audionet.inference.windows import Segment, Timeline, Windows, WindowsJob
from audionet.model.bundle import load_model
from audionet.options import EventOptions, LabelOptions
from audionet.parallel.dask import open_workers
from audionet.parallel.processes import run_many
from audionet.parallel.threads import Job, Threads, Workers, in_order
from audionet.settings import EACH
from audionet.spectrogram.jpeg import ANY_SUFFIXES, SUFFIXES
from audionet.system.grouping import grouped
from audionet.system.progress import Progress, chosen, counted, silent
from audionet.system.untrusted import is_folder
from audionet.values import NO_PATH, as_path, options_or_usual, plain_path

AClip = TypeVar("AClip", ClipScores, Timeline, Events, Windows)
Clips = Iterable[Path | str] | Path | str  # several, or one
ClipJob = ScoringJob | TimelineJob | EventsJob | WindowsJob


def label(clips: Clips, options: LabelOptions | None = None, *, progress: Progress | None = None) -> list[ClipScores]:
    """The scores of recordings, of folders of them, or of pictures that `prepare` made, in the order given.

    A clip that cannot be used is left out, with a warning. Raises AudionetError when there is no usable model.
    """
    options = options_or_usual(options, LabelOptions)
    job = ScoringJob(load_model(options), options.allow_unknown, options.sound)
    with open_workers(options.scheduler) as workers:
        results = list(run_each(job, _named(clips), workers, progress=chosen(progress)))
    return [result for result in results if isinstance(result, ClipScores)]


def _listed(clips: Clips) -> Iterable[Path | str]:
    """The clips, or the one, whatever it is."""
    if isinstance(clips, (str, bytes, os.PathLike)) or not isinstance(clips, Iterable):
        return [clips]
    return clips


def _named(clips: Clips) -> Iterator[Path]:
    """The paths of clips; a warning says that nothing at all, which as a path is the current folder, is left out."""
    for clip in _listed(clips):
        if isinstance(clip, str) and not clip:
            warn_of_skipped(UnusableInput("''", NO_PATH))
        else:
            yield plain_path(clip)


def timeline(clip: Clips, options: LabelOptions | None = None) -> list[Segment]:
    """Which class is heard when in a recording, or a list of one: segments in order, without gaps.

    Raises AudionetError when there is no usable model, or the recording cannot be used.
    """
    options = options_or_usual(options, LabelOptions)
    return _one(TimelineJob(load_model(options), options.allow_unknown, options.sound), clip, options).segments


def events(
    clip: Clips, options: LabelOptions | None = None, event_options: EventOptions | None = None
) -> list[Segment]:
    """The events that stand out of the background of a recording, or a list of one, in order. Raises as `timeline`."""
    options = options_or_usual(options, LabelOptions)
    event_options = options_or_usual(event_options, EventOptions)
    job = EventsJob(load_model(options), options.allow_unknown, options.sound, event_options)
    return _one(job, clip, options).segments


def _one(job: Job[Path, Any, Any, AClip], clip: Clips, options: LabelOptions) -> AClip:
    """What a job gives for the one recording. Raises AudionetError for several, or if it cannot be used."""
    clips = list(_listed(clip))
    if len(clips) != 1:
        raise AudionetError(f"this is of one recording, not of {len(clips)}; call it for each in turn")
    with open_workers(options.scheduler) as workers:
        ((_, result),) = counted("clips", workers.run(job, [as_path(clips[0]).absolute()]), 1, chosen(None))
    if isinstance(result, UnusableInput):
        raise UnusableInput(clips[0], result.reason)
    return result


def run_each(
    job: ClipJob,
    clips: Iterable[Path],
    workers: Workers | None = None,
    names: Mapping[Path, str] | None = None,
    progress: Progress = silent,
) -> Iterator[ClipScores | Timeline | Windows | UnusableInput]:
    """What a job gives for each clip in order, as soon as it is known; or why there is nothing.

    Where it is to hear each channel, every one is a clip of its own. names: what to call clips instead of by their
    paths.
    """
    names = names or {}
    # The clips named, and those in the folders named; a folder without clips too, to be named with the reason.
    paths = [path for clip in clips for path in list(find_clips([clip])) or [clip]]
    # Workers elsewhere share the folders, not the current directory.
    places = [path.absolute() for path in paths]
    of_any_kind: Job[Path, Any, Any, Any] = _EachJob(job) if job.choice.channel == EACH else job
    with closing(run_many(workers or Threads(), of_any_kind, places, places)) as results:
        done = in_order(counted("clips", results, len(paths), progress))
        for path, result in zip(paths, done, strict=True):
            name = names.get(path, str(path))
            if isinstance(result, UnusableInput):
                skipped = UnusableInput(name, result.reason)  # by the name that it is called
                warn_of_skipped(skipped)
                yield skipped
            elif isinstance(result, list):
                yield from _named_by_channel(name, result)
            else:
                yield replace(result, clip=name)


def _named_by_channel(name: str, results: list[Any]) -> Iterator[Any]:
    """What there is of each channel of a clip, as clips called `clip.wav (left)` or `clip.wav (channel 3)`."""
    for number, result in enumerate(results):
        shown = name if len(results) == 1 else f"{name} ({channel_name(number, len(results))})"
        of_whole = {"recording": name, "channel": number + 1} if isinstance(result, Timeline | Windows) else {}
        yield replace(result, clip=shown, **of_whole)


class _EachJob:
    """A job for workers: what another gives of each channel of a clip."""

    def __init__(self, job: ClipJob) -> None:
        self._job, self._jobs = job, dict[int, Any]()

    def _of_channel(self, number: int) -> Any:
        return self._jobs.setdefault(number, replace(self._job, choice=self._job.choice.of_channel(number)))

    def split(self, path: Path) -> Generator[tuple[int, Any], None, None]:
        """The parts of one channel after the other, each with its channel's number from 0."""
        is_picture = path.suffix.lower() in (ANY_SUFFIXES if self._job.model.any_picture else SUFFIXES)
        channels = 1 if is_picture or is_folder(path) else count_channels(path, self._job.choice)
        each = EachChannel(path, channels)
        for number in range(channels):
            parts = self._of_channel(number).split(path)
            for part in parts if channels == 1 else each.watch(number, parts, _samples):
                yield number, part

    def map(self, path: Path, part: tuple[int, Any]) -> tuple[int, Any]:
        """What a part gives, and its channel."""
        return part[0], self._of_channel(part[0]).map(path, part[1])

    def reduce(self, path: Path, results: list[tuple[int, Any]]) -> list[Any]:
        """The result of each channel."""
        return [self._of_channel(number).reduce(path, of_one) for number, of_one in grouped(results).items()]


def _samples(part: Any) -> np.ndarray:
    """The samples of a chunk, or of a strip, before which there may be a mark."""
    samples: np.ndarray = (part[-1] if isinstance(part, tuple) else part).samples
    return samples
