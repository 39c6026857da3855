"""Bottlenecks of very many pictures -> their coordinates along principal axes, cached: a hundredth of their size.

The cache is one NumPy archive (.npz) beside that of the bottlenecks. It holds the axes, and the coordinates of just
those pictures that were asked for last. The axes are found from the pictures whose cache keys are smallest, which is
as good as drawn at random and does not depend on anything but the pictures.
"""

import hashlib
import io
import logging
import zipfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audionet.bottleneck.extractor import Bottlenecks, Extracted, Extractor, ReadPicture, no_usable_picture
from audionet.errors import Skipped, UnusableInput
from audionet.settings import available_cores
from audionet.system.files import write_atomically
from audionet.system.progress import Progress, continued, silent
from audionet.training.subspace import PCA, SAMPLE, Projection

logger = logging.getLogger(__name__)

SUFFIX = ".coordinates.npz"
PATHS_PER_TASK = 500
PICTURES_AT_ONCE = 512  # whose bottlenecks are in memory
KEY_BYTES = 32


@dataclass(frozen=True)
class Coordinates(Extracted):
    """The coordinates of these pictures.

    subspace: of the rows that extractor.Bottlenecks has of these pictures.
    """

    subspace: Projection


def compute_coordinates(paths: Sequence[Path], extractor: Extractor, progress: Progress = silent) -> Coordinates:
    """The coordinates of JPGs and their augmentations, from the cache where they are there, else from bottlenecks.

    Raises AudionetError if none of the pictures can be used.
    """
    digests, skipped = _identify(paths, extractor)
    computed = 0

    def extract(positions: list[int], progress: Progress) -> Bottlenecks:
        nonlocal computed
        bottlenecks = extractor.extract([paths[n] for n in positions], progress)
        # A picture may have been changed meanwhile, or turn out to be none.
        for n in positions:
            del digests[n]
        digests.update((positions[position], digest) for position, digest in bottlenecks.pictures)
        skipped.extend(bottlenecks.skipped)
        computed += bottlenecks.computed
        return bottlenecks

    def keys_of(pictures: Iterable[ReadPicture]) -> list[bytes]:
        return [key for picture in pictures for key in extractor.keys(picture.digest)]

    sample = set(sorted(key for digest in digests.values() for key in extractor.keys(digest))[:SAMPLE])
    archive = _Archive(extractor.cache_path.with_suffix(SUFFIX), hashlib.sha256(b"".join(sorted(sample))).hexdigest())
    if not archive.load():
        in_sample = [n for n, digest in digests.items() if not sample.isdisjoint(extractor.keys(digest))]
        bottlenecks = extract(in_sample, progress)
        if not bottlenecks.pictures:
            raise no_usable_picture(paths)
        rows = [key in sample for key in keys_of(bottlenecks.pictures)]
        archive.pca = PCA.of(bottlenecks.features[rows])
    missing = sorted(n for n, digest in digests.items() if not archive.has(extractor.keys(digest)))
    for start in range(0, len(missing), PICTURES_AT_ONCE):
        bottlenecks = extract(missing[start : start + PICTURES_AT_ONCE], continued(progress, start, len(missing)))
        archive.add(keys_of(bottlenecks.pictures), bottlenecks.features)
    pictures = [ReadPicture(n, digests[n]) for n in sorted(digests)]
    keys = keys_of(pictures)
    if archive.is_changed:
        archive.save(keys)
    return Coordinates(pictures, skipped, computed, archive.take(keys))


def _identify(paths: Sequence[Path], extractor: Extractor) -> tuple[dict[int, bytes], list[UnusableInput]]:
    """The SHA-256s of files by their positions in the list, and the files that can't be read."""

    def identify(part: Sequence[Path]) -> list[bytes | UnusableInput]:
        return [extractor.identify(path) for path in part]

    parts = [paths[start : start + PATHS_PER_TASK] for start in range(0, len(paths), PATHS_PER_TASK)]
    with ThreadPoolExecutor(available_cores()) as readers:
        identified = [digest for part in readers.map(identify, parts) for digest in part]
    extractor.save_digests()
    skipped = Skipped()
    skipped.add(*(digest for digest in identified if isinstance(digest, UnusableInput)))
    return {n: digest for n, digest in enumerate(identified) if isinstance(digest, bytes)}, skipped


class _Archive:
    """The cache file: principal axes, and coordinates and squared residuals by cache key."""

    pca: PCA

    def __init__(self, path: Path, sample: str) -> None:
        """sample: a digest of the keys that the axes are found from; an archive with another is made anew."""
        self._path, self._sample = path, sample
        self._rows: dict[bytes, int] = {}
        self._parts: list[Projection] = []
        self.is_changed = False

    def load(self) -> bool:
        """Whether the file is there, whole (a .npz has checksums), and of this sample."""
        try:
            with np.load(self._path) as content:
                if str(content["sample"]) != self._sample:
                    return False
                self.pca = PCA(content["mean"], content["axes"])
                coordinates, squared_residuals = content["coordinates"], content["squared_residuals"]
                keys = content["keys"].tobytes()
            if not len(coordinates) == len(squared_residuals) == len(keys) // KEY_BYTES:
                raise ValueError("not as many keys as coordinates")
        except FileNotFoundError:
            return False
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            logger.warning("%s: damaged; it is made anew", self._path)
            return False
        self._rows = {keys[start : start + KEY_BYTES]: n for n, start in enumerate(range(0, len(keys), KEY_BYTES))}
        self._parts = [Projection(self.pca, coordinates, squared_residuals)]
        return True

    def has(self, keys: Sequence[bytes]) -> bool:
        """Whether the coordinates of all these keys are there."""
        return all(key in self._rows for key in keys)

    def add(self, keys: Sequence[bytes], features: NDArray[np.float16]) -> None:
        """Project features, one row for each key, and keep their coordinates."""
        first = sum(len(part.coordinates) for part in self._parts)
        self._parts.append(self.pca.project(features))
        self._rows.update((key, first + n) for n, key in enumerate(keys))
        self.is_changed = True

    def take(self, keys: Sequence[bytes]) -> Projection:
        """The subspace of just these keys, in this order."""
        rows = np.array([self._rows[key] for key in keys], np.intp)
        if len(self._parts) > 1:
            coordinates = np.concatenate([part.coordinates for part in self._parts])
            squared_residuals = np.concatenate([part.squared_residuals for part in self._parts])
            self._parts = [Projection(self.pca, coordinates, squared_residuals)]
        [whole] = self._parts
        if np.array_equal(rows, np.arange(len(whole.coordinates))):
            return whole
        return Projection(self.pca, whole.coordinates[rows], whole.squared_residuals[rows])

    def save(self, keys: Sequence[bytes]) -> None:
        """Write the file with just these keys, whole or not at all. Raises AudionetError when the disk refuses."""
        unique = list(dict.fromkeys(keys))
        subspace = self.take(unique)
        file = io.BytesIO()
        np.savez(
            file,
            sample=np.array(self._sample),
            mean=self.pca.mean,
            axes=self.pca.components,
            keys=np.frombuffer(b"".join(unique), np.uint8),
            coordinates=subspace.coordinates,
            squared_residuals=subspace.squared_residuals,
        )
        write_atomically(self._path, file.getbuffer())
