"""The options of each command, and of each stage of a training: names, defaults and limits, checked once.

The command line reads its defaults here.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from numbers import Real
from pathlib import Path
from typing import Annotated

from audionet import rules
from audionet.errors import AudionetError
from audionet.model_files import ModelFiles, models_in, report_beside
from audionet.settings import ANY_SAMPLE_RATE, CHANNEL, TRACK, PictureSettings, SoundChoice, TlsScheduler
from audionet.values import CheckedRecord, as_paths, one_of, shown

TF_FILES = Path("tf_files")
REPORT_NAME, EVALUATION_REPORT_NAME = "report.html", "evaluation-report.html"  # of retrain and of evaluate
BOTH, REFUSE = "both", "refuse"  # what is done with classes that are heard at once
IGNORE, BACKGROUND = "ignore", "background"  # what unmarked stretches of annotated recordings are
EVENTS, TIMELINE = "events", "timeline"  # what recordings are searched for


@dataclass(frozen=True, kw_only=True)
class SoundOptions(CheckedRecord):
    """Which sound of a file is heard. track, channel: see settings.SoundChoice."""

    track: Annotated[int | None, TRACK] = None
    channel: Annotated[str | None, CHANNEL] = None

    @property
    def sound(self) -> SoundChoice:
        """The track and channel."""
        return SoundChoice(self.track, self.channel)


@dataclass(frozen=True, kw_only=True)
class AnnotationOptions(SoundOptions):
    """What is made of annotations: tables, and files that say what is heard when; for `prepare` and `evaluate`.

    Of several channels that they are about, what they say of the chosen one counts.

    metadata: a table of the recordings and their classes, or a file or folder of annotations; None is what is found.
    corrections: a table of what the folders or the other annotations say wrong, or several, the oldest first; see
        annotation/corrections.py.
    unmarked: what the stretches are that nobody marked, in recordings of which parts are: ignore leaves them out,
        background makes a class of that name of them.
    overlaps: where parts of two classes overlap, both classes have them, or AudionetError is raised (refuse).
    use_beside: whether annotations beside recordings in class folders decide; None asks where they name other classes.
    uem: a file that says which stretches of recordings were annotated; None is what lies beside, such as night.uem.
    tier: of files that have tiers, Praat's and ELAN's, the names of those that count; none is all.
    """

    metadata: Path | None = None
    corrections: Path | Sequence[Path] | None = None
    unmarked: Annotated[str, one_of((IGNORE, BACKGROUND))] = IGNORE
    overlaps: Annotated[str, one_of((BOTH, REFUSE))] = BOTH
    use_beside: bool | None = None
    uem: Path | None = None
    tier: tuple[str, ...] = ()

    @property
    def correction_tables(self) -> tuple[Path, ...]:
        """The tables of corrections, of which each corrects what those before it left."""
        return as_paths(self.corrections)


@dataclass(frozen=True)
class PrepareOptions(AnnotationOptions):
    """Options of `prepare`, among them what is made of annotations.

    image_dir: the folder that the pictures go to, with their WAVs and audionet.json. pictures: how they are drawn.
    fit_chunks: where nearly all recordings are short, make chunks as long as most of them, instead of those of
        `pictures`; None does so if these are the usual ones.
    keep_wav: write each chunk's sound beside its picture.
    jobs: threads, which share the recordings, and each long one; None is one per core.
    force: make all pictures anew, whatever settings the old ones had.
    keep_gone: keep the chunks of recordings that are gone, and those of another folder's recordings.
    prune: delete the chunks of recordings that are gone. It is what happens unless keep_gone says otherwise, and is
        kept for those who ask for it.
    contact_sheet: write a sheet of small pictures for each class too.
    scheduler: address of a Dask cluster that does the work; None is this process.
    """

    image_dir: Annotated[Path, rules.FOLDER] = TF_FILES / "data_image"
    pictures: PictureSettings = field(default_factory=PictureSettings)
    jobs: Annotated[int | None, rules.AT_LEAST_1] = None
    _: KW_ONLY
    fit_chunks: bool | None = None
    keep_wav: bool = True
    force: bool = False
    prune: bool = False
    scheduler: str | TlsScheduler | None = None
    contact_sheet: bool = False
    keep_gone: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.prune and self.keep_gone:
            raise AudionetError(
                "--prune deletes the pictures of recordings that are gone, --keep-gone keeps them: choose one"
            )
        if self.fit_chunks is None:
            object.__setattr__(self, "fit_chunks", self.pictures == PictureSettings())
        if self.jobs is not None and self.scheduler is not None:
            raise AudionetError("--jobs is for this machine, --scheduler for a cluster: choose one")


@dataclass(frozen=True, kw_only=True)
class SplitOptions(CheckedRecord):
    """Which samples are held out, and which of those are tested.

    validation_percentage, testing_percentage: of the recordings, 0 to 100, together under 100.
    folds: hold out the recordings in so many parts in turn, to measure, or in the data set's own folds if it has
        them (OWN_FOLDS asks for them); None is 5 where a class has fewer than thirty recordings, else one split by
        the percentages.
    refit: train the model on all recordings, once it has been measured on those held out.
    test_batch_size: pictures that the final test draws at random; -1 is all. seed: of all that is drawn at random.
    """

    validation_percentage: Annotated[float, rules.UNDER_100] = 10.0
    testing_percentage: Annotated[float, rules.UNDER_100] = 10.0
    folds: Annotated[int | None, rules.FOLDS] = None
    refit: bool = True
    test_batch_size: Annotated[int, rules.BATCH] = -1
    seed: Annotated[int, rules.SEED] = 0


@dataclass(frozen=True, kw_only=True)
class FitOptions(CheckedRecord):
    """How the new layer is trained.

    steps: of the gradient descent.
    learning_rate: step size of the gradient descent, over 0. train_batch_size: pictures a step; -1 is all of them.
    seed: of all that is drawn at random. eval_step_interval: training steps between two evaluations.
    validation_batch_size: pictures that an evaluation draws at random; -1 is all.
    intermediate_store_frequency: steps between two unfinished graphs; 0 is never.
    """

    steps: Annotated[int, rules.AT_LEAST_1] = 500
    learning_rate: Annotated[float, rules.LEARNING_RATE] = 1.0
    train_batch_size: Annotated[int, rules.BATCH] = 100
    seed: Annotated[int, rules.SEED] = 0
    eval_step_interval: Annotated[int, rules.AT_LEAST_1] = 10
    validation_batch_size: Annotated[int, rules.BATCH] = -1
    intermediate_store_frequency: Annotated[int, rules.NOT_NEGATIVE] = 0


@dataclass(frozen=True, kw_only=True)
class ExportOptions(CheckedRecord):
    """What is written for TensorFlow beside the model.

    final_tensor_name: the output of output_graph. intermediate_output_graphs_dir: where unfinished graphs go.
    checkpoint_path: where TensorFlow checkpoints of the new layer go, as a prefix of their files.
    saved_model_dir: where the model goes as a SavedModel.
    """

    final_tensor_name: Annotated[str, rules.TENSOR_NAME] = "final_result"
    intermediate_output_graphs_dir: Annotated[Path | None, rules.FOLDER] = None
    checkpoint_path: Annotated[Path | None, rules.NAMED] = None
    saved_model_dir: Annotated[Path | None, rules.NAMED, rules.FOLDER] = None


@dataclass(frozen=True)
class RetrainOptions(SplitOptions, FitOptions, ExportOptions):
    """Options of `retrain`, among them those of its stages.

    image_dir: the pictures that `prepare` made. bottleneck_dir: where what the network gives for each of them is kept.
    model_dir: where networks from TensorFlow Hub are kept. summaries_dir: where TensorBoard's curves go.
    architecture: inception_v3 is the embedded network; others come from TensorFlow Hub.
    bottleneck: rows (which keep frequencies apart) or pool_3 (the last block, averaged over time and frequency as in
        2018; the embedded network's backbone for it is looked for in model_dir). None is rows, or pool_3 of a module.
    tfhub_module: a module of TensorFlow Hub instead, by its address, folder or .tar.gz, or Google's, by its name.
    backbone: a LiteRT file (.tflite) of a network from sound instead. Of such a network, or module, backbone_output is
        the name of what is learnt from, None if there is one output; backbone_sample_rate is in Hz, None if it says so.
    tfhub_sha256: what the module's archive must have, in hexadecimal; None is whatever it is.
    output_graph: the model's file for TensorFlow; its other files, with the same name and .tflite or .json, go beside.
    output_labels: where the classes go, one a line; None is beside output_graph, named after it (labels_beside).
    force: train even if the model is up to date.
    report: where the report goes; None is report.html beside output_graph. write_report: whether one is written.
    flip_left_right, random_crop, random_scale, random_brightness: distortions of the pictures that are learnt from,
        the latter three in per cent; see distortions.py.
    scheduler: address of a Dask cluster that makes the bottlenecks; None is this process.
    background: the classes that events stand out of, for `label --events`; none is those called background or noise.
    """

    image_dir: Annotated[Path, rules.FOLDER] = TF_FILES / "data_image"
    _: KW_ONLY
    model_dir: Annotated[Path, rules.FOLDER] = TF_FILES / "models"
    bottleneck_dir: Annotated[Path, rules.FOLDER] = TF_FILES / "bottlenecks"
    summaries_dir: Annotated[Path, rules.FOLDER] = TF_FILES / "training_summaries" / "inception_v3"
    output_graph: Annotated[Path, rules.NAMED] = TF_FILES / "retrained_graph.pb"
    output_labels: Path | None = None
    architecture: Annotated[str, rules.ARCHITECTURE] = rules.EMBEDDED
    bottleneck: Annotated[str | None, rules.BOTTLENECK] = None
    tfhub_module: str | None = None
    tfhub_sha256: Annotated[str | None, rules.DIGEST] = None
    backbone: Path | None = None
    backbone_output: str | None = None
    backbone_sample_rate: Annotated[int | None, ANY_SAMPLE_RATE] = None
    force: bool = False
    report: Path | None = None
    write_report: bool = True
    flip_left_right: bool = False
    random_crop: Annotated[float, rules.PER_CENT] = 0.0
    random_scale: Annotated[float, rules.PER_CENT] = 0.0
    random_brightness: Annotated[float, rules.PER_CENT] = 0.0
    scheduler: str | TlsScheduler | None = None
    background: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        rules.check_network(self)
        if bool(self.intermediate_store_frequency) != (self.intermediate_output_graphs_dir is not None):
            raise AudionetError("--intermediate-output-graphs-dir and --intermediate-store-frequency go together")
        if self.validation_percentage + self.testing_percentage >= 100:
            raise AudionetError("--validation-percentage and --testing-percentage leave nothing to train on")
        if self.folds is not None and not self.refit:
            raise AudionetError("--folds trains several models to measure; --no-refit says to keep the one: choose one")

    @property
    def files(self) -> ModelFiles:
        """The files of the model that is written."""
        return ModelFiles.beside(self.output_graph, self.output_labels)

    @property
    def report_path(self) -> Path | None:
        """The file that the report is written to; None if no report is wanted."""
        return (self.report or report_beside(self.output_graph, REPORT_NAME)) if self.write_report else None


@dataclass(frozen=True)
class LabelOptions(SoundOptions):
    """Options of `label` and `evaluate`, among them which sound of each clip is heard.

    graph: the model, as `retrain` names it, whatever it ends in, or the folder that it is in.
    labels: the classes of a graph that comes with nothing else; None is beside it (labels_beside).
    allow_unknown: a clip that is like none of the classes is called unknown.
    scheduler: address of a Dask cluster that does the work; None is this process.
    metadata: for `evaluate`, a table of the clips and their classes, as for `prepare`.
    threshold: the score, 0 to 1, under which a class is not believed; None is what the training learnt.
    class_thresholds: the same of single classes, by their names; it goes before threshold.
    """

    graph: Path = TF_FILES / "retrained_graph.pb"
    labels: Path | None = None
    _: KW_ONLY
    allow_unknown: bool = True
    scheduler: str | TlsScheduler | None = None
    metadata: Path | None = None
    threshold: Annotated[float | None, rules.SCORE] = None
    class_thresholds: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, score in self.class_thresholds.items():
            if not isinstance(score, Real) or not rules.SCORE.is_allowed(score):
                raise AudionetError(f"--threshold {name}={shown(score)}: {rules.SCORE.sentence}")
        inside = models_in(self.graph)
        if len(inside) == 1:
            object.__setattr__(self, "graph", inside[0])

    @property
    def files(self) -> ModelFiles:
        """The files of the model that is read."""
        return ModelFiles.beside(self.graph, self.labels)

    @property
    def evaluation_report(self) -> Path:
        """Where the report of `evaluate` goes, unless another place is named: beside the model."""
        graph = self.graph if self.graph.name else self.graph.resolve()  # of the current folder, say
        return report_beside(graph, EVALUATION_REPORT_NAME)


@dataclass(frozen=True)
class EventOptions(CheckedRecord):
    """Options of `label --events`.

    background: the classes that events stand out of; none is those called background or noise, if there are any.
    min_seconds: shorter events are left out.
    merge_gap_seconds: events of one class with less between them are one.
    """

    background: tuple[str, ...] = ()
    min_seconds: Annotated[float, rules.SECONDS] = 0.0
    merge_gap_seconds: Annotated[float, rules.SECONDS] = 0.5


@dataclass(frozen=True)
class DetectionOptions(CheckedRecord):
    """How `evaluate` listens to annotated recordings, and what counts as found.

    kind: EVENTS or TIMELINE, as `label` has them; None is events if the model has a background class.
    collar_seconds: how far off an event's start may be; its end too, or half of the event's length.
    background: the classes that events stand out of; none is those called background or noise.
    """

    kind: Annotated[str | None, one_of((EVENTS, TIMELINE))] = None
    collar_seconds: Annotated[float, rules.SECONDS] = 0.5
    background: tuple[str, ...] = ()

    def kind_for(self, background: Collection[str]) -> str:
        """What a model is asked for that has such background classes: EVENTS or TIMELINE."""
        return self.kind or (EVENTS if background else TIMELINE)
