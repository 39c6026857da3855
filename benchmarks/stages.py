#!/usr/bin/env python3
"""What each stage of the training gives or costs: the share of held-out pictures that are right.

    python benchmarks/stages.py tf_files/data_image ...

Each folder is one that `prepare` made. Its own folds are held out in turn, or five of its recordings. To the features
of the pictures alone, with the plain discriminant in all that they span, comes one stage after the other: other speeds,
parts of long chunks, spoilt copies (in noise, in a hall, clipped and so on), principal axes (of many pictures), and the
bias of each class at the weight that it has. The calibrated layer comes last, and keeps the order of the classes.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audionet.bottleneck.backbone import load_backbone
from audionet.bottleneck.extractor import BottleneckExtractor
from audionet.dataset.samples import Dataset, load_pictures
from audionet.parallel.threads import Threads
from audionet.spectrogram.augmentation import ORIGINAL, SPEEDS, Augmentation, choose_augmentations, number_rows
from audionet.training import lda
from audionet.training.folds import folds, own_folds
from audionet.training.lda import LinearDiscriminant, SufficientStatistics
from audionet.training.split import non_overlapping_train_mask
from audionet.training.subspace import LARGEST_SPAN, PCA, SAMPLE, SampleSubspace, Subspace

FOLDS = 5


def share_right(
    dataset: Dataset,
    features: NDArray[np.float16],
    weights: NDArray[np.float64],
    bias_weight: float,
    principal: bool = False,
) -> float:
    """The accuracy over all folds. features: samples x augmentations x features; the first augmentation is tested.

    weights: samples x augmentations; 0 of those that are not made.
    """
    lda.BIAS_WEIGHT = bias_weight
    count, augmentations, size = features.shape
    rows = features.reshape(-1, size)
    subspace: Subspace = SampleSubspace(rows)
    if principal:
        drawn = np.sort(np.random.default_rng(0).permutation(len(rows))[:SAMPLE])
        subspace = PCA.of(rows[drawn]).project(rows)
    coordinates = np.asarray(subspace.coordinates).reshape(count, augmentations, -1)
    fold = np.array(own_folds(dataset.samples) or folds(dataset.samples, FOLDS))
    is_right = np.zeros(count, bool)
    for number in np.unique(fold):
        held = fold == number
        learnt = non_overlapping_train_mask(dataset.samples, held)
        axes = coordinates.shape[-1]
        statistics = SufficientStatistics.of(
            coordinates[learnt].reshape(-1, axes),
            np.repeat(dataset.targets[learnt], augmentations),
            len(dataset.labels),
            weights[learnt].ravel(),
        )
        discriminant = LinearDiscriminant.of(statistics, subspace.shrinkage)
        is_right[held] = discriminant.scores(coordinates[held, 0]).argmax(axis=1) == dataset.targets[held]
    return float(is_right.mean())


def stages(image_dir: Path, bottleneck_dir: Path) -> list[float | None]:
    """The accuracy after each stage; None where it does not apply."""
    pictures = load_pictures(image_dir)
    augmentations = choose_augmentations(len(pictures.samples), pictures.renderer)
    extractor = BottleneckExtractor(
        load_backbone("rows", Path("tf_files/models")), pictures.renderer, bottleneck_dir, augmentations, Threads()
    )
    bottlenecks = extractor.extract([sample.path for sample in pictures.samples])
    dataset = Dataset([pictures.samples[position] for position, _ in bottlenecks.pictures])
    rows = number_rows(augmentations, [digest for _, digest in bottlenecks.pictures])

    def share(chosen: Sequence[Augmentation], bias_weight: float = 1.0, principal: bool = False) -> float:
        of_chosen = rows[:, [augmentations.index(each) for each in chosen]]
        weights = np.where(of_chosen >= 0, [each.weight for each in chosen], 0)
        return share_right(dataset, bottlenecks.features[of_chosen], weights, bias_weight, principal)

    speeds = [each for each in augmentations if each in (ORIGINAL, *SPEEDS)]
    whole = [each for each in augmentations if each.weight == 1]
    usual, has_many = lda.BIAS_WEIGHT, len(dataset) * len(augmentations) > LARGEST_SPAN
    shares: list[float | None] = [share([ORIGINAL])]
    shares.append(share(speeds) if len(speeds) > 1 else None)
    shares.append(share(whole) if len(whole) > len(speeds) else None)
    shares.append(share(augmentations) if len(augmentations) > len(whole) else None)
    shares.append(share(augmentations, principal=True) if has_many else None)
    shares.append(share(augmentations, usual, principal=has_many))
    return shares


def main() -> None:
    """Print a line a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("image_dir", type=Path, nargs="+")
    parser.add_argument("--bottleneck-dir", type=Path, default=Path("tf_files/bottlenecks"))
    options = parser.parse_args()
    stages_said = (
        "plain discriminant | and other speeds | and parts | and spoilt | along principal axes | bias as it is"
    )
    print(f"| pictures | {stages_said} |")
    print("| --- | --- | --- | --- | --- | --- | --- |", flush=True)
    for image_dir in options.image_dir:
        shares = ["" if share is None else f"{share:.3f}" for share in stages(image_dir, options.bottleneck_dir)]
        print(f"| {image_dir} | {' | '.join(shares)} |", flush=True)


if __name__ == "__main__":
    main()
