"""retrain: pictures -> bottlenecks -> a new layer -> a model, with its accuracy on recordings held out."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from scipy.linalg import solve_triangular  # it has a BLAS, which one_blas_thread limits only if it is there by then

from audionet import __version__
from audionet.bottleneck.backbone import Backbone, load_backbone, noise_direction
from audionet.bottleneck.distortions import Distortions
from audionet.bottleneck.extractor import BottleneckExtractor, Extractor
from audionet.bottleneck.sound import SoundRequest
from audionet.bottleneck.sound_extractor import SoundExtractor, single_windows
from audionet.bottleneck.sound_network import load_sound_file
from audionet.commands.before_training import load_previous, require_fitting, require_places, require_room, training_key
from audionet.dataset.checks import MOST_COMPARED, check_data
from audionet.dataset.samples import Dataset, PictureFolder, load_pictures, require_classes, with_a_say
from audionet.dataset.sources import chunk_sources
from audionet.detection.background import background_classes
from audionet.detection.detector import fit_detector
from audionet.errors import AudionetError, UnusableInput
from audionet.evaluation.cross_validation import TrainingResult, fit_and_evaluate
from audionet.evaluation.result import EvaluationResult
from audionet.hub.tfhub import load_module, module_asked_for
from audionet.model.card import make_card
from audionet.model.description import LearntEvents, ModelDescription, NetworkRecord, TrainedNetwork, TrainingRecord
from audionet.model.exports import Exports
from audionet.model.graph_def import freeze
from audionet.model.litert import attach_head
from audionet.model.store import save_model
from audionet.model_files import ModelFiles
from audionet.options import RetrainOptions
from audionet.parallel.dask import open_workers
from audionet.parallel.threads import Workers, one_blas_thread
from audionet.plots.tensorboard import write_summaries
from audionet.report.page import try_to_write
from audionet.report.training import report_on_training
from audionet.spectrogram.augmentation import ORIGINAL, Augmentation, choose_augmentations
from audionet.system.locks import LOCK_NAME, exclusive_lock, shared_lock
from audionet.system.progress import Progress, chosen
from audionet.system.untrusted import Scalar
from audionet.training.classifier import Trainer
from audionet.training.features import Features, extract_features
from audionet.training.folds import EvaluationPlan, plan_evaluation
from audionet.training.split import PARTS
from audionet.values import flag, options_or_usual

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RetrainReport:
    """What `retrain` did.

    pictures: how many are in each part of the split; all are in `train` where there were folds.
    held_out: how good the model is; None if no picture was held out for testing.
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


def retrain(options: RetrainOptions | None = None, *, progress: Progress | None = None) -> RetrainReport:
    """Train a new layer on the pictures in options.image_dir, measure it on some held out, and write the model.

    Nothing is trained if the model that is there is of the same pictures and options. A picture that cannot be used is
    skipped, with a warning. Raises AudionetError when there is nothing to train on.
    """
    options, progress = options_or_usual(options, RetrainOptions), chosen(progress)
    require_places(options)
    solve_triangular(np.eye(2), np.eye(2) @ np.ones(2))  # each BLAS takes its memory; later, it might ask without end
    with shared_lock(options.image_dir):
        pictures = load_pictures(options.image_dir)
        with _locked_outputs(options), one_blas_thread():
            with open_workers(options.scheduler) as workers:  # first, for it may be that nobody answers
                setup = _Setup(options, pictures, _choose_backbone(options, progress))
                require_fitting(options, setup.backbone, pictures.renderer.settings)
                if options.background and not setup.background:
                    fault = "is for the embedded network and grey pictures; leave it out, or those"
                    raise AudionetError(f"--background: {fault}")
                if not setup.background:  # or what is faint may be it
                    setup = replace(setup, pictures=with_a_say(pictures))
                features = _extract(setup, workers, progress)
            plan = plan_evaluation(features.dataset, options)
            for note in (*_unused(options, plan), *plan.split.notes):
                logger.warning("%s", note)
            key = training_key(options, setup.backbone, pictures.renderer, features.dataset, setup.augmentations)
            previous = None if options.force else load_previous(key, options)
            record = previous or _train_and_export(setup, features, plan, key, progress)
            return _report(setup, features, plan, record, trained=previous is None)


@dataclass(frozen=True)
class _Setup:
    """What one run of `retrain` works with, from its beginning to its end."""

    options: RetrainOptions
    pictures: PictureFolder
    backbone: Backbone

    @property
    def augmentations(self) -> list[Augmentation]:
        """The augmentations that are learnt from, the pictures as they are among them."""
        count, renderer, sound = len(self.pictures.samples), self.pictures.renderer, self.backbone.sound
        if sound is None:
            return choose_augmentations(count, renderer)
        return single_windows(count, sound, renderer.settings.chunk_seconds)

    @property
    def background(self) -> set[str]:
        """The classes that events stand out of; none where no events can be learnt: only the embedded network learns
        them, from grey pictures.

        Raises AudionetError for a name that is no class's.
        """
        labels = Dataset(self.pictures.samples).labels
        found = background_classes(labels, self.options.background, str(self.options.image_dir))
        is_grey = self.pictures.renderer.settings.colormap == "gray"
        return found if self.backbone.name == "rows" and is_grey else set()


@contextmanager
def _locked_outputs(options: RetrainOptions) -> Iterator[None]:
    """Keep other runs from writing the files that this one will write."""
    graph, summaries = options.output_graph, options.summaries_dir
    locks = [(graph, graph.with_name(f".{graph.stem}.lock")), (summaries, summaries / LOCK_NAME)]
    others = filter(None, (options.files.labels, options.saved_model_dir))
    locks += [(place, place.with_name(f".{place.name}.lock")) for place in others]
    with ExitStack() as stack:
        for place, lock_file in locks:
            stack.enter_context(exclusive_lock(place, lock_file))
        yield


def _choose_backbone(options: RetrainOptions, progress: Progress) -> Backbone:
    request = SoundRequest(options.backbone_output, options.backbone_sample_rate)
    if options.backbone is not None:
        return load_sound_file(options.backbone, request)
    handle = module_asked_for(options)
    if handle is None:
        return load_backbone(options.bottleneck or "rows", options.model_dir)
    return load_module(handle, options, request, progress)


def _unused(options: RetrainOptions, plan: EvaluationPlan) -> Iterator[str]:
    """Sentences about options that say how one split is made, where recordings are held out in folds."""
    for name in ("validation_percentage", "testing_percentage"):
        if plan.folds is not None and getattr(options, name) != getattr(RetrainOptions, name):
            yield (
                f"{flag(name)} changes nothing: all recordings are held out in turn, in {max(plan.folds) + 1} folds; "
                "with --no-refit, a share of them is held out, and never learnt from"
            )


def _extract(setup: _Setup, workers: Workers, progress: Progress) -> Features:
    """The features of the samples.

    Raises AudionetError where there is no room for the training, or where all that can be read is of one class.
    """
    options, samples = setup.options, setup.pictures.samples
    extractor = _extractor(setup, workers)
    require_room(options.image_dir, Dataset(samples), extractor.cache.size, has_events=bool(setup.background))
    features = extract_features(samples, extractor, Distortions.of(options), options.seed, progress)
    require_classes(options.image_dir, features.dataset)
    return features


def _extractor(setup: _Setup, workers: Workers) -> Extractor:
    """The extractor of bottlenecks: from the pictures, or from the sound that they were drawn from."""
    pictures, folder, augmentations = setup.pictures, setup.options.bottleneck_dir, setup.augmentations
    if setup.backbone.sound is None:
        parts = {sample.path: sample.sounding for sample in pictures.samples if sample.sounding != ORIGINAL}
        return BottleneckExtractor(setup.backbone, pictures.renderer, folder, augmentations, workers, parts)
    sources = chunk_sources(pictures)
    return SoundExtractor(setup.backbone, pictures.renderer.settings, folder, sources, augmentations, workers)


def _train_and_export(
    setup: _Setup, features: Features, plan: EvaluationPlan, key: str, progress: Progress
) -> TrainingRecord:
    """Evaluate, train, and write the model with its exports; the record of the training."""
    options, dataset, renderer = setup.options, features.dataset, setup.pictures.renderer
    subspace = features.find_subspace()
    noise = noise_direction(setup.backbone, renderer.settings)
    distortions = Distortions.of(options)
    augmentations = [*setup.augmentations, *(distortions.copies if distortions else ())]
    trainer = Trainer(subspace, dataset, renderer.settings.chunk_seconds, options, augmentations, noise)
    warnings = _check(setup, trainer, dataset)
    exports = Exports(setup.backbone, subspace, options, noise)
    result = fit_and_evaluate(trainer, dataset, plan, store=exports.store, progress=progress)
    record = _training_record(setup, plan, result, key, warnings)
    card = make_card(result, renderer.settings, options, setup.backbone.description, warnings)
    background, detector = sorted(setup.background.intersection(dataset.labels)), None
    if background:  # of which a picture could be read
        detector = fit_detector(dataset, background, setup.backbone, renderer, options.seed, progress)
    head = exports.head(result.classifier, detector)
    graph = freeze(setup.backbone, head, options.final_tensor_name)
    flatbuffer = attach_head(setup.backbone, head)
    learnt = None if detector is None else LearntEvents(detector.background, detector.thresholds)
    network = TrainedNetwork(flatbuffer, graph)
    description = ModelDescription(
        dataset.labels, renderer, result.classifier.thresholds, *network.checksums,
        output_name=options.final_tensor_name, training=record, card=card, sound=setup.backbone.sound, detection=learnt,
    )  # fmt: skip
    exports.finish(options.steps, head, graph, description)
    write_summaries(options.summaries_dir, result, head, options.image_dir, options.steps)
    if options.report_path:
        try_to_write(options.report_path, report_on_training(result, card, options.image_dir, renderer, key))
    # Last: once it is there, a further run takes everything for done.
    save_model(options.files, network, description)
    return record


def _check(setup: _Setup, trainer: Trainer, dataset: Dataset) -> list[str]:
    """Sentences about faults in the data, which are logged too."""
    # How much more alike copies are than other recordings was measured on the embedded network.
    is_comparable = setup.backbone.name == "rows" and len(dataset) <= MOST_COMPARED
    coordinates = trainer.coordinates(np.arange(len(dataset))) if is_comparable else None
    warnings = check_data(dataset.samples, coordinates, setup.pictures.renderer.settings)
    for warning in warnings:
        logger.warning("%s", warning)
    return warnings


def _plain(value: object) -> Scalar:
    """The value of an option as the model's description has it."""
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _training_record(
    setup: _Setup, plan: EvaluationPlan, result: TrainingResult, key: str, warnings: list[str]
) -> TrainingRecord:
    """The record of a training: what it was given, and how good the model is."""
    given = asdict(setup.options) | {"output_labels": setup.options.files.labels}
    # The result is the same wherever the work was done; and a network from sound is left out where none was named.
    without = {"scheduler", "report", "write_report"}
    without |= {name for name, value in given.items() if value is None and name.startswith("backbone")}
    return TrainingRecord(
        key=key,
        audionet_version=__version__,
        backbone=NetworkRecord(setup.backbone.name, setup.backbone.sha256),
        options={name: _plain(value) for name, value in given.items() if name not in without},
        pictures={part: len(plan.split.indices(part)) for part in PARTS},
        validation_accuracy=result.validation_accuracy,
        held_out=result.evaluation,
        data_warnings=warnings,
    )


def _report(
    setup: _Setup, features: Features, plan: EvaluationPlan, record: TrainingRecord, *, trained: bool
) -> RetrainReport:
    """What the command says of a training, of now or of an earlier run."""
    labels, path = features.dataset.labels, setup.options.report_path
    return RetrainReport(
        labels=labels,
        pictures=dict(record.pictures),
        validation_accuracy=record.validation_accuracy,
        held_out=record.held_out,
        refit=setup.options.refit,
        computed=features.computed,
        cached=len(features.dataset) - features.computed,
        trained=trained,
        files=setup.options.files,
        notes=plan.split.notes,
        skipped=features.skipped,
        report=path if path and path.is_file() else None,
    )
