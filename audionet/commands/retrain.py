"""retrain: pictures -> bottlenecks -> a new layer -> a model, with its accuracy on recordings held out."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from audionet import __version__
from audionet.bottleneck.backbone import Backbone, load_backbone
from audionet.bottleneck.distortions import Distortions, distorted_bottlenecks
from audionet.bottleneck.extractor import BottleneckMaker, Bottlenecks
from audionet.bottleneck.tfhub import load_module, module_asked_for
from audionet.commands.up_to_date import load_previous, training_key
from audionet.dataset.checks import MOST_COMPARED, check_data
from audionet.dataset.folders import PictureFile, find_pictures
from audionet.dataset.manifest import FILE_NAME, PictureIndex
from audionet.dataset.samples import pieces_to_check, split_items
from audionet.errors import AudionetError, UnusableInput
from audionet.evaluation.held_out import EvaluationResult, Lesson
from audionet.model.bundle import ModelFiles, describe_model, save_model
from audionet.model.card import make_card
from audionet.model.description import TrainingRecord
from audionet.model.exports import Exports
from audionet.model.graph_def import freeze
from audionet.model.litert import attach_head
from audionet.model.tensorboard import write_summaries
from audionet.options import RetrainOptions
from audionet.parallel.dask import open_workers
from audionet.report.page import try_to_write
from audionet.report.training import report_on_training
from audionet.spectrogram.augmentation import choose_augmentations
from audionet.system.locks import LOCK_NAME, exclusive_lock, shared_lock
from audionet.system.progress import Progress, silent
from audionet.training.calibrator import History
from audionet.training.classifier import Classifier, Trainer
from audionet.training.projection import Coordinates, compute_coordinates
from audionet.training.split import PARTS, TEST, TRAIN, VALIDATION, Split, choose_folds, single_recording_notes, split
from audionet.training.subspace import LARGEST_SPAN, Subspace, span

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RetrainReport:
    """What `retrain` did.

    pictures: in each part of the split; all in `train` where there were folds.
    held_out: None if no picture was held out for testing.
    refit: whether the model was trained on the held-out pictures too, after they had been used to measure.
    computed, cached: bottlenecks, in pictures.
    trained: False if the model was up to date.
    report: where the report lies; None if none was wanted, or it could not be written.
    """

    labels: list[str]
    pictures: dict[str, int]
    validation_accuracy: float | None
    held_out: EvaluationResult | None
    refit: bool
    computed: int
    cached: int
    trained: bool
    files: ModelFiles
    notes: list[str]
    skipped: list[UnusableInput]
    report: Path | None = None


def retrain(options: RetrainOptions | None = None, *, progress: Progress = silent) -> RetrainReport:
    """Train a new layer on the pictures in options.image_dir and write the model.

    Raises AudionetError when there is nothing to train on.
    """
    options = options or RetrainOptions()
    with shared_lock(options.image_dir):
        pictures = find_pictures(options.image_dir)
        index = PictureIndex.load(options.image_dir)
        if index is None:
            raise AudionetError(f"{options.image_dir / FILE_NAME}: not found; make the pictures with audionet prepare")
        _require_classes(options.image_dir, pictures)
        with _locked_outputs(options):
            return _learn(options, pictures, index, progress)


@contextmanager
def _locked_outputs(options: RetrainOptions) -> Iterator[None]:
    """Keep other runs from writing what this one will write."""
    graph, folder = options.output_graph, options.saved_model_dir
    labels = ModelFiles.beside(graph, options.output_labels).labels
    with ExitStack() as stack:
        stack.enter_context(exclusive_lock(graph, graph.with_name(f".{graph.stem}.lock")))
        stack.enter_context(exclusive_lock(labels, labels.with_name(f".{labels.name}.lock")))
        stack.enter_context(exclusive_lock(options.summaries_dir, options.summaries_dir / LOCK_NAME))
        if folder is not None:
            stack.enter_context(exclusive_lock(folder, folder.with_name(f".{folder.name}.lock")))
        yield


def _learn(
    options: RetrainOptions, pictures: list[PictureFile], index: PictureIndex, progress: Progress
) -> RetrainReport:
    files = ModelFiles.beside(options.output_graph, options.output_labels)
    handle = module_asked_for(options)
    if handle is None:
        backbone = load_backbone(options.bottleneck or "rows", options.model_dir)
    else:
        backbone = load_module(handle, options.bottleneck, options.model_dir)
    chunk_seconds = index.renderer.settings.chunk_seconds
    augmentations = choose_augmentations(len(pictures), index.renderer)
    paths = [picture.path for picture in pictures]
    distortions = Distortions.of(options)
    found: Bottlenecks | Coordinates
    with open_workers(options.scheduler) as workers:
        maker = BottleneckMaker(backbone, index.renderer, options.bottleneck_dir, augmentations, workers)
        if len(paths) * len(augmentations) > LARGEST_SPAN and distortions is None:
            found = compute_coordinates(paths, maker, progress)
        else:
            found = maker.make(paths, progress)
    pictures = [pictures[position] for position in found.kept]
    if not pictures:
        raise AudionetError(
            f"{options.image_dir}: none of its pictures can be used; make them anew with audionet prepare --force"
        )
    _require_classes(options.image_dir, pictures)
    labels = sorted({picture.class_name for picture in pictures})
    items = split_items(pictures, index)
    fold_of = choose_folds(items, options)
    if fold_of:
        divided = Split([TRAIN] * len(items), single_recording_notes(items))
    else:
        divided = split(items, options.validation_percentage, options.testing_percentage)
    for note in divided.notes:
        logger.warning("%s", note)

    key = training_key(options, backbone, index.renderer, pictures, items, found.digests, augmentations)
    done = None if options.force else load_previous(files, key, options)
    trained = done is None
    logger.debug("%s: %s", files.graph, "to be trained" if trained else "up to date")
    if done is None:
        if isinstance(found, Coordinates):
            subspace: Subspace | None = found.subspace
        else:
            features = found.features
            if distortions is not None:
                paths = [picture.path for picture in pictures]
                distorted = distorted_bottlenecks(paths, backbone, distortions, options.seed, progress)
                features = np.concatenate([features, distorted], axis=1)
            subspace = span(features.reshape(-1, features.shape[-1]), options.seed)
        assert subspace is not None  # there are pictures
        names = [picture.name for picture in pictures]
        targets = np.array([labels.index(picture.class_name) for picture in pictures], np.int32)
        trainer = Trainer(subspace, targets, items, len(labels), chunk_seconds, options)
        pieces = pieces_to_check(pictures, index, found.digests)
        lesson = Lesson(labels, names, items, targets, trainer, pieces, options.test_batch_size, options.seed)
        done = _train(options, lesson, divided, fold_of, files, key, backbone, index, progress)
    else:
        for warning in done.data_warnings:
            logger.warning("%s", warning)
    return RetrainReport(
        labels=labels,
        pictures={part: len(divided.indices(part)) for part in PARTS},
        validation_accuracy=done.validation_accuracy,
        held_out=done.held_out,
        refit=options.refit,
        computed=found.computed,
        cached=len(found.kept) - found.computed,
        trained=trained,
        files=files,
        notes=divided.notes,
        skipped=found.skipped,
        report=options.report_path if options.report_path and options.report_path.is_file() else None,
    )


def _require_classes(image_dir: Path, pictures: list[PictureFile]) -> None:
    classes = sorted({picture.class_name for picture in pictures})
    if not classes:
        raise AudionetError(f"{image_dir}: holds no pictures; make them first with audionet prepare")
    if len(classes) == 1:
        raise AudionetError(
            f"{image_dir}: holds only one class, {classes[0]!r}; "
            "add a folder of recordings of another class and run audionet prepare again"
        )


def _train(
    options: RetrainOptions,
    lesson: Lesson,
    divided: Split,
    fold_of: list[int] | None,
    files: ModelFiles,
    key: str,
    backbone: Backbone,
    index: PictureIndex,
    progress: Progress,
) -> TrainingRecord:
    """Measure, train, write the model; what its description says of the training."""
    trainer = lesson.trainer
    everything, nothing = np.arange(len(lesson.items)), np.empty(0, np.intp)
    train, validation, test = (np.array(divided.indices(part), np.intp) for part in (TRAIN, VALIDATION, TEST))
    exports = Exports(backbone, trainer, options)
    # How much more alike copies are than other recordings was measured on the embedded trunk.
    is_comparable = backbone.name == "rows" and len(everything) <= MOST_COMPARED
    compared = trainer.coordinates(everything) if is_comparable else None
    data_warnings = check_data(lesson.pieces, compared)
    for warning in data_warnings:
        logger.warning("%s", warning)
    held_out, validation_accuracy = None, None
    history: History = []
    classifier: Classifier | None = None
    if fold_of:
        held_out = lesson.cross_validate(fold_of, progress, options.summaries_dir, history)
    else:
        kept = not options.refit or len(train) == len(everything)
        store = exports.store if kept else None
        classifier = trainer.learn(train, validation, options.summaries_dir, progress, store, history)
        if len(validation):
            predicted = classifier.probabilities(trainer.coordinates(validation)).argmax(axis=1)
            validation_accuracy = float((predicted == lesson.targets[validation]).mean())
        if len(test):
            held_out = lesson.held_out(test, classifier.probabilities(trainer.coordinates(test)), [])
    if classifier is None or not kept:
        classifier = trainer.learn(everything, nothing, None, progress, exports.store)
    # Where the work was done leaves no trace in what comes out.
    elsewhere = ("scheduler", "report", "write_report")
    chosen = {name: value for name, value in asdict(options).items() if name not in elsewhere}
    chosen["output_labels"] = files.labels
    training = TrainingRecord(
        key=key,
        audionet_version=__version__,
        backbone_name=backbone.name,
        backbone_sha256=backbone.sha256,
        options={name: str(v) if isinstance(v, Path) else v for name, v in chosen.items()},
        pictures={part: len(divided.indices(part)) for part in PARTS},
        validation_accuracy=validation_accuracy,
        held_out=held_out,
        data_warnings=data_warnings,
    )
    renderer = index.renderer
    recordings = [item.sound or item.recording for item in lesson.items]
    card = make_card(lesson.classes, held_out, renderer.settings, options, backbone.name, data_warnings, recordings)
    layer = exports.layer(classifier)
    graph, network = freeze(backbone, layer, options.final_tensor_name), attach_head(backbone, layer)
    description = describe_model(
        graph, network, lesson.labels, renderer, classifier.thresholds, training, options.final_tensor_name, card
    )
    exports.finish(layer, graph, description)
    write_summaries(options.summaries_dir, layer, held_out, options.image_dir, options.steps)
    if options.report_path:
        report = report_on_training(lesson, held_out, history, data_warnings, card, options.image_dir, renderer, key)
        try_to_write(options.report_path, report)
    # Last: once it is there, a further run takes everything for done.
    save_model(files, graph, network, description)
    return training
