"""evaluate: labelled folders of clips the model has never heard -> how often it is right."""

import logging
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from audionet.annotation.metadata import find_annotated
from audionet.dataset.folders import class_folders, require_classes_not_parts, stray_files
from audionet.errors import AudionetError, UnusableInput, warn_of_skipped
from audionet.evaluation.confusion import Confusion
from audionet.evaluation.predictions import expected_calibration_error
from audionet.inference.clips import ClipScores, ScoringJob, find_clips
from audionet.model.bundle import load_model, read_card
from audionet.model.card import DIGITS, ModelCard
from audionet.options import AnnotationOptions, LabelOptions
from audionet.parallel.dask import open_workers
from audionet.parallel.threads import in_order
from audionet.report.evaluation import report_on_evaluation
from audionet.report.page import try_to_write
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.system.files import sha256_of_file
from audionet.system.progress import Progress, chosen
from audionet.system.text import did_you_mean, listed

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Evaluation:
    """Right and wrong, a clip counting once, by the best class of each.

    clips: each with its true class.
    skipped: what could not be used.
    renderer: of the model's pictures. card: the model's, see model/card.py; None if it came without.
    warnings: of the clips.
    """

    confusion: Confusion
    clips: list[tuple[ClipScores, str]]
    skipped: list[UnusableInput]
    renderer: SpectrogramRenderer
    card: ModelCard | None
    warnings: list[str]

    @property
    def misclassified(self) -> list[tuple[ClipScores, str]]:
        """The clips whose best class is not theirs, each with its class."""
        return [(clip, truth) for clip, truth in self.clips if clip.best != truth]

    @property
    def unknown(self) -> list[tuple[ClipScores, str]]:
        """The clips that were called unknown, each with its class."""
        return [(clip, truth) for clip, truth in self.clips if clip.is_unknown]

    @property
    def calibration_error(self) -> float:
        """How far the scores are from the share that is right, 0 to 1."""
        scores = np.array([clip.score for clip, _ in self.clips])
        return expected_calibration_error(scores, np.array([clip.best == truth for clip, truth in self.clips]))


def evaluate(
    data_audio: Path | str, options: LabelOptions | None = None, *, progress: Progress | None = None
) -> Evaluation:
    """Label the clips in a folder of one folder a class, named as in training, and count.

    A clip that cannot be used and a folder of a class that the model does not know are skipped, with a warning.
    Raises AudionetError when there is no usable model or no usable clip.
    """
    data_audio = Path(data_audio)
    options, progress = options or LabelOptions(), chosen(progress)
    model = load_model(options)
    skipped, todo = [], []

    def skip(error: UnusableInput) -> None:
        warn_of_skipped(error)
        skipped.append(error)

    # macOS spells a name's accents in another way than Windows and Linux.
    known = {unicodedata.normalize("NFC", label): label for label in model.labels}
    for folder, clips in _clips_by_class(data_audio, options.metadata, skip).items():
        truth = known.get(unicodedata.normalize("NFC", folder.name))
        if truth is None:
            like = did_you_mean(folder.name, model.labels)
            skip(UnusableInput(folder, f"the model has no such class (it knows {', '.join(model.labels)}){like}"))
        elif not clips:
            skip(UnusableInput(folder, "holds no clips"))
        else:
            todo += [(clip, truth) for clip in clips]
    scored = []
    progress("clips", 0, len(todo))
    job = ScoringJob(model, options.allow_unknown, options.sound)
    with (
        open_workers(options.scheduler) as workers,
        closing(workers.run(job, [path.absolute() for path, _ in todo])) as results,
    ):
        for done, ((path, truth), result) in enumerate(zip(todo, in_order(results), strict=True), start=1):
            if isinstance(result, UnusableInput):
                skip(UnusableInput(path, result.reason))
            else:
                scored.append((replace(result, clip=str(path)), truth))
            progress("clips", done, len(todo))
    if not scored:
        raise AudionetError(f"{data_audio}: holds no clip of the model's classes ({', '.join(model.labels)})")
    numbers = {label: number for number, label in enumerate(model.labels)}
    confusion = Confusion.of(
        model.labels, [numbers[truth] for _, truth in scored], [numbers[clip.best] for clip, _ in scored]
    )
    card = read_card(options)
    warnings = _heard_before([clip for clip, _ in scored], card)
    for warning in warnings:
        logger.warning("%s", warning)
    return Evaluation(confusion, scored, skipped, model.renderer, card, warnings)


def _clips_by_class(
    data_audio: Path, metadata: Path | None, skip: Callable[[UnusableInput], None]
) -> dict[Path, list[Path]]:
    """The clips of each class, by its folder, or by its name in the folder where a table labels them."""
    found = find_annotated(data_audio, AnnotationOptions(metadata))
    if found is None:
        for error in stray_files(data_audio):
            skip(error)
        folders = class_folders(data_audio)
        require_classes_not_parts(data_audio, [folder.name for folder in folders])
        return {folder: list(find_clips([folder])) for folder in folders}
    recordings, wrong = found
    marked = next((recording for recording in recordings if recording.parts), None)
    if marked is not None:
        raise AudionetError(f"{marked.path}: parts of it are marked, and whole recordings alone can be measured on")
    for error in wrong:
        skip(error)
    clips: dict[Path, list[Path]] = {}
    for recording in recordings:
        clips.setdefault(data_audio / recording.class_name, []).append(recording.path)
    return clips


def _heard_before(clips: Sequence[ClipScores], card: ModelCard | None) -> list[str]:
    """A sentence if there are clips that the model was trained on."""
    known = set(card.recordings) if card else set()
    heard = [clip.clip for clip in clips if known and sha256_of_file(Path(clip.clip))[:DIGITS] in known]
    if not heard:
        return []
    which = f"{len(heard)} of {len(clips)} clips were" if len(clips) > 1 else "the clip was"
    return [f"{which} in the model's training ({listed(heard)}): on new ones, it is right less often"]


def write_report(path: Path, evaluation: Evaluation) -> bool:
    """Write the report as HTML; whether that worked. A warning says why not."""
    labels = evaluation.confusion.labels
    found = report_on_evaluation(evaluation.clips, labels, evaluation.renderer, evaluation.card, evaluation.warnings)
    return try_to_write(path, found)
