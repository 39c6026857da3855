"""Samples -> their features along some axes: of a few pictures exactly, of many along principal axes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from audionet.bottleneck.distortions import Distortions, distorted_bottlenecks
from audionet.bottleneck.extractor import Extractor, no_usable_picture
from audionet.dataset.samples import Dataset, Sample
from audionet.errors import AudionetError, UnusableInput
from audionet.spectrogram.augmentation import number_rows
from audionet.system.progress import Progress
from audionet.training.projection import Coordinates, compute_coordinates
from audionet.training.subspace import LARGEST_SPAN, Subspace, span


@dataclass(frozen=True)
class Features:
    """The features of samples, with their bottlenecks from the cache or made anew.

    dataset: the samples whose pictures could be read, with their digests. skipped: the others.
    computed: how many pictures were not, or not with all their augmentations, in the cache.
    find_subspace: gives the subspace of the samples' rows (extractor.Bottlenecks), with those of the copies behind each
        sample's own. Nothing of it is computed before, since a model that is up to date needs none. Raises
        AudionetError if all have the same features.
    """

    dataset: Dataset
    skipped: list[UnusableInput]
    computed: int
    find_subspace: Callable[[], Subspace]


def extract_features(
    samples: Sequence[Sample], extractor: Extractor, distortions: Distortions | None, seed: int, progress: Progress
) -> Features:
    """The features of samples, of which there is at least one, from the cache or made by running the backbone.

    distortions: copies of the pictures are learnt from too, distorted with the seed; None is no copies.
    Raises AudionetError if none of the pictures can be used.
    """
    paths = [sample.path for sample in samples]
    rows = len(paths) * sum(1 / augmentation.every for augmentation in extractor.augmentations)
    are_many = rows > LARGEST_SPAN and distortions is None
    found = compute_coordinates(paths, extractor, progress) if are_many else extractor.extract(paths, progress)
    if not found.pictures:
        raise no_usable_picture(paths)
    dataset = Dataset([samples[position]._replace(digest=digest) for position, digest in found.pictures])

    def find_subspace() -> Subspace:
        subspace: Subspace
        if isinstance(found, Coordinates):
            subspace = found.subspace
        else:
            features = found.features
            if distortions is not None:
                readable = [sample.path for sample in dataset]
                copies = distorted_bottlenecks(readable, extractor.backbone, distortions, seed, progress)
                made = number_rows(extractor.augmentations, [sample.digest for sample in dataset]) >= 0
                samples_of_copies = np.arange(len(dataset)).repeat(copies.shape[1])
                order = np.argsort(np.concatenate([made.nonzero()[0], samples_of_copies]), kind="stable")
                features = np.concatenate([features, *copies])[order]
            subspace = span(features, seed)
        if subspace.is_a_point:
            raise AudionetError(
                "the network gives the same numbers for everything, so that nothing can be learnt; see whether all is "
                "silent; if not, choose another network, or another --backbone-output of one that hears"
            )
        return subspace

    return Features(dataset, found.skipped, found.computed, find_subspace)
