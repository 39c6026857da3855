"""Whether scores mean what they say, and when they are too low to believe."""

from dataclasses import dataclass
from typing import Any

import numpy as np

BINS = 10  # of equal width, as is usual


def expected_calibration_error(scores: np.ndarray, correct: np.ndarray) -> float:
    """How far scores are from the share that is right: 0 (they mean what they say) to 1.

    scores: the best class's, 0 to 1. correct: whether it was right. The scores are put into BINS of equal width; the
    difference between a bin's mean score and its share of right ones is averaged over what was scored
    (Naeini et al., 2015; Guo et al., 2017).
    """
    scores, correct = np.asarray(scores, float), np.asarray(correct, float)
    bins = np.minimum((scores * BINS).astype(np.intp), BINS - 1)
    gaps = [abs(scores[bins == n].sum() - correct[bins == n].sum()) for n in range(BINS)]
    return float(sum(gaps) / len(scores))


# Share of the classes' own sound, held out with all that sounds like it, that scores lower than is believed. Of new
# recordings it is a third of that (docs/experiments.md).
RARE = 0.15
HIGHEST_DOUBT = 0.6  # a higher score is believed, even where the classes' own sound always scores higher still
# How much farther than the farthest of the training: new recordings lie a little farther, noise and tones five times.
FAR_MARGIN = 1.6
USUAL = 0.75  # share of the training that is nearer than the usual distance
# Short windows of readers' new utterances lay at 0.6 to 1 of the usual distance, those of other voices, of music, rain
# and noise at 1.05 to 3 (docs/experiments.md).
STRANGE_MARGIN = 1.0


@dataclass(frozen=True)
class RejectionThresholds:
    """What is known of sound of the classes, to tell sound of none of them.

    lowest_score: best scores of the classes' own sound are seldom lower.
    longest_distance: its bottlenecks are hardly ever farther from the middle of the training's; see `comparable`.
    usual_distance: three quarters of them are nearer. What lies farther away for long is strange, though a single
        window of it may be of the classes. None of a model that was trained before this was kept.
    """

    min_score: float
    max_distance: float
    usual_distance: float | None = None

    @property
    def strange_distance(self) -> float:
        """What lies on average farther away than this, for long, is of none of the classes."""
        if self.usual_distance is None:
            return self.max_distance / FAR_MARGIN
        return self.usual_distance * STRANGE_MARGIN

    def is_unknown(self, score: float, distance: float) -> bool:
        """Whether sound with this best score, at this comparable distance, is of none of the classes."""
        return bool(score < self.min_score or distance > self.max_distance)

    def to_json(self) -> dict[str, float]:
        """As plain values, for the model's description."""
        usual = {} if self.usual_distance is None else {"usual_distance": self.usual_distance}
        return {"lowest_score": self.min_score, "longest_distance": self.max_distance} | usual

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "RejectionThresholds":
        """What `to_json` made. Raises one of files.MALFORMED for anything else."""
        usual = content.get("usual_distance")
        found = cls(
            float(content["lowest_score"]), float(content["longest_distance"]), None if usual is None else float(usual)
        )
        if not 0 <= found.min_score <= 1 or not found.max_distance >= 0 or not found.strange_distance >= 0:
            raise ValueError("no measure of what is familiar")
        return found

    @classmethod
    def of(cls, scores: np.ndarray, distances: np.ndarray) -> "RejectionThresholds":
        """From the best scores and comparable distances of the classes' own sound that was held out."""
        doubt = min(float(np.quantile(scores, RARE)), HIGHEST_DOUBT)
        return cls(doubt, float(distances.max()) * FAR_MARGIN, float(np.quantile(distances, USUAL)))


def comparable_distance(squared_distance: float | np.ndarray, share: float | np.ndarray) -> Any:
    """A squared distance as it would be of a full chunk; `share` is how much of a chunk was heard, over 0 to 1.

    An average over less sound lies farther out. Measured on the sample voices from 1 to 20 seconds, it falls with
    the root of the length (docs/experiments.md).
    """
    return squared_distance * np.sqrt(share)
