"""Mixtures -> a score for each class against all that is not it: what tells that a bark in the rain is a bark.

Ridge regression (Hoerl and Kennard, 1970) on what is heard in each window: several classes may be at once, which the
scores of `label`, of which each clip shares out one, cannot say.
"""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audionet.bottleneck.backbone import Backbone, Network
from audionet.bottleneck.maps import MARGIN_COLUMNS, TILE_COLUMNS, Window, cut_to_maps, window_features, window_seconds
from audionet.dataset.samples import Dataset, Sample
from audionet.detection.mixtures import HeardPicture, Mixture, mix
from audionet.settings import PICTURE_SIZE, available_cores
from audionet.spectrogram import jpeg
from audionet.spectrogram.augmentation import Augmentation, augment
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.system.progress import Progress, counted
from audionet.training.lda import LinearDiscriminant
from audionet.training.split import percentage_hash
from audionet.training.subspace import SampleSubspace

WINDOW_SECONDS = 1.0  # or a chunk, if that is shorter
STEPS_A_WINDOW = 4
# What is learnt from. As many windows of more mixtures say more than all windows of few (docs/experiments.md).
MOST_WINDOWS, MOST_MIXTURES = 4000, 1200
MIXTURES_A_PICTURE = 8  # of few pictures, more would say nothing new
SLOWEST, FASTEST = 0.9, 1.1  # speeds at which a picture is laid into a mixture: calls are not all equally high and long
SHRINKAGE = 1.0  # of the mean squared distance; .1 and .3 were a little worse (docs/experiments.md)
# Of the shorter of a window and a call: with so much in common, the call is heard in the window; with so little, not.
HEARD, NOT_HEARD = 0.5, 0.15
FOLDS = 3
THRESHOLDS = np.arange(0.3, 0.61, 0.05)
RARER = 2.0  # calls are in a night than in the mixtures, so that much of what is wrong lies between them
USUAL_THRESHOLD = 0.45  # of equally good ones, the nearest is taken


@dataclass(frozen=True)
class Detector:
    """scores = bottlenecks @ weights + biases: of each class of the model, about 1 where it is heard, 0 where not.

    background: the classes that events stand out of. thresholds: of each class, the score from which it is believed.
    """

    linear: LinearDiscriminant
    background: tuple[str, ...]
    thresholds: tuple[float, ...]


class _Example(NamedTuple):
    """A window's bottleneck, which classes are heard in it, and the recording that the call is from."""

    features: NDArray[np.float16]
    heard: NDArray[np.float32]
    fold: int


def fit_detector(
    dataset: Dataset,
    background: Sequence[str],
    backbone: Backbone,
    renderer: SpectrogramRenderer,
    seed: int,
    progress: Progress,
) -> Detector:
    """Learn from the pictures of all classes, laid over those of the background, at random with the seed.

    background: at least one of the data set's classes, and not all. Raises UnusableInput for a damaged picture.
    """
    layers, mixer = _draw_layers(dataset, background, np.random.default_rng(seed)), _Mixer(dataset, backbone, renderer)
    windows_a_mixture = math.ceil(MOST_WINDOWS / len(layers))
    with ThreadPoolExecutor(available_cores()) as threads:
        made = threads.map(lambda drawn: mixer.examples(drawn, windows_a_mixture), layers)
        examples = [example for some in counted("mixtures", made, len(layers), progress) for example in some]
    drawn = np.sort(np.random.default_rng(seed).permutation(len(examples))[:MOST_WINDOWS])
    chosen = [examples[i] for i in drawn]
    subspace = SampleSubspace(np.stack([example.features for example in chosen]))
    heard, folds = np.stack([example.heard for example in chosen]), np.array([example.fold for example in chosen])
    held_out = np.zeros(heard.shape)
    for fold in range(FOLDS):
        is_held = folds == fold
        if is_held.any() and not is_held.all():
            fitted = _ridge(subspace.coordinates[~is_held], heard[~is_held])
            held_out[is_held] = fitted.scores(subspace.coordinates[is_held])
    linear = subspace.discriminant_of_features(_ridge(subspace.coordinates, heard))
    thresholds = [_best_threshold(*columns) for columns in zip(held_out.T, heard.T, strict=True)]
    return Detector(linear, tuple(background), tuple(thresholds))


class _Layers(NamedTuple):
    """The numbers of two samples, of which the call is laid over the bed; None: the bed is heard alone.

    fold: in which its windows are held out. seed: of all else that is drawn at random.
    """

    call: int | None
    bed: int
    fold: int
    seed: int


def _draw_layers(dataset: Dataset, background: Sequence[str], random: np.random.Generator) -> list[_Layers]:
    """What is laid over what; the background alone is learnt from as often as any class in it."""
    of_class = {
        label: [i for i, sample in enumerate(dataset) if sample.class_name == label] for label in dataset.labels
    }
    beds = [i for label in background for i in of_class[label]]
    callers = [label for label in dataset.labels if label not in background]
    count = max(1, min(MOST_MIXTURES, MIXTURES_A_PICTURE * len(dataset)) // (len(callers) + 1))
    # A call and what is behind it are held out together: a background that was learnt from would make the thresholds
    # too low for those of other recordings.
    folds = [int(percentage_hash(sample.group)) % FOLDS for sample in dataset]
    beds_of = [[i for i in beds if folds[i] == fold] or beds for fold in range(FOLDS)]
    drawn: list[tuple[int | None, int]] = [(None, int(random.choice(beds))) for _ in range(count)]
    for label in callers:
        calls = np.resize(random.permutation(of_class[label]), count).tolist()
        drawn += [(call, int(random.choice(beds_of[folds[call]]))) for call in calls]
    seeds = random.integers(2**31, size=len(drawn)).tolist()
    return [
        _Layers(call, bed, folds[bed if call is None else call], seed)
        for (call, bed), seed in zip(drawn, seeds, strict=True)
    ]


class _Mixer:
    """Lays calls over beds of a data set, and says what is heard in the windows of that."""

    def __init__(self, dataset: Dataset, backbone: Backbone, renderer: SpectrogramRenderer) -> None:
        self._dataset, self._renderer, self._network = dataset, renderer, Network(cut_to_maps(backbone))
        column_seconds = renderer.settings.chunk_seconds / PICTURE_SIZE
        self._columns = max(1.0, window_seconds(WINDOW_SECONDS, renderer.settings.chunk_seconds) / column_seconds)
        self._windows = _windows(self._columns)

    def examples(self, drawn: _Layers, most: int) -> list[_Example]:
        """At most so many windows of a mixture, drawn at random, in which it is clear what is heard."""
        random, dataset, renderer = np.random.default_rng(drawn.seed), self._dataset, self._renderer
        caller = drawn.bed if drawn.call is None else drawn.call
        behind, called = (
            _read(dataset.samples[i], renderer, random.uniform(SLOWEST, FASTEST)) for i in (drawn.bed, caller)
        )
        mixture = mix(None if drawn.call is None else called, behind, renderer, round(self._columns), random)
        features = window_features(self._network, mixture.grey, self._windows).bottlenecks.astype(np.float16)
        made = []
        for window, row in zip(self._windows, features, strict=True):
            share = _overlap(window, mixture)
            heard = np.zeros(len(dataset.labels), np.float32)
            heard[dataset.targets[drawn.bed]] = 1
            if share >= HEARD:
                heard[dataset.targets[caller]] = 1
            if share >= HEARD or share <= NOT_HEARD:
                made.append(_Example(row, heard, drawn.fold))
        return [made[n] for n in np.sort(random.permutation(len(made))[:most])]


def _read(sample: Sample, renderer: SpectrogramRenderer, speed: float) -> HeardPicture:
    """A sample's picture, in grey, as if its sound ran at another speed."""
    picture, _ = jpeg.decode(jpeg.read(sample.path), sample.path)
    columns = renderer.columns(sample.seconds)
    grey = picture if picture.ndim == 2 else picture[:, :, 0]
    faster = augment(grey, columns, renderer, Augmentation(speed))
    return HeardPicture(faster, renderer.columns(sample.seconds / speed))


def _windows(columns: float) -> list[Window]:
    """Windows of so many columns in the part of a picture that one run of the network is used for."""
    first, last = float(MARGIN_COLUMNS), float(MARGIN_COLUMNS + TILE_COLUMNS)
    if columns >= last - first:
        return [Window(first, last)]
    starts = np.arange(first, last - columns + 1e-6, columns / 2)
    return [Window(start, start + columns) for start in starts.tolist()]


def _overlap(window: Window, mixture: Mixture) -> float:
    """How much of the window or the call, whichever is shorter, they have in common."""
    common = min(window.last, mixture.last) - max(window.first, mixture.first)
    return max(0.0, common) / max(1.0, min(window.last - window.first, mixture.last - mixture.first))


def _ridge(coordinates: NDArray[np.floating], heard: NDArray[np.float32]) -> LinearDiscriminant:
    """Least squares with SHRINKAGE; the weights of an average class are not held back by those of others."""
    from scipy.linalg import solve

    mean, average = coordinates.mean(axis=0), heard.mean(axis=0, dtype=np.float64)
    centred = coordinates - mean
    products = centred.T @ centred
    products[np.diag_indices_from(products)] += SHRINKAGE * float(np.trace(products)) / len(centred)
    weights = solve(products, centred.T @ (heard - average), assume_a="pos", overwrite_a=True, check_finite=False)
    return LinearDiscriminant(weights, average - mean @ weights)


def _best_threshold(scores: NDArray[np.float64], heard: NDArray[np.float32]) -> float:
    """The threshold with the highest F1 on windows that were held out, were calls as rare as in recordings."""
    is_heard = heard > 0

    def f1(threshold: float) -> float:
        believed = scores >= threshold
        right, wrong = (believed & is_heard).sum(), (believed & ~is_heard).sum()
        return float(2 * right / max(1, right + RARER * wrong + is_heard.sum()))

    return float(max(THRESHOLDS, key=lambda threshold: (round(f1(threshold), 3), -abs(threshold - USUAL_THRESHOLD))))
