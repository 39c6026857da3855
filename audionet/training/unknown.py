"""Whether scores mean what they say, and when they are too low to believe."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from audionet.system.untrusted import number, taking_apart

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
LARGEST_DISTANCE = 1e30  # squared; of 36,222 float16 numbers it is at most 2e14


@dataclass(frozen=True)
class RejectionThresholds:
    """What is known of sound of the classes, to tell sound of none of them.

    lowest_score: best scores of the classes' own sound are seldom lower.
    longest_distance: its bottlenecks are hardly ever farther from the middle of the training's; see `comparable`.
    """

    min_score: float
    max_distance: float

    def is_unknown(self, score: float, distance: float) -> bool:
        """Whether sound with this best score, at this comparable distance, is of none of the classes."""
        return bool(score < self.min_score or distance > self.max_distance)

    def to_json(self) -> dict[str, float]:
        """As plain values, for the model's description."""
        return {"lowest_score": self.min_score, "longest_distance": self.max_distance}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "RejectionThresholds":
        """What `to_json` made. Raises untrusted.Refused for anything else."""
        with taking_apart():
            return cls(number(content["lowest_score"], 0, 1), number(content["longest_distance"], 0, LARGEST_DISTANCE))

    @classmethod
    def of(cls, scores: np.ndarray, distances: np.ndarray) -> "RejectionThresholds":
        """From the best scores and comparable distances of the classes' own sound that was held out."""
        return cls(min(float(np.quantile(scores, RARE)), HIGHEST_DOUBT), float(distances.max()) * FAR_MARGIN)


def comparable_distance(squared_distance: float | np.ndarray, share: float | np.ndarray) -> Any:
    """A squared distance as it would be of a full chunk; `share` is how much of a chunk was heard, over 0 to 1.

    An average over less sound lies farther out. Measured on the sample voices from 1 to 20 seconds, it falls with
    the root of the length (docs/experiments.md).
    """
    return squared_distance * np.sqrt(share)
