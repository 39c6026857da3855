"""What there is to learn from: one Sample for each picture, and the Dataset that holds them.

A sample goes through all stages of the training: it is found in a folder of pictures, gets the digest of its JPG when
its bottleneck is made, is put on a side of the split, learnt from or held out, checked and shown.
"""

import functools
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audionet.audio.levels import SILENT_DB, Conditions, say
from audionet.dataset.folders import find_pictures
from audionet.dataset.manifest import FILE_NAME, ChunkEntry, PictureIndex, RecordingEntry
from audionet.dataset.names import class_of, split_chunk_name
from audionet.errors import AudionetError
from audionet.spectrogram.augmentation import ORIGINAL, Augmentation
from audionet.spectrogram.transform import SpectrogramRenderer
from audionet.system.grouping import grouped
from audionet.system.text import count, listed

logger = logging.getLogger(__name__)


class Sample(NamedTuple):
    """A chunk of a recording, as its picture shows it. (A named tuple: there may be a hundred thousand.)

    class_name: the folder that the picture lies in.
    name: `<class>/<file name without suffix>`, as audionet.json lists it. path: of the JPG.
    recording: what people call its recording: `<class>/<path in the class folder>`.
    group: what stays together in every split: the recording's content, or a group of recordings that a table names.
    sha256: of the recording's file, in hexadecimal; "" if audionet.json does not list the picture.
    start_seconds, end_seconds: the chunk's place in its recording.
    fold: the data set's own; None if it has none.
    level_db, clipped: how loud it is and what share of its samples is clipped (audio/levels.py); None if unknown.
    digest: the SHA-256 of the JPG; empty until the JPG has been read.
    is_marked: of its recording, marked parts alone are learnt.
    conditions, needed_rate_hz: of its recording, see manifest.RecordingEntry.
    sounding: the part of the picture that the network sees, see manifest.ChunkEntry.
    """

    class_name: str
    name: str
    path: Path
    recording: str
    group: str
    sha256: str
    start_seconds: float
    end_seconds: float
    fold: int | None = None
    level_db: float | None = None
    clipped: float | None = None
    digest: bytes = b""
    is_marked: bool = False
    conditions: Conditions | None = None
    needed_rate_hz: int | None = None
    sounding: Augmentation = ORIGINAL

    @property
    def seconds(self) -> float:
        """The length of its sound in seconds."""
        return self.end_seconds - self.start_seconds

    @property
    def source(self) -> str:
        """The SHA-256 of its recording or, for a picture that audionet.json does not list, its group."""
        return self.sha256 or self.group


@dataclass(frozen=True)
class Dataset:
    """The samples to learn from, in order of class and name; all classes have at least one."""

    samples: Sequence[Sample]

    def __len__(self) -> int:
        return len(self.samples)

    def __iter__(self) -> Iterator[Sample]:
        return iter(self.samples)

    @functools.cached_property
    def labels(self) -> list[str]:
        """The names of the classes, sorted; their positions are the numbers of the classes."""
        return sorted({sample.class_name for sample in self.samples})

    @functools.cached_property
    def targets(self) -> NDArray[np.int32]:
        """The number of each sample's class."""
        numbers = {label: number for number, label in enumerate(self.labels)}
        return np.array([numbers[sample.class_name] for sample in self.samples], np.int32)


@dataclass(frozen=True)
class PictureFolder:
    """The samples in a folder that `prepare` made, sorted, without digests; what drew their pictures, and the index."""

    path: Path
    samples: list[Sample]
    renderer: SpectrogramRenderer
    index: PictureIndex


def load_pictures(image_dir: Path) -> PictureFolder:
    """What is in a folder of pictures, with one folder for each class.

    A recording is known by its content, so that renaming it, moving it or adding others never moves it to another
    part of the split, and copies of it stay on one side. A picture that audionet.json does not list goes by its file's
    name. Raises AudionetError if there is no audionet.json, or there are not two classes at least.
    """
    pictures = find_pictures(image_dir)
    index = PictureIndex.load(image_dir)
    if index is None:
        raise AudionetError(f"{image_dir / FILE_NAME}: not found; make the pictures with audionet prepare")
    entries = {chunk.name: (key, entry, chunk) for key, entry in index.recordings.items() for chunk in entry.chunks}
    chunk_seconds = index.renderer.settings.chunk_seconds
    groups = _joined_groups(index.recordings.values())
    numbered: list[tuple[str, str, int, Sample]] = []
    for class_name, file_stem, path in pictures:
        name = f"{class_name}/{file_stem}"
        stem, number = split_chunk_name(file_stem)
        if name in entries:
            sample = _listed_sample(path, *entries[name], groups)
        else:
            start = (number or 0) * chunk_seconds
            sample = Sample(class_name, name, path, f"{class_name}/{stem}", stem, "", start, start + chunk_seconds)
        numbered.append((class_name, stem, number or 0, sample))
    samples = [sample for *_, sample in sorted(numbered)]
    require_classes(image_dir, samples)
    missing = sorted(entries.keys() - {sample.name for sample in samples})
    if missing:
        sentence = "%s: lacks %s that it lists (%s); run audionet prepare again to have them drawn"
        logger.warning(sentence, image_dir, count(len(missing), "picture"), listed(missing))
    return PictureFolder(image_dir, samples, index.renderer, index)


def _listed_sample(
    path: Path, recording: str, entry: RecordingEntry, chunk: ChunkEntry, groups: Mapping[str, str]
) -> Sample:
    """The sample of a picture that audionet.json lists. groups: what some are called from now on."""
    group = entry.sha256 if entry.group is None else entry.group
    return Sample(
        class_name=class_of(chunk.name),
        name=chunk.name,
        path=path,
        recording=recording,
        group=groups.get(group, group),
        sha256=entry.sha256,
        start_seconds=chunk.start_seconds,
        end_seconds=chunk.start_seconds + chunk.seconds,
        fold=entry.fold,
        level_db=chunk.level_db,
        clipped=chunk.clipped,
        is_marked=bool(entry.parts),
        conditions=entry.conditions,
        needed_rate_hz=entry.needed_rate_hz,
        sounding=chunk.sounding,
    )


def _joined_groups(recordings: Iterable[RecordingEntry]) -> dict[str, str]:
    """What groups are called from now on that hold copies of one recording, and are one group for that.

    Silence joins none: it is the same wherever it was recorded.
    """
    called: dict[str, str] = {}

    def name_of(group: str) -> str:
        while group in called:
            group = called[group]
        return group

    sounding = (each for each in recordings if any((chunk.level_db or 0) > SILENT_DB for chunk in each.chunks))
    for sha256, groups in grouped((each.sha256, each.group) for each in sounding).items():
        first, *others = sorted({name_of(sha256 if group is None else group) for group in groups})
        called |= dict.fromkeys(others, first)
    return {group: name_of(group) for group in called}


def with_a_say(pictures: PictureFolder) -> PictureFolder:
    """The pictures without those that are so faint beside the loudest of their recordings that `label` passes over
    them: see levels.say. Marked parts were meant, however faint."""
    unmarked = grouped((sample.recording, sample) for sample in pictures.samples if not sample.is_marked)
    faint = {
        sample.name
        for of_recording in unmarked.values()
        for sample, has_say in zip(of_recording, say([sample.level_db for sample in of_recording]), strict=True)
        if not has_say
    }
    if faint:
        sentence = "%s far fainter than the loudest of the same recording: not learnt, and label passes over such sound"
        logger.info(sentence, count(len(faint), "picture"))
    return replace(pictures, samples=[sample for sample in pictures.samples if sample.name not in faint])


def require_classes(image_dir: Path, samples: Iterable[Sample]) -> None:
    """Raise AudionetError unless the samples are of two classes at least."""
    classes = sorted({sample.class_name for sample in samples})
    if not classes:
        raise AudionetError(f"{image_dir}: holds no pictures; make them first with audionet prepare")
    if len(classes) == 1:
        raise AudionetError(
            f"{image_dir}: holds only one class, {classes[0]!r}; "
            "add a folder of recordings of another class and run audionet prepare again"
        )
