"""What makes a clip unknown: a score too low to believe, or a picture unlike all that was learnt from."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from audionet.system.untrusted import number, taking_apart

# Share of the classes' own sound, held out with all that sounds like it, that scores lower than is believed. Of new
# recordings it is a third of that (docs/experiments.md).
RARE = 0.15
HIGHEST_DOUBT = 0.6  # a higher score is believed, even where the classes' own sound always scores higher still
# How much farther than the farthest of the training: new recordings lie a little farther, noise and tones five times.
FAR_MARGIN = 1.6
LENGTH_EXPONENT = 0.6
USUAL = 0.75  # share of the training that is nearer than the usual distance
# Why sound is unknown, as JSON and CSV name it.
UNLIKE_ALL, LOW_SCORE = "unlike_all", "low_score"
LARGEST_DISTANCE = 1e30  # squared; of 37,758 float16 numbers it is at most 2e14


@dataclass(frozen=True)
class RejectionThresholds:
    """What is known of sound of the classes, to tell sound of none of them.

    min_score: best scores of the classes' own sound are seldom lower.
    max_distance: its bottlenecks are hardly ever farther from the centroid of the training, as `comparable_distance`
        measures it.
    usual_distance: three quarters of them are nearer. What lies farther away for long is strange, though a single
        window of it may be of the classes. None: of a model whose training did not keep it.
    """

    min_score: float
    max_distance: float
    usual_distance: float | None = None

    def why_unknown(self, score: float, distance: float) -> str:
        """Why sound with this best score, at this comparable distance, is of none of the classes; "" if it may be."""
        if distance > self.max_distance:
            return UNLIKE_ALL
        return LOW_SCORE if score < self.min_score else ""

    def to_json(self) -> dict[str, float]:
        """As plain values, for the model's description."""
        usual = {} if self.usual_distance is None else {"usual_distance": self.usual_distance}
        return {"lowest_score": self.min_score, "longest_distance": self.max_distance} | usual

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "RejectionThresholds":
        """What `to_json` made. Raises untrusted.Refused for anything else."""
        with taking_apart():
            usual = content.get("usual_distance")
            return cls(
                number(content["lowest_score"], 0, 1),
                number(content["longest_distance"], 0, LARGEST_DISTANCE),
                None if usual is None else number(usual, 0, LARGEST_DISTANCE),
            )

    @classmethod
    def of(cls, scores: np.ndarray, distances: np.ndarray) -> "RejectionThresholds":
        """From the best scores and comparable distances of the classes' own sound that was held out."""
        doubt = min(float(np.quantile(scores, RARE)), HIGHEST_DOUBT)
        return cls(doubt, float(distances.max()) * FAR_MARGIN, float(np.quantile(distances, USUAL)))


def comparable_distance(squared_distance: float | np.ndarray, share: float | np.ndarray) -> Any:
    """A squared distance as it would be of a full chunk; `share` is how much of a chunk was heard, over 0 to 1.

    An average over less sound lies farther out. Measured on the sample voices' recordings that were not learnt from, in
    windows of 1.5 s of chunks of 3 and of 20 s, it falls with this power of the length (docs/experiments.md).
    """
    return squared_distance * np.power(share, LENGTH_EXPONENT)
