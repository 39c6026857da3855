"""Clip -> chunks -> pictures -> scores: the way of a recording through a model, the same as in training."""

import bisect
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from audionet.audio.chunks import Chunk, Part, read_chunks
from audionet.audio.decoding import count_channels, decode
from audionet.audio.levels import SILENT_DB, level_db, say
from audionet.dataset.folders import walk_files
from audionet.dataset.kinds import is_other_file
from audionet.dataset.names import NOHASH, UNKNOWN
from audionet.errors import UnusableInput
from audionet.inference.scoring import ChunkScores, ModelJob, score_picture, warn_of_range
from audionet.model.bundle import Model
from audionet.parallel.threads import work_through
from audionet.settings import HIGHEST_SAMPLE_RATE_HZ, PictureSettings, SoundChoice
from audionet.spectrogram.jpeg import ANY_SUFFIXES, SUFFIXES
from audionet.spectrogram.out_of_range import RangeCheck
from audionet.system.grouping import grouped
from audionet.system.text import listed
from audionet.system.untrusted import is_folder
from audionet.training.unknown import LOW_SCORE, UNLIKE_ALL, centred_logs

# Why a clip is unknown, beside what training/unknown.py knows: it is a mixture, silent, or silent in the band that the
# model's pictures show, but not above or below it.
SEVERAL_CLASSES, SILENT, INAUDIBLE = "several_classes", "silent", "inaudible"
MOSTLY_ABOVE_DB = 10.0  # that sound is louder than what is drawn of it, if it lies above
ROUNDING_SECONDS = 1e-3  # more than a sample lasts, and less than any chunk
LEAST_OF_A_MIXTURE, MOST_OF_A_MIXTURE = 0.25, 0.75


@dataclass(frozen=True)
class ClipScores:
    """The scores of one clip.

    seconds: of sound behind them.
    scores: a probability for each of the model's labels.
    why_unknown: why it is more likely none of them: LOW_SCORE, UNLIKE_ALL, SEVERAL_CLASSES, SILENT or INAUDIBLE; "" if
        the best class is believed.
    needed_score: what a best class needs to be believed; None where how typical the sound is decides.
    typicality: how typical it is of the best class, in standard deviations: about 0 is usual, -3 rare. None of a model
        that does not know.
    several: of an unknown clip, the classes that are heard in it, the most likely first, if it is a mixture of them.
    part: of the clip, if it is not the whole.
    has_channels: of a mixture, whether each class may be heard in a channel of its own.
    is_short: whether it is so much shorter than what was learnt that its scores are less sure.
    """

    clip: str
    seconds: float
    scores: dict[str, float]
    why_unknown: str = ""
    needed_score: float | None = None
    typicality: float | None = None
    several: tuple[str, ...] = ()
    part: Part | None = None
    has_channels: bool = False
    is_short: bool = False

    @property
    def is_unknown(self) -> bool:
        """Whether it is more likely none of the classes."""
        return bool(self.why_unknown)

    @property
    def best(self) -> str:
        """The class with the highest score; of equals the first."""
        return max(self.scores, key=lambda label: self.scores[label])

    @property
    def label(self) -> str:
        """The best class, or UNKNOWN."""
        return UNKNOWN if self.is_unknown else self.best

    @property
    def score(self) -> float:
        """The score of the best class, whether it is believed or not."""
        return self.scores[self.best]

    @property
    def explanation(self) -> str:
        """Why it is unknown, in words; "" if it is not."""
        best = f"{self.best} {self.score:.2f}"
        believed = f"less than {self.best}'s own recordings are"
        if self.needed_score is not None:
            believed = f"{self.needed_score:.2f} is needed to believe it"
        believed += "; it is far shorter than what was learnt" if self.is_short else ""
        remedy = "if several are heard, try --timeline"
        remedy += ", or --channel each where each has a channel" if self.has_channels else ""
        heard = [f"{label} {self.scores[label]:.2f}" for label in self.several]
        return {
            "": "",
            LOW_SCORE: f"most like {best}, but {believed}",
            UNLIKE_ALL: f"unlike all that was learnt (the best class is {best})",
            SEVERAL_CLASSES: f"like several classes, {listed(heard) if heard else best}; {remedy}",
            SILENT: "silent",
            INAUDIBLE: "not silent, but its sound lies above what the model hears, or below it",
        }[self.why_unknown]

    def best_first(self) -> list[tuple[str, float]]:
        """The classes and their scores, the highest first."""
        return sorted(self.scores.items(), key=lambda item: -item[1])


class ScoringJob(ModelJob):
    """A job for workers: score recordings, or pictures that `prepare` made."""

    def split(self, path: Path) -> Generator[Chunk | None, None, None]:
        """The chunks of a recording; of a picture None."""
        if path.suffix.lower() in (ANY_SUFFIXES if self.model.any_picture else SUFFIXES):
            yield None
        else:
            settings = self.model.settings
            check = RangeCheck(path, settings, self.choice)
            yield from check.watch(read_chunks(path, settings, self.choice))
            warn_of_range(path, check, self.model)

    def map(self, path: Path, chunk: Chunk | None) -> ChunkScores:
        """The scores of a chunk. Raises UnusableInput."""
        return score_picture(path, self.model) if chunk is None else self.recall_chunk(chunk, path)

    def reduce(self, path: Path, results: list[ChunkScores]) -> ClipScores:
        """The mean of the chunks' scores."""
        scores = mean_scores(str(path), results, self.model, self.allow_unknown)
        is_quiet = all(chunk.level_db is not None and chunk.level_db <= SILENT_DB for chunk in results)
        is_below = any(chunk.is_below for chunk in results) and not any(chunk.has_signal for chunk in results)
        if self.allow_unknown and (is_below or (is_quiet and _sounds_above(path, self.choice, self.model.settings))):
            return replace(scores, why_unknown=INAUDIBLE, several=())
        is_mixed = bool(scores.several) and self.choice.number is None and path.suffix.lower() not in SUFFIXES
        return replace(scores, has_channels=True) if is_mixed and count_channels(path, self.choice) > 1 else scores


def _sounds_above(path: Path, choice: SoundChoice, settings: PictureSettings) -> bool:
    """Whether a recording is no silence at the highest sample rate, but nearly so at that of the pictures, as its
    beginning has it."""
    choice = choice.untold()
    beginning = next(decode(path, choice, HIGHEST_SAMPLE_RATE_HZ))
    count = round(len(beginning) * settings.sample_rate_hz / HIGHEST_SAMPLE_RATE_HZ)
    drawn = next(decode(path, choice, settings.sample_rate_hz))[:count]
    return level_db(beginning) > max(SILENT_DB, level_db(drawn) + MOSTLY_ABOVE_DB)


class PartsJob(ModelJob):
    """A job for workers: score parts of recordings, each as a clip of its own.

    An item is a path and its parts, in order and without overlap.
    """

    def split(self, item: tuple[Path, tuple[Part, ...]]) -> Generator[Chunk, None, None]:
        """The chunks of all parts."""
        path, parts = item
        return read_chunks(path, self.model.settings, self.choice, parts)

    def map(self, item: tuple[Path, tuple[Part, ...]], chunk: Chunk) -> ChunkScores:
        """The scores of a chunk. Raises UnusableInput."""
        path, _ = item
        return self.recall_chunk(chunk, path)

    def reduce(self, item: tuple[Path, tuple[Part, ...]], scored: list[ChunkScores]) -> list[ClipScores | None]:
        """The scores of each part; None of one that is too short, or lies behind the end."""
        path, parts = item
        # A chunk begins at a sample, which may be the last before its part, where another part ends.
        starts = [part.start_seconds - ROUNDING_SECONDS for part in parts]
        own = grouped((bisect.bisect(starts, chunk.start_seconds) - 1, chunk) for chunk in scored)
        return [
            replace(mean_scores(str(path), own[n], self.model, self.allow_unknown), part=part) if n in own else None
            for n, part in enumerate(parts)
        ]


def mean_scores(clip: str, chunks: Sequence[ChunkScores], model: Model, allow_unknown: bool) -> ClipScores:
    """The mean of the scores of a clip's chunks, weighted by how much of them sounds.

    Silent chunks have no say, unless all are; then the clip is unknown, if that is allowed. Nor have those that are far
    fainter than the clip's loudest of the others, unless the model has a background. A clip that is far shorter than
    what was learnt from is less sure.
    """
    seconds = float(sum(chunk.seconds for chunk in chunks))
    probabilities = model.thresholds.tempered(np.array([chunk.scores for chunk in chunks]), seconds)
    distances = np.array([chunk.distance for chunk in chunks])
    has_signal = any(chunk.has_signal for chunk in chunks)
    sounding = np.array([chunk.sounding_seconds for chunk in chunks], float)
    weights = sounding if sounding.any() else np.array([chunk.seconds for chunk in chunks], float)
    if model.detection is None:  # where there is a background, what is faint may be it
        heard = weights > 0  # what lies below the high pass is loud, and has no say either
        weights[heard] *= say([chunk.level_db for chunk, is_heard in zip(chunks, heard, strict=True) if is_heard])
    scores, logs, distance = (
        (weights @ values / weights.sum()).tolist()
        for values in (probabilities, centred_logs(probabilities), distances)
    )
    by_label = dict(zip(model.labels, scores, strict=True))
    best = int(np.argmax(scores))
    thresholds = model.thresholds_of(best)
    known = thresholds.typicality
    typical = None if known is None else float(known.of(best, logs[best], distance))
    if not allow_unknown:
        return ClipScores(clip, seconds, by_label, typicality=typical)
    reason = thresholds.why_unknown(best, scores[best], distance, typical) if has_signal else SILENT
    is_short = thresholds.share_of_usual(best, seconds) < 1  # several classes are doubt then, no mixture
    several = _mixture(by_label) if reason == LOW_SCORE and not is_short else ()
    reason = SEVERAL_CLASSES if several else reason
    needed = thresholds.min_score if known is None else None
    return ClipScores(clip, seconds, by_label, reason, needed, typical, several, is_short=is_short)


def _mixture(scores: dict[str, float]) -> tuple[str, ...]:
    """The classes that share a clip between them: each with a good part of it, together with nearly all; or none."""
    heard = sorted((label for label in scores if scores[label] >= LEAST_OF_A_MIXTURE), key=lambda label: -scores[label])
    return tuple(heard) if len(heard) > 1 and sum(scores[label] for label in heard) >= MOST_OF_A_MIXTURE else ()


def score_clip(path: Path, model: Model) -> ClipScores:
    """The scores of one clip, by this thread alone. Raises UnusableInput."""
    scored = work_through(ScoringJob(model), path)
    if isinstance(scored, UnusableInput):
        raise scored
    return scored


def find_clips(paths: Iterable[Path]) -> Iterator[Path]:
    """The files named, and the recordings and pictures in the folders named, sorted within each folder."""
    for path in paths:
        if is_folder(path):
            files = [file for file in walk_files(path) if is_clip(file)]
            # Pictures lie beside the WAVs of the same chunks: each chunk counts once.
            drawn = {file.with_suffix("") for file in files if file.suffix.lower() in SUFFIXES and NOHASH in file.name}
            yield from (f for f in files if f.suffix.lower() != ".wav" or f.with_suffix("") not in drawn)
        else:
            yield path


def is_clip(path: Path) -> bool:
    """Whether the name may be a recording's or a picture's."""
    return path.suffix.lower() in SUFFIXES or not is_other_file(path)
