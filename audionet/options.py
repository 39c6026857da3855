"""The options of each command: names, defaults and limits, checked once. The command line reads its defaults here."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from audionet.errors import AudionetError
from audionet.settings import ARCHITECTURES, BOTTLENECKS, EMBEDDED, OWN_FOLDS, REPORT_NAME, TF_FILES, PictureSettings


@dataclass(frozen=True)
class PrepareOptions:
    """Options of `prepare`.

    keep_wav: write each chunk's sound beside its picture.
    jobs: threads, which share the recordings, and each long one; None is one a core.
    force: make all pictures anew, whatever settings the old ones had.
    prune: delete the chunks of recordings that are gone.
    metadata: a table of the recordings and their classes; see metadata.py.
    contact_sheet: write a sheet of small pictures for each class too.
    scheduler: address of a Dask cluster that does the work; None is this process.
    """

    image_dir: Path = TF_FILES / "data_image"
    pictures: PictureSettings = field(default_factory=PictureSettings)
    jobs: int | None = None
    keep_wav: bool = True
    force: bool = False
    prune: bool = False
    metadata: Path | None = None
    scheduler: str | None = None
    contact_sheet: bool = False

    def __post_init__(self) -> None:
        if self.jobs is not None and self.jobs < 1:
            raise AudionetError(f"--jobs {self.jobs}: must be at least 1")
        if self.jobs is not None and self.scheduler is not None:
            raise AudionetError("--jobs is for this machine, --scheduler for a cluster: choose one")


@dataclass(frozen=True)
class RetrainOptions:
    """Options of `retrain`.

    architecture: inception_v3 is the embedded network; others come from TensorFlow Hub.
    bottleneck: rows (which keep frequencies apart) or pool_3 (the last block, averaged over time and frequency as in
        2018; the embedded network's trunk for it is looked for in model_dir). None is rows, or pool_3 of a module.
    tfhub_module: a module of TensorFlow Hub instead, by its address, folder or .tar.gz, or Google's, by its name.
    learning_rate: step size of the gradient descent, over 0.
    train_batch_size: pictures a step; -1 is all of them.
    validation_percentage, testing_percentage: of the recordings, 0 to 100, together under 100.
    folds: hold out the recordings in so many parts in turn, to measure, or in the data set's own folds if it has
        them (OWN_FOLDS asks for them); None is 5 where a class has fewer than thirty recordings, else one split by
        the percentages.
    refit: train the model on all recordings, once it has been measured on those held out.
    seed: of all that is drawn at random.
    force: train even if the model is up to date.
    final_tensor_name: the output of output_graph.
    eval_step_interval: training steps between two evaluations for the summaries.
    validation_batch_size, test_batch_size: pictures that an evaluation, and the final test, draw at random; -1 is all.
    intermediate_output_graphs_dir: where a graph goes every intermediate_store_frequency steps; 0 is never.
    checkpoint_path: where TensorFlow checkpoints of the new layer go, as a prefix of their files.
    saved_model_dir: where the model goes as a SavedModel.
    report: where the report goes; None is report.html beside output_graph. write_report: whether one is written.
    flip_left_right, random_crop, random_scale, random_brightness: distortions of the pictures that are learnt from,
        the latter three in per cent; see distortions.py.
    scheduler: address of a Dask cluster that makes the bottlenecks; None is this process.
    """

    image_dir: Path = TF_FILES / "data_image"
    steps: int = 500
    model_dir: Path = TF_FILES / "models"
    bottleneck_dir: Path = TF_FILES / "bottlenecks"
    summaries_dir: Path = TF_FILES / "training_summaries" / "inception_v3"
    output_graph: Path = TF_FILES / "retrained_graph.pb"
    output_labels: Path = TF_FILES / "retrained_labels.txt"
    architecture: str = "inception_v3"
    bottleneck: str | None = None
    tfhub_module: str | None = None
    learning_rate: float = 1.0
    train_batch_size: int = 100
    validation_percentage: float = 10.0
    testing_percentage: float = 10.0
    folds: int | None = None
    refit: bool = True
    seed: int = 0
    force: bool = False
    final_tensor_name: str = "final_result"
    eval_step_interval: int = 10
    validation_batch_size: int = -1
    test_batch_size: int = -1
    intermediate_output_graphs_dir: Path | None = None
    intermediate_store_frequency: int = 0
    checkpoint_path: Path | None = None
    saved_model_dir: Path | None = None
    report: Path | None = None
    write_report: bool = True
    flip_left_right: bool = False
    random_crop: float = 0.0
    random_scale: float = 0.0
    random_brightness: float = 0.0
    scheduler: str | None = None

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise AudionetError(f"--steps {self.steps}: must be at least 1")
        if not re.fullmatch(ARCHITECTURES, self.architecture):
            raise AudionetError(
                f"--architecture {self.architecture}: only {EMBEDDED} is built in; from TensorFlow Hub come "
                "mobilenet_v2_100_224, resnet_v2_50 and the like, and any other by its address with --tfhub-module"
            )
        if self.bottleneck is not None and self.bottleneck not in BOTTLENECKS:
            raise AudionetError(f"--bottleneck {self.bottleneck}: must be one of {', '.join(BOTTLENECKS)}")
        if not 0 < self.learning_rate < float("inf"):
            raise AudionetError(f"--learning-rate {self.learning_rate:g}: must be over 0")
        for part in ("train", "validation", "test"):
            size = getattr(self, f"{part}_batch_size")
            if size != -1 and size < 1:
                raise AudionetError(f"--{part}-batch-size {size}: must be at least 1, or -1 for all")
        for name in ("random_crop", "random_scale", "random_brightness"):
            if not 0 <= getattr(self, name) <= 100:
                raise AudionetError(
                    f"--{name.replace('_', '-')} {getattr(self, name):g}: must be from 0 to 100 per cent"
                )
        if self.eval_step_interval < 1:
            raise AudionetError(f"--eval-step-interval {self.eval_step_interval}: must be at least 1")
        if self.intermediate_store_frequency < 0:
            raise AudionetError(
                f"--intermediate-store-frequency {self.intermediate_store_frequency}: must not be below 0"
            )
        if bool(self.intermediate_store_frequency) != (self.intermediate_output_graphs_dir is not None):
            raise AudionetError("--intermediate-output-graphs-dir and --intermediate-store-frequency go together")
        for name in ("validation_percentage", "testing_percentage"):
            if not 0 <= getattr(self, name) < 100:
                raise AudionetError(f"--{name.replace('_', '-')} {getattr(self, name):g}: must be from 0 to under 100")
        if self.validation_percentage + self.testing_percentage >= 100:
            raise AudionetError("--validation-percentage and --testing-percentage leave nothing to train on")
        if self.folds is not None and self.folds < 2 and self.folds != OWN_FOLDS:
            raise AudionetError(f"--folds {self.folds}: must be at least 2")
        if self.folds is not None and not self.refit:
            raise AudionetError("--folds trains several models to measure; --no-refit says to keep the one: choose one")
        if not 0 <= self.seed < 2**31:
            raise AudionetError(f"--seed {self.seed}: must be from 0 to {2**31 - 1}")
        if not re.fullmatch(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*", self.final_tensor_name):
            raise AudionetError(
                f"--final-tensor-name {self.final_tensor_name}: letters, digits and _ . - / are what TensorFlow allows"
            )

    @property
    def report_path(self) -> Path | None:
        """Where the report goes; None if none is wanted."""
        return (self.report or self.output_graph.with_name(REPORT_NAME)) if self.write_report else None


@dataclass(frozen=True)
class LabelOptions:
    """Options of `label` and `evaluate`.

    graph, labels: the model's two files as `retrain` names them, whatever they end in.
    allow_unknown: a clip that is like none of the classes is called unknown.
    scheduler: address of a Dask cluster that does the work; None is this process.
    threshold: the score, 0 to 1, under which a class is not believed; None is what the training learnt.
    """

    graph: Path = TF_FILES / "retrained_graph.pb"
    labels: Path = TF_FILES / "retrained_labels.txt"
    allow_unknown: bool = True
    scheduler: str | None = None
    threshold: float | None = None

    def __post_init__(self) -> None:
        if self.threshold is not None and not 0 < self.threshold <= 1:
            raise AudionetError(f"--threshold {self.threshold:g}: must be over 0 and at most 1, as scores are")


@dataclass(frozen=True)
class EventOptions:
    """Options of `label --events`.

    background: the classes that events stand out of; none is those called background or noise, if there are any.
    min_seconds: shorter events are left out.
    merge_gap_seconds: events of one class with less between them are one.
    """

    background: tuple[str, ...] = ()
    min_seconds: float = 0.0
    merge_gap_seconds: float = 0.5

    def __post_init__(self) -> None:
        for name, seconds in (("min-seconds", self.min_seconds), ("merge-gap", self.merge_gap_seconds)):
            if not 0 <= seconds < float("inf"):
                raise AudionetError(f"--{name} {seconds:g}: must be at least 0 seconds")
