"""The constants and options of every step: names, units, defaults and limits, checked once.

The command line reads its defaults here.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audionet.errors import AudionetError

SAMPLE_RATE_HZ = 16_000  # of all sound inside the program; keeps frequencies up to 8 kHz
PICTURE_SIZE = 299  # pixels, height and width: the input of Inception v3
WINDOW_SAMPLES = 2048  # 128 ms: of the windows tried, the one that tells voices and words apart best
# Hann windows much farther apart than half their length would pass over some of the sound. At a little more than
# half, a chunk of 20 seconds takes one window a column, which on validation is better than the mean of two.
LONGEST_HOP = 11 / 20  # of a window
# The linear spectrogram is the original's, which draws windows of 256 points with matplotlib's specgram.
SPECTROGRAM_WINDOW_SAMPLES = 256
SHORT_CHUNK_SECONDS = 5.0  # chunks up to this length overlap by half unless told otherwise
MINIMUM_SECONDS = 0.1  # a recording shorter than this is not used
MINIMUM_TAIL = 0.25  # of a chunk: what is left at the end of a recording is kept from this length on

REPRESENTATIONS = ("mel", "spectrogram", "chromagram")
# What lies this far below a picture's loudest point is black. Chroma bands overlap, so they differ by less.
DYNAMIC_RANGE_DB = {"mel": 80.0, "spectrogram": 80.0, "chromagram": 30.0}

BOTTLENECKS = ("rows", "pool_3")
EMBEDDED = "inception_v3"  # the architecture of the network inside the package
# Networks that Google has on TensorFlow Hub, as they are called there and as retrain.py of 2017 called them.
ARCHITECTURES = (
    r"mobilenet_v[12]_\d{3}_\d{3}|mobilenet_v3_(small|large)_\d{3}_\d{3}|mobilenet_\d\.\d+_\d{3}|inception_v[123]"
    r"|inception_resnet_v2|resnet_v[12]_(50|101|152)|p?nasnet_(mobile|large)|amoebanet_a_n18_f448"
)

OWN_FOLDS = 0  # --folds without a number

TF_FILES = Path("tf_files")
REPORT_NAME = "report.html"  # of retrain
EVALUATION_REPORT_NAME = "evaluation-report.html"


def available_cores() -> int:
    """The processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True)
class PictureSettings:
    """How sound becomes pictures; what `label` must know to make its pictures as `prepare` did.

    chunk_seconds: length of sound in one picture, 0.1 to 600.
    overlap_seconds: sound that a chunk shares with the one before it, 0 to under chunk_seconds. None is half of a
        chunk of up to 5 seconds (more to learn from, and more votes), and 0 for longer ones.
    representation: mel (mel bands), spectrogram (linear frequency, as in 2018) or chromagram (12 pitch classes).
    colormap: `gray` or the name of a matplotlib colour map.

    >>> PictureSettings(chunk_seconds=2).overlap_seconds
    1.0
    """

    chunk_seconds: float = 20.0
    overlap_seconds: float | None = None
    representation: str = "mel"
    colormap: str = "gray"

    def __post_init__(self) -> None:
        # 20 and 20.0 are the same setting, in audionet.json and its fingerprint too.
        object.__setattr__(self, "chunk_seconds", float(self.chunk_seconds))
        overlap = self.overlap_seconds
        if overlap is None:
            overlap = self.chunk_seconds / 2 if self.chunk_seconds <= SHORT_CHUNK_SECONDS else 0
        object.__setattr__(self, "overlap_seconds", float(overlap))
        if not MINIMUM_SECONDS <= self.chunk_seconds <= 600:
            raise AudionetError(f"--chunk-seconds {self.chunk_seconds:g}: must be from {MINIMUM_SECONDS:g} to 600")
        if not 0 <= overlap < self.chunk_seconds:
            raise AudionetError(
                f"--overlap {overlap:g}: must be at least 0 and less than --chunk-seconds ({self.chunk_seconds:g})"
            )
        if self.step_samples < 1:
            raise AudionetError(f"--overlap {overlap:g}: leaves no step between chunks; make it smaller")
        if self.representation not in REPRESENTATIONS:
            raise AudionetError(f"--representation {self.representation}: must be one of {', '.join(REPRESENTATIONS)}")

    @property
    def chunk_samples(self) -> int:
        """Samples in a full chunk."""
        return round(self.chunk_seconds * SAMPLE_RATE_HZ)

    @property
    def step_samples(self) -> int:
        """Samples from the start of one chunk to the start of the next."""
        return self.chunk_samples - round((self.overlap_seconds or 0) * SAMPLE_RATE_HZ)

    @property
    def window_samples(self) -> int:
        """Samples in the window of one spectrum."""
        return SPECTROGRAM_WINDOW_SAMPLES if self.representation == "spectrogram" else WINDOW_SAMPLES

    @property
    def longest_hop_samples(self) -> int:
        """Samples from one window to the next, at most."""
        return int(self.window_samples * LONGEST_HOP)

    @property
    def dynamic_range_db(self) -> float:
        """Decibels from black to white."""
        return DYNAMIC_RANGE_DB[self.representation]

    def as_json(self) -> dict[str, Any]:
        """The options and the constants that they stand on, as plain values."""
        return {
            "chunk_seconds": self.chunk_seconds,
            "overlap_seconds": self.overlap_seconds,
            "representation": self.representation,
            "colormap": self.colormap,
            "sample_rate_hz": SAMPLE_RATE_HZ,
            "window_samples": self.window_samples,
            "longest_hop_samples": self.longest_hop_samples,
            "picture_size": PICTURE_SIZE,
            "dynamic_range_db": self.dynamic_range_db,
        }


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
    pictures: PictureSettings = PictureSettings()
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
    """

    graph: Path = TF_FILES / "retrained_graph.pb"
    labels: Path = TF_FILES / "retrained_labels.txt"
    allow_unknown: bool = True
    scheduler: str | None = None
