"""Bottlenecks of very many pictures -> their coordinates along the principal axes, cached: a hundredth of their size.

The cache is one NumPy archive (.npz) beside that of the bottlenecks. It holds the axes, and the coordinates of just
those pictures that were asked for last. The axes are found from the pictures whose cache keys are smallest, which is
as good as drawn at random and does not depend on anything but the pictures.
"""

import hashlib
import io
import logging
import zipfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audionet.bottleneck.extractor import BottleneckMaker, Bottlenecks
from audionet.errors import UnusableInput
from audionet.settings import available_cores
from audionet.system.files import write_atomically
from audionet.system.progress import Progress, silent
from audionet.training.subspace import PCA, SAMPLE, Projection

logger = logging.getLogger(__name__)

SUFFIX = ".coordinates.npz"
PATHS_A_TASK = 500
PICTURES_AT_ONCE = 512  # whose bottlenecks are in memory
KEY_BYTES = 32


@dataclass(frozen=True)
class Coordinates:
    """The coordinates of the pictures that could be read; the fields as in bottlenecks.Bottlenecks.

    space: pictures x variations, one variation after the other; None if no picture could be read.
    """

    subspace: Projection | None
    kept: list[int]
    digests: list[bytes]
    skipped: list[UnusableInput]
    computed: int


def compute_coordinates(paths: Sequence[Path], maker: BottleneckMaker, progress: Progress = silent) -> Coordinates:
    """The coordinates of JPGs and their variations, from the cache where they are there, else from bottlenecks."""
    digests, skipped = _identify(paths, maker)

    def make(chosen: list[int], progress: Progress) -> Bottlenecks:
        found = maker.make([paths[n] for n in chosen], progress)
        # A picture may have been changed meanwhile, or turn out to be none.
        for n in chosen:
            del digests[n]
        digests.update((chosen[k], digest) for k, digest in zip(found.kept, found.digests, strict=True))
        skipped.extend(found.skipped)
        return found

    computed = 0
    sample = set(sorted(key for digest in digests.values() for key in maker.keys(digest))[:SAMPLE])
    archive = _Archive(maker.cache_path.with_suffix(SUFFIX), hashlib.sha256(b"".join(sorted(sample))).hexdigest())
    if not archive.load():
        found = make([n for n, digest in digests.items() if not sample.isdisjoint(maker.keys(digest))], progress)
        if not found.kept:
            return Coordinates(None, [], [], skipped, 0)
        computed += found.computed
        in_sample = [key in sample for digest in found.digests for key in maker.keys(digest)]
        archive.principal = PCA.of(_as_rows(found.features)[in_sample])
    missing = sorted(n for n, digest in digests.items() if not archive.has(maker.keys(digest)))
    for start in range(0, len(missing), PICTURES_AT_ONCE):
        found = make(missing[start : start + PICTURES_AT_ONCE], _continued(progress, start, len(missing)))
        archive.add([key for digest in found.digests for key in maker.keys(digest)], _as_rows(found.features))
        computed += found.computed
    kept = sorted(digests)
    keys = [key for n in kept for key in maker.keys(digests[n])]
    if archive.is_changed:
        archive.save(keys)
    return Coordinates(archive.take(keys), kept, [digests[n] for n in kept], skipped, computed)


def _identify(paths: Sequence[Path], maker: BottleneckMaker) -> tuple[dict[int, bytes], list[UnusableInput]]:
    """The SHA-256s of files by their positions in the list, and the files that can't be read."""

    def identify(part: Sequence[Path]) -> list[bytes | UnusableInput]:
        return [maker.identify(path) for path in part]

    parts = [paths[start : start + PATHS_A_TASK] for start in range(0, len(paths), PATHS_A_TASK)]
    with ThreadPoolExecutor(available_cores()) as readers:
        found = [one for part in readers.map(identify, parts) for one in part]
    maker.digests.save()
    skipped = [one for one in found if isinstance(one, UnusableInput)]
    for error in skipped:
        logger.warning("%s (skipped)", error)
    return {n: one for n, one in enumerate(found) if isinstance(one, bytes)}, skipped


class _Archive:
    """The cache file: principal axes, and coordinates and squared residuals by cache key."""

    principal: PCA

    def __init__(self, path: Path, sample: str) -> None:
        """sample: a digest of the keys that the axes are found from; an archive with another is made anew."""
        self._path, self._sample = path, sample
        self._rows: dict[bytes, int] = {}
        self._parts: list[tuple[np.ndarray, np.ndarray]] = []
        self.is_changed = False

    def load(self) -> bool:
        """Whether the file is there, whole (a .npz has checksums), and of this sample."""
        try:
            with np.load(self._path) as content:
                if str(content["sample"]) != self._sample:
                    return False
                self.principal = PCA(content["mean"], content["axes"])
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
        self._parts = [(coordinates, squared_residuals)]
        return True

    def has(self, keys: Sequence[bytes]) -> bool:
        """Whether all of them are there."""
        return all(key in self._rows for key in keys)

    def add(self, keys: Sequence[bytes], features: np.ndarray) -> None:
        """Project float16 features, one row a key."""
        first = sum(len(coordinates) for coordinates, _ in self._parts)
        self._parts.append(self.principal.project(features))
        self._rows.update((key, first + n) for n, key in enumerate(keys))
        self.is_changed = True

    def take(self, keys: Sequence[bytes]) -> Projection:
        """The space of just these, in this order."""
        rows = np.array([self._rows[key] for key in keys], np.intp)
        if len(self._parts) > 1:
            coordinates, squared_residuals = (np.concatenate(parts) for parts in zip(*self._parts, strict=True))
            self._parts = [(coordinates, squared_residuals)]
        [(coordinates, squared_residuals)] = self._parts
        if not np.array_equal(rows, np.arange(len(coordinates))):
            coordinates, squared_residuals = coordinates[rows], squared_residuals[rows]
        return Projection(self.principal, coordinates, squared_residuals)

    def save(self, keys: Sequence[bytes]) -> None:
        """Write the file with just these, whole or not at all. Raises AudionetError when the disk refuses."""
        unique = list(dict.fromkeys(keys))
        subspace = self.take(unique)
        file = io.BytesIO()
        np.savez(
            file,
            sample=np.array(self._sample),
            mean=self.principal.mean,
            axes=self.principal.axes,
            keys=np.frombuffer(b"".join(unique), np.uint8),
            coordinates=subspace.coordinates,
            squared_residuals=subspace.squared_residuals,
        )
        write_atomically(self._path, file.getbuffer())


def _as_rows(features: np.ndarray) -> np.ndarray:
    """Pictures x variations x features as one row a variation."""
    return features.reshape(-1, features.shape[-1])


def _continued(progress: Progress, start: int, total: int) -> Progress:
    """What is done of a part, reported as done of the whole."""
    return lambda stage, done, _: progress(stage, start + done, total)
