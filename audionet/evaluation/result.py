"""How good a classifier is on recordings that it was not trained on."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from audionet.evaluation.confusion import Confusion
from audionet.evaluation.predictions import Predictions


@dataclass(frozen=True)
class Misclassification:
    """A held-out picture that was predicted as another class: its place in the recording, both classes, the score."""

    picture: str
    start_seconds: float
    end_seconds: float
    class_name: str
    label: str
    score: float

    @classmethod
    def of(cls, predictions: Predictions, position: int) -> "Misclassification":
        """The mistake in the prediction at a position."""
        place = predictions.places[position]
        return cls(
            place.name,
            place.start_seconds,
            place.end_seconds,
            predictions.labels[predictions.targets[position]],
            predictions.labels[predictions.predicted[position]],
            float(predictions.scores[position]),
        )

    def to_json(self) -> dict[str, str | float]:
        """As plain values, for the model's description."""
        return {
            "picture": self.picture,
            "start_seconds": self.start_seconds,
            "end_seconds": self.end_seconds,
            "class_name": self.class_name,
            "label": self.label,
            "score": self.score,
        }


@dataclass(frozen=True)
class EvaluationResult:
    """How classifiers did on pictures of recordings that they were not trained on.

    recordings: how many the pictures are of.
    fold_accuracies: of each fold; empty if there was one split.
    calibration_error: how far the scores are from the share that is right, 0 to 1.
    tested: the pictures one by one; None if all this was read from a model.
    """

    confusion: Confusion
    recordings: int
    fold_accuracies: list[float]
    calibration_error: float
    mistakes: list[Misclassification]
    tested: Predictions | None = field(default=None, repr=False, compare=False)

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "accuracy": self.confusion.accuracy,
            "interval": self.confusion.interval,
            "confusion": self.confusion.matrix.tolist(),
            "recordings": self.recordings,
            "fold_accuracies": self.fold_accuracies,
            "calibration_error": self.calibration_error,
            "mistakes": [mistake.to_json() for mistake in self.mistakes],
        }

    @classmethod
    def of(cls, predictions: Predictions, recordings: int, fold_accuracies: list[float]) -> "EvaluationResult":
        """The result of predictions about so many recordings."""
        return cls(
            predictions.confusion,
            recordings,
            fold_accuracies,
            predictions.calibration_error,
            [Misclassification.of(predictions, position) for position in sorted(predictions.mistakes())],
            predictions,
        )

    @classmethod
    def from_json(cls, labels: list[str], content: dict[str, Any]) -> "EvaluationResult":
        """The result that `to_json` made plain values of."""
        return cls(
            Confusion(labels, np.array(content["confusion"], np.int64)),
            content["recordings"],
            content["fold_accuracies"],
            content["calibration_error"],
            [Misclassification(**mistake) for mistake in content["mistakes"]],
        )
