"""Bottlenecks of many pictures and their variations: from the cache, or made by running the trunk."""

import functools
import hashlib
import logging
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audionet.bottleneck.backbone import Backbone, Network, bottleneck
from audionet.bottleneck.cache import Cache, cache_path
from audionet.bottleneck.digests import Digests
from audionet.errors import UnusableInput
from audionet.parallel.threads import Threads, Workers, in_order
from audionet.settings import available_cores
from audionet.spectrogram import jpeg as pictures
from audionet.spectrogram.augmentation import ORIGINAL, Augmentation, augment
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.system.progress import Progress, silent

logger = logging.getLogger(__name__)

DIGESTS_NAME = "pictures.sha256.json"
BATCH_A_WORKER = 32  # pictures worked on between two writes to the cache


@dataclass(frozen=True)
class Bottlenecks:
    """The bottlenecks of the pictures that could be read.

    features: float16, pictures x variations x features of one bottleneck.
    kept: for each row, the position of its picture in the list that was asked for.
    digests: for each row, the SHA-256 of its JPG.
    skipped: the pictures that could not be used.
    computed: how many pictures were not, or not with all their variations, in the cache.
    """

    features: np.ndarray
    kept: list[int]
    digests: list[bytes]
    skipped: list[UnusableInput]
    computed: int


class BottleneckMaker:
    """Who has the bottlenecks of JPGs: from the cache in `folder` where they are there, else by running the trunk."""

    def __init__(
        self,
        backbone: Backbone,
        renderer: SpectrogramRenderer,
        folder: Path,
        augmentations: Sequence[Augmentation] = (ORIGINAL,),
        workers: Workers | None = None,
    ) -> None:
        """variations: of each picture; ORIGINAL is the picture as it is."""
        self.augmentations = augmentations
        self.cache_path = cache_path(folder, backbone, renderer.fingerprint)
        self.digests = Digests(folder / DIGESTS_NAME)
        self._workers = workers or Threads()
        self._job = BottleneckJob(Network(backbone.flatbuffer), renderer)
        logger.debug("bottlenecks of trunk %s are kept in %s", backbone.name, self.cache_path)

    @functools.cached_property
    def cache(self) -> Cache:
        """Opened when first needed: it may be of many gigabytes."""
        return Cache(self.cache_path, int(np.prod(self._job.network.output_shapes[0])))

    def keys(self, digest: bytes) -> list[bytes]:
        """What the variations of the picture with this SHA-256 are called in the cache."""
        return [_cache_key(digest, augmentation) for augmentation in self.augmentations]

    def make(self, paths: Sequence[Path], progress: Progress = silent) -> Bottlenecks:
        """The bottlenecks of JPGs and their variations.

        A picture that cannot be read, or whose comment names other settings than the painter's, is skipped.
        """
        # Filled as they come: a list to be stacked at the end would hold everything twice.
        features = np.empty((len(paths), len(self.augmentations), self.cache.size), np.float16)
        kept: list[int] = []
        sha256s, skipped, computed = [], [], 0
        progress("bottlenecks", 0, len(paths))
        with ThreadPoolExecutor(available_cores()) as readers:
            for start, batch in _batches(paths, self._workers.width * BATCH_A_WORKER):
                found = list(readers.map(self._look_up, batch))
                wanted = [known.wanted for known in found if isinstance(known, _Known) and known.wanted]
                made = in_order(self._workers.run(self._job, wanted)) if wanted else iter(())
                fresh = []
                for position, known in enumerate(found, start):
                    new = next(made) if isinstance(known, _Known) and known.wanted else []
                    if isinstance(known, UnusableInput) or isinstance(new, UnusableInput):
                        error = known if isinstance(known, UnusableInput) else new
                        assert isinstance(error, UnusableInput)
                        logger.warning("%s (skipped)", error)
                        skipped.append(error)
                    else:
                        fresh += known.missing(new)
                        features[len(kept)] = known.complete(new)
                        kept.append(position)
                        sha256s.append(known.digest)
                        computed += bool(new)
                if fresh:
                    self.cache.append(fresh)
                progress("bottlenecks", min(start + len(batch), len(paths)), len(paths))
        self.digests.save()
        return Bottlenecks(features[: len(kept)], kept, sha256s, skipped, computed)

    def _known(self, digest: bytes) -> "_Known":
        keys = self.keys(digest)
        return _Known(digest, keys, [self.cache.find(key) for key in keys])

    def identify(self, path: Path) -> bytes | UnusableInput:
        """The SHA-256 of a picture's file, which is read only if it is new or changed."""
        try:
            return self.digests.remembered(path) or self._read(path)[1]
        except UnusableInput as error:
            return error
        except OSError as error:
            return _unreadable(path, error)

    def _read(self, path: Path) -> tuple[bytes, bytes]:
        """The content of a picture's file and its SHA-256. Raises UnusableInput or OSError."""
        pictures.require_picture_file(path)
        return self.digests.read(path)

    def _look_up(self, path: Path) -> "_Known | UnusableInput":
        try:
            digest = self.digests.remembered(path)
            if digest is not None:
                known = self._known(digest)
                if known.is_complete:
                    return known
            jpg, digest = self._read(path)
        except UnusableInput as error:
            return error
        except OSError as error:
            return _unreadable(path, error)
        known = self._known(digest)
        if not known.is_complete:
            missing = [v for v, features in zip(self.augmentations, known.cached, strict=True) if features is None]
            known.wanted = Wanted(path, jpg, missing)
        return known


def _unreadable(path: Path, error: OSError) -> UnusableInput:
    """What is said of a picture that the system won't give."""
    return UnusableInput(path, f"cannot be read ({error.strerror})")


@dataclass(frozen=True)
class Wanted:
    """A picture, the bytes of its JPG, and the variations whose bottlenecks are to be made."""

    path: Path
    jpg: bytes
    augmentations: list[Augmentation]


@dataclass(frozen=True)
class BottleneckJob:
    """A job for workers: run the trunk on variations of pictures."""

    network: Network
    renderer: SpectrogramRenderer

    def split(self, wanted: Wanted) -> Generator[np.ndarray, None, None]:
        """The variations of a picture. Raises UnusableInput."""
        picture, origin = pictures.decode(wanted.jpg, wanted.path)
        if origin.fingerprint != self.renderer.fingerprint:
            raise UnusableInput(wanted.path, "was made with other settings than its folder's audionet.json says")
        columns = self.renderer.columns(origin.seconds)
        for augmentation in wanted.augmentations:
            yield picture if augmentation == ORIGINAL else augment(picture, columns, self.renderer, augmentation)

    def map(self, picture: np.ndarray) -> np.ndarray:
        """A picture's bottleneck: float16, one dimension."""
        return bottleneck(self.network, picture)

    def reduce(self, wanted: Wanted, found: list[np.ndarray]) -> list[np.ndarray]:  # noqa: ARG002
        """The bottlenecks, in the variations' order."""
        return found


@dataclass
class _Known:
    """Of one picture: its SHA-256, the keys of its variations and those of their bottlenecks that are cached."""

    digest: bytes
    keys: list[bytes]
    cached: list[np.ndarray | None]
    wanted: Wanted | None = None

    @property
    def is_complete(self) -> bool:
        """Whether nothing is to be made."""
        return all(row is not None for row in self.cached)

    def missing(self, made: list[np.ndarray]) -> list[tuple[bytes, np.ndarray]]:
        """What was made, with its keys."""
        keys = [key for key, row in zip(self.keys, self.cached, strict=True) if row is None]
        return list(zip(keys, made, strict=True))

    def complete(self, made: list[np.ndarray]) -> np.ndarray:
        """All bottlenecks, a row a variation, from the cached ones and those made."""
        following = iter(made)
        return np.stack([next(following) if row is None else row for row in self.cached])


def _cache_key(digest: bytes, augmentation: Augmentation) -> bytes:
    """What a variation of the picture with this SHA-256 is called in the cache."""
    if augmentation == ORIGINAL:
        return digest
    return hashlib.sha256(digest + augmentation.cache_name.encode()).digest()


def _batches(paths: Sequence[Path], size: int) -> Iterator[tuple[int, Sequence[Path]]]:
    for start in range(0, len(paths), size):
        yield start, paths[start : start + size]
