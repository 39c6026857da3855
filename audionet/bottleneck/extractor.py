"""Bottlenecks of many pictures and their augmentations: from the cache, or made by running the backbone."""

import functools
import hashlib
import logging
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audionet.bottleneck.backbone import Backbone, Network, bottleneck
from audionet.bottleneck.cache import Cache, cache_path
from audionet.dataset.digests import Digests
from audionet.errors import AudionetError, Skipped, UnusableInput, reading
from audionet.parallel.threads import Threads, Workers
from audionet.settings import available_cores
from audionet.spectrogram import jpeg
from audionet.spectrogram.augmentation import ORIGINAL, Augmentation, augment
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.system.progress import Progress, continued, silent

logger = logging.getLogger(__name__)

DIGESTS_NAME = "pictures.sha256.json"
BATCH_PER_WORKER = 32  # pictures worked on between two writes to the cache


class ReadPicture(NamedTuple):
    """A picture that could be read: its position in the list that was asked for, and the SHA-256 of its JPG."""

    position: int
    digest: bytes


@dataclass(frozen=True)
class Extracted:
    """The pictures whose bottlenecks, or coordinates, were taken from the cache or made anew.

    pictures: those that could be read. skipped: those that could not be used.
    computed: how many were not, or not with all their augmentations, in the cache.
    """

    pictures: list[ReadPicture]
    skipped: list[UnusableInput]
    computed: int


@dataclass(frozen=True)
class Bottlenecks(Extracted):
    """The bottlenecks of these pictures. features: one row for each augmentation that is made of a picture, one picture
    after the other (augmentation.number_rows)."""

    features: NDArray[np.float16]


def no_usable_picture(paths: Sequence[Path]) -> AudionetError:
    """The error for a folder that has pictures, none of which can be used."""
    return AudionetError(
        f"{paths[0].parent.parent}: none of its pictures can be used; make them anew with audionet prepare --force"
    )


class Extractor:
    """Gives the bottlenecks of pictures' chunks: from the cache where they are there, else by running the backbone.

    Subclasses say what the backbone is given: BottleneckExtractor the pictures, sound_extractor.SoundExtractor the
    sound that they were drawn from.
    """

    def __init__(
        self, backbone: Backbone, cache: Path, size: int, augmentations: Sequence[Augmentation], workers: Workers | None
    ) -> None:
        """size: of a bottleneck. augmentations: of each picture; ORIGINAL is the picture as it is."""
        self.backbone, self.cache_path, self.augmentations = backbone, cache, augmentations
        self._size, self._workers = size, workers or Threads()
        logger.debug("bottlenecks of backbone %s are kept in %s", backbone.name, self.cache_path)

    @functools.cached_property
    def cache(self) -> Cache:
        """The cache. It is opened when it is first needed, since it may have many gigabytes."""
        return Cache(self.cache_path, self._size)

    def made_of(self, digest: bytes) -> list[Augmentation]:
        """The augmentations that are made of the picture with this SHA-256."""
        return [augmentation for augmentation in self.augmentations if augmentation.is_made_of(digest)]

    def keys(self, digest: bytes) -> list[bytes]:
        """The keys in the cache of these augmentations."""
        return [_cache_key(digest, augmentation) for augmentation in self.made_of(digest)]

    @property
    def batch_size(self) -> int:
        """The number of pictures that are worked on between two writes to the cache."""
        return self._workers.width * BATCH_PER_WORKER

    def extract(self, paths: Sequence[Path], progress: Progress = silent) -> Bottlenecks:
        """The bottlenecks of JPGs and their augmentations.

        A picture that cannot be read, or whose comment names other settings than the renderer's, is skipped.
        """
        # It is filled as bottlenecks come: stacking a list at the end would hold everything twice.
        features, rows = np.empty((len(paths) * len(self.augmentations), self.cache.size), np.float16), 0
        pictures: list[ReadPicture] = []
        skipped, computed = Skipped(), 0
        progress("bottlenecks", 0, len(paths))
        with ThreadPoolExecutor(available_cores()) as readers:
            for start in range(0, len(paths), self.batch_size):
                entries = list(readers.map(self.look_up, paths[start : start + self.batch_size]))
                incomplete = [entry for entry in entries if entry.error is None and entry.missing]
                if incomplete:
                    ready = start + len(entries) - len(incomplete)
                    self.make_missing(incomplete, continued(progress, ready, len(paths)))
                    # They are written in the order of the pictures, so that every run gives the same cache.
                    self.cache.append([row for entry in incomplete for row in entry.fresh])
                for position, entry in enumerate(entries, start):
                    if entry.error is not None:
                        skipped.add(entry.error)
                    else:
                        features[rows : rows + len(entry.rows)] = entry.rows
                        rows += len(entry.rows)
                        pictures.append(ReadPicture(position, entry.digest))
                        computed += bool(entry.fresh)
                progress("bottlenecks", start + len(entries), len(paths))
        self.save_digests()
        return Bottlenecks(pictures, skipped, computed, features[:rows])

    def identify(self, path: Path) -> bytes | UnusableInput:
        """The 32 bytes that a picture's chunk is known by, or why it cannot be used."""
        raise NotImplementedError

    def look_up(self, path: Path) -> "Entry":
        """An entry with all that the cache holds of a picture's chunk."""
        digest = self.identify(path)
        return Entry(path, error=digest) if isinstance(digest, UnusableInput) else self.cached(path, digest)

    def make_missing(self, entries: Sequence["Entry"], progress: Progress) -> None:
        """Run the backbone for what entries lack, and put it into them, or why it can't be had."""
        raise NotImplementedError

    def save_digests(self) -> None:
        """Keep what was learnt of files while they were identified."""

    def cached(self, path: Path, digest: bytes) -> "Entry":
        """An entry with all that the cache holds of the chunk that is known by a digest."""
        keys = self.keys(digest)
        return Entry(path, digest, keys, [self.cache.find(key) for key in keys])


class BottleneckExtractor(Extractor):
    """Gives the bottlenecks of JPGs: from the cache in `folder` where they are there, else by running the backbone."""

    def __init__(
        self,
        backbone: Backbone,
        renderer: SpectrogramRenderer,
        folder: Path,
        augmentations: Sequence[Augmentation] = (ORIGINAL,),
        workers: Workers | None = None,
        parts: Mapping[Path, Augmentation] = MappingProxyType({}),
    ) -> None:
        """As Extractor. renderer: the one that drew the pictures. parts: of pictures that the network does not see as a
        whole, see augmentation.sounding_part."""
        network = Network(backbone.flatbuffer)
        path, size = cache_path(folder, backbone, renderer.fingerprint), int(np.prod(network.output_shapes[0]))
        super().__init__(backbone, path, size, augmentations, workers)
        self.digests = Digests(folder / DIGESTS_NAME)
        self._parts = parts
        self._job = BottleneckJob(network, renderer)

    def identify(self, path: Path) -> bytes | UnusableInput:
        """The SHA-256 of a picture's file, which is read only if it is new or changed, or that of a part of it."""
        try:
            with reading(path):
                return self._of_part(path, self.digests.remembered(path) or self._read(path)[1])
        except UnusableInput as error:
            return error

    def _part(self, path: Path) -> Augmentation:
        """What the network sees of a picture."""
        return self._parts.get(path, ORIGINAL)

    def _of_part(self, path: Path, digest: bytes) -> bytes:
        """What a picture with this SHA-256 is known by: seen in part, it is another than as a whole."""
        return _cache_key(digest, self._part(path))

    def _read(self, path: Path) -> tuple[bytes, bytes]:
        """The content of a picture's file and its SHA-256. Raises UnusableInput or OSError."""
        try:
            jpeg.require_picture_file(path)
        except UnusableInput as error:
            raise UnusableInput(path, f"{error.reason}; run audionet prepare again") from error
        return self.digests.read(path)

    def look_up(self, path: Path) -> "Entry":
        """An entry with all that the cache holds of a picture, whose JPG is read only where something is missing."""
        try:
            with reading(path):
                digest = self.digests.remembered(path)
                entry = self.cached(path, self._of_part(path, digest)) if digest else None
                if entry is None or entry.missing:
                    jpg, digest = self._read(path)
                    entry = self.cached(path, self._of_part(path, digest))
                    entry.jpg = jpg
                return entry
        except UnusableInput as error:
            return Entry(path, error=error)

    def make_missing(self, entries: Sequence["Entry"], progress: Progress) -> None:
        """Run the backbone for what entries lack, and put it into them; an entry that can't be used gets its error."""
        wanted = []
        for entry in entries:
            part, made = self._part(entry.path), self.made_of(entry.digest)
            wanted.append(Missing(entry.path, entry.jpg, [made[n].within(part) for n in entry.missing]))
        for ready, (position, result) in enumerate(self._workers.run(self._job, wanted), start=1):
            progress("bottlenecks", ready, len(entries))
            if isinstance(result, UnusableInput):
                entries[position].error = result
            else:
                entries[position].fill(result)

    def save_digests(self) -> None:
        """Keep the SHA-256s of the files that were read."""
        self.digests.save()


@dataclass
class Entry:
    """One picture on its way: its digest, and for each augmentation the key in the cache and the bottleneck.

    rows: None for a bottleneck that is still to be made. fresh: the bottlenecks that were made, with their keys.
    jpg: the file's content, where something is to be made of it.
    """

    path: Path
    digest: bytes = b""
    keys: list[bytes] = field(default_factory=list)
    rows: list[NDArray[np.float16] | None] = field(default_factory=list)
    jpg: bytes = b""
    error: UnusableInput | None = None
    fresh: list[tuple[bytes, NDArray[np.float16]]] = field(default_factory=list)

    @property
    def missing(self) -> list[int]:
        """The positions of the bottlenecks that are still to be made."""
        return [n for n, row in enumerate(self.rows) if row is None]

    def fill(self, features: Sequence[NDArray[np.float16]]) -> None:
        """Put in the bottlenecks that were missing, in the order of `missing`."""
        for n, row in zip(self.missing, features, strict=True):
            self.rows[n] = row
            self.fresh.append((self.keys[n], row))


@dataclass(frozen=True)
class Missing:
    """A picture, the bytes of its JPG, and the augmentations whose bottlenecks are to be made."""

    path: Path
    jpg: bytes
    augmentations: list[Augmentation]


@dataclass(frozen=True)
class BottleneckJob:
    """A job for workers: run the backbone on augmentations of pictures."""

    network: Network
    renderer: SpectrogramRenderer

    def split(self, wanted: Missing) -> Generator[np.ndarray, None, None]:
        """The augmentations of a picture. Raises UnusableInput."""
        picture, origin = jpeg.decode(wanted.jpg, wanted.path)
        if origin.fingerprint != self.renderer.fingerprint:
            raise UnusableInput(wanted.path, "was made with other settings than its folder's audionet.json says")
        columns = self.renderer.columns(origin.seconds)
        for augmentation in wanted.augmentations:
            yield picture if augmentation == ORIGINAL else augment(picture, columns, self.renderer, augmentation)

    def map(self, wanted: Missing, picture: np.ndarray) -> np.ndarray:  # noqa: ARG002
        """A picture's bottleneck: float16, one dimension."""
        return bottleneck(self.network, picture)

    def reduce(self, wanted: Missing, results: list[np.ndarray]) -> list[np.ndarray]:  # noqa: ARG002
        """The bottlenecks, in the augmentations' order."""
        return results


def _cache_key(digest: bytes, augmentation: Augmentation) -> bytes:
    """The key in the cache of one augmentation of the picture with this SHA-256."""
    if augmentation == ORIGINAL:
        return digest
    return hashlib.sha256(digest + augmentation.cache_name.encode()).digest()
