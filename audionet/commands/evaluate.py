"""evaluate: labelled folders of clips the model has never heard -> how often it is right."""

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from audionet.annotation.annotated import Annotated
from audionet.annotation.metadata import find_annotated, find_labelled_recordings, with_corrections_apart
from audionet.annotation.parts import outside, parts_of, total_seconds, unused, without
from audionet.audio.chunks import Part
from audionet.dataset.folders import Recording, class_folders, require_classes_not_parts, stray_files
from audionet.dataset.manifest import PictureIndex
from audionet.dataset.names import UNKNOWN, by_name, composed, listed_classes, look_of, no_such_class
from audionet.detection.background import background_classes
from audionet.errors import AudionetError, Skipped, UnusableInput
from audionet.evaluation.detection import Detection, Span
from audionet.inference.clips import ClipScores, PartsJob, ScoringJob, find_clips
from audionet.inference.events import EventsJob
from audionet.inference.timeline import TimelineJob
from audionet.inference.windows import Timeline
from audionet.model.bundle import Model, load_model, read_card
from audionet.model.card import DIGITS, ModelCard
from audionet.options import BACKGROUND, EVENTS, AnnotationOptions, DetectionOptions, EventOptions, LabelOptions
from audionet.parallel.dask import open_workers
from audionet.parallel.processes import run_many
from audionet.parallel.threads import Item, Job, Result, Workers, in_order
from audionet.report.evaluation import Evaluation, predictions_of
from audionet.settings import EACH
from audionet.system.files import sha256_of_file
from audionet.system.grouping import grouped
from audionet.system.progress import Progress, chosen, continued, counted
from audionet.system.text import clock, listed
from audionet.values import as_path, options_or_usual

logger = logging.getLogger(__name__)

SHORTEST_SPAN_SECONDS = 1e-5  # but for rounding, of what is left of an annotation


def evaluate(
    data_audio: Path | str,
    options: LabelOptions | None = None,
    annotations: AnnotationOptions | None = None,
    detection: DetectionOptions | None = None,
    *,
    progress: Progress | None = None,
) -> Evaluation:
    """Label clips whose classes are known, and count how many are right.

    Their classes are their folders, named as in training, or those that a table or annotations give, as `prepare`
    takes them. A marked part of a recording is a clip.

    annotations: None is options.metadata alone. detection: how annotated recordings are listened to as a whole.
    A clip that cannot be used and a folder of a class that the model does not know are skipped, with a warning.
    Raises AudionetError when there is no usable model or no usable clip.
    """
    data_audio = as_path(data_audio)
    options, progress = options_or_usual(options, LabelOptions), chosen(progress)
    annotations = options_or_usual(annotations or AnnotationOptions(metadata=options.metadata), AnnotationOptions)
    annotations = replace(annotations, track=options.track, channel=options.channel)
    annotations = with_corrections_apart(annotations, data_audio)
    detection = options_or_usual(detection, DetectionOptions)
    model = load_model(options)
    skipped = Skipped()
    todo, annotated = _known_clips(data_audio, annotations, model, skipped)
    listener = _Listener(model, options, detection) if annotated else None
    if listener is None and detection != DetectionOptions():
        logger.warning(
            "%s: has no annotated recordings, which alone are searched for events or turns: --events, --timeline, "
            "--collar and --background change nothing",
            data_audio,
        )
    with open_workers(options.scheduler) as workers:
        runner = _Runner(workers, progress, len(todo) + len(annotated), skipped)
        scored = [*_score_wholes(todo, model, options, runner), *_score_parts(todo, model, options, runner)]
        detected = listener.listen(annotated, runner) if listener else None
    if not scored:
        raise AudionetError(f"{data_audio}: holds no clip of the model's classes ({listed_classes(model.labels)})")
    tested, card = predictions_of(scored, model.labels), read_card(options)
    warnings = _heard_before([clip for clip, _ in scored], card, data_audio) + (listener.warnings() if listener else [])
    for warning in warnings:
        logger.warning("%s", warning)
    return Evaluation(tested, scored, skipped, model.renderer, card, warnings, detected, options.sound)


Scored = tuple[ClipScores, str]


@dataclass(frozen=True)
class _Marked:
    """An annotated recording, at `path`.

    clips: the recording under each class that is heard in it; none where nothing is. marks: all of its marked parts.
    stretches: those that somebody listened to; None if nobody says that it was heard in part only.
    """

    path: Path
    clips: list[Recording]
    marks: list[Part]
    stretches: Sequence[Part] | None = None


Clip = TypeVar("Clip", Recording, _Marked)


@dataclass
class _Runner:
    """Runs jobs on clips, one job after the other: says how far they are, and skips clips that cannot be used.

    total: the number of clips of all jobs.
    """

    workers: Workers
    progress: Progress
    total: int
    skipped: Skipped
    done: int = 0

    def usable(
        self, job: Job[Item, Any, Any, Result], clips: Sequence[Clip], item_of: Callable[[Clip], Item]
    ) -> Iterator[tuple[Clip, Result]]:
        """The clips with the results of a job. item_of: what the job takes for a clip."""
        progress = continued(self.progress, self.done, self.total)
        self.done += len(clips)
        items, paths = [item_of(clip) for clip in clips], [clip.path for clip in clips]
        with closing(run_many(self.workers, job, items, paths)) as results:
            done = in_order(counted("clips", results, len(clips), progress))
            for clip, result in zip(clips, done, strict=True):
                if isinstance(result, UnusableInput):
                    self.skipped.add(UnusableInput(clip.path, result.reason))
                else:
                    yield clip, result


def _score_wholes(todo: list[Recording], model: Model, options: LabelOptions, runner: _Runner) -> Iterator[Scored]:
    """The scores of the clips that are whole recordings, each with its class."""
    clips = [clip for clip in todo if not clip.parts]
    job = ScoringJob(model, options.allow_unknown, options.sound)
    for clip, scores in runner.usable(job, clips, lambda clip: clip.path.absolute()):
        yield replace(scores, clip=str(clip.path)), clip.class_name


def _score_parts(todo: list[Recording], model: Model, options: LabelOptions, runner: _Runner) -> Iterator[Scored]:
    """The scores of the clips that are marked parts, each with its class."""
    clips = [clip for clip in todo if clip.parts]
    job = PartsJob(model, options.allow_unknown, options.sound)
    for clip, of_parts in runner.usable(job, clips, lambda clip: (clip.path.absolute(), clip.parts)):
        for part, scores in zip(clip.parts, of_parts, strict=True):
            if scores is not None:
                yield replace(scores, clip=str(clip.path)), clip.class_name
            elif not math.isinf(part.end_seconds):
                runner.skipped.add(UnusableInput(clip.path, unused(clip, [part])))


class _Listener:
    """Listens to annotated recordings as a whole, as `label --events` or `--timeline` does."""

    def __init__(self, model: Model, options: LabelOptions, detection: DetectionOptions) -> None:
        """Raises AudionetError for a background that the model does not know."""
        if options.sound.channel == EACH:
            raise AudionetError("--channel each: annotations are of one channel, or of the mix; name it")
        learnt = model.detection.background if model.detection else ()
        background = background_classes(model.labels, detection.background or learnt)
        self._kind, self._collar_seconds = detection.kind_for(background), detection.collar_seconds
        self._background = background if self._kind == EVENTS else set()
        self._job: Job[Path, Any, Any, Timeline] = TimelineJob(model, options.allow_unknown, options.sound)
        if self._kind == EVENTS:
            event_options = EventOptions(tuple(sorted(background)))
            self._job = EventsJob(model, options.allow_unknown, options.sound, event_options)
        self._in_part: list[tuple[Path, Part]] = []

    def listen(self, annotated: Sequence[_Marked], runner: _Runner) -> Detection:
        """Compare what the model finds in the recordings with their marked parts."""
        detection = Detection(self._kind, self._collar_seconds)
        for marked, timeline in runner.usable(self._job, annotated, lambda marked: marked.path.absolute()):
            reference = [
                Span(part.start_seconds, min(part.end_seconds, timeline.seconds), clip.class_name)
                for clip in marked.clips
                for part in parts_of(clip)
                if clip.class_name not in self._background and part.start_seconds < timeline.seconds
            ]
            hypothesis = [Span(*s.part, s.label, s.score) for s in timeline.segments if s.label != UNKNOWN]
            unheard = [] if marked.stretches is None else outside(marked.stretches)
            counted_seconds = total_seconds(without([Part(0.0, timeline.seconds)], unheard))
            spans = _but_for(unheard, reference), _but_for(unheard, hypothesis)
            detection.add(*spans, counted_seconds, str(marked.path))
            if marked.stretches is None and marked.marks:
                extent = Part(min(marked.marks).start_seconds, max(part.end_seconds for part in marked.marks))
                if _goes_on_behind(extent, hypothesis, timeline.seconds):
                    self._in_part.append((marked.path, extent))
        if isinstance(self._job, EventsJob):
            detection.thresholds = self._job.thresholds()
        return detection

    def warnings(self) -> list[str]:
        """A sentence if there are recordings that seem to be annotated in part only."""
        if not self._in_part:
            return []
        path, (start, end) = self._in_part[0]
        others = f" (so is {listed([str(other) for other, _ in self._in_part[1:]])})" if len(self._in_part) > 1 else ""
        return [
            f"{path} is marked from {clock(start)} to {clock(end)} alone{others}, and as much is heard in the rest, "
            f"which counts as false; if nobody annotated the rest, write {path.with_suffix('.uem')} with the line: "
            f"{path.stem} 1 {round(start, 2):g} {round(end, 2):g}"
        ]


def _but_for(unheard: Sequence[Part], spans: Sequence[Span]) -> list[Span]:
    """What is left of spans once the parts that nobody listened to are cut out."""
    return [
        Span(*part, *span[2:])
        for span in spans
        for part in without([Part(span.start_seconds, span.end_seconds)], unheard, SHORTEST_SPAN_SECONDS)
    ]


def _goes_on_behind(extent: Part, found: Sequence[Span], seconds: float) -> bool:
    """Whether all marks lie in less than half of a recording, and nearly as much is found in the rest of it."""
    start, end = extent
    inner_seconds = min(end, seconds) - start
    inside = sum(max(0.0, min(span.end_seconds, end) - max(span.start_seconds, start)) for span in found)
    beyond = sum(span.end_seconds - span.start_seconds for span in found) - inside
    return 0 < inner_seconds < seconds / 2 and 0 < beyond >= inside / inner_seconds * (seconds - inner_seconds) / 2


def _known_clips(
    data_audio: Path, annotations: AnnotationOptions, model: Model, skipped: Skipped
) -> tuple[list[Recording], list[_Marked]]:
    """The clips of the model's classes, each under the name that the model has for its class; and what is annotated.

    Raises AudionetError where annotations mark no such clip.
    """
    found = find_annotated(data_audio, annotations)
    known, alike = by_name(model.labels, in_rttm=True), {look_of(label): label for label in model.labels}
    todo = []
    for folder, clips in _clips_by_class(data_audio, annotations, found, skipped).items():
        truth = known.get(composed(folder.name)) or alike.get(look_of(folder.name))
        if truth and composed(folder.name) not in known:
            logger.warning("%s: the class %r is taken for the model's %r", data_audio, folder.name, truth)
        if truth is None:
            skipped.add(UnusableInput(folder, no_such_class(folder.name, model.labels)))
        elif not clips:
            skipped.add(UnusableInput(folder, "holds no clips"))
        else:
            todo += [replace(clip, class_name=truth) for clip in clips]
    annotated = _marked(todo, found)
    if annotated and not todo:  # which would be listened to for hours
        raise AudionetError(
            f"{data_audio}: marks nothing of the model's classes ({listed_classes(model.labels)}), so that nothing is "
            "right; what is found in it, all of it false, label lists with --events or --timeline"
        )
    return todo, annotated


def _marked(clips: Sequence[Recording], found: Annotated | None) -> list[_Marked]:
    """The annotated recordings. clips: those of the model's classes. found: what is annotated."""
    paths = found.paths if found else set()
    by_path = grouped((clip.path, clip) for clip in clips if clip.parts or clip.path in paths)
    if found is None:
        return [_Marked(path, of_path, []) for path, of_path in by_path.items()]
    # Where somebody looked and nothing is heard, whatever is found is wrong.
    heard = {recording.path for recording in found.recordings if recording.class_name != BACKGROUND}
    for path in sorted(found.paths - heard):
        by_path.setdefault(path, [])
    marks = grouped((recording.path, part) for recording in found.recordings for part in recording.parts)
    heard_in = found.stretches
    return [_Marked(path, of_path, marks.get(path, []), heard_in.get(path)) for path, of_path in by_path.items()]


def _clips_by_class(
    data_audio: Path, annotations: AnnotationOptions, found: Annotated | None, skipped: Skipped
) -> dict[Path, list[Recording]]:
    """The clips of each class, by the folder that it has or would have. found: what is annotated, if anything is."""
    if annotations.correction_tables:
        recordings, wrong = find_labelled_recordings(data_audio, annotations, found)
    elif found is not None:
        recordings, wrong = found.recordings, found.wrong
    else:
        return _clips_in_folders(data_audio, skipped)
    skipped.add(*wrong)
    return grouped((data_audio / recording.class_name, recording) for recording in recordings)


def _clips_in_folders(data_audio: Path, skipped: Skipped) -> dict[Path, list[Recording]]:
    """The clips in each class folder, pictures too."""
    by_folder = {
        folder: [Recording(folder.name, path.as_posix(), path) for path in find_clips([folder])]
        for folder in class_folders(data_audio)
    }
    require_classes_not_parts(data_audio, [folder.name for folder, clips in by_folder.items() if clips])
    skipped.add(*stray_files(data_audio))
    return by_folder


def _heard_before(clips: Sequence[ClipScores], card: ModelCard | None, data_audio: Path) -> list[str]:
    """A sentence if there are clips that the model was trained on, or pictures of them."""
    known = set(card.recordings) if card else set()
    names = list(dict.fromkeys(clip.clip for clip in clips))
    digests = dict[str, str]()  # of the recordings of pictures
    with suppress(AudionetError):  # of a damaged folder of pictures
        index = PictureIndex.load(data_audio)
        entries = index.recordings.values() if index else ()
        digests = {str(data_audio / f"{chunk.name}.jpg"): entry.sha256 for entry in entries for chunk in entry.chunks}
    heard = [name for name in names if known and (digests.get(name) or sha256_of_file(Path(name)))[:DIGITS] in known]
    if not heard:
        return []
    were = "was" if len(heard) == 1 else "were"
    which = f"{len(heard)} of {len(names)} clips {were}" if len(names) > 1 else "the clip was"
    return [f"{which} in the model's training ({listed(heard)}): on new ones, it is right less often"]
